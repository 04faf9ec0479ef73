// SPDX-License-Identifier: BSD-2-Clause
//! The command line:
//!
//! ```text
//! config-tool compile net.toml --system system.xml -o net_config.bin
//! config-tool test-system system.xml -o build/release-test/system.xml
//! config-tool rights system.xml --image loader.img
//! config-tool rights system.xml --capdl capdl.json
//! ```

#![forbid(unsafe_code)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use config_tool::{Diagnostic, Image, Source, check_image, compile, enable_tests};

/// Configuration and system description.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Translates net.toml to the binary form that the image contains, and checks the system
    /// description.
    Compile {
        /// The configuration.
        config: PathBuf,
        /// The system description that the configuration is for.
        #[arg(long)]
        system: PathBuf,
        /// Where to write the binary form.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Makes the description of the test image: switches on what is marked @test.
    TestSystem {
        /// The system description.
        system: PathBuf,
        /// Where to write that of the test image.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Compares what a finished image grants to whom with the system description.
    Rights {
        /// The system description that the image was made from.
        system: PathBuf,
        /// loader.img of the registry SDK.
        #[arg(long, required_unless_present = "capdl", conflicts_with = "capdl")]
        image: Option<PathBuf>,
        /// What the official SDK's tool wrote with --capdl-json.
        #[arg(long)]
        capdl: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    match run(&Args::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(messages) => {
            for message in messages {
                eprintln!("{message}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<(), Vec<String>> {
    match task {
        Task::Compile {
            config,
            system,
            output,
        } => {
            let bytes = compile(&read(config)?, &read(system)?).map_err(lines)?;
            write(output, &bytes)
        }
        Task::TestSystem { system, output } => {
            let text = enable_tests(&read(system)?).map_err(lines)?;
            write(output, text.as_bytes())
        }
        Task::Rights {
            system,
            image,
            capdl,
        } => rights(&read(system)?, image.as_deref(), capdl.as_deref()),
    }
}

fn rights(system: &Source, image: Option<&Path>, capdl: Option<&Path>) -> Result<(), Vec<String>> {
    let result = match (image, capdl) {
        (Some(path), _) => {
            let bytes = fs::read(path)
                .map_err(|error| vec![format!("error: cannot read {}: {error}", path.display())])?;
            check_image(system, &Image::Registry(&bytes))
        }
        (None, Some(path)) => check_image(system, &Image::Capdl(&read(path)?.text)),
        (None, None) => Ok((0, 0)),
    };
    match result {
        Ok((mappings, caps)) => {
            println!("{mappings} mappings and {caps} capabilities are those of {}", system.name);
            Ok(())
        }
        Err(differences) => Err(differences
            .iter()
            .map(|difference| {
                format!("error: {}: {difference}\n  help: the SDK's tool did not do what the description says; do not use this image", system.name)
            })
            .collect()),
    }
}

fn lines(errors: Vec<Diagnostic>) -> Vec<String> {
    errors
        .iter()
        .map(|error| format!("error: {error}"))
        .collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Vec<String>> {
    fs::write(path, bytes).map_err(|error| {
        vec![format!(
            "error: cannot write {}: {error}\n  help: choose a file in a folder that exists and is writable",
            path.display()
        )]
    })
}

fn read(path: &Path) -> Result<Source, Vec<String>> {
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
