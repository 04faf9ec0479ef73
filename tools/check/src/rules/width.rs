// SPDX-License-Identifier: BSD-2-Clause
//! Text for people, comments in Rust and Markdown, is read in columns and at once.

use crate::{Finding, SourceFile};

/// Columns of a line of text.
const COLUMNS: usize = 100;

/// Words that make a reader stop.
const RIDDLES: [&str; 3] = ["whoever", "so to say", "none that"];

/// Checks a file. Rows of tables, quoted code and single words cannot be broken, and may be longer.
pub fn check_file(file: &SourceFile) -> Vec<Finding> {
    let remedy = if file.path.ends_with(".rs") {
        "break the comment"
    } else if file.path.ends_with(".md") {
        "break the line"
    } else {
        return Vec::new();
    };
    let mut in_code = false;
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(file.text.lines()) {
        let Some(words) = words(&file.path, text) else {
            continue;
        };
        let fence = words.starts_with("```");
        in_code ^= fence;
        let lower = words.to_lowercase();
        if let Some(riddle) = RIDDLES.iter().find(|riddle| lower.contains(**riddle)) {
            let message = format!("\"{riddle}\" in a text");
            findings.push(Finding::new(
                &file.path,
                line,
                message,
                "say who or what it is",
            ));
        }
        let columns = text.chars().count();
        let may_be_long = in_code || fence || words.starts_with('|') || !words.contains(' ');
        if columns > COLUMNS && !may_be_long {
            let message = format!("{columns} columns of text");
            let remedy = format!("{remedy} before column {COLUMNS}");
            findings.push(Finding::new(&file.path, line, message, remedy));
        }
    }
    findings
}

/// The words of a line that is text for people.
fn words<'a>(path: &str, line: &'a str) -> Option<&'a str> {
    let text = line.trim_start();
    if path.ends_with(".md") {
        // Four blanks make code of it, but not within a list.
        let is_code = line.starts_with("    ") && !text.contains(". ");
        return (!is_code).then_some(text);
    }
    let comment = text.strip_prefix("//")?;
    Some(comment.trim_start_matches(['/', '!']).trim_start())
}
