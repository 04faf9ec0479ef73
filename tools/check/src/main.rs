// SPDX-License-Identifier: BSD-2-Clause
//! The command line: `check [FOLDER]`, the repository's rules; see docs/architecture.md.

#![forbid(unsafe_code)]

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Checks the repository's rules: dependencies, licence lines, file sizes, unsafe code.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The repository.
    #[arg(default_value = ".")]
    root: PathBuf,
}

fn main() -> ExitCode {
    let findings = match check::check(&Args::parse().root) {
        Ok(findings) => findings,
        Err(error) => {
            eprintln!("error: {error}\n  help: call it from the top folder of the repository");
            return ExitCode::FAILURE;
        }
    };
    for finding in &findings {
        eprintln!("error: {finding}");
    }
    match findings.len() {
        0 => ExitCode::SUCCESS,
        n => {
            eprintln!("{n} findings");
            ExitCode::FAILURE
        }
    }
}
