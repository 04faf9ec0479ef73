// SPDX-License-Identifier: BSD-2-Clause
//! Command line of the registry SDK's `microkit` tool; everything else is in the library.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use microkit::cli::{self, Arguments};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let variable = std::env::var_os("MICROKIT_SDK");
    let executable = std::env::current_exe().unwrap_or_default();
    match cli::run(&arguments, variable.as_deref().map(Path::new), &executable) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("microkit: error: {why}");
            ExitCode::FAILURE
        }
    }
}
