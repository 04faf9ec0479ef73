// SPDX-License-Identifier: BSD-2-Clause
//! Where the logs of guests are kept.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A folder of one run, below which each boot has its log.
#[derive(Debug)]
pub struct LogFolder {
    path: PathBuf,
}

impl LogFolder {
    /// Makes `<parent>/<tool>-<pid>`.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn create(parent: &Path, tool: &str) -> Result<Self> {
        let path = parent.join(format!("{tool}-{}", std::process::id()));
        fs::create_dir_all(&path)
            .with_context(|| format!("cannot make the log folder {}", path.display()))?;
        Ok(Self { path })
    }

    /// The folder, for what else a run needs for a while.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a log file that does not exist yet: `<name>.log`, then `<name>-2.log` and so on.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn new_file(&self, name: &str) -> Result<(PathBuf, File)> {
        for number in 1.. {
            let suffix = if number == 1 {
                String::new()
            } else {
                format!("-{number}")
            };
            let path = self.path.join(format!("{name}{suffix}.log"));
            match File::options().append(true).create_new(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => {
                    return Err(e).with_context(|| format!("cannot make {}", path.display()));
                }
            }
        }
        unreachable!("an endless range ended")
    }
}

impl Drop for LogFolder {
    /// Removes the folder if no log is left in it.
    fn drop(&mut self) {
        // It fails exactly if a log was kept, and then it has to stay.
        let _ = fs::remove_dir(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_unique_and_an_empty_folder_goes() {
        let parent = std::env::temp_dir();
        let folder = LogFolder::create(&parent, "log-folder-test").unwrap();
        let (first, _) = folder.new_file("boot").unwrap();
        let (second, _) = folder.new_file("boot").unwrap();
        assert!(first.ends_with("boot.log") && second.ends_with("boot-2.log"));
        let path = folder.path.clone();
        fs::remove_file(first).unwrap();
        fs::remove_file(second).unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
