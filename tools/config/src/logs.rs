// SPDX-License-Identifier: BSD-2-Clause
//! Whether every PD has its log ring and counters, and whether the console gets to see the lines. A
//! PD without them stops at its start, and lines that nobody prints are missed by no other check.

use crate::{
    Diagnostic, Source,
    system::{Map, Pd, System},
};

/// Name of the PD that prints. It has no ring of its own; a system without it keeps its lines in
/// memory.
const CONSOLE: &str = "console";
/// Symbol of a PD through which it finds its log ring (`pd_support::Pd::start`).
pub const LOG_SYMBOL: &str = "log_vaddr";
/// Symbol of a PD through which it finds its counters.
pub const STATS_SYMBOL: &str = "stats_vaddr";
/// Id of a PD's channel to the console (`pd_support::CONSOLE`).
const CHANNEL: &str = "2";

/// Reports every log ring and page of counters that its PD does not find, and every ring that the
/// console does not find or is not told of.
pub fn check(source: &Source, system: &System, errors: &mut Vec<Diagnostic>) {
    let console = system.pds.get(CONSOLE);
    for (name, pd) in &system.pds {
        let printed = console.and_then(|console| console.map_at(&console_symbol(name)));
        let log = match printed {
            Some(map) => map.region.clone(),
            None => format!("{name}_log"),
        };
        let stats = format!("{name}_stats");
        let has_log = name != CONSOLE
            && (printed.is_some()
                || system.regions.contains_key(&log)
                || pd.map_at(LOG_SYMBOL).is_some());
        let has_stats = has_log || system.regions.contains_key(&stats);
        if has_log {
            errors.extend(check_own(source, name, pd, &log, LOG_SYMBOL));
        }
        if has_stats {
            errors.extend(check_own(source, name, pd, &stats, STATS_SYMBOL));
        }
        if let (Some(console), Some(ring)) = (console, pd.map_at(LOG_SYMBOL)) {
            errors.extend(check_printed(source, console, name, ring));
            errors.extend(check_told(source, system, name, ring));
        }
    }
}

/// Symbol of the console through which it finds a PD's ring.
fn console_symbol(name: &str) -> String {
    format!("{name}_log_vaddr")
}

/// The symbol for the size of a region, by that for its address.
fn size_symbol(symbol: &str) -> String {
    symbol.replace("_vaddr", "_size")
}

/// A region that the PD itself writes.
fn check_own(
    source: &Source,
    name: &str,
    pd: &Pd,
    region: &str,
    symbol: &str,
) -> Option<Diagnostic> {
    match (pd.map_at(symbol), pd.map(region)) {
        (Some(_), _) => None,
        (None, Some(map)) => Some(source.at(
            map.offset,
            format!("{name} does not find {region}, and stops at its start without it"),
            format!("set setvar_vaddr=\"{symbol}\""),
        )),
        (None, None) => Some(source.at(
            pd.offset,
            format!("{name} does not map {region}, and stops at its start without it"),
            format!("add <map mr=\"{region}\" vaddr=\"…\" perms=\"rw\" setvar_vaddr=\"{symbol}\" setvar_size=\"{}\" /> to {name}", size_symbol(symbol)),
        )),
    }
}

fn check_printed(source: &Source, console: &Pd, name: &str, ring: &Map) -> Option<Diagnostic> {
    let region = &ring.region;
    let symbol = console_symbol(name);
    match console.map(region) {
        None => Some(source.at(
            ring.offset,
            format!("nobody prints the log lines of {name}: {CONSOLE} does not map {region}"),
            format!(
                "add <map mr=\"{region}\" vaddr=\"…\" perms=\"r\" setvar_vaddr=\"{symbol}\" setvar_size=\"{}\" /> to {CONSOLE}",
                size_symbol(&symbol)
            ),
        )),
        Some(map) if map.setvar_vaddr.as_ref() != Some(&symbol) => Some(source.at(
            map.offset,
            format!("{CONSOLE} does not find {region} as the log lines of {name}"),
            format!("set setvar_vaddr=\"{symbol}\""),
        )),
        Some(_) => None,
    }
}

fn check_told(source: &Source, system: &System, name: &str, ring: &Map) -> Option<Diagnostic> {
    let told = system
        .channels_between(name, CONSOLE)
        .find(|(writer, _)| writer.id == CHANNEL);
    match told {
        None => Some(source.at(
            ring.offset,
            format!("no channel on which {name} tells {CONSOLE} of log lines"),
            format!(
                "add <channel><end pd=\"{name}\" id=\"{CHANNEL}\" /><end pd=\"{CONSOLE}\" id=\"…\" notify=\"false\" /></channel>"
            ),
        )),
        Some((writer, _)) if !writer.notify => Some(source.at(
            writer.offset,
            format!("{name} cannot tell {CONSOLE} of log lines"),
            "move notify=\"false\" to the other end",
        )),
        Some(_) => None,
    }
}
