// SPDX-License-Identifier: BSD-2-Clause
//! Mistakes and where they are.

use std::fmt;
use std::ops::Range;

/// A text, and what to call it in messages. Parts of it may come from other files.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The name as the user gave it.
    pub name: String,
    /// Its content.
    pub text: String,
    /// What comes from other files: bytes of `text`, the other file, and the byte there.
    parts: Vec<(Range<usize>, Source, usize)>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Name of the file.
    pub file: String,
    /// Line, from 1; 0 if it is about the file as a whole.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The result of a step that stops at mistakes.
pub type Result<T> = std::result::Result<T, Vec<Diagnostic>>;

impl Source {
    /// A file with this name and content.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source {
            name: name.into(),
            text: text.into(),
            parts: Vec::new(),
        }
    }

    /// Adds text, without an origin of its own.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a part of another file.
    pub fn push_part(&mut self, source: &Source, range: Range<usize>) {
        let start = self.text.len();
        self.text.push_str(&source.text[range.clone()]);
        self.parts
            .push((start..self.text.len(), source.clone(), range.start));
    }

    /// Returns a mistake at a byte of the text.
    pub fn at(
        &self,
        offset: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        let part = self
            .parts
            .iter()
            .find(|(range, ..)| range.contains(&offset));
        if let Some((range, source, from)) = part {
            return source.at(from + offset - range.start, message, help);
        }
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Diagnostic {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            ..Diagnostic::new(&self.name, message, help)
        }
    }

    /// Returns where a byte stands, as `file:line`.
    pub fn place(&self, offset: usize) -> String {
        let at = self.at(offset, "", "");
        format!("{}:{}", at.file, at.line)
    }
}

impl Diagnostic {
    /// A mistake that concerns a file as a whole.
    pub fn new(
        file: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Diagnostic {
            file: file.into(),
            line: 0,
            column: 0,
            message: message.into(),
            help: help.into(),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}\n  help: {}", self.message, self.help)
    }
}

/// Mistakes in a text that are reported together.
pub struct Report<'a> {
    pub source: &'a Source,
    pub errors: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    pub fn new(source: &'a Source) -> Self {
        Report {
            source,
            errors: Vec::new(),
        }
    }

    /// Notes a mistake at a byte of the text.
    pub fn at(
        &mut self,
        offset: impl Into<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let error = self.source.at(offset.into(), message, help);
        self.errors.push(error);
    }

    /// Returns the mistakes, if there are some.
    pub fn finish(mut self) -> Result<()> {
        self.errors.sort();
        self.errors.dedup();
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(self.errors),
        }
    }
}
