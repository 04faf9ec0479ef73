// SPDX-License-Identifier: BSD-2-Clause
//! Whether the supervisor sees that a child hangs, and can tell net_server that a client has
//! faulted. What is missing there is missed by no other check, as it shows when something else goes
//! wrong.

use net_config::CLIENT_CHANNEL_BASE;

use crate::{
    Diagnostic, Source,
    logs::STATS_SYMBOL,
    ready::SUPERVISOR,
    system::{Pd, System},
    wiring::SERVER,
};

/// The fault of child n is told on this channel of the supervisor plus n (`FAULT_CHANNELS` there) …
const FAULT_CHANNELS: usize = 30;
/// … and that of the client of slot n arrives on this channel of the server plus n (`departures`
/// there).
const DEPARTURE_CHANNELS: usize = 20;

/// Reports every child that is not watched, and every client whose faults are not told.
pub fn check(source: &Source, system: &System, errors: &mut Vec<Diagnostic>) {
    let Some(supervisor) = system.pds.get(SUPERVISOR) else {
        return;
    };
    // A client that is wired for another slot would be the same mistake again.
    let slots_are_right = errors.is_empty();
    for (name, pd) in &system.pds {
        if pd.parent.as_deref() == Some(SUPERVISOR) {
            errors.extend(check_watched(source, supervisor, name, pd));
            if slots_are_right {
                errors.extend(check_told(source, system, name, pd));
            }
        }
    }
}

fn check_watched(source: &Source, supervisor: &Pd, name: &str, pd: &Pd) -> Option<Diagnostic> {
    let page = pd.map_at(STATS_SYMBOL)?;
    let region = &page.region;
    let symbol = format!("{name}_stats_vaddr");
    match supervisor.map(region) {
        None => Some(source.at(
            page.offset,
            format!("nobody notices if {name} hangs: {SUPERVISOR} does not map {region}"),
            format!(
                "add <map mr=\"{region}\" vaddr=\"…\" perms=\"r\" setvar_vaddr=\"{symbol}\" setvar_size=\"{name}_stats_size\" /> to {SUPERVISOR}"
            ),
        )),
        Some(map) if map.setvar_vaddr.as_ref() != Some(&symbol) => Some(source.at(
            map.offset,
            format!("{SUPERVISOR} does not find {region} as the counters of {name}"),
            format!("set setvar_vaddr=\"{symbol}\""),
        )),
        Some(map) if map.writable => Some(source.at(
            map.offset,
            format!("{SUPERVISOR} may write {region}, which only {name} writes"),
            "set perms=\"r\"",
        )),
        Some(_) => None,
    }
}

/// The slot is that of the client's calls.
fn check_told(source: &Source, system: &System, name: &str, pd: &Pd) -> Option<Diagnostic> {
    let slot = system
        .channels_between(name, SERVER)
        .filter(|(client, _)| client.pp)
        .find_map(|(_, server)| {
            server
                .id
                .parse::<usize>()
                .ok()?
                .checked_sub(CLIENT_CHANNEL_BASE)
        })?;
    let from = (FAULT_CHANNELS + pd.child_id?).to_string();
    let to = (DEPARTURE_CHANNELS + slot).to_string();
    let told = system
        .channels_between(SUPERVISOR, SERVER)
        .any(|(supervisor, server)| supervisor.id == from && server.id == to);
    (!told).then(|| {
        source.at(
            pd.offset,
            format!("no channel on which {SUPERVISOR} tells {SERVER} that {name}, its child in slot {slot}, has faulted"),
            format!(
                "add <channel><end pd=\"{SUPERVISOR}\" id=\"{from}\" /><end pd=\"{SERVER}\" id=\"{to}\" notify=\"false\" /></channel>"
            ),
        )
    })
}
