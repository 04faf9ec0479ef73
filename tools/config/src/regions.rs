// SPDX-License-Identifier: BSD-2-Clause
//! The regions that the project's programs know by name: how large they must be, who may write
//! them, who may map them at all. The unsafe code of the PDs relies on all of it.

use std::collections::BTreeSet;

use crate::{
    Diagnostic, Source,
    system::{Map, Pd, System},
    wiring::SERVER,
};

const DRIVER: &str = "net_driver";
const RNG: &str = "rng_driver";
const CONSOLE: &str = "console";
const SUPERVISOR: &str = "supervisor";

/// The queues of the network driver.
type Queues = virtio_net::QueuePages<{ ring::CAPACITY }, { 2 * ring::CAPACITY }>;

/// A region that programs find by symbols, the same in each of them.
struct Shared {
    /// The symbols' name, without `_vaddr` and `_size`.
    name: &'static str,
    /// Least size in bytes.
    needed: usize,
    /// Whether it is a device's registers rather than memory.
    is_device: bool,
    /// Who writes it. What nobody writes the device does.
    writer: Option<&'static str>,
    /// Who reads it. Nobody else may map it.
    readers: &'static [&'static str],
}

const SHARED: [Shared; 11] = [
    memory("virtqueues", size_of::<Queues>(), Some(DRIVER), &[]),
    memory("rx_data", ring::POOL_SIZE, None, &[SERVER]),
    memory("tx_data", ring::POOL_SIZE, Some(SERVER), &[]),
    memory(
        "driver_rings",
        size_of::<ring::DriverPage>(),
        Some(DRIVER),
        &[SERVER],
    ),
    memory(
        "server_rings",
        size_of::<ring::ServerPage>(),
        Some(SERVER),
        &[DRIVER],
    ),
    memory(
        "crash_request",
        size_of::<supervision::FaultRequest>(),
        Some(CONSOLE),
        &[SUPERVISOR],
    ),
    memory(
        "rng_dma",
        size_of::<virtio_rng::RequestPage>(),
        Some(RNG),
        &[],
    ),
    device("virtio_rng_mmio", RNG),
    device("virtio_mmio", DRIVER),
    device("uart", CONSOLE),
    device("rtc", SUPERVISOR),
];

const fn memory(
    name: &'static str,
    needed: usize,
    writer: Option<&'static str>,
    readers: &'static [&'static str],
) -> Shared {
    Shared {
        name,
        needed,
        is_device: false,
        writer,
        readers,
    }
}

const fn device(name: &'static str, writer: &'static str) -> Shared {
    Shared {
        name,
        needed: 1,
        is_device: true,
        writer: Some(writer),
        readers: &[],
    }
}

/// Symbols of one PD for a region of its own or of another's, and the least size of the region in
/// bytes.
const OWN: [(&str, usize); 3] = [
    ("log", size_of::<log_ring::LogPage>()),
    ("stats", size_of::<stats::StatsPage>()),
    ("net_config", net_config::ENCODED_SIZE),
];

/// Reports every region that is too small, whose size its program does not learn, or that somebody
/// may write or map who should not.
pub fn check(source: &Source, system: &System, errors: &mut Vec<Diagnostic>) {
    let check = Check { source, system };
    for shared in &SHARED {
        check.shared(shared, errors);
    }
    for (name, pd) in &system.pds {
        for map in &pd.maps {
            check.known(map, name, errors);
        }
        check.own(name, pd, errors);
        check.paddrs(name, pd, errors);
    }
}

/// What checks of regions need.
pub struct Check<'a> {
    pub source: &'a Source,
    pub system: &'a System,
}

impl Check<'_> {
    /// A region that several programs know, or a device.
    fn shared(&self, shared: &Shared, errors: &mut Vec<Diagnostic>) {
        let symbol = format!("{}_vaddr", shared.name);
        let users = || shared.writer.iter().chain(shared.readers);
        let found: Vec<(&str, &Map)> = users()
            .filter_map(|name| Some((*name, self.system.pds.get(*name)?.map_at(&symbol)?)))
            .collect();
        let Some((_, first)) = found.first() else {
            return;
        };
        for name in users() {
            let Some(pd) = self.system.pds.get(*name) else {
                continue;
            };
            match pd.map_at(&symbol) {
                None => errors.push(self.source.at(
                    pd.offset,
                    format!("{name} does not map {}", first.region),
                    format!(
                        "add <map mr=\"{}\" vaddr=\"…\" perms=\"{}\" setvar_vaddr=\"{symbol}\" setvar_size=\"{}_size\" /> to {name}",
                        first.region,
                        if shared.writer == Some(name) { "rw" } else { "r" },
                        shared.name
                    ),
                )),
                Some(map) if map.region != first.region => errors.push(self.source.at(
                    map.offset,
                    format!(
                        "{name} takes {} for what the others know as {}",
                        map.region, first.region
                    ),
                    format!("set mr=\"{}\"", first.region),
                )),
                Some(map) => {
                    if map.cached == shared.is_device {
                        errors.push(self.source.at(
                            map.offset,
                            format!(
                                "{name} maps {} as {}",
                                map.region,
                                if map.cached { "memory, but it is a device" } else { "a device, but it is memory" }
                            ),
                            format!("set cached=\"{}\"", !shared.is_device),
                        ));
                    }
                    if !shared.is_device {
                        self.sized(map, name, shared.name, shared.needed, errors);
                    }
                }
            }
        }
        self.only(
            &first.region,
            shared.writer,
            |name| shared.readers.contains(&name),
            errors,
        );
    }

    /// A region of the PD's own: log ring, counters, heap; and the configuration, which nobody
    /// writes.
    fn own(&self, name: &str, pd: &Pd, errors: &mut Vec<Diagnostic>) {
        for symbol in ["log_vaddr", "stats_vaddr", "heap_vaddr"] {
            let Some(map) = pd.map_at(symbol) else {
                continue;
            };
            let may_read = |other: &str| match symbol {
                "log_vaddr" => other == CONSOLE,
                // Counters are no secret.
                "stats_vaddr" => true,
                _ => false,
            };
            self.only(&map.region, Some(name), may_read, errors);
        }
        if let Some(map) = pd.map_at("net_config_vaddr") {
            self.only(&map.region, None, |_| true, errors);
        }
    }

    /// A log ring, page of counters or configuration, by whichever symbol: the PD's own, or
    /// `<name>_log` at the console and `<name>_stats` at whoever shows it.
    fn known(&self, map: &Map, name: &str, errors: &mut Vec<Diagnostic>) {
        let Some(symbol) = map
            .setvar_vaddr
            .as_deref()
            .and_then(|symbol| symbol.strip_suffix("_vaddr"))
        else {
            return;
        };
        let is_of_another = |kind: &str| {
            let other = symbol.strip_suffix(kind).and_then(|s| s.strip_suffix('_'));
            other.is_some_and(|other| self.system.pds.contains_key(other))
        };
        if let Some((_, needed)) = OWN
            .iter()
            .find(|(kind, _)| symbol == *kind || is_of_another(kind))
        {
            self.sized(map, name, symbol, *needed, errors);
        }
    }

    /// The region is large enough, and the program learns how large it is.
    fn sized(
        &self,
        map: &Map,
        name: &str,
        symbol: &str,
        needed: usize,
        errors: &mut Vec<Diagnostic>,
    ) {
        let wanted = format!("{symbol}_size");
        if map.setvar_size.as_ref() != Some(&wanted) {
            errors.push(self.source.at(
                map.offset,
                format!("{name} does not know the size of {}", map.region),
                format!("set setvar_size=\"{wanted}\""),
            ));
        }
        errors.extend(self.too_small(map, name, needed));
    }

    /// Physical addresses are those of the regions that the program has under the same name: it
    /// hands them to a device.
    fn paddrs(&self, name: &str, pd: &Pd, errors: &mut Vec<Diagnostic>) {
        for paddr in &pd.paddrs {
            let Some(map) = paddr.symbol.strip_suffix("_paddr").and_then(|symbol| {
                let symbol = format!("{symbol}_vaddr");
                // Who gives it to a device need not map it.
                let others = self.system.pds.values();
                pd.map_at(&symbol)
                    .or_else(|| others.into_iter().find_map(|pd| pd.map_at(&symbol)))
            }) else {
                continue;
            };
            if map.region != paddr.region {
                errors.push(self.source.at(
                    paddr.offset,
                    format!(
                        "{} is the physical address of {}, but {name} takes it for that of {}",
                        paddr.symbol, paddr.region, map.region
                    ),
                    format!("set region_paddr=\"{}\"", map.region),
                ));
            }
        }
    }

    /// Reports a region that is smaller than what lies in it.
    pub fn too_small(&self, map: &Map, name: &str, needed: usize) -> Option<Diagnostic> {
        let region = self.system.regions.get(&map.region)?;
        let size = region.size?;
        (size < needed as u64).then(|| {
            self.source.at(
                region.offset,
                format!(
                    "{} has {size:#x} bytes, and {name} needs {needed:#x} there",
                    map.region
                ),
                format!("set size=\"{:#x}\"", needed.next_multiple_of(0x1000)),
            )
        })
    }

    /// Reports every mapping of a region by somebody who has no business there, and every right to
    /// write it but the writer's.
    pub fn only(
        &self,
        region: &str,
        writer: Option<&str>,
        may_read: impl Fn(&str) -> bool,
        errors: &mut Vec<Diagnostic>,
    ) {
        let is_user = |name: &str| writer == Some(name) || may_read(name);
        for (name, map) in self.system.mappings(region) {
            let is_writer = writer == Some(name);
            let (message, help) = if !is_user(name) {
                let users: BTreeSet<&str> = self
                    .system
                    .mappings(region)
                    .map(|(name, _)| name)
                    .filter(|name| is_user(name))
                    .collect();
                let users = users.into_iter().collect::<Vec<_>>().join(" and ");
                (
                    format!("{name} maps {region}, which is for {users} alone"),
                    "remove this mapping",
                )
            } else if map.writable && !is_writer {
                let who =
                    writer.map_or("no protection domain".to_string(), |w| format!("only {w}"));
                (
                    format!("{name} may write {region}, which {who} writes"),
                    "set perms=\"r\"",
                )
            } else if !map.writable && is_writer {
                (format!("{name} may not write {region}"), "set perms=\"rw\"")
            } else {
                continue;
            };
            errors.push(self.source.at(map.offset, message, help));
        }
    }
}
