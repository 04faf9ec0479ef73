// SPDX-License-Identifier: BSD-2-Clause
//! The command line: `config-tool net.toml --system system.xml -o net_config.bin`.

#![forbid(unsafe_code)]

use std::{fs, path::PathBuf, process::ExitCode};

use clap::Parser;
use config_tool::{Source, compile};

/// Translates net.toml to the binary form that the image contains, with checks against the system description.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The configuration.
    config: PathBuf,
    /// The system description that the configuration is for.
    #[arg(long)]
    system: PathBuf,
    /// Where to write the binary form.
    #[arg(short, long)]
    output: PathBuf,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(messages) => {
            for message in messages {
                eprintln!("{message}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Vec<String>> {
    let config = read(&args.config)?;
    let system = read(&args.system)?;
    let bytes = compile(&config, &system).map_err(|errors| {
        errors
            .iter()
            .map(|error| format!("error: {error}"))
            .collect::<Vec<_>>()
    })?;
    fs::write(&args.output, bytes).map_err(|error| {
        vec![format!(
            "error: cannot write {}: {error}\n  help: choose a file in a folder that exists and is writable",
            args.output.display()
        )]
    })
}

fn read(path: &PathBuf) -> Result<Source, Vec<String>> {
    let text = fs::read_to_string(path).map_err(|error| {
        vec![format!(
            "error: cannot read {}: {error}\n  help: name a text file that exists",
            path.display()
        )]
    })?;
    Ok(Source {
        name: path.display().to_string(),
        text,
    })
}
