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
use sysgen::{Diagnostic, Image, Result, Source, check_image, compile};

/// From a declaration to a system description and wiring tables.
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
    let result = match &Args::parse().task {
        Task::Build {
            declaration,
            with,
            output,
        } => build(declaration, with, output),
        Task::Rights {
            system,
            image,
            capdl,
        } => rights(system, image.as_deref(), capdl.as_deref()),
    };
    for error in result.as_ref().err().into_iter().flatten() {
        eprintln!("error: {error}");
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn build(declaration: &Path, with: &[PathBuf], output: &Path) -> Result<()> {
    let mut files = vec![read(declaration)?];
    for path in with {
        files.push(read(path)?);
    }
    // A fragment lies beside the file that names it last, or beside the declaration.
    let folders = with.iter().rev().map(PathBuf::as_path).chain([declaration]);
    let beside = |name: &str| {
        let mut paths = folders.map(|file| file.with_file_name(name));
        let path = paths.find(|path| path.is_file());
        let path = path.ok_or_else(|| format!("there is no file {name}"))?;
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok(Source::new(path.display().to_string(), text))
    };
    let built = compile(&files, beside)?;
    let writable = "choose a folder that is writable";
    fs::create_dir_all(output).map_err(|error| fail("make", output, &error, writable))?;
    let programs: String = built
        .programs
        .iter()
        .map(|name| format!("{name}\n"))
        .collect();
    let texts = [
        ("system.xml", built.description),
        ("programs", programs),
        ("costs", built.costs),
    ];
    let texts = texts.map(|(name, text)| (name.to_string(), text.into_bytes()));
    for (name, bytes) in built.files.into_iter().chain(texts) {
        let path = output.join(name);
        // A file that has this content is left alone, so that nothing is made anew for it.
        if fs::read(&path).is_ok_and(|old| old == bytes) {
            continue;
        }
        fs::write(&path, bytes).map_err(|error| fail("write", &path, &error, writable))?;
    }
    Ok(())
}

fn rights(system: &Path, image: Option<&Path>, capdl: Option<&Path>) -> Result<()> {
    let system = read(system)?;
    let (mappings, caps) = match (image, capdl) {
        (Some(path), _) => {
            let bytes = fs::read(path);
            let bytes =
                bytes.map_err(|error| fail("read", path, &error, "name a file that exists"))?;
            check_image(&system, &Image::Registry(&bytes))?
        }
        (None, Some(path)) => check_image(&system, &Image::Capdl(&read(path)?.text))?,
        (None, None) => (0, 0),
    };
    let name = &system.name;
    println!("{mappings} mappings and {caps} capabilities are those of {name}");
    Ok(())
}

fn read(path: &Path) -> Result<Source> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| fail("read", path, &error, "name a text file that exists"))?;
    Ok(Source::new(path.display().to_string(), text))
}

fn fail(what: &str, path: &Path, error: &std::io::Error, help: &str) -> Vec<Diagnostic> {
    let message = format!("cannot {what} it: {error}");
    vec![Diagnostic::new(path.display().to_string(), message, help)]
}
