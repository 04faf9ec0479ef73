// SPDX-License-Identifier: BSD-2-Clause
//! Reading XML, and what is wrong with a file that is none.

use roxmltree::{Document, Error, Node, TextPos};

use crate::diagnostic::{Diagnostic, Result, Source};

/// Reads a text.
///
/// # Errors
/// The parser's error at its place.
pub fn parse(source: &Source) -> Result<Document<'_>> {
    Document::parse(&source.text).map_err(|error| {
        let at = error.pos();
        let message = error.to_string().replace(&format!(" at {at}"), "");
        vec![Diagnostic {
            line: at.row as usize,
            column: at.col as usize,
            ..Diagnostic::new(&source.name, message, remedy(source, &error))
        }]
    })
}

/// Returns the comment that stands directly in front of an element.
pub fn comment_before<'a, 'i>(node: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let mut before = node.prev_siblings().skip(1);
    before
        .find(|node| !node.is_text() || !node.text().unwrap_or_default().trim().is_empty())
        .filter(Node::is_comment)
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
