// SPDX-License-Identifier: BSD-2-Clause
//! The rules of docs/architecture.md that the compiler does not know: who may depend on whom, where
//! unsafe code may be, and what every source file has.

#![forbid(unsafe_code)]

mod finding;
mod packages;
pub mod rules;
mod tree;

pub use finding::Finding;
pub use packages::{Dependency, Package, Part, packages};
pub use tree::{SourceFile, source_files};

use std::path::Path;

/// Checks the repository at `root`.
///
/// # Errors
/// If cargo or the file system does not let itself be read: what, and why.
pub fn check(root: &Path) -> Result<Vec<Finding>, String> {
    let packages = packages(root)?;
    let files = source_files(root)?;
    let mut findings = rules::dependencies::check(&packages);
    findings.extend(rules::files::check(&files));
    findings.extend(rules::unsafety::check_crates(&packages, &files));
    findings.extend(rules::promises::check(&files));
    for file in &files {
        findings.extend(rules::unsafety::check_file(file));
        findings.extend(rules::width::check_file(file));
    }
    findings.sort();
    Ok(findings)
}
