// SPDX-License-Identifier: BSD-2-Clause
//! The command line:
//!
//! ```text
//! sysgen build isthmus.toml [--with more.toml] -o build/release/system
//! sysgen rights system.xml --image loader.img
//! sysgen rights system.xml --capdl capdl.json
//! ```

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sysgen::{Image, Source, check_image, compile};

/// From a declaration to a system description, wiring tables and configuration.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compiles a declaration. Writes into a folder: system.xml, what it fills regions with,
    /// `programs` (a line each) and `costs`.
    Build {
        /// The declaration.
        declaration: PathBuf,
        /// Files that add to it, or replace values of it.
        #[arg(long)]
        with: Vec<PathBuf>,
        /// The folder to write to.
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
                eprintln!("error: {message}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<(), Vec<String>> {
    match task {
        Task::Build {
            declaration,
            with,
            output,
        } => build(declaration, with, output),
        Task::Rights {
            system,
            image,
            capdl,
        } => rights(&read(system)?, image.as_deref(), capdl.as_deref()),
    }
}

fn build(declaration: &Path, with: &[PathBuf], output: &Path) -> Result<(), Vec<String>> {
    let mut files = vec![read(declaration)?];
    for path in with {
        files.push(read(path)?);
    }
    // A fragment lies beside the file that names it last, or beside the declaration.
    let folders = with.iter().rev().map(PathBuf::as_path).chain([declaration]);
    let beside = |name: &str| {
        let found = folders
            .map(|file| file.with_file_name(name))
            .find(|path| path.is_file());
        let path = found.ok_or_else(|| format!("there is no file {name}"))?;
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok(Source::new(path.display().to_string(), text))
    };
    let built = compile(&files, beside)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    fs::create_dir_all(output)
        .map_err(|error| vec![format!("cannot make {}: {error}", output.display())])?;
    let programs: String = built
        .programs
        .iter()
        .map(|name| format!("{name}\n"))
        .collect();
    let texts = [
        ("system.xml", built.description.as_bytes()),
        ("programs", programs.as_bytes()),
        ("costs", built.costs.as_bytes()),
    ];
    let files = built
        .files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in files.chain(texts) {
        write_if_changed(&output.join(name), bytes)?;
    }
    Ok(())
}

fn rights(system: &Source, image: Option<&Path>, capdl: Option<&Path>) -> Result<(), Vec<String>> {
    let result = match (image, capdl) {
        (Some(path), _) => {
            let bytes = fs::read(path)
                .map_err(|error| vec![format!("cannot read {}: {error}", path.display())])?;
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
                format!("{}: {difference}\n  help: the SDK's tool did not do what the description says; do not use this image", system.name)
            })
            .collect()),
    }
}

/// Leaves a file alone that has this content, so that nothing is made anew for it.
fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<(), Vec<String>> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(|error| {
        vec![format!(
            "cannot write {}: {error}\n  help: choose a folder that is writable",
            path.display()
        )]
    })
}

fn read(path: &Path) -> Result<Source, Vec<String>> {
    let text = fs::read_to_string(path).map_err(|error| {
        vec![format!(
            "cannot read {}: {error}\n  help: name a text file that exists",
            path.display()
        )]
    })?;
    Ok(Source::new(path.display().to_string(), text))
}
