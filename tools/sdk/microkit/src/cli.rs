// SPDX-License-Identifier: BSD-2-Clause
//! The command line, as of the official tool (Microkit manual, chapter "Microkit SDK", section
//! "microkit tool").

use std::path::{Path, PathBuf};

use clap::Parser;

use crate::diagnostics::Diagnostics;
use crate::files::SearchPaths;
use crate::report::Size;
use crate::sdk::{self, Board, ToolError};

/// Makes a bootable image of a system description and programs.
#[derive(Debug, Parser)]
#[command(name = "microkit", version)]
pub struct Arguments {
    /// System description
    system: PathBuf,
    /// Image to write
    #[arg(short, long, default_value = "loader.img")]
    output: PathBuf,
    /// Report to write
    #[arg(short, long, default_value = "report.txt")]
    report: PathBuf,
    /// Board, a folder of the SDK's folder 'board'
    #[arg(long)]
    board: String,
    /// Configuration, a folder of the board's folder
    #[arg(long)]
    config: String,
    /// Folders in which programs and prefill files are looked for; the current one comes last
    #[arg(long, value_name = "DIR", num_args = 0..)]
    search_path: Vec<PathBuf>,
    /// Kind of image; this board has one
    #[arg(long, value_parser = ["binary"])]
    image_type: Option<String>,
    /// Kernel to use instead of the SDK's (ELF)
    #[arg(long, value_name = "KERNEL")]
    override_kernel: Option<PathBuf>,
}

/// Runs the tool. Problems of the description are printed to standard error; the result says
/// whether an image was made.
///
/// # Errors
/// A problem outside the description: the SDK, or a file that cannot be read or written.
pub fn run(
    arguments: &Arguments,
    sdk_variable: Option<&Path>,
    executable: &Path,
) -> Result<bool, ToolError> {
    let root = sdk::root(sdk_variable, executable)?;
    let board = Board::read(
        &root,
        &arguments.board,
        &arguments.config,
        arguments.override_kernel.as_deref(),
    )?;
    let description = std::fs::read_to_string(&arguments.system).map_err(|why| {
        ToolError::new(
            format!("system description {}: {why}", arguments.system.display()),
            "name an XML file in UTF-8",
        )
    })?;
    let mut places = arguments.search_path.clone();
    places.push(PathBuf::from("."));
    let diagnostics = Diagnostics::new(arguments.system.display().to_string());
    let output = crate::build(&description, &SearchPaths(places), &board, &diagnostics)?;
    eprint!("{diagnostics}");
    let Some(output) = output else {
        return Ok(false);
    };
    write(&arguments.output, &output.image)?;
    write(&arguments.report, output.report.as_bytes())?;
    let figures = output.figures;
    println!("MICROKIT|SPEC: {}", Size(figures.spec));
    let root = figures.root;
    println!(
        "MICROKIT|INITIAL TASK: memory size = {}",
        Size(root.end - root.start)
    );
    println!("MICROKIT|LOADER: image file size = {}", Size(figures.image));
    Ok(true)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ToolError> {
    std::fs::write(path, bytes).map_err(|why| {
        ToolError::new(
            format!("{}: {why}", path.display()),
            "name a file in a folder that exists and can be written to",
        )
    })
}
