// SPDX-License-Identifier: BSD-2-Clause
//! Files named by the system description.

use std::io;
use std::path::PathBuf;

/// Where named files come from.
pub trait Files {
    /// Content of the file with this path.
    ///
    /// # Errors
    /// It does not exist or cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;
}

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// In none of the places.
    #[error("file '{path}' is in none of the search paths")]
    Missing {
        /// As in the description.
        path: String,
        /// Where it was looked for.
        places: Vec<PathBuf>,
    },
    /// There, but not readable.
    #[error("file '{}' cannot be read: {why}", path.display())]
    Unreadable {
        /// Full path.
        path: PathBuf,
        /// The operating system's reason.
        why: io::Error,
    },
}

impl FileError {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Missing { places, .. } => {
                let places: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
                format!(
                    "build it, or add its folder with --search-path; looked in: {}",
                    places.join(", ")
                )
            }
            Self::Unreadable { .. } => "check the file and its permissions".to_owned(),
        }
    }
}

/// Folders in the order in which they are searched.
#[derive(Clone, Debug, Default)]
pub struct SearchPaths(pub Vec<PathBuf>);

impl Files for SearchPaths {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let mut candidates = self.0.iter().map(|place| place.join(path));
        let Some(found) = candidates.find(|full| full.exists()) else {
            return Err(FileError::Missing {
                path: path.to_owned(),
                places: self.0.clone(),
            });
        };
        std::fs::read(&found).map_err(|why| FileError::Unreadable { path: found, why })
    }
}
