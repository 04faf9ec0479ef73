// SPDX-License-Identifier: BSD-2-Clause
//! The results as a table for people and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::counters::{self, Sample};
use crate::load::{BOOT, Better, Figure};
use crate::median::{median, spread};

/// All that was measured.
#[derive(Default)]
pub struct Results {
    /// what was measured, and how
    pub title: String,
    /// one figure each
    pub rows: Vec<Row>,
    /// seconds to the first answer, of each boot
    pub boots: Vec<f64>,
    /// how the image's counters grew under each workload
    pub growth: Vec<(&'static str, Sample)>,
    /// other facts about the image
    pub facts: Vec<(String, String)>,
}

/// A figure with a value of each round.
pub struct Row {
    /// what it is
    pub figure: &'static Figure,
    /// one value a round
    pub values: Vec<f64>,
    /// growth of the image's counters for each packet
    pub per_packet: Option<[f64; counters::COLUMNS]>,
}

impl Row {
    fn median(&self) -> f64 {
        median(&self.values)
    }

    /// How the median compares with another value: above 1 is better.
    fn ratio(&self, other: f64) -> f64 {
        match self.figure.better {
            Better::Higher => self.median() / other,
            Better::Lower => other / self.median(),
        }
    }

    fn mark(&self) -> &'static str {
        match self.figure.floor {
            Some(floor) if self.ratio(floor) >= 1.0 => "ok",
            Some(_) => "SHORT",
            None => "",
        }
    }
}

fn all_rows(results: &Results) -> impl Iterator<Item = Row> + '_ {
    let boot = (!results.boots.is_empty()).then(|| Row {
        figure: &BOOT,
        values: results.boots.clone(),
        per_packet: None,
    });
    boot.into_iter().chain(results.rows.iter().map(|row| Row {
        figure: row.figure,
        values: row.values.clone(),
        per_packet: row.per_packet,
    }))
}

/// Three significant digits, and no fraction above 100.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.9995 => 2,
        v if v > 0.0 => 3,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// The table, with as much space in each column as it needs.
pub fn markdown(results: &Results) -> String {
    let mut lines = vec![
        [
            "row",
            "median",
            "unit",
            "±%",
            "floor",
            "",
            "best elsewhere",
            "ratio",
        ]
        .into_iter()
        .map(str::to_owned)
        .chain(counters::names().map(|name| format!("{name}/packet")))
        .collect::<Vec<_>>(),
    ];
    let optional = |value: Option<f64>| value.map(number).unwrap_or_default();
    for row in all_rows(results) {
        let figure = row.figure;
        let mut cells = vec![
            figure.name.to_owned(),
            number(row.median()),
            figure.unit.to_owned(),
            format!("{:.0}", spread(&row.values)),
            optional(figure.floor),
            row.mark().to_owned(),
            optional(figure.best),
            optional(figure.best.map(|best| row.ratio(best))),
        ];
        match row.per_packet {
            Some(sums) => cells.extend(sums.map(number)),
            None => cells.extend(counters::names().map(|_| String::new())),
        }
        lines.push(cells);
    }
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
            .max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1.min(lines.len()), rule);
    let mut text = format!("{}\n\n", results.title);
    for cells in &lines {
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            // Names to the left, numbers to the right. Writing to a String does not fail.
            let _ = match column {
                0 | 2 | 5 => write!(text, "| {cell:<width$} "),
                _ => write!(text, "| {cell:>width$} "),
            };
        }
        text.push_str("|\n");
    }
    for (name, value) in &results.facts {
        let _ = writeln!(text, "\n{name}: {value}");
    }
    text
}

/// Every counter that changed, for one packet, by workload.
pub fn details(results: &Results) -> String {
    let mut text = String::new();
    for (workload, growth) in &results.growth {
        // Writing to a String does not fail.
        let _ = writeln!(text, "\n{workload}, per packet:");
        for (name, value) in growth.details() {
            let _ = writeln!(text, "  {name:<44} {:>10}", number(value));
        }
    }
    text
}

/// The same for programs.
pub fn json(results: &Results) -> String {
    let rows: Vec<Value> = all_rows(results)
        .map(|row| {
            let per_packet = row.per_packet.map(|sums| {
                counters::names()
                    .zip(sums)
                    .map(|(name, sum)| (name.to_owned(), json!(sum)))
                    .collect::<serde_json::Map<_, _>>()
            });
            json!({
                "name": row.figure.name,
                "unit": row.figure.unit,
                "median": row.median(),
                "values": row.values,
                "floor": row.figure.floor,
                "best_elsewhere": row.figure.best,
                "per_packet": per_packet,
            })
        })
        .collect();
    let facts: serde_json::Map<_, _> = results
        .facts
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let all = json!({"title": results.title, "rows": rows, "facts": facts});
    format!("{all:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    static FASTER: Figure = Figure {
        name: "requests",
        unit: "/s",
        better: Better::Higher,
        floor: Some(100.0),
        best: Some(200.0),
    };
    static SHORTER: Figure = Figure {
        name: "round trip",
        unit: "µs",
        better: Better::Lower,
        floor: Some(100.0),
        best: None,
    };

    fn results() -> Results {
        let row = |figure, values: &[f64], per_packet| Row {
            figure,
            values: values.to_vec(),
            per_packet,
        };
        Results {
            title: "title".to_owned(),
            rows: vec![
                row(
                    &FASTER,
                    &[149.0, 150.0, 151.0],
                    Some([1.0, 0.5, 0.0, 2.0, 3.5, 1.5]),
                ),
                row(&SHORTER, &[101.0], None),
            ],
            boots: vec![0.5],
            growth: Vec::new(),
            facts: vec![("image size".to_owned(), "5 KiB".to_owned())],
        }
    }

    #[test]
    fn floors_are_judged_in_the_right_direction() {
        let text = markdown(&results());
        let line = |name| text.lines().find(|line| line.contains(name)).unwrap();
        assert!(line("requests").contains("| ok "), "{text}");
        assert!(line("requests").contains("0.750"), "{text}");
        assert!(line("round trip").contains("| SHORT "), "{text}");
        assert!(text.contains("image size: 5 KiB"));
        let lengths: Vec<_> = text
            .lines()
            .filter(|l| l.starts_with('|'))
            .map(|l| l.chars().count())
            .collect();
        assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }

    #[test]
    fn json_has_every_row() {
        let value: Value = serde_json::from_str(&json(&results())).unwrap();
        assert_eq!(value["rows"].as_array().unwrap().len(), 3);
        assert_eq!(value["rows"][1]["median"], 150.0);
        assert_eq!(value["rows"][1]["per_packet"]["copies"], 2.0);
    }
}
