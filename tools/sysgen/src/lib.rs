// SPDX-License-Identifier: BSD-2-Clause
//! The declaration's compiler. From `isthmus.toml` it makes the system description for Microkit's
//! tool and the wiring table of each protection domain (`wiring`). It checks the result against the
//! rules that the programs rely on, and a finished image against the description.
//!
//! Every mistake is a [`Diagnostic`] with file, line, column and remedy. All that can be found in
//! one run are reported together.

#![forbid(unsafe_code)]

mod addresses;
mod check;
mod costs;
mod declaration;
mod description;
mod diagnostic;
mod forms;
mod fragment;
mod network;
mod plan;
mod rights;
mod rules;
mod system;
mod tables;
mod xml;

use std::collections::BTreeSet;

pub use diagnostic::{Diagnostic, Result, Source};
use fragment::Fragment;
use plan::Plan;
use system::System;

/// What a declaration becomes.
#[derive(Debug)]
pub struct Built {
    /// The system description.
    pub description: String,
    /// The wiring tables, which the description fills regions with: name and content.
    pub files: Vec<(String, Vec<u8>)>,
    /// The programs of the declared PDs.
    pub programs: BTreeSet<String>,
    /// What each PD costs, as text.
    pub costs: String,
}

/// Compiles a declaration: the file, and files that change it. `read` reads the fragment that it
/// names.
///
/// # Errors
/// All mistakes.
pub fn compile(
    files: &[Source],
    read: impl FnOnce(&str) -> std::result::Result<Source, String>,
) -> Result<Built> {
    let (source, declaration) = declaration::parse(files)?;
    check::check(&source, &declaration)?;
    let fragment = match &declaration.fragment {
        None => Fragment::default(),
        Some(name) => {
            let missing =
                |why| vec![source.at(name.into(), why, "name a file beside the declaration")];
            Fragment::parse(read(name).map_err(missing)?, &declaration)?
        }
    };
    let misfit = |error: wiring::Misfit| {
        let help = "this is a mistake of sysgen: it should have found out where";
        vec![source.at(0, error.to_string(), help)]
    };
    let plan = Plan::new(&declaration, &fragment.reserved).map_err(misfit)?;
    plan.check(&source)?;
    let mut tables = Vec::new();
    for (index, pd) in declaration.pds.iter().enumerate() {
        let table = tables::table(&plan, index).encode().map_err(misfit)?;
        tables.push((format!("{}.wiring", pd.name), table));
    }
    let made_from = source.name.rsplit('/').next().unwrap_or_default();
    let description = description::write(&plan, &fragment, made_from);
    rules::check(&description, &plan)?;
    let programs = declaration.pds.iter().map(|pd| pd.program().to_string());
    Ok(Built {
        description: description.text,
        files: tables,
        programs: programs.collect(),
        costs: costs::table(&plan),
    })
}

/// A finished image, or what the SDK's tool says about it.
pub enum Image<'a> {
    /// `loader.img` of the registry SDK.
    Registry(&'a [u8]),
    /// What the official SDK's tool writes with `--capdl-json`.
    Capdl(&'a str),
}

/// Compares what the image grants with what the description asks for: mappings of regions, and
/// capabilities for other PDs, children and interrupts. Returns the number of both.
///
/// # Errors
/// Each difference; or why description or image cannot be read.
pub fn check_image(system: &Source, image: &Image<'_>) -> Result<(usize, usize)> {
    let asked = rights::Granted::by(&System::parse(system)?);
    let error = |message: String| {
        let help = "the SDK's tool did not do what the description says; do not use this image";
        Diagnostic::new(&system.name, message, help)
    };
    let granted = match image {
        Image::Registry(bytes) => rights::of_image(bytes),
        Image::Capdl(text) => rights::of_capdl(text),
    }
    .map_err(|why| vec![error(format!("the image cannot be read: {why}"))])?;
    let differences = asked.differences_of(&granted);
    if differences.is_empty() {
        Ok((granted.mappings.len(), granted.caps.len()))
    } else {
        Err(differences.into_iter().map(error).collect())
    }
}
