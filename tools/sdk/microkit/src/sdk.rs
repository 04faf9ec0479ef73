// SPDX-License-Identifier: BSD-2-Clause
//! The SDK directory that the tool belongs to.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::platform::Platform;

/// A problem outside the system description.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}\n  help: {help}")]
pub struct ToolError {
    /// What it is.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl ToolError {
    /// An error with its remedy.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Files of one board and configuration.
#[derive(Clone, Debug)]
pub struct Board {
    /// elf/sel4.elf, or what replaces it.
    pub kernel: Vec<u8>,
    /// elf/loader.elf.
    pub loader: Vec<u8>,
    /// elf/initialiser.elf.
    pub initialiser: Vec<u8>,
    /// Memory and devices.
    pub platform: Platform,
}

const REBUILD: &str = "build the SDK anew (make sdk)";

/// Root of the SDK: `MICROKIT_SDK` if it is set, otherwise the folder above the one that holds the
/// executable.
///
/// # Errors
/// There is no SDK there.
pub fn root(variable: Option<&Path>, executable: &Path) -> Result<PathBuf, ToolError> {
    let (root, source) = match variable {
        Some(path) => (path.to_owned(), "MICROKIT_SDK names".to_owned()),
        None => {
            let above = executable.parent().and_then(Path::parent);
            let root = above.unwrap_or(Path::new(".")).to_owned();
            (root, format!("{} belongs to", executable.display()))
        }
    };
    if root.join("board").is_dir() {
        return Ok(root);
    }
    Err(ToolError::new(
        format!("{source} {}, which has no folder 'board'", root.display()),
        "set MICROKIT_SDK to an SDK, or run the tool as <SDK>/bin/microkit",
    ))
}

impl Board {
    /// Reads a board's files; `kernel` replaces its kernel.
    ///
    /// # Errors
    /// No such board or configuration, or something is missing in it.
    pub fn read(
        root: &Path,
        board: &str,
        config: &str,
        kernel: Option<&Path>,
    ) -> Result<Self, ToolError> {
        choose(&root.join("board"), "--board", board)?;
        choose(&root.join("board").join(board), "--config", config)?;
        let folder = root.join("board").join(board).join(config);
        let configuration = json(&folder.join("include/kernel/gen_config.json"))?;
        if configuration.get("KERNEL_MCS").and_then(Value::as_bool) == Some(true) {
            return Err(ToolError::new(
                format!(
                    "{} is not a registry SDK: its kernel is another one",
                    root.display()
                ),
                "run the microkit tool of that SDK, or unset MICROKIT_SDK",
            ));
        }
        let constants_path = folder.join("address_space_constants.json");
        let top = json(&constants_path)?
            .get("vspace_user_top")
            .and_then(Value::as_u64);
        if top != Some(sdk_spec::abi::USER_TOP) {
            return Err(ToolError::new(
                format!(
                    "{}: vspace_user_top is not {:#x}",
                    constants_path.display(),
                    sdk_spec::abi::USER_TOP
                ),
                REBUILD,
            ));
        }
        let platform = json(&folder.join("platform_gen.json"))?;
        let platform = Platform::from_json(&platform, &configuration)
            .map_err(|why| ToolError::new(format!("{}: {why}", folder.display()), REBUILD))?;
        Ok(Self {
            kernel: match kernel {
                Some(path) => bytes(path, "name the kernel's ELF file")?,
                None => bytes(&folder.join("elf/sel4.elf"), REBUILD)?,
            },
            loader: bytes(&folder.join("elf/loader.elf"), REBUILD)?,
            initialiser: bytes(&folder.join("elf/initialiser.elf"), REBUILD)?,
            platform,
        })
    }
}

fn choose(folder: &Path, option: &str, choice: &str) -> Result<(), ToolError> {
    if !choice.is_empty()
        && Path::new(choice).components().count() == 1
        && folder.join(choice).is_dir()
    {
        return Ok(());
    }
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Err(ToolError::new(
        format!("{option} {choice}: there is none of that name"),
        format!("choose from: {}", names.join(", ")),
    ))
}

fn bytes(path: &Path, help: &str) -> Result<Vec<u8>, ToolError> {
    std::fs::read(path).map_err(|why| ToolError::new(format!("{}: {why}", path.display()), help))
}

fn json(path: &Path) -> Result<Value, ToolError> {
    serde_json::from_slice(&bytes(path, REBUILD)?)
        .map_err(|why| ToolError::new(format!("{}: {why}", path.display()), REBUILD))
}
