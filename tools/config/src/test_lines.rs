// SPDX-License-Identifier: BSD-2-Clause
//! The description of the image that the tests boot: the project's, with what is marked `@test`
//! switched on.
//!
//! ```text
//! <!-- @test: <map … /> -->        an element, or several: it takes the comment's place
//! <!-- @test: priority="250" -->   an attribute: it replaces that of the element in the next line
//! ```
//!
//! A mark stands in one line. No line is added or removed, so that messages about the result fit
//! the original.

use crate::{Diagnostic, Source};

const OPEN: &str = "<!--";
const MARK: &str = "@test:";
const CLOSE: &str = "-->";

/// Switches all marks on.
///
/// # Errors
/// A mark without an effect, and a description without a mark.
pub fn enable(source: &Source) -> Result<String, Vec<Diagnostic>> {
    let mut lines = Vec::new();
    let mut errors = Vec::new();
    // An attribute for the next line, and where it stands.
    let mut pending: Option<(&str, usize)> = None;
    let mut marks = 0;
    let mut offset = 0;
    for line in source.text.split_inclusive('\n') {
        let at = offset;
        offset += line.len();
        let mut report = |at, message: &str, help: &str| errors.push(source.at(at, message, help));
        if let Some((attribute, from)) = pending.take() {
            match replace_attribute(line, attribute) {
                Some(replaced) => lines.push(replaced),
                None => report(
                    from,
                    "the next line has no such attribute to replace",
                    "put the mark in front of the line with the attribute",
                ),
            }
            continue;
        }
        let Some((before, marked)) = split_mark(line) else {
            lines.push(line.to_string());
            continue;
        };
        marks += 1;
        let Some((content, after)) = marked.split_once(CLOSE) else {
            report(
                at + before.len(),
                "a mark that does not end in its line",
                "write one line for each: <!-- @test: … -->",
            );
            continue;
        };
        let content = content.trim();
        if content.starts_with('<') {
            lines.push(format!("{before}{content}{after}"));
        } else {
            pending = Some((content, at + before.len()));
            lines.push(format!("{before}{after}"));
        }
    }
    if let Some((_, from)) = pending {
        errors.push(source.at(
            from,
            "no line follows whose attribute this replaces",
            "put the mark in front of the line with the attribute",
        ));
    }
    if marks == 0 {
        errors.push(source.at(
            0,
            "no line is marked @test, so there is no test image",
            "mark what only the test image has: <!-- @test: … -->",
        ));
    }
    if errors.is_empty() {
        Ok(lines.concat())
    } else {
        Err(errors)
    }
}

/// What stands in front of a mark, and what behind its colon.
fn split_mark(line: &str) -> Option<(&str, &str)> {
    line.match_indices(OPEN).find_map(|(start, _)| {
        let marked = line[start + OPEN.len()..].trim_start().strip_prefix(MARK)?;
        Some((&line[..start], marked))
    })
}

/// The line with the attribute's value in place of its own, if it has exactly one of that name.
fn replace_attribute(line: &str, attribute: &str) -> Option<String> {
    let (name, value) = attribute.split_once('=')?;
    let is_quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
    if !is_quoted || name.contains(char::is_whitespace) {
        return None;
    }
    let key = format!(" {name}=\"");
    let (before, rest) = line.split_once(&key)?;
    let (_, after) = rest.split_once('"')?;
    (!rest.contains(&key)).then(|| format!("{before} {attribute}{after}"))
}
