// SPDX-License-Identifier: BSD-2-Clause
//! The source files of the repository.

use std::path::Path;

use ignore::WalkBuilder;

/// A file that people write.
pub struct SourceFile {
    /// Path relative to the repository.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// Names and endings of files that people write. Test data and locks are not.
const SOURCE_NAMES: [&str; 2] = ["Makefile", "Dockerfile"];
const SOURCE_ENDINGS: [&str; 19] = [
    "S", "bf", "c", "css", "h", "html", "js", "ld", "lds", "md", "mk", "py", "rs", "s", "sh",
    "svg", "toml", "xml", "yml",
];

/// All source files that git does not ignore.
pub fn source_files(root: &Path) -> Result<Vec<SourceFile>, String> {
    let mut files = Vec::new();
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path();
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if !is_file || !is_source(path) {
            continue;
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let relative = path.strip_prefix(root).unwrap_or(path);
        files.push(SourceFile {
            path: relative.display().to_string(),
            text,
        });
    }
    Ok(files)
}

fn is_source(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let ending = path.extension().and_then(|ending| ending.to_str());
    name.is_some_and(|name| SOURCE_NAMES.contains(&name))
        || ending.is_some_and(|ending| SOURCE_ENDINGS.contains(&ending))
}
