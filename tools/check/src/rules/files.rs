// SPDX-License-Identifier: BSD-2-Clause
//! What every source file has: a licence line, and an end in sight.

use crate::{Finding, SourceFile};

/// Files above this length are hard to hold in the head.
const MAX_LINES: usize = 800;

/// The licence line stands within so many lines: a `#!`, a doctype or an XML declaration may come
/// first.
const LICENCE_WITHIN: usize = 3;

// In two pieces, so that this file has one licence line.
const LICENCE: &str = concat!("SPDX-License", "-Identifier: BSD-2-Clause");

/// Checks all files that are source code. Text for people has other rules.
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| !file.path.ends_with(".md")) {
        let head = file.text.lines().take(LICENCE_WITHIN);
        if !head.into_iter().any(|line| line.contains(LICENCE)) {
            let remedy = format!("put \"{LICENCE}\" into a comment in the first line");
            findings.push(Finding::new(&file.path, 1, "no licence line", remedy));
        }
        let lines = file.text.lines().count();
        if lines > MAX_LINES {
            let remedy = format!("divide it by topic: no file has more than {MAX_LINES} lines");
            findings.push(Finding::new(
                &file.path,
                0,
                format!("{lines} lines"),
                remedy,
            ));
        }
    }
    findings
}
