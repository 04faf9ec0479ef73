// SPDX-License-Identifier: BSD-2-Clause
//! net.toml → the binary form of `net-config`, checked against system.xml.
//!
//! Every mistake is a [`Diagnostic`] with file, line, column and remedy. All that can be found in one run are reported together.

#![forbid(unsafe_code)]

mod client;
mod diagnostic;
mod faults;
mod logs;
mod memory;
mod ports;
mod ready;
mod schema;
mod system;
mod values;
mod wiring;
mod xml;

pub use diagnostic::{Diagnostic, Source};

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
            Err(errors)
        }
    }
}
