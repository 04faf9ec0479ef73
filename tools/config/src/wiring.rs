// SPDX-License-Identifier: BSD-2-Clause
//! Whether system.xml gives every client of net.toml what its slot needs, and no slot to anybody
//! else.

use std::collections::BTreeSet;

use net_config::MAX_CLIENTS;

use crate::{
    Diagnostic, Source,
    client::Wiring,
    memory,
    schema::File,
    system::{Pd, System},
};

/// Name of the server's PD.
pub const SERVER: &str = "net_server";

/// Reports every difference between the two files.
pub fn check(
    config: &Source,
    file: &File,
    source: &Source,
    system: &System,
    errors: &mut Vec<Diagnostic>,
) {
    let Some(server) = system.pds.get(SERVER) else {
        errors.push(source.at(
            0,
            format!("no protection domain {SERVER}"),
            format!("net.toml configures it: add it, or give it the name {SERVER}"),
        ));
        return;
    };
    let mut slots = BTreeSet::new();
    for (name, client) in file.clients_in_order() {
        let slot = *client.slot.get_ref();
        // A slot that is taken or impossible is an error already, and the wiring shows another.
        let is_its_own = slots.insert(slot) && usize::from(slot) < MAX_CLIENTS;
        let Some(pd) = system.pds.get(name.get_ref()) else {
            errors.push(config.at(
                name.span().start,
                format!(
                    "{} has no protection domain {}",
                    source.name,
                    name.get_ref()
                ),
                format!(
                    "name a client after its protection domain; {} has {}",
                    source.name,
                    names(system)
                ),
            ));
            continue;
        };
        if is_its_own {
            let wiring = Wiring {
                config,
                source,
                system,
                server,
                name: name.get_ref(),
                pd,
                slot: &client.slot,
            };
            wiring.check(errors);
        }
    }
    check_unconfigured(config, file, source, server, errors);
    memory::check(config, file, source, system, server, errors);
}

fn names(system: &System) -> String {
    system
        .pds
        .keys()
        .filter(|name| *name != SERVER)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

/// A window at the server that no client of net.toml has.
fn check_unconfigured(
    config: &Source,
    file: &File,
    source: &Source,
    server: &Pd,
    errors: &mut Vec<Diagnostic>,
) {
    for map in &server.maps {
        let Some(name) = map
            .setvar_vaddr
            .as_deref()
            .filter(|symbol| symbol.starts_with("client"))
            .and_then(|_| map.region.strip_suffix("_c2s"))
        else {
            continue;
        };
        if !file.clients.keys().any(|known| known.get_ref() == name) {
            errors.push(source.at(
                map.offset,
                format!(
                    "{SERVER} has a window for {name}, but {} does not know this client",
                    config.name
                ),
                format!(
                    "add [clients.{name}] to {}, or remove the window",
                    config.name
                ),
            ));
        }
    }
}
