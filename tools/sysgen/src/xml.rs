// SPDX-License-Identifier: BSD-2-Clause
//! What is wrong with a file that is no XML.

use roxmltree::{Error, TextPos};

use crate::{Diagnostic, Source};

/// The parser's error as a mistake at its place.
pub fn mistake(source: &Source, error: &Error) -> Diagnostic {
    let at = error.pos();
    Diagnostic {
        file: source.name.clone(),
        line: at.row as usize,
        column: at.col as usize,
        message: error.to_string().replace(&format!(" at {at}"), ""),
        help: remedy(source, error),
    }
}

fn remedy(source: &Source, error: &Error) -> String {
    match error {
        Error::UnexpectedCloseTag(open, closed, at) => {
            let before = &source.text[..offset(&source.text, *at)];
            match (open_element(before, open), open_element(before, closed)) {
                (Some(begin), Some(_)) => format!(
                    "close <{open}> of {}, or an element inside it, above this line",
                    source.place(begin)
                ),
                (_, None) => format!("remove this tag: no <{closed}> is open here"),
                (None, _) => "look for an element that is not closed above this line".to_string(),
            }
        }
        Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            "look for an element, comment or quoted text that is not closed".to_string()
        }
        _ => "correct the XML".to_string(),
    }
}

/// The byte at a line and column.
fn offset(text: &str, at: TextPos) -> usize {
    let mut lines = text.split_inclusive('\n');
    let above: usize = lines.by_ref().take(at.row as usize - 1).map(str::len).sum();
    let left = lines.next().unwrap_or_default().chars();
    above
        + left
            .take(at.col as usize - 1)
            .map(char::len_utf8)
            .sum::<usize>()
}

/// Where the innermost element of this name begins that is open at the end of the text. Tags in
/// comments count, which matters only if they do not close each other.
fn open_element(text: &str, name: &str) -> Option<usize> {
    let mut closed = 0;
    for (begin, _) in text.rmatch_indices('<') {
        let tag = text[begin + 1..].split('>').next().unwrap_or_default();
        let (closes, tag) = match tag.strip_prefix('/') {
            Some(tag) => (true, tag),
            None => (false, tag),
        };
        if tag.split_whitespace().next() != Some(name) || tag.ends_with('/') {
            continue;
        }
        match (closes, closed) {
            (true, _) => closed += 1,
            (false, 0) => return Some(begin),
            (false, _) => closed -= 1,
        }
    }
    None
}
