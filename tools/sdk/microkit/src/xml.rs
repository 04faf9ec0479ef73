// SPDX-License-Identifier: BSD-2-Clause
//! Elements and attributes with their places; every wrong one is reported where it stands.

use roxmltree::Node;

use crate::diagnostics::{Diagnostics, Position};

/// Remedy for what only the official SDK can do.
pub const OFFICIAL_ONLY: &str =
    "remove it, or set MICROKIT_SDK to an official Microkit SDK 2.3, which has this";

/// An element.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    node: Node<'a, 'a>,
    diagnostics: &'a Diagnostics,
}

/// The value of an attribute.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    /// Name of the attribute.
    pub name: &'a str,
    /// Text of the value.
    pub text: &'a str,
    /// Where the attribute starts.
    pub at: Position,
    diagnostics: &'a Diagnostics,
}

impl<'a> Element<'a> {
    /// Wraps an element of a document.
    #[must_use]
    pub fn new(node: Node<'a, 'a>, diagnostics: &'a Diagnostics) -> Self {
        Self { node, diagnostics }
    }

    /// Name of the element.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.node.tag_name().name()
    }

    /// Where the element starts.
    #[must_use]
    pub fn at(&self) -> Position {
        self.node
            .document()
            .text_pos_at(self.node.range().start)
            .into()
    }

    /// The elements in it. Text between them other than white space is reported.
    pub fn children(&self) -> Vec<Element<'a>> {
        for child in self.node.children().filter(Node::is_text) {
            if child.text().is_some_and(|text| !text.trim().is_empty()) {
                let at = self.node.document().text_pos_at(text_start(&child)).into();
                self.diagnostics.error(
                    at,
                    format!("unexpected text in element '{}'", self.name()),
                    "remove it; a system description holds elements and comments only",
                );
            }
        }
        self.node
            .children()
            .filter(Node::is_element)
            .map(|node| Element::new(node, self.diagnostics))
            .collect()
    }

    /// Reports every attribute that is not one of `known`.
    pub fn allow(&self, known: &[&str]) {
        for attribute in self.node.attributes() {
            if known.contains(&attribute.name()) {
                continue;
            }
            let at = self
                .node
                .document()
                .text_pos_at(attribute.range().start)
                .into();
            let help = if known.is_empty() {
                format!("remove it; '{}' has no attributes", self.name())
            } else {
                format!("'{}' has: {}", self.name(), known.join(", "))
            };
            self.diagnostics.error(
                at,
                format!(
                    "unknown attribute '{}' on element '{}'",
                    attribute.name(),
                    self.name()
                ),
                help,
            );
        }
    }

    /// An attribute that may be absent.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Value<'a>> {
        let attribute = self.node.attributes().find(|a| a.name() == name)?;
        Some(Value {
            name: attribute.name(),
            text: attribute.value(),
            at: self
                .node
                .document()
                .text_pos_at(attribute.range().start)
                .into(),
            diagnostics: self.diagnostics,
        })
    }

    /// An attribute that must be there.
    #[must_use]
    pub fn required(&self, name: &str) -> Option<Value<'a>> {
        let found = self.attribute(name);
        if found.is_none() {
            self.error(
                format!("missing attribute '{name}' on element '{}'", self.name()),
                format!("add {name}=\"…\""),
            );
        }
        found
    }

    /// Reports an error at this element.
    pub fn error(&self, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.error(self.at(), message, help);
    }

    /// Reports a child that has no business in this element.
    pub fn misplaced(&self, child: &Element<'_>, known: &[&str]) {
        let what = format!("element '{}' in '{}'", child.name(), self.name());
        match child.name() {
            "virtual_machine" | "ioport" | "cspace" | "domains" | "io_address_space" => {
                child.error(
                    format!("{what} is not supported by this SDK"),
                    OFFICIAL_ONLY,
                );
            }
            _ => child.error(
                format!("unknown {what}"),
                format!("'{}' holds: {}", self.name(), known.join(", ")),
            ),
        }
    }
}

/// Where the first visible character of a text node stands.
fn text_start(text: &Node<'_, '_>) -> usize {
    let range = text.range();
    let raw = text
        .document()
        .input_text()
        .get(range.clone())
        .unwrap_or_default();
    range.start + (raw.len() - raw.trim_start().len())
}

impl Value<'_> {
    /// Reports an error at this attribute.
    pub fn error(&self, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.error(self.at, message, help);
    }

    /// Reports a remark at this attribute.
    pub fn remark(&self, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.remark(self.at, message, help);
    }

    /// A number: decimal or 0x and hexadecimal, `_` ignored.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        let digits = self.text.replace('_', "");
        let number = match digits.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        number
            .map_err(|why| {
                self.error(
                    format!("{}=\"{}\" is not a number: {why}", self.name, self.text),
                    "write decimal digits or 0x and hexadecimal digits, below 2^64; '_' may stand between",
                );
            })
            .ok()
    }

    /// A plain decimal number of at most `highest`, as ids and interrupt numbers are.
    #[must_use]
    pub fn decimal(&self, highest: u64) -> Option<u64> {
        let number = self.text.parse().ok().filter(|&n| n <= highest);
        if number.is_none() {
            self.error(
                format!(
                    "{}=\"{}\" is not a number from 0 to {highest}",
                    self.name, self.text
                ),
                format!("write a decimal number from 0 to {highest}"),
            );
        }
        number
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self.text {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                self.error(
                    format!("{}=\"{other}\" is neither true nor false", self.name),
                    "write \"true\" or \"false\"",
                );
                None
            }
        }
    }
}
