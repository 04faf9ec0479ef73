// SPDX-License-Identifier: BSD-2-Clause
//! Problems in the system description, each with its place and its remedy.
//!
//! Parsing and checking go on after an error where that is possible, so that one run reports
//! several.

use std::cell::RefCell;
use std::fmt;

/// A place in the system description, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

impl From<roxmltree::TextPos> for Position {
    fn from(at: roxmltree::TextPos) -> Self {
        Self {
            line: at.row,
            column: at.col,
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// No image is made.
    Error,
    /// Probably a mistake.
    Warning,
    /// Accepted, but this SDK does something else than the official one.
    Remark,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub at: Position,
    /// What it is.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The problems found so far in one file.
#[derive(Debug)]
pub struct Diagnostics {
    file: String,
    found: RefCell<Vec<Diagnostic>>,
}

impl Diagnostics {
    /// No problems yet in `file`.
    #[must_use]
    pub fn new(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            found: RefCell::default(),
        }
    }

    /// Notes an error.
    pub fn error(&self, at: Position, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Error, at, message.into(), help.into());
    }

    /// Notes a warning.
    pub fn warning(&self, at: Position, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Warning, at, message.into(), help.into());
    }

    /// Notes a remark.
    pub fn remark(&self, at: Position, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Remark, at, message.into(), help.into());
    }

    fn push(&self, severity: Severity, at: Position, message: String, help: String) {
        let entry = Diagnostic {
            severity,
            at,
            message,
            help,
        };
        let mut found = self.found.borrow_mut();
        if !found.contains(&entry) {
            found.push(entry);
        }
    }

    /// Whether there is an error among them.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found
            .borrow()
            .iter()
            .any(|d| d.severity == Severity::Error)
    }

    /// All of them, in order of their place.
    #[must_use]
    pub fn sorted(&self) -> Vec<Diagnostic> {
        let mut all = self.found.borrow().clone();
        all.sort_by_key(|d| d.at);
        all
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for d in self.sorted() {
            let word = match d.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Remark => "remark",
            };
            let Position { line, column } = d.at;
            writeln!(f, "{}:{line}:{column}: {word}: {}", self.file, d.message)?;
            writeln!(f, "  help: {}", d.help)?;
        }
        Ok(())
    }
}
