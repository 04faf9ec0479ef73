// SPDX-License-Identifier: BSD-2-Clause
//! Each promise names the tests that hold it, and these exist.

use std::collections::BTreeSet;

use crate::{Finding, SourceFile};

/// The page of promises: tables of which the second column names tests in backquotes.
const PAGE: &str = "docs/promises.md";

/// Checks the page, if there is one.
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let Some(page) = files.iter().find(|file| file.path == PAGE) else {
        return Vec::new();
    };
    let functions: BTreeSet<&str> = files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .flat_map(|file| file.text.split("fn ").skip(1))
        .filter_map(|after| {
            after
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
        })
        .collect();
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(page.text.lines()) {
        let mut cells = text.split('|').skip(1);
        let (Some(promise), Some(tests)) = (cells.next(), cells.next()) else {
            continue;
        };
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        let is_head = promise.trim() == "promise" || promise.trim().starts_with("---");
        if named.is_empty() && !is_head {
            let remedy = "name a test in the second column, or write the test first";
            findings.push(Finding::new(
                &page.path,
                line,
                "a promise without a test",
                remedy,
            ));
        }
        for test in named.iter().filter(|test| !test.starts_with("make ")) {
            if !functions.contains(test) {
                let message = format!("there is no test {test}");
                let remedy = "correct the name, or take the promise back";
                findings.push(Finding::new(&page.path, line, message, remedy));
            }
        }
    }
    findings
}
