// SPDX-License-Identifier: BSD-2-Clause
//! The registry SDK's `microkit` tool: from a system description and programs to `loader.img`.
//!
//! Command line, output files and the meaning of the description are those of the official tool of
//! Microkit 2.3, so that a project need not know which SDK it has. The steps, a module each:
//!
//! 1. [`sdf`] reads the description ([`xml`] gives elements with their places), [`programs`] the
//!    files that it names.
//! 2. [`check`] finds what contradicts itself and settles the regions; all problems go to
//!    [`diagnostics`].
//! 3. [`layout`] chooses physical addresses, [`programs`] writes symbols into the programs
//!    ([`elf`]).
//! 4. [`caps`] and [`spec`] say what the initialiser is to make, [`image`] puts it behind loader
//!    and kernel.
//! 5. [`report`] describes the result.

#![forbid(unsafe_code)]

pub mod caps;
pub mod check;
pub mod cli;
pub mod diagnostics;
pub mod elf;
pub mod files;
pub mod image;
pub mod layout;
pub mod platform;
pub mod programs;
pub mod report;
pub mod sdf;
pub mod sdk;
pub mod spec;
pub mod xml;

use diagnostics::Diagnostics;
use elf::Executable;
use files::Files;
use image::Parts;
use platform::Platform;
use report::Figures;
use sdk::{Board, ToolError};
use spec::Settled;

/// What the tool makes.
#[derive(Clone, Debug)]
pub struct Output {
    /// Bytes of loader.img.
    pub image: Vec<u8>,
    /// Text of report.txt.
    pub report: String,
    /// Figures for a summary.
    pub figures: Figures,
}

/// Builds the image of the system that `description` describes. With errors in the description the
/// result is nothing, and `diagnostics` says why.
///
/// # Errors
/// Something is wrong with the SDK itself.
pub fn build(
    description: &str,
    files: &dyn Files,
    board: &Board,
    diagnostics: &Diagnostics,
) -> Result<Option<Output>, ToolError> {
    let parts = Parts {
        loader: executable(&board.loader, "loader.elf")?,
        kernel: executable(&board.kernel, "sel4.elf")?,
        initialiser: executable(&board.initialiser, "initialiser.elf")?,
    };
    let Some(settled) = settle(description, files, &board.platform, diagnostics) else {
        return Ok(None);
    };
    let spec = spec::encode(&settled);
    let root = image::place(&parts, spec.len() as u64);
    let budget = layout::budget(&settled, root, &board.platform, diagnostics);
    if diagnostics.has_errors() {
        return Ok(None);
    }
    let image = image::build(&parts, &spec).map_err(|why| {
        ToolError::new(
            format!("the SDK's files do not fit together: {why}"),
            "build the SDK anew (make sdk)",
        )
    })?;
    let figures = Figures {
        image: image.len() as u64,
        spec: spec.len() as u64,
        root,
        budget,
    };
    Ok(Some(Output {
        report: report::text(&settled, &figures),
        image,
        figures,
    }))
}

/// Reads and checks everything that the description says and names. Nothing, if there is an error
/// in it.
#[must_use]
pub fn settle(
    description: &str,
    files: &dyn Files,
    platform: &Platform,
    diagnostics: &Diagnostics,
) -> Option<Settled> {
    let system = sdf::parse(description, diagnostics)?;
    let prefill = programs::read_prefill(&system, files, diagnostics);
    let plans = check::check(&system, &prefill, platform, diagnostics);
    let paddrs = layout::addresses(&system, &plans, platform, diagnostics);
    let programs = programs::read_programs(&system, &plans, files, diagnostics);
    let mut settled = Settled {
        system,
        plans,
        paddrs,
        prefill,
        programs,
    };
    programs::patch(&mut settled, diagnostics);
    (!diagnostics.has_errors()).then_some(settled)
}

fn executable<'a>(file: &'a [u8], name: &str) -> Result<Executable<'a>, ToolError> {
    Executable::parse(file).map_err(|why| {
        ToolError::new(
            format!("{name} of the SDK: {why}"),
            "build the SDK anew (make sdk)",
        )
    })
}
