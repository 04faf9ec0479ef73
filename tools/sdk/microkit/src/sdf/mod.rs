// SPDX-License-Identifier: BSD-2-Clause
//! Reading the system description (Microkit manual, chapter "System Description File").

mod attributes;
mod channel;
pub mod model;
mod pd;
mod region;

use roxmltree::{Document, TextPos};

use crate::diagnostics::{Diagnostics, Position};
use crate::xml::Element;
use model::{SetVar, System};
pub use pd::MAX_NAME;

/// Reads a system description. What is wrong goes to `diagnostics`; what could be read is returned.
#[must_use]
pub fn parse(text: &str, diagnostics: &Diagnostics) -> Option<System> {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(why) => {
            report_syntax(text, &why, diagnostics);
            return None;
        }
    };
    let root = Element::new(document.root_element(), diagnostics);
    if root.name() != "system" {
        root.error(
            format!("the root element is '{}', not 'system'", root.name()),
            "put everything into <system> … </system>",
        );
        return None;
    }
    let mut reader = Reader {
        system: System::default(),
        diagnostics,
    };
    root.allow(&[]);
    let children = root.children();
    // Regions first, then domains, then channels: whatever is named has then been read.
    for child in &children {
        match child.name() {
            "memory_region" => reader.region(child),
            "protection_domain" | "channel" => {}
            _ => root.misplaced(child, &["protection_domain", "memory_region", "channel"]),
        }
    }
    for child in children.iter().filter(|c| c.name() == "protection_domain") {
        reader.protection_domain(child, None);
    }
    for child in children.iter().filter(|c| c.name() == "channel") {
        reader.channel(child);
    }
    if reader.system.pds.is_empty() {
        root.error(
            "there is no protection domain",
            "add at least one <protection_domain>",
        );
    }
    Some(reader.system)
}

struct Reader<'a> {
    system: System,
    diagnostics: &'a Diagnostics,
}

impl Reader<'_> {
    fn add_setvar(&mut self, pd: usize, setvar: SetVar) {
        let list = &mut self.system.pds[pd].setvars;
        if let Some(first) = list.iter().find(|other| other.symbol == setvar.symbol) {
            self.diagnostics.error(
                setvar.at,
                format!("symbol '{}' is set twice", setvar.symbol),
                format!("it is set first in line {}; use two symbols", first.at.line),
            );
        } else {
            list.push(setvar);
        }
    }
}

fn report_syntax(text: &str, why: &roxmltree::Error, diagnostics: &Diagnostics) {
    // Errors about the whole document have no place of their own: then it is the end of the text.
    let whole = TextPos::new(1, 1);
    let at = if why.pos() == whole && !text.trim().is_empty() {
        let line = text.lines().count().max(1);
        let column = text.lines().last().map_or(0, |l| l.chars().count()) + 1;
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    } else {
        why.pos().into()
    };
    let mut message = why.to_string();
    if let Some(cut) = message.rfind(" at ") {
        message.truncate(cut);
    }
    diagnostics.error(
        at,
        format!("not well-formed XML: {message}"),
        "correct the syntax: every element closed, every attribute quoted",
    );
}

/// A remedy for an unknown name: the nearest known one, otherwise `otherwise`.
fn suggest(name: &str, known: &[&str], otherwise: &str) -> String {
    let near = known
        .iter()
        .map(|other| (distance(name, other), other))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    match near {
        Some((_, other)) => format!("did you mean '{other}'?"),
        None => otherwise.to_owned(),
    }
}

/// Number of single-character changes between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
