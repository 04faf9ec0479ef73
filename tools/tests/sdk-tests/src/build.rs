// SPDX-License-Identifier: BSD-2-Clause

//! From sources and a system description to an image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sel4_abi::Selection;

/// Where the descriptions lie, from the project's folder.
const SYSTEMS: &str = "tools/tests/sdk-tests/systems";
const TARGET: &str = "aarch64-unknown-none";

/// Builds the images of one run.
pub struct Builder {
    selection: Selection,
    folder: PathBuf,
}

impl Builder {
    /// Puts all that it makes into `folder`.
    pub fn new(mut selection: Selection, folder: PathBuf) -> Result<Self> {
        ensure!(
            Path::new(SYSTEMS).is_dir(),
            "there is no {SYSTEMS} here: run this in the project's folder"
        );
        // Cargo runs the build scripts in other folders.
        selection.sdk = fs::canonicalize(&selection.sdk)?;
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let file = folder.join("prefill.bin");
        fs::write(&file, prefill()).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self { selection, folder })
    }

    /// Builds the PDs of all tests for the SDK.
    pub fn build_pds(&self) -> Result<()> {
        let status = Command::new("cargo")
            .args([
                "build",
                "--locked",
                "--quiet",
                "--profile",
                self.profile(),
                "--package",
                "sdk-test-pds",
                "--features",
                "aarch64",
            ])
            .args(["--target", TARGET, "--target-dir"])
            .arg(self.pd_folder())
            .env("MICROKIT_SDK", &self.selection.sdk)
            .env("MICROKIT_BOARD", &self.selection.board)
            .env("MICROKIT_CONFIG", &self.selection.config)
            .status()
            .context("cannot run cargo")?;
        ensure!(status.success(), "the PDs of the tests do not build");
        Ok(())
    }

    /// As for the image's PDs.
    fn profile(&self) -> &'static str {
        match self.selection.config.as_str() {
            "debug" => "checked",
            _ => "release",
        }
    }

    /// One folder an SDK, so that to change to and fro does not build everything anew.
    fn pd_folder(&self) -> PathBuf {
        let name = self
            .selection
            .sdk
            .to_string_lossy()
            .replace(['/', '\\'], "_");
        self.folder.join(format!("cargo{name}"))
    }

    /// Makes the image of a system and gives its path.
    pub fn image(&self, name: &str) -> Result<PathBuf> {
        let image = self.folder.join(format!("{name}.img"));
        let output = Command::new(self.selection.sdk.join("bin/microkit"))
            .arg(Path::new(SYSTEMS).join(format!("{name}.xml")))
            .arg("--search-path")
            .arg(self.pd_folder().join(TARGET).join(self.profile()))
            .arg(&self.folder)
            .args([
                "--board",
                &self.selection.board,
                "--config",
                &self.selection.config,
            ])
            .arg("-o")
            .arg(&image)
            .arg("-r")
            .arg(self.folder.join(format!("{name}.txt")))
            .output()
            .context("cannot run the SDK's bin/microkit")?;
        ensure!(
            output.status.success(),
            "the SDK's microkit tool refused {name}.xml: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(image)
    }
}

/// The file that the tests `prefill` and `setvar` put into a region; the PD knows the same formula.
fn prefill() -> Vec<u8> {
    (0..5000_usize)
        .map(|i| (i * 7 + i / 256 + 3) as u8)
        .collect()
}
