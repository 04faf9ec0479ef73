// SPDX-License-Identifier: BSD-2-Clause
//! Whether system.xml gives every client of net.toml what its slot needs, and no slot to anybody else.

use net_config::{Buffers, CLIENT_CHANNEL_BASE, MAX_CLIENTS};

use crate::{
    Diagnostic, Source,
    schema::{Client, File},
    system::{Pd, System},
};

/// Name of the server's PD.
const SERVER: &str = "net_server";
/// Symbol of the server through which it finds the memory that socket buffers come from.
const HEAP_SYMBOL: &str = "heap_vaddr";

/// What one client's slot is made of: suffix of the region's name, who writes it, whether the server must know its size.
const PARTS: [Part; 3] = [
    Part {
        name: "c2s",
        writer: Writer::Client,
        sized: true,
    },
    Part {
        name: "s2c",
        writer: Writer::Server,
        sized: true,
    },
    Part {
        name: "ready",
        writer: Writer::Server,
        sized: false,
    },
];

struct Part {
    name: &'static str,
    writer: Writer,
    sized: bool,
}

#[derive(PartialEq)]
enum Writer {
    Client,
    Server,
}

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
    for (name, client) in &file.clients {
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
        let slot = usize::from(*client.slot.get_ref());
        if slot < MAX_CLIENTS {
            check_windows(source, server, name.get_ref(), pd, slot, errors);
            check_channel(source, system, name.get_ref(), pd, slot, errors);
        }
    }
    check_unconfigured(config, file, source, server, errors);
    check_memory(config, file, source, system, server, errors);
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

fn check_windows(
    source: &Source,
    server: &Pd,
    name: &str,
    pd: &Pd,
    slot: usize,
    errors: &mut Vec<Diagnostic>,
) {
    for part in PARTS {
        let region = format!("{name}_{}", part.name);
        for (owner, owner_name, role) in
            [(server, SERVER, Writer::Server), (pd, name, Writer::Client)]
        {
            let Some(map) = owner.map(&region) else {
                errors.push(source.at(
                    owner.offset,
                    format!("{owner_name} does not map the region {region} of the client {name}"),
                    format!("add the memory region {region} and map it into {SERVER} and {name}"),
                ));
                continue;
            };
            if map.writable && role != part.writer {
                errors.push(source.at(
                    map.offset,
                    format!("{owner_name} may write {region}, which only the other end writes"),
                    "set perms=\"r\"",
                ));
            }
            if !map.writable && role == part.writer {
                errors.push(source.at(
                    map.offset,
                    format!("{owner_name} may not write {region}"),
                    "set perms=\"rw\"",
                ));
            }
            if role == Writer::Server {
                let vaddr = format!("client{slot}_{}_vaddr", part.name);
                let size = format!("client{slot}_{}_size", part.name);
                if map.setvar_vaddr.as_ref() != Some(&vaddr) {
                    errors.push(source.at(
                        map.offset,
                        format!("{SERVER} does not find {region} as its slot {slot}"),
                        format!("set setvar_vaddr=\"{vaddr}\""),
                    ));
                }
                if part.sized && map.setvar_size.as_ref() != Some(&size) {
                    errors.push(source.at(
                        map.offset,
                        format!("{SERVER} does not know the size of {region}"),
                        format!("set setvar_size=\"{size}\""),
                    ));
                }
            }
        }
    }
}

fn check_channel(
    source: &Source,
    system: &System,
    name: &str,
    pd: &Pd,
    slot: usize,
    errors: &mut Vec<Diagnostic>,
) {
    let id = (CLIENT_CHANNEL_BASE + slot).to_string();
    let connects = system.channels.iter().any(|[a, b]| {
        [(a, b), (b, a)].iter().any(|(client, server)| {
            client.pd == name && client.pp && server.pd == SERVER && server.id == id
        })
    });
    if !connects {
        errors.push(source.at(
            pd.offset,
            format!("no channel for the calls of {name}, which has slot {slot}"),
            format!(
                "add <channel><end pd=\"{name}\" id=\"…\" pp=\"true\" notify=\"false\" /><end pd=\"{SERVER}\" id=\"{id}\" /></channel>"
            ),
        ));
    }
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

/// All buffers of all sockets must fit into the server's heap.
fn check_memory(
    config: &Source,
    file: &File,
    source: &Source,
    system: &System,
    server: &Pd,
    errors: &mut Vec<Diagnostic>,
) {
    let Some(heap) = server
        .maps
        .iter()
        .find(|map| map.setvar_vaddr.as_deref() == Some(HEAP_SYMBOL))
    else {
        errors.push(source.at(
            server.offset,
            format!("{SERVER} has no memory for socket buffers"),
            format!("map a region into it with setvar_vaddr=\"{HEAP_SYMBOL}\""),
        ));
        return;
    };
    let Some(&available) = system.regions.get(&heap.region) else {
        errors.push(source.at(
            heap.offset,
            format!("the memory region {} has no size", heap.region),
            "declare the region with a size in bytes",
        ));
        return;
    };
    let buffers = Buffers {
        stream_receive: *file.buffers.stream_receive.get_ref(),
        stream_send: *file.buffers.stream_send.get_ref(),
        datagram_receive: *file.buffers.datagram_receive.get_ref(),
        datagram_send: *file.buffers.datagram_send.get_ref(),
    };
    let sum = |count: fn(&Client) -> u16| -> u64 {
        file.clients.values().map(|c| u64::from(count(c))).sum()
    };
    let streams = sum(|client| *client.stream_sockets.get_ref());
    let datagrams = sum(|client| *client.datagram_sockets.get_ref());
    let needed = buffers.total(streams, datagrams);
    // An eighth stays for the sockets themselves and the server's tables.
    let usable = available - available / 8;
    if needed > usable {
        errors.push(config.at(
            file.buffers.stream_receive.span().start,
            format!(
                "{streams} stream and {datagrams} datagram sockets need {needed} bytes of buffers, but of the region {} only {usable} bytes are for them",
                heap.region
            ),
            format!(
                "allow fewer sockets, make buffers smaller, or make {} larger in {}",
                heap.region, source.name
            ),
        ));
    }
}
