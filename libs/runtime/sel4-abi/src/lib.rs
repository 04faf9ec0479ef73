// SPDX-License-Identifier: BSD-2-Clause

//! What a Microkit SDK directory says about its kernel: MCS or not, printing or not, invocation
//! labels, top of user addresses.
//!
//! `libs/runtime/sel4` asks in its build script, so that a PD fits the SDK that its image is made
//! with; the SDK test suite asks to know what it may expect on the console. The files are those of
//! Microkit 2.3 under `board/<board>/<config>/`; the registry SDK writes the same.

#![forbid(unsafe_code)]

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Which board and build of the kernel, inside which SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The SDK's folder, the one with `bin/microkit` in it.
    pub sdk: PathBuf,
    /// A folder under `board/`.
    pub board: String,
    /// A folder under the board's: `debug` or `release`.
    pub config: String,
}

/// Board when `MICROKIT_BOARD` is not set.
pub const DEFAULT_BOARD: &str = "qemu_virt_aarch64";
/// Configuration when `MICROKIT_CONFIG` is not set.
pub const DEFAULT_CONFIG: &str = "release";

impl Selection {
    /// Reads `MICROKIT_SDK`, `MICROKIT_BOARD` and `MICROKIT_CONFIG`, the variables of Microkit's
    /// own examples.
    ///
    /// # Errors
    /// [`AbiError::NoSdk`] if `MICROKIT_SDK` is not set or empty.
    pub fn from_env() -> Result<Self, AbiError> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, AbiError> {
        let non_empty = |name: &str| var(name).filter(|value| !value.is_empty());
        Ok(Self {
            sdk: non_empty("MICROKIT_SDK").ok_or(AbiError::NoSdk)?.into(),
            board: non_empty("MICROKIT_BOARD").unwrap_or_else(|| DEFAULT_BOARD.into()),
            config: non_empty("MICROKIT_CONFIG").unwrap_or_else(|| DEFAULT_CONFIG.into()),
        })
    }

    /// The folder of this board and configuration.
    pub fn folder(&self) -> PathBuf {
        self.sdk.join("board").join(&self.board).join(&self.config)
    }

    /// The three files that [`Abi::read`] reads.
    pub fn files(&self) -> [PathBuf; 3] {
        let folder = self.folder();
        [GEN_CONFIG, INVOCATIONS, ADDRESS_SPACE].map(|file| folder.join(file))
    }
}

const GEN_CONFIG: &str = "include/kernel/gen_config.json";
const INVOCATIONS: &str = "invocations_all.json";
const ADDRESS_SPACE: &str = "address_space_constants.json";

/// What the PD runtime must know about a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abi {
    /// Scheduling contexts and reply objects: another set of system calls (seL4 manual, chapter on
    /// MCS).
    pub mcs: bool,
    /// The kernel answers `seL4_DebugPutChar`.
    pub printing: bool,
    /// Every PD may use the physical timer, not only the one that has its interrupt.
    pub timer_for_all: bool,
    /// Highest address that user level may map, inclusive.
    pub user_top: u64,
    /// Message label of each invocation in [`LABELS`], in that order.
    pub labels: [u64; LABELS.len()],
}

/// Invocations that a PD makes, as `invocations_all.json` names them. The numbers differ between
/// kernels and configurations.
pub const LABELS: [&str; 5] = [
    "TCBReadRegisters",
    "TCBWriteRegisters",
    "TCBSuspend",
    "TCBResume",
    "IRQAckIRQ",
];

impl Abi {
    /// A kernel with MCS on AArch64 that no image can be made for: what code is type-checked
    /// against where there is no SDK. It has no labels.
    pub const WITHOUT_SDK: Self = Self {
        mcs: true,
        printing: false,
        timer_for_all: false,
        user_top: 0xff_ffff_ffff,
        labels: [0; LABELS.len()],
    };

    /// Reads the selected part of an SDK.
    ///
    /// # Errors
    /// Says which file or which key is missing or of the wrong kind, and what to do.
    pub fn read(selection: &Selection) -> Result<Self, AbiError> {
        if !selection.sdk.is_dir() {
            return Err(AbiError::SdkNotFound(selection.sdk.clone()));
        }
        let folder = selection.folder();
        if !folder.is_dir() {
            let board = selection.sdk.join("board");
            return Err(AbiError::NotInSdk {
                folder,
                present: folders(&board)
                    .into_iter()
                    .flat_map(|b| {
                        folders(&board.join(&b))
                            .into_iter()
                            .map(move |c| format!("{b}/{c}"))
                    })
                    .collect(),
            });
        }
        let config = Document::read(&folder, GEN_CONFIG)?;
        let invocations = Document::read(&folder, INVOCATIONS)?;
        let address_space = Document::read(&folder, ADDRESS_SPACE)?;

        // Another architecture would build, boot and then go wrong at the first system call.
        config.expect("SEL4_ARCH", "aarch64")?;
        let mut labels = [0; LABELS.len()];
        for (label, name) in labels.iter_mut().zip(LABELS) {
            *label = invocations.number(name)?;
        }
        Ok(Self {
            mcs: config.flag("KERNEL_MCS")?,
            printing: config.flag("PRINTING")?,
            timer_for_all: config.flag("EXPORT_PTMR_USER")?,
            user_top: address_space.number("vspace_user_top")?,
            labels,
        })
    }
}

fn folders(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A JSON file together with its path, for error messages.
struct Document {
    path: PathBuf,
    value: Value,
}

impl Document {
    fn read(folder: &Path, name: &str) -> Result<Self, AbiError> {
        let path = folder.join(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                return Err(AbiError::Unreadable {
                    path,
                    reason: error.to_string(),
                });
            }
        };
        match serde_json::from_str(&text) {
            Ok(value) => Ok(Self { path, value }),
            Err(error) => Err(AbiError::Unreadable {
                path,
                reason: error.to_string(),
            }),
        }
    }

    fn key(&self, key: &str) -> Result<&Value, AbiError> {
        self.value
            .get(key)
            .ok_or_else(|| self.wrong(key, "is missing"))
    }

    fn wrong(&self, key: &str, what: &'static str) -> AbiError {
        AbiError::Key {
            path: self.path.clone(),
            key: key.into(),
            what,
        }
    }

    /// A flag may be left out by a kernel that does not know it: that is `false`.
    fn flag(&self, key: &str) -> Result<bool, AbiError> {
        match self.value.get(key) {
            None => Ok(false),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.wrong(key, "is not true or false")),
        }
    }

    fn number(&self, key: &str) -> Result<u64, AbiError> {
        self.key(key)?
            .as_u64()
            .ok_or_else(|| self.wrong(key, "is not a number"))
    }

    fn expect(&self, key: &str, wanted: &'static str) -> Result<(), AbiError> {
        if self.key(key)?.as_str() == Some(wanted) {
            Ok(())
        } else {
            Err(self.wrong(
                key,
                "is not \"aarch64\", the one architecture that libs/runtime/sel4 knows",
            ))
        }
    }
}

/// Why an SDK cannot be used. The text names what is missing and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbiError {
    /// `MICROKIT_SDK` is not set.
    NoSdk,
    /// `MICROKIT_SDK` names no folder.
    SdkNotFound(PathBuf),
    /// The SDK has no such board or configuration.
    NotInSdk {
        /// What was looked for.
        folder: PathBuf,
        /// `board/config` pairs that the SDK has.
        present: Vec<String>,
    },
    /// A file cannot be read or is not JSON.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A key is missing or of the wrong kind.
    Key {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl AbiError {
    /// Whether there is no SDK at all, rather than a wrong one.
    pub fn is_missing_sdk(&self) -> bool {
        matches!(self, Self::NoSdk | Self::SdkNotFound(_))
    }
}

impl fmt::Display for AbiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSdk => f.write_str(
                "MICROKIT_SDK is not set: a PD is linked for the kernel of one Microkit SDK\n  \
                 help: run `make sdk` and build again, or name the folder of a Microkit SDK 2.3 (absolute path)",
            ),
            Self::SdkNotFound(sdk) => write!(
                f,
                "MICROKIT_SDK={}: no such folder\n  \
                 help: run `make sdk` to build the registry SDK, or name the folder of a Microkit SDK 2.3 (absolute path)",
                sdk.display()
            ),
            Self::NotInSdk { folder, present } if present.is_empty() => write!(
                f,
                "{}: no such folder, and the SDK has no board at all\n  \
                 help: MICROKIT_SDK must name the folder that holds bin/ and board/",
                folder.display()
            ),
            Self::NotInSdk { folder, present } => write!(
                f,
                "{}: no such folder\n  help: set MICROKIT_BOARD and MICROKIT_CONFIG to one that the SDK has: {}",
                folder.display(),
                present.join(", ")
            ),
            Self::Unreadable { path, reason } => write!(
                f,
                "{}: {reason}\n  help: the SDK is incomplete or older than 2.3: unpack it anew, or `make sdk` again",
                path.display()
            ),
            Self::Key { path, key, what } => write!(
                f,
                "{}: key \"{key}\" {what}\n  help: the SDK is not one that this project knows: use Microkit SDK 2.3 or `make sdk`",
                path.display()
            ),
        }
    }
}

impl std::error::Error for AbiError {}

#[cfg(test)]
mod tests;
