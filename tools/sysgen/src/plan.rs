// SPDX-License-Identifier: BSD-2-Clause
//! From what is declared to what the machine enforces: memory regions, who maps which of them
//! where, channels and their ids.

use std::collections::BTreeSet;

use wiring::role;

use crate::addresses;
use crate::declaration::{DEVICE_SIZE, Declaration, HEAP_PAGE, Pd};
use crate::schema::Service;

/// The queues of the network driver.
type Queues = virtio_net::QueuePages<{ ring::CAPACITY }, { 2 * ring::CAPACITY }>;

const PAGE: u64 = 0x1000;
/// Ids of channels and interrupts of a PD (Microkit manual, "Channels").
const CHANNELS: u32 = 62;
/// Entries of memory that a PD keeps account of (`pd_support`).
const MAX_MEMORY: usize = 256;

/// The whole system.
#[derive(Default)]
pub struct Plan {
    pub regions: Vec<Region>,
    /// By index of the PD in the declaration.
    pub pds: Vec<PdPlan>,
    pub channels: Vec<Channel>,
    /// The PD that is the parent of all others.
    pub parent: Option<usize>,
}

/// A memory region.
pub struct Region {
    pub name: String,
    pub size: u64,
    /// Registers of a device, at this physical address.
    pub device: Option<u64>,
    /// Whether it is made of pages of 2 MiB.
    pub large: bool,
    /// The file that it is filled with.
    pub prefill: Option<String>,
}

/// What one PD has.
#[derive(Default)]
pub struct PdPlan {
    /// Its number: the id of a child at its parent.
    pub number: u32,
    pub maps: Vec<Map>,
    /// Symbols for physical addresses of regions.
    pub paddrs: Vec<(&'static str, usize)>,
    pub irqs: Vec<Irq>,
    /// Ids of channels and interrupts that are taken.
    taken: BTreeSet<u32>,
}

/// A mapping of a region.
pub struct Map {
    pub region: usize,
    pub vaddr: u64,
    pub writable: bool,
    pub role: String,
    /// The PD that shares it.
    pub peer: Option<usize>,
    /// Symbols that the program needs before it can read its table: for address and size.
    pub symbols: Option<(&'static str, &'static str)>,
}

/// An interrupt.
pub struct Irq {
    pub id: u32,
    pub number: u32,
    pub device: String,
}

/// A channel between two PDs.
pub struct Channel {
    pub role: String,
    pub ends: [End; 2],
}

/// One end of a channel.
#[derive(Clone, Copy)]
pub struct End {
    pub pd: usize,
    pub id: u32,
    /// Whether this PD may call the other.
    pub calls: bool,
    /// Whether this PD may notify the other.
    pub notifies: bool,
}

/// Who may do what on a channel, its first PD first.
struct Rights {
    calls: bool,
    notifies: [bool; 2],
}

const BOTH_NOTIFY: Rights = Rights {
    calls: false,
    notifies: [true, true],
};
const FIRST_NOTIFIES: Rights = Rights {
    calls: false,
    notifies: [true, false],
};
/// A client calls, its server notifies.
const CALL_AND_NOTIFY: Rights = Rights {
    calls: true,
    notifies: [false, true],
};
const CALL: Rights = Rights {
    calls: true,
    notifies: [false, false],
};

/// Makes the plan of a declaration. `reserved` are ids of channels that are taken: PD and id.
/// `tables` are the sizes of the wiring tables, by PD, and `configuration` that of the
/// configuration.
pub fn plan(
    declaration: &Declaration<'_>,
    reserved: &[(usize, u32)],
    table: impl Fn(&Plan, usize) -> u64,
    configuration: u64,
) -> Plan {
    let mut planner = Planner {
        declaration,
        plan: Plan {
            parent: declaration.server_of(Service::Supervision),
            ..Plan::default()
        },
    };
    planner.numbers(reserved);
    for pd in 0..declaration.pds.len() {
        planner.devices(pd);
    }
    for pd in 0..declaration.pds.len() {
        planner.own(pd);
    }
    planner.links();
    planner.sockets(configuration);
    planner.counters();
    planner.lives();
    planner.shared();
    let mut plan = planner.plan;
    for (pd, declared) in declaration.pds.iter().enumerate() {
        // The table lists itself, too, and is as long with that entry as without an address.
        let region = plan.region(Region::filled(
            format!("{}_wiring", declared.name),
            0,
            format!("{}.wiring", declared.name),
        ));
        let symbols = Some(("wiring_vaddr", "wiring_size"));
        plan.map(pd, region, role::WIRING, None, false, symbols);
        plan.regions[region].size = table(&plan, pd).next_multiple_of(PAGE);
    }
    addresses::assign(&mut plan);
    plan
}

struct Planner<'a> {
    declaration: &'a Declaration<'a>,
    plan: Plan,
}

impl Planner<'_> {
    fn pd(&self, index: usize) -> &Pd<'_> {
        &self.declaration.pds[index]
    }

    /// Children are numbered in the order of the file; their parent has the number behind.
    fn numbers(&mut self, reserved: &[(usize, u32)]) {
        let count = self.declaration.pds.len() as u32;
        let mut number = 0;
        for pd in 0..self.declaration.pds.len() {
            let taken = reserved.iter().filter(|(owner, _)| *owner == pd);
            let mut plan = PdPlan {
                number,
                taken: taken.map(|(_, id)| *id).collect(),
                ..PdPlan::default()
            };
            if self.plan.parent == Some(pd) {
                plan.number = count - 1;
            } else {
                number += 1;
            }
            self.plan.pds.push(plan);
        }
    }

    fn devices(&mut self, index: usize) {
        let declaration = self.declaration;
        for device in &declaration.pds[index].devices {
            if let Some(at) = device.registers {
                let region = self.plan.region(Region {
                    device: Some(at),
                    ..Region::memory(device.name.to_string(), DEVICE_SIZE)
                });
                self.plan.map(index, region, device.name, None, true, None);
            }
            if let Some(number) = device.irq {
                let id = self.plan.pds[index].free_id();
                self.plan.pds[index].irqs.push(Irq {
                    id,
                    number,
                    device: device.name.to_string(),
                });
            }
        }
    }

    /// What a PD has with console and supervisor, and its heap.
    fn own(&mut self, index: usize) {
        let declaration = self.declaration;
        let pd = &declaration.pds[index];
        let counters = self.memory(index, role::COUNTERS, size_of::<stats::StatsPage>());
        self.plan
            .map(index, counters, role::COUNTERS, None, true, None);
        if let Some(console) = declaration.server_of(Service::Log)
            && console != index
        {
            let log = self.memory(index, role::LOG, size_of::<log_ring::LogPage>());
            self.plan.map(index, log, role::LOG, None, true, None);
            self.plan
                .map(console, log, role::LOG, Some(index), false, None);
            self.plan
                .channel(role::LOG, [index, console], &FIRST_NOTIFIES);
        }
        if let Some(parent) = self.plan.parent
            && parent != index
        {
            // A tick a second: time has its own watch that needs no comparator, and the console
            // looks for lines of PDs that turn without end.
            let rights = match pd.serves {
                Some(Service::Time | Service::Log) => BOTH_NOTIFY,
                _ => FIRST_NOTIFIES,
            };
            self.plan
                .channel(role::SUPERVISION, [index, parent], &rights);
        }
        if let Some(heap) = pd.heap {
            let region = self.plan.region(Region {
                large: true,
                ..Region::memory(format!("{}_heap", pd.name), heap)
            });
            let symbols = Some(("heap_vaddr", "heap_size"));
            self.plan
                .map(index, region, role::HEAP, None, true, symbols);
        }
        if pd.serves == Some(Service::Random) {
            let dma = self.memory(index, role::DMA, size_of::<virtio_rng::RequestPage>());
            self.plan.map(index, dma, role::DMA, None, true, None);
            self.plan.pds[index].paddrs.push(("dma_paddr", dma));
        }
    }

    /// Servers of time, random bytes and packets, and who uses them.
    fn links(&mut self) {
        let declaration = self.declaration;
        for (user, pd) in declaration.pds.iter().enumerate() {
            for &server in &pd.uses {
                let ends = [user, server];
                match declaration.pds[server].serves {
                    Some(Service::Time) => {
                        self.plan.channel(role::TIME, ends, &CALL_AND_NOTIFY);
                    }
                    Some(Service::Random) => self.plan.channel(role::RANDOM, ends, &CALL),
                    Some(Service::Packets) => self.packets(user, server),
                    _ => {}
                }
            }
        }
    }

    /// The packet link (`libs/link/ring`).
    fn packets(&mut self, server: usize, driver: usize) {
        self.plan
            .channel(role::PACKETS, [driver, server], &BOTH_NOTIFY);
        let dma = self.memory(driver, role::DMA, size_of::<Queues>());
        self.plan.map(driver, dma, role::DMA, None, true, None);
        let theirs = self.memory(driver, role::DRIVER_RINGS, size_of::<ring::DriverPage>());
        let ours = self.memory(driver, role::SERVER_RINGS, size_of::<ring::ServerPage>());
        for (region, role, writer) in [
            (theirs, role::DRIVER_RINGS, driver),
            (ours, role::SERVER_RINGS, server),
        ] {
            self.plan
                .map(driver, region, role, Some(server), writer == driver, None);
            self.plan
                .map(server, region, role, Some(driver), writer == server, None);
        }
        // Frames are the device's and the server's: the driver has their addresses only.
        let rx = self.memory(driver, role::RX_DATA, ring::POOL_SIZE);
        let tx = self.memory(driver, role::TX_DATA, ring::POOL_SIZE);
        self.plan
            .map(server, rx, role::RX_DATA, Some(driver), false, None);
        self.plan
            .map(server, tx, role::TX_DATA, Some(driver), true, None);
        self.plan.pds[driver].paddrs.extend([
            ("dma_paddr", dma),
            ("rx_data_paddr", rx),
            ("tx_data_paddr", tx),
        ]);
    }

    /// Windows and readiness pages of the clients, and the configuration.
    fn sockets(&mut self, configuration: u64) {
        let declaration = self.declaration;
        let Some(server) = declaration.server_of(Service::Sockets) else {
            return;
        };
        let filled = self.plan.region(Region::filled(
            role::CONFIGURATION.to_string(),
            configuration,
            "configuration".to_string(),
        ));
        self.plan
            .map(server, filled, role::CONFIGURATION, None, false, None);
        for client in declaration.users_of(server) {
            let Some(limits) = &self.pd(client).limits else {
                continue;
            };
            let readiness = socket_proto::ready::region_size(limits.sockets());
            let window = limits.window as usize;
            self.plan
                .channel(role::SOCKETS, [client, server], &CALL_AND_NOTIFY);
            self.plan
                .map(client, filled, role::CONFIGURATION, None, false, None);
            for (role, size, writer) in [
                (role::READINESS, readiness, server),
                (role::CLIENT_TO_SERVER, window, client),
                (role::SERVER_TO_CLIENT, window, server),
            ] {
                let region = self.memory(client, role, size);
                self.plan
                    .map(client, region, role, Some(server), writer == client, None);
                self.plan
                    .map(server, region, role, Some(client), writer == server, None);
            }
        }
    }

    /// Counters are no secret: the supervisor watches them, and others may show them.
    fn counters(&mut self) {
        let readers: Vec<usize> = (0..self.declaration.pds.len())
            .filter(|&pd| self.plan.parent == Some(pd) || self.pd(pd).reads_counters)
            .collect();
        for reader in readers {
            for owner in (0..self.declaration.pds.len()).filter(|&owner| owner != reader) {
                let name = format!("{}_{}", self.pd(owner).name, role::COUNTERS);
                if let Some(region) = self.plan.find(&name) {
                    self.plan
                        .map(reader, region, role::COUNTERS, Some(owner), false, None);
                }
            }
        }
    }

    /// The supervisor tells the server of sockets whose life is over.
    fn lives(&mut self) {
        let server = self.declaration.server_of(Service::Sockets);
        if let (Some(parent), Some(server)) = (self.plan.parent, server) {
            let lives = self.memory(parent, role::LIVES, size_of::<supervision::Lives>());
            self.plan
                .map(parent, lives, role::LIVES, Some(server), true, None);
            self.plan
                .map(server, lives, role::LIVES, Some(parent), false, None);
            self.plan
                .channel(role::LIVES, [parent, server], &FIRST_NOTIFIES);
        }
    }

    /// Regions that are declared by themselves.
    fn shared(&mut self) {
        let declaration = self.declaration;
        for shared in &declaration.regions {
            let region = self
                .plan
                .region(Region::memory(shared.name.to_string(), shared.size));
            let only = <[usize; 1]>::try_from(shared.readers.as_slice()).ok();
            let peer = only.map(|[reader]| reader);
            self.plan
                .map(shared.writer, region, shared.name, peer, true, None);
            for &reader in &shared.readers {
                self.plan.map(
                    reader,
                    region,
                    shared.name,
                    Some(shared.writer),
                    false,
                    None,
                );
                if shared.notifies {
                    let ends = [shared.writer, reader];
                    self.plan.channel(shared.name, ends, &FIRST_NOTIFIES);
                }
            }
        }
    }

    /// A region that is named after its PD and its role.
    fn memory(&mut self, pd: usize, role: &str, size: usize) -> usize {
        let name = format!("{}_{role}", self.pd(pd).name);
        self.plan.region(Region::memory(name, size as u64))
    }
}

impl Region {
    fn memory(name: String, size: u64) -> Self {
        Region {
            name,
            size: size.next_multiple_of(PAGE),
            device: None,
            large: false,
            prefill: None,
        }
    }

    fn filled(name: String, size: u64, file: String) -> Self {
        Region {
            prefill: Some(file),
            ..Region::memory(name, size)
        }
    }

    /// What its address must be a multiple of.
    pub fn alignment(&self) -> u64 {
        if self.large { HEAP_PAGE } else { PAGE }
    }
}

impl PdPlan {
    fn free_id(&mut self) -> u32 {
        let id = (0..)
            .find(|id| !self.taken.contains(id))
            .unwrap_or_default();
        self.taken.insert(id);
        id
    }
}

impl Plan {
    /// The region of a name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.regions.iter().position(|region| region.name == name)
    }

    /// Whether a PD may read a region, or write it.
    pub fn grants(&self, pd: usize, region: usize, write: bool) -> bool {
        let mut maps = self.pds[pd].maps.iter();
        maps.any(|map| map.region == region && (map.writable || !write))
    }

    /// The PD that has more channels or memory than it can have, and what of.
    pub fn overfull(&self) -> Option<(usize, String)> {
        self.pds.iter().enumerate().find_map(|(index, pd)| {
            let channels = pd.taken.len();
            let is_over = pd.taken.last().is_some_and(|last| *last >= CHANNELS);
            if is_over {
                return Some((
                    index,
                    format!("{channels} channels and interrupts, of {CHANNELS}"),
                ));
            }
            let memory = pd.maps.len();
            (memory > MAX_MEMORY).then(|| (index, format!("{memory} regions, of {MAX_MEMORY}")))
        })
    }

    /// A name that two regions have.
    pub fn ambiguous(&self) -> Option<&str> {
        let mut seen = BTreeSet::new();
        let mut names = self.regions.iter().map(|region| region.name.as_str());
        names.find(|name| !seen.insert(*name))
    }

    /// The PDs that have a region.
    pub fn owners(&self, region: usize) -> impl Iterator<Item = usize> {
        (0..self.pds.len()).filter(move |&pd| self.grants(pd, region, false))
    }

    fn region(&mut self, region: Region) -> usize {
        self.regions.push(region);
        self.regions.len() - 1
    }

    fn map(
        &mut self,
        pd: usize,
        region: usize,
        role: &str,
        peer: Option<usize>,
        writable: bool,
        symbols: Option<(&'static str, &'static str)>,
    ) {
        self.pds[pd].maps.push(Map {
            region,
            vaddr: 0,
            writable,
            role: role.to_string(),
            peer,
            symbols,
        });
    }

    fn channel(&mut self, role: &str, [first, second]: [usize; 2], rights: &Rights) {
        let [first_notifies, second_notifies] = rights.notifies;
        let mut end = |pd: usize, calls, notifies| End {
            pd,
            id: self.pds[pd].free_id(),
            calls,
            notifies,
        };
        let ends = [
            end(first, rights.calls, first_notifies),
            end(second, false, second_notifies),
        ];
        self.channels.push(Channel {
            role: role.to_string(),
            ends,
        });
    }
}
