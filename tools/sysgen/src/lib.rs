// SPDX-License-Identifier: BSD-2-Clause
//! The declaration's compiler. From `isthmus.toml` it makes the system description for Microkit's
//! tool, the wiring table of each protection domain (`wiring`), and the configuration of the
//! network (`net-config`). It checks the result against the rules that the programs rely on, and a
//! finished
//! image against the description.
//!
//! Every mistake is a [`Diagnostic`] with file, line, column and remedy. All that can be found in
//! one run are reported together.

#![forbid(unsafe_code)]

mod addresses;
mod costs;
mod declaration;
mod description;
mod diagnostic;
mod fragment;
mod network;
mod plan;
mod ports;
mod rights;
mod rules;
mod schema;
mod system;
mod tables;
mod xml;

use std::collections::BTreeSet;

use declaration::Declaration;
pub use diagnostic::{Diagnostic, Source};
use fragment::Fragment;
use plan::Plan;
use system::System;

/// What a declaration becomes.
#[derive(Debug)]
pub struct Built {
    /// The system description.
    pub description: String,
    /// Files that the description fills regions with: name and content.
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
    read: impl FnOnce(&str) -> Result<Source, String>,
) -> Result<Built, Vec<Diagnostic>> {
    let (source, file) = schema::parse(files).map_err(|error| vec![error])?;
    let declaration = declaration::check(&source, &file)?;
    let names: Vec<&str> = declaration.pds.iter().map(|pd| pd.name).collect();
    let fragment = match &file.fragment {
        None => Fragment::default(),
        Some(name) => {
            let read = read(name.get_ref()).map_err(|why| {
                vec![source.at(name.span().start, why, "name a file beside the declaration")]
            })?;
            Fragment::parse(read, &names).map_err(|error| vec![error])?
        }
    };
    let internal = |error: String| {
        vec![source.at(
            0,
            error,
            "this is a mistake of sysgen: it should have found out where",
        )]
    };
    let configuration =
        tables::configuration(&declaration).map_err(|error| internal(error.to_string()))?;
    let size_of_table = |plan: &Plan, pd: usize| {
        let table = tables::table(&declaration, plan, pd).encode();
        table.map_or(0, |bytes| bytes.len() as u64)
    };
    let plan = plan::plan(
        &declaration,
        &fragment.reserved,
        size_of_table,
        configuration.len() as u64,
    );
    if let Some((index, what)) = plan.overfull() {
        let (name, _) = schema::in_order(&file.pds)[index];
        return Err(vec![source.at(
            name.span().start,
            format!("{} has {what}", name.get_ref()),
            "share less, or divide it into two",
        )]);
    }
    if let Some(name) = plan.ambiguous() {
        let keys = file
            .pds
            .keys()
            .chain(file.devices.keys())
            .chain(file.regions.keys());
        let at = keys.filter(|key| name.starts_with(key.get_ref().as_str()));
        let at = at.max_by_key(|key| key.get_ref().len());
        return Err(vec![source.at(
            at.map_or(0, |key| key.span().start),
            format!("two regions would be called {name}"),
            "choose another name",
        )]);
    }
    let mut output = vec![("configuration".to_string(), configuration)];
    for (index, name) in names.iter().enumerate() {
        let table = tables::table(&declaration, &plan, index).encode();
        let table = table.map_err(|error| internal(error.to_string()))?;
        output.push((format!("{name}.wiring"), table));
    }
    let made_from = files.first().map_or("", |file| &file.name);
    let made_from = made_from.rsplit('/').next().unwrap_or(made_from);
    let description = description::write(&declaration, &plan, &fragment, made_from);
    check_description(&declaration, &plan, &description)?;
    Ok(Built {
        description: description.text,
        files: output,
        programs: declaration
            .pds
            .iter()
            .map(|pd| pd.program.to_string())
            .collect(),
        costs: costs::table(&declaration, &plan),
    })
}

/// Checks a description against the rules that hold for every region and channel, and a fragment's
/// part of it against the plan: what is declared belongs to whom the declaration gives it.
fn check_description(
    declaration: &Declaration<'_>,
    plan: &Plan,
    description: &Source,
) -> Result<(), Vec<Diagnostic>> {
    let system = System::parse(description).map_err(|error| vec![error])?;
    let mut errors = rules::check(description, &system);
    for (name, pd) in &system.pds {
        let planned = declaration
            .pds
            .iter()
            .position(|declared| declared.name == name);
        for map in &pd.maps {
            let Some(region) = plan.find(&map.region) else {
                continue;
            };
            let has = planned.is_some_and(|pd| plan.grants(pd, region, map.writable));
            if !has {
                let owners = plan.owners(region).map(|pd| declaration.pds[pd].name);
                let owners = owners.collect::<Vec<_>>().join(" and ");
                errors.push(description.at(
                    map.offset,
                    format!(
                        "{name} maps {} for {}, which is declared for {owners}",
                        map.region,
                        if map.writable { "writing" } else { "reading" },
                    ),
                    "remove this mapping, or declare a region of your own",
                ));
            }
        }
    }
    errors.sort();
    errors.dedup();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
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
