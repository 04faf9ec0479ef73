// SPDX-License-Identifier: BSD-2-Clause
//! Size of the image, and memory as its report says.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The line of the registry SDK's report that says it; the official SDK's report has no sum.
const MEMORY: &str = "memory needed";

/// Names and values for the table.
///
/// # Errors
/// If a file cannot be read.
pub fn facts(image: &Path, report: Option<&Path>) -> Result<Vec<(String, String)>> {
    let size = fs::metadata(image)
        .with_context(|| format!("cannot read {}", image.display()))?
        .len();
    let mut facts = vec![(
        "image size".to_owned(),
        format!("{} KiB", size.div_ceil(1024)),
    )];
    if let Some(path) = report {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let memory = memory(&text).unwrap_or("not in this SDK's report");
        facts.push((MEMORY.to_owned(), memory.to_owned()));
    }
    Ok(facts)
}

fn memory(report: &str) -> Option<&str> {
    report
        .lines()
        .find_map(|line| line.strip_prefix(MEMORY))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_read_from_the_report() {
        let report = "# Image\nloader.img          5 MiB\nmemory needed       70 MiB at most\n";
        assert_eq!(memory(report), Some("70 MiB at most"));
        assert_eq!(memory("# TCB Details\n"), None);
    }
}
