// SPDX-License-Identifier: BSD-2-Clause
//! Whether the console gets to see the log lines of every PD that writes some. Lines that nobody prints are missed by no other check.

use crate::{Diagnostic, Source, system::System};

/// Name of the PD that prints. A system without it keeps its lines in memory.
const CONSOLE: &str = "console";
/// Symbol of a PD through which it finds its log ring.
const LOG_SYMBOL: &str = "log_vaddr";
/// Id of a PD's channel to the console (`pd_support::CONSOLE`).
const CHANNEL: &str = "2";

/// Reports every log ring that the console cannot read or is not told of.
pub fn check(source: &Source, system: &System, errors: &mut Vec<Diagnostic>) {
    let Some(console) = system.pds.get(CONSOLE) else {
        return;
    };
    for (name, pd) in &system.pds {
        let Some(ring) = pd
            .maps
            .iter()
            .find(|map| map.setvar_vaddr.as_deref() == Some(LOG_SYMBOL))
        else {
            continue;
        };
        let region = &ring.region;
        let symbol = format!("{name}_log_vaddr");
        match console.map(region) {
            None => errors.push(source.at(
                ring.offset,
                format!("nobody prints the log lines of {name}: {CONSOLE} does not map {region}"),
                format!(
                    "add <map mr=\"{region}\" vaddr=\"…\" perms=\"r\" setvar_vaddr=\"{symbol}\" /> to {CONSOLE}"
                ),
            )),
            Some(map) if map.setvar_vaddr.as_ref() != Some(&symbol) => errors.push(source.at(
                map.offset,
                format!("{CONSOLE} does not find {region} as the log lines of {name}"),
                format!("set setvar_vaddr=\"{symbol}\""),
            )),
            Some(map) if map.writable => errors.push(source.at(
                map.offset,
                format!("{CONSOLE} may write {region}, which only {name} writes"),
                "set perms=\"r\"",
            )),
            Some(_) => {}
        }
        let told = system.channels.iter().any(|[a, b]| {
            [(a, b), (b, a)].iter().any(|(writer, console)| {
                writer.pd == *name && writer.id == CHANNEL && console.pd == CONSOLE
            })
        });
        if !told {
            errors.push(source.at(
                ring.offset,
                format!("no channel on which {name} tells {CONSOLE} of log lines"),
                format!(
                    "add <channel><end pd=\"{name}\" id=\"{CHANNEL}\" /><end pd=\"{CONSOLE}\" id=\"…\" notify=\"false\" /></channel>"
                ),
            ));
        }
    }
}
