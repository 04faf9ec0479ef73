// SPDX-License-Identifier: BSD-2-Clause

//! Reads from the folder of a Microkit SDK what its kernel is like: with or without MCS and debug
//! output, labels of invocations, highest user address.
//!
//! `libs/runtime/sel4` asks in its build script, so that a PD fits the SDK that its image is made
//! with; the SDK test suite asks to know what it may expect on the console. The files are those of
//! Microkit 2.3 under `board/<board>/<config>/`; the registry SDK writes the same.

#![forbid(unsafe_code)]

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One build of the kernel: SDK, board and configuration.
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
    /// If `MICROKIT_SDK` is not set or empty.
    pub fn from_env() -> Result<Self, AbiError> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, AbiError> {
        let non_empty = |name: &str| var(name).filter(|value| !value.is_empty());
        let sdk = non_empty("MICROKIT_SDK").ok_or_else(|| {
            AbiError::NoSdk(
                "MICROKIT_SDK is not set: a PD is linked for the kernel of one Microkit SDK\n  \
                 help: run `make sdk` and build again, or name the folder of a Microkit SDK 2.3 (absolute path)"
                    .into(),
            )
        })?;
        Ok(Self {
            sdk: sdk.into(),
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

    /// Reads a JSON file of this board and configuration, by its path below
    /// [`folder`](Self::folder).
    ///
    /// # Errors
    /// If the file cannot be read or is not JSON.
    pub fn table(&self, file: &str) -> Result<Table, AbiError> {
        let path = self.folder().join(file);
        let value = fs::read_to_string(&path)
            .map_err(|error| error.to_string())
            .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
        match value {
            Ok(value) => Ok(Table { path, value }),
            Err(reason) => Err(AbiError::Unusable(format!(
                "{}: {reason}\n  help: the SDK is incomplete or older than 2.3: unpack it anew, or `make sdk` again",
                path.display()
            ))),
        }
    }
}

/// The kernel's configuration.
pub const GEN_CONFIG: &str = "include/kernel/gen_config.json";
/// Message labels of all invocations.
pub const INVOCATIONS: &str = "invocations_all.json";
const ADDRESS_SPACE: &str = "address_space_constants.json";

/// The properties of a kernel that the PD runtime must know.
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

/// Invocations that a PD makes: the name of the constant in `sel4`, and the key in
/// `invocations_all.json`. The numbers differ between kernels and configurations.
pub const LABELS: [(&str, &str); 5] = [
    ("TCB_READ_REGISTERS", "TCBReadRegisters"),
    ("TCB_WRITE_REGISTERS", "TCBWriteRegisters"),
    ("TCB_SUSPEND", "TCBSuspend"),
    ("TCB_RESUME", "TCBResume"),
    ("IRQ_ACK_IRQ", "IRQAckIRQ"),
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
        selection.check()?;
        let config = selection.table(GEN_CONFIG)?;
        let invocations = selection.table(INVOCATIONS)?;
        // Another architecture would build, boot and then go wrong at the first system call.
        if config.key("SEL4_ARCH")?.as_str() != Some("aarch64") {
            let what = "is not \"aarch64\", the one architecture that libs/runtime/sel4 knows";
            return Err(config.wrong("SEL4_ARCH", what));
        }
        let mut labels = [0; LABELS.len()];
        for (label, (_, key)) in labels.iter_mut().zip(LABELS) {
            *label = invocations.number(key)?;
        }
        Ok(Self {
            mcs: config.flag("KERNEL_MCS")?,
            printing: config.flag("PRINTING")?,
            timer_for_all: config.flag("EXPORT_PTMR_USER")?,
            user_top: selection.table(ADDRESS_SPACE)?.number("vspace_user_top")?,
            labels,
        })
    }
}

impl Selection {
    /// Whether the SDK has this board and configuration.
    fn check(&self) -> Result<(), AbiError> {
        if !self.sdk.is_dir() {
            return Err(AbiError::NoSdk(format!(
                "MICROKIT_SDK={}: no such folder\n  \
                 help: run `make sdk` to build the registry SDK, or name the folder of a Microkit SDK 2.3 (absolute path)",
                self.sdk.display()
            )));
        }
        let folder = self.folder();
        if folder.is_dir() {
            return Ok(());
        }
        let boards = self.sdk.join("board");
        let present: Vec<String> = folders(&boards)
            .into_iter()
            .flat_map(|board| {
                let configs = folders(&boards.join(&board)).into_iter();
                configs.map(move |config| format!("{board}/{config}"))
            })
            .collect();
        let rest = if present.is_empty() {
            ", and the SDK has no board at all\n  \
             help: MICROKIT_SDK must name the folder that holds bin/ and board/"
                .into()
        } else {
            format!(
                "\n  help: set MICROKIT_BOARD and MICROKIT_CONFIG to one that the SDK has: {}",
                present.join(", ")
            )
        };
        Err(AbiError::Unusable(format!(
            "{}: no such folder{rest}",
            folder.display()
        )))
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

/// A JSON file of an SDK, together with its path for error messages.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    value: Value,
}

impl Table {
    fn key(&self, key: &str) -> Result<&Value, AbiError> {
        self.value
            .get(key)
            .ok_or_else(|| self.wrong(key, "is missing"))
    }

    fn wrong(&self, key: &str, what: &str) -> AbiError {
        AbiError::Unusable(format!(
            "{}: key \"{key}\" {what}\n  help: the SDK is not one that this project knows: use Microkit SDK 2.3 or `make sdk`",
            self.path.display()
        ))
    }

    /// A flag. A kernel that does not know it leaves it out: that is `false`.
    ///
    /// # Errors
    /// If the value is neither `true` nor `false`.
    pub fn flag(&self, key: &str) -> Result<bool, AbiError> {
        match self.value.get(key) {
            None => Ok(false),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.wrong(key, "is not true or false")),
        }
    }

    /// A number. Some files have numbers as text.
    ///
    /// # Errors
    /// If the key is missing or its value is not a number of this type.
    pub fn number<T: TryFrom<i64>>(&self, key: &str) -> Result<T, AbiError> {
        let value = self.key(key)?;
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        number
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| self.wrong(key, "is not a number"))
    }
}

/// Why an SDK cannot be used. The text names what is missing and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbiError {
    /// There is no SDK at all.
    NoSdk(String),
    /// It is incomplete, or not one that this project knows.
    Unusable(String),
}

impl fmt::Display for AbiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NoSdk(text) | Self::Unusable(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for AbiError {}

#[cfg(test)]
mod tests;
