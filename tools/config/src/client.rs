// SPDX-License-Identifier: BSD-2-Clause
//! Whether one client of net.toml and the server have the regions and the channel between them.

use net_config::{CLIENT_CHANNEL_BASE, MAX_CLIENTS};
use toml::Spanned;

use crate::{
    Diagnostic, Source,
    regions::Check,
    system::{End, Map, Pd, System},
    wiring::SERVER,
};

/// Id of a client's channel to the server (`pd_net::NET_SERVER`).
const CHANNEL: &str = "1";
/// How the symbols of a client begin through which it finds its window.
const CLIENT_PREFIX: &str = "net";

/// What one client's slot is made of: suffix of the region's name, who writes it, how large it must
/// be.
const PARTS: [Part; 3] = [
    Part {
        name: "c2s",
        writer: Role::Client,
        needed: 1,
    },
    Part {
        name: "s2c",
        writer: Role::Server,
        needed: 1,
    },
    Part {
        name: "ready",
        writer: Role::Server,
        needed: socket_proto::ready::region_size(0),
    },
];

struct Part {
    name: &'static str,
    writer: Role,
    /// Least size in bytes.
    needed: usize,
}

#[derive(PartialEq)]
enum Role {
    Client,
    Server,
}

/// A client and the system around it.
pub struct Wiring<'a> {
    pub config: &'a Source,
    pub source: &'a Source,
    pub system: &'a System,
    pub server: &'a Pd,
    pub name: &'a str,
    pub pd: &'a Pd,
    pub slot: &'a Spanned<u16>,
}

impl Wiring<'_> {
    /// Reports what is missing or different.
    pub fn check(&self, errors: &mut Vec<Diagnostic>) {
        for part in PARTS {
            self.check_region(&part, errors);
        }
        self.check_channel(errors);

        let slot = usize::from(*self.slot.get_ref());
        let differences = self.differences_from(slot);
        let wired = (0..MAX_CLIENTS).find(|other| self.differences_from(*other).is_empty());
        match wired {
            // Complete, but for another slot: one mistake, not one of each part.
            Some(other) if !differences.is_empty() => errors.push(self.config.at(
                self.slot.span().start,
                format!(
                    "slot {slot}, but {} gives {} slot {other} of {SERVER}",
                    self.source.name, self.name
                ),
                format!(
                    "write slot = {other}, or change the symbols client{other}_… and the id {} at {SERVER} to client{slot}_… and {}",
                    CLIENT_CHANNEL_BASE + other,
                    CLIENT_CHANNEL_BASE + slot
                ),
            )),
            _ => errors.extend(differences),
        }
    }

    /// One region: mapped at both ends and nowhere else, writable at one, and found by the client.
    fn check_region(&self, part: &Part, errors: &mut Vec<Diagnostic>) {
        let name = self.name;
        let region = self.region(part);
        let check = Check {
            source: self.source,
            system: self.system,
        };
        for (owner, owner_name, role) in [
            (self.server, SERVER, Role::Server),
            (self.pd, name, Role::Client),
        ] {
            let Some(map) = owner.map(&region) else {
                errors.push(self.source.at(
                    owner.offset,
                    format!("{owner_name} does not map the region {region} of the client {name}"),
                    format!("add the memory region {region} and map it into {SERVER} and {name}"),
                ));
                continue;
            };
            if role == Role::Client {
                self.check_symbols(map, part, CLIENT_PREFIX, name, "", errors);
                errors.extend(check.too_small(map, name, part.needed));
            }
        }
        let (writer, reader) = match part.writer {
            Role::Client => (name, SERVER),
            Role::Server => (SERVER, name),
        };
        check.only(&region, Some(writer), |other| other == reader, errors);
    }

    /// The client can make calls, on the channel that its program makes them on.
    fn check_channel(&self, errors: &mut Vec<Diagnostic>) {
        let name = self.name;
        match self.calls() {
            None => errors.push(self.source.at(
                self.pd.offset,
                format!("no channel for the calls of {name}, which has {}", self.place()),
                format!(
                    "add <channel><end pd=\"{name}\" id=\"{CHANNEL}\" pp=\"true\" notify=\"false\" /><end pd=\"{SERVER}\" id=\"{}\" /></channel>",
                    CLIENT_CHANNEL_BASE + usize::from(*self.slot.get_ref())
                ),
            )),
            Some((client, _)) if client.id != CHANNEL => errors.push(self.source.at(
                client.offset,
                format!("{name} calls {SERVER} on its channel {CHANNEL}, not {}", client.id),
                format!("set id=\"{CHANNEL}\""),
            )),
            Some((_, server)) if !server.notify => errors.push(self.source.at(
                server.offset,
                format!("{SERVER} cannot notify {name}, which waits for that"),
                "move notify=\"false\" to the other end",
            )),
            Some(_) => {}
        }
    }

    /// What the server would miss of this client in a slot, of that which is there at all.
    fn differences_from(&self, slot: usize) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        let prefix = format!("client{slot}");
        let role = format!(" as its {}", self.place());
        for part in PARTS {
            if let Some(map) = self.server.map(&self.region(&part)) {
                self.check_symbols(map, &part, &prefix, SERVER, &role, &mut errors);
            }
        }
        let id = (CLIENT_CHANNEL_BASE + slot).to_string();
        if let Some((_, server)) = self.calls().filter(|(_, server)| server.id != id) {
            errors.push(self.source.at(
                server.offset,
                format!(
                    "{SERVER} does not take channel {} for that of {}, which has {}",
                    server.id,
                    self.name,
                    self.place()
                ),
                format!("set id=\"{id}\""),
            ));
        }
        errors
    }

    /// The symbols through which an end finds a region. `role` says as what, for messages.
    fn check_symbols(
        &self,
        map: &Map,
        part: &Part,
        prefix: &str,
        owner: &str,
        role: &str,
        errors: &mut Vec<Diagnostic>,
    ) {
        let vaddr = format!("{prefix}_{}_vaddr", part.name);
        let size = format!("{prefix}_{}_size", part.name);
        if map.setvar_vaddr.as_ref() != Some(&vaddr) {
            errors.push(self.source.at(
                map.offset,
                format!("{owner} does not find {}{role}", map.region),
                format!("set setvar_vaddr=\"{vaddr}\""),
            ));
        }
        if map.setvar_size.as_ref() != Some(&size) {
            errors.push(self.source.at(
                map.offset,
                format!("{owner} does not know the size of {}{role}", map.region),
                format!("set setvar_size=\"{size}\""),
            ));
        }
    }

    fn region(&self, part: &Part) -> String {
        format!("{}_{}", self.name, part.name)
    }

    /// The slot, and where it comes from.
    fn place(&self) -> String {
        format!(
            "slot {} ({}:{})",
            self.slot.get_ref(),
            self.config.name,
            self.config.line(self.slot.span().start)
        )
    }

    /// The channel for calls, the client's end first.
    fn calls(&self) -> Option<(&End, &End)> {
        self.system
            .channels_between(self.name, SERVER)
            .find(|(client, _)| client.pp)
    }
}
