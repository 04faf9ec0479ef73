// SPDX-License-Identifier: BSD-2-Clause
//! net.toml → the binary form of `net-config`, checked against system.xml; and system.xml by
//! itself, against the rules that the programs rely on.
//!
//! Every mistake is a [`Diagnostic`] with file, line, column and remedy. All that can be found in
//! one run are reported together.

#![forbid(unsafe_code)]

mod client;
mod diagnostic;
mod faults;
mod links;
mod logs;
mod memory;
mod ports;
mod ready;
mod regions;
mod rights;
mod rules;
mod schema;
mod system;
mod test_lines;
mod values;
mod wiring;
mod xml;

pub use diagnostic::{Diagnostic, Source};
pub use test_lines::enable as enable_tests;

use system::System;

/// Translates net.toml, as named and read in `config`, for the system described in `system`.
pub fn compile(config: &Source, system: &Source) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let file = schema::parse(config).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    let checked = values::check(config, &file, &mut errors);
    match System::parse(system) {
        Ok(described) => {
            wiring::check(config, &file, system, &described, &mut errors);
            logs::check(system, &described, &mut errors);
            ready::check(system, &described, &mut errors);
            faults::check(system, &described, &mut errors);
            links::check(system, &described, &mut errors);
            regions::check(system, &described, &mut errors);
            rules::check(system, &described, &mut errors);
        }
        Err(error) => errors.push(error),
    }
    match checked {
        Some(checked) if errors.is_empty() => checked.encode().map_err(|error| {
            vec![config.at(
                0,
                error.to_string(),
                "this is a mistake of config-tool: it should have found out earlier where",
            )]
        }),
        _ => {
            errors.sort_by_key(|error| (error.file.clone(), error.line, error.column));
            // A region that several programs use has its mistakes reported for each.
            errors.dedup();
            Err(errors)
        }
    }
}

/// A finished image, or what the SDK's tool says about it.
pub enum Image<'a> {
    /// `loader.img` of the registry SDK.
    Registry(&'a [u8]),
    /// What the official SDK's tool writes with `--capdl-json`.
    Capdl(&'a str),
}

/// Compares what the image grants with what the description asks for: mappings of regions, and
/// capabilities for other PDs, children and interrupts. Gives the number of both.
///
/// # Errors
/// Each difference in words; or why description or image cannot be read.
pub fn check_image(system: &Source, image: &Image<'_>) -> Result<(usize, usize), Vec<String>> {
    let system = System::parse(system).map_err(|error| vec![error.to_string()])?;
    let granted = match image {
        Image::Registry(bytes) => rights::of_image(bytes),
        Image::Capdl(text) => rights::of_capdl(text),
    }
    .map_err(|why| vec![format!("the image cannot be read: {why}")])?;
    let differences = rights::Granted::by(&system).differences_of(&granted);
    if differences.is_empty() {
        Ok((granted.mappings.len(), granted.caps.len()))
    } else {
        Err(differences)
    }
}
