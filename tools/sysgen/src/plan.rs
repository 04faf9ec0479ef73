// SPDX-License-Identifier: BSD-2-Clause
//! From what is declared to what the machine enforces: memory regions, who maps which of them
//! where, channels and their ids.

use std::collections::BTreeSet;

use wiring::{CHANNELS, Misfit, role};

use crate::addresses;
use crate::declaration::{Declaration, Service};
use crate::diagnostic::{self, Report, Source};
use crate::tables;

/// The queues of the network driver.
type Queues = virtio_net::QueuePages<{ ring::CAPACITY }, { 2 * ring::CAPACITY }>;

pub const PAGE: u64 = 0x1000;
pub const LARGE_PAGE: u64 = 0x20_0000;
/// Registers of a device: one page.
pub const DEVICE_SIZE: u64 = PAGE;
/// Entries of memory that a PD keeps account of (`pd_support`).
const MAX_MEMORY: usize = 256;

/// The whole system.
pub struct Plan<'a> {
    pub declaration: &'a Declaration,
    pub regions: Vec<Region>,
    /// By index of the PD in the declaration.
    pub pds: Vec<PdPlan<'a>>,
    pub channels: Vec<Channel<'a>>,
    /// The PD that is the parent of all others.
    pub parent: Option<usize>,
}

/// A memory region.
pub struct Region {
    pub name: String,
    /// Bytes, whole pages.
    pub size: u64,
    pub content: Content,
}

/// What a region is made of.
pub enum Content {
    Zeros,
    /// Zeros, in pages of 2 MiB.
    LargePages,
    /// Registers of a device, at this physical address.
    Device(u64),
    /// What is in this file.
    File(String),
}

/// What one PD has.
pub struct PdPlan<'a> {
    /// Its number: the id of a child at its parent.
    pub number: usize,
    pub maps: Vec<Map<'a>>,
    /// Symbols for physical addresses of regions.
    pub paddrs: Vec<(&'static str, usize)>,
    pub irqs: Vec<Irq<'a>>,
    /// Ids of channels and interrupts that are taken.
    taken: BTreeSet<usize>,
}

/// A mapping of a region.
pub struct Map<'a> {
    pub region: usize,
    pub vaddr: u64,
    pub writable: bool,
    pub role: &'a str,
    /// The PD that shares it.
    pub peer: Option<usize>,
    /// Symbols that the program needs before it can read its table: for address and size.
    pub symbols: Option<[&'static str; 2]>,
}

/// An interrupt.
pub struct Irq<'a> {
    pub id: usize,
    pub number: u32,
    pub device: &'a str,
}

/// A channel between two PDs.
pub struct Channel<'a> {
    pub role: &'a str,
    pub ends: [End; 2],
}

/// One end of a channel.
#[derive(Clone, Copy)]
pub struct End {
    pub pd: usize,
    pub id: usize,
    /// Whether this PD may call the other.
    pub calls: bool,
    /// Whether this PD may notify the other.
    pub notifies: bool,
}

/// What the two PDs of a channel may do, the first one first.
#[derive(Clone, Copy)]
enum Rights {
    BothNotify,
    FirstNotifies,
    Call,
    /// A client calls, its server notifies.
    CallAndNotify,
}

impl<'a> Plan<'a> {
    /// Makes the plan of a declaration. `reserved` are ids of channels that are taken: PD and id.
    ///
    /// # Errors
    /// A wiring table cannot be written.
    pub fn new(declaration: &'a Declaration, reserved: &[(usize, usize)]) -> Result<Self, Misfit> {
        let parent = declaration.server_of(Service::Supervision);
        let mut plan = Plan {
            declaration,
            regions: Vec::new(),
            pds: Vec::new(),
            channels: Vec::new(),
            parent,
        };
        let all = 0..declaration.pds.len();
        // Children are numbered in the order of the file; their parent has the number behind.
        let mut numbers = 0..;
        for pd in all.clone() {
            let taken = reserved.iter().filter(|(owner, _)| *owner == pd);
            let number = match parent {
                Some(parent) if parent == pd => all.len() - 1,
                _ => numbers.next().unwrap_or_default(),
            };
            plan.pds.push(PdPlan {
                number,
                maps: Vec::new(),
                paddrs: Vec::new(),
                irqs: Vec::new(),
                taken: taken.map(|(_, id)| *id).collect(),
            });
        }
        all.clone().for_each(|pd| plan.devices(pd));
        all.clone().for_each(|pd| plan.own(pd));
        all.clone().for_each(|pd| plan.services(pd));
        plan.sockets();
        plan.counters();
        plan.lives();
        plan.shared();
        for pd in all {
            let name = &declaration.pds[pd].name;
            let region = plan.memory(pd, role::WIRING, 0);
            plan.regions[region].content = Content::File(format!("{name}.wiring"));
            let symbols = ["wiring_vaddr", "wiring_size"];
            plan.map(pd, region, role::WIRING, false).symbols = Some(symbols);
            // The table lists itself, too, and is as long without addresses.
            let table = tables::table(&plan, pd).encode()?;
            plan.regions[region].size = (table.len() as u64).next_multiple_of(PAGE);
        }
        addresses::assign(&mut plan);
        Ok(plan)
    }

    fn devices(&mut self, pd: usize) {
        for name in &self.declaration.pds[pd].devices {
            let Some(device) = self.declaration.device(name) else {
                continue;
            };
            if let Some(at) = &device.registers {
                let region = self.region(name.to_string(), DEVICE_SIZE);
                self.regions[region].content = Content::Device(**at);
                self.map(pd, region, name, true);
            }
            if let Some(number) = &device.irq {
                let (id, number) = (self.pds[pd].free_id(), **number);
                self.pds[pd].irqs.push(Irq {
                    id,
                    number,
                    device: name,
                });
            }
        }
    }

    /// What a PD has with console and supervisor, and its heap.
    fn own(&mut self, pd: usize) {
        let declared = &self.declaration.pds[pd];
        self.private(pd, role::COUNTERS, size_of::<stats::StatsPage>());
        let others = |server: &usize| *server != pd;
        if let Some(console) = self.declaration.server_of(Service::Log).filter(others) {
            let log = self.private(pd, role::LOG, size_of::<log_ring::LogPage>());
            self.map(console, log, role::LOG, false).peer = Some(pd);
            self.channel(role::LOG, [pd, console], Rights::FirstNotifies);
        }
        if let Some(parent) = self.parent.filter(others) {
            // A tick a second: time has its own watch that needs no comparator, and the console
            // looks for lines of PDs that turn without end.
            let rights = match declared.service() {
                Some(Service::Time | Service::Log) => Rights::BothNotify,
                _ => Rights::FirstNotifies,
            };
            self.channel(role::SUPERVISION, [pd, parent], rights);
        }
        if let Some(heap) = self.declaration.heap(declared) {
            let region = self.memory(pd, role::HEAP, heap as usize);
            self.regions[region].content = Content::LargePages;
            self.map(pd, region, role::HEAP, true).symbols = Some(["heap_vaddr", "heap_size"]);
        }
        if declared.service() == Some(Service::Random) {
            let dma = self.private(pd, role::DMA, size_of::<virtio_rng::RequestPage>());
            self.pds[pd].paddrs.push(("dma_paddr", dma));
        }
    }

    /// What a PD has with the servers of time, random bytes and packets that it uses.
    fn services(&mut self, user: usize) {
        for server in self.declaration.used_by(&self.declaration.pds[user]) {
            let ends = [user, server];
            match self.declaration.pds[server].service() {
                Some(Service::Time) => self.channel(role::TIME, ends, Rights::CallAndNotify),
                Some(Service::Random) => self.channel(role::RANDOM, ends, Rights::Call),
                Some(Service::Packets) => self.packets(user, server),
                _ => {}
            }
        }
    }

    /// The packet link (`libs/link/ring`).
    fn packets(&mut self, server: usize, driver: usize) {
        self.channel(role::PACKETS, [driver, server], Rights::BothNotify);
        let dma = self.private(driver, role::DMA, size_of::<Queues>());
        let theirs = self.memory(driver, role::DRIVER_RINGS, size_of::<ring::DriverPage>());
        let ours = self.memory(driver, role::SERVER_RINGS, size_of::<ring::ServerPage>());
        self.share(theirs, role::DRIVER_RINGS, driver, server);
        self.share(ours, role::SERVER_RINGS, server, driver);
        // Frames are the device's and the server's: the driver has their addresses only.
        let rx = self.memory(driver, role::RX_DATA, ring::POOL_SIZE);
        let tx = self.memory(driver, role::TX_DATA, ring::POOL_SIZE);
        self.map(server, rx, role::RX_DATA, false).peer = Some(driver);
        self.map(server, tx, role::TX_DATA, true).peer = Some(driver);
        self.pds[driver].paddrs.extend([
            ("dma_paddr", dma),
            ("rx_data_paddr", rx),
            ("tx_data_paddr", tx),
        ]);
    }

    /// Windows and readiness pages of the clients.
    fn sockets(&mut self) {
        let Some(server) = self.declaration.server_of(Service::Sockets) else {
            return;
        };
        for client in self.declaration.clients() {
            let declared = &self.declaration.pds[client];
            let readiness = socket_proto::ready::region_size(declared.sockets());
            let window = *declared.window as usize;
            self.channel(role::SOCKETS, [client, server], Rights::CallAndNotify);
            for (role, size, writer, reader) in [
                (role::READINESS, readiness, server, client),
                (role::CLIENT_TO_SERVER, window, client, server),
                (role::SERVER_TO_CLIENT, window, server, client),
            ] {
                let region = self.memory(client, role, size);
                self.share(region, role, writer, reader);
            }
        }
    }

    /// Counters are no secret: the supervisor watches them, and others may show them.
    fn counters(&mut self) {
        let declared = &self.declaration.pds;
        let may_read = |pd: &usize| self.parent == Some(*pd) || declared[*pd].reads_counters;
        let readers: Vec<usize> = (0..declared.len()).filter(may_read).collect();
        for reader in readers {
            for owner in (0..declared.len()).filter(|&owner| owner != reader) {
                let name = format!("{}_{}", declared[owner].name, role::COUNTERS);
                if let Some(region) = self.find(&name) {
                    self.map(reader, region, role::COUNTERS, false).peer = Some(owner);
                }
            }
        }
    }

    /// The supervisor tells the server of sockets whose life is over.
    fn lives(&mut self) {
        let server = self.declaration.server_of(Service::Sockets);
        if let (Some(parent), Some(server)) = (self.parent, server) {
            let lives = self.memory(parent, role::LIVES, size_of::<supervision::Lives>());
            self.share(lives, role::LIVES, parent, server);
            self.channel(role::LIVES, [parent, server], Rights::FirstNotifies);
        }
    }

    /// Regions that are declared by themselves.
    fn shared(&mut self) {
        for shared in &self.declaration.regions {
            let find = |name: &str| self.declaration.find(name);
            let readers: Vec<usize> = shared
                .readers
                .iter()
                .filter_map(|name| find(name))
                .collect();
            let Some(writer) = find(&shared.writer) else {
                continue;
            };
            let region = self.region(shared.name.to_string(), *shared.size);
            let map = self.map(writer, region, &shared.name, true);
            if let [only] = readers[..] {
                map.peer = Some(only);
            }
            for reader in readers {
                self.map(reader, region, &shared.name, false).peer = Some(writer);
                if shared.notifies {
                    self.channel(&shared.name, [writer, reader], Rights::FirstNotifies);
                }
            }
        }
    }

    fn region(&mut self, name: String, size: u64) -> usize {
        self.regions.push(Region {
            name,
            size: size.next_multiple_of(PAGE),
            content: Content::Zeros,
        });
        self.regions.len() - 1
    }

    /// A region that is named after its PD and its role.
    fn memory(&mut self, pd: usize, role: &str, size: usize) -> usize {
        let name = format!("{}_{role}", self.declaration.pds[pd].name);
        self.region(name, size as u64)
    }

    /// A region of one PD's own.
    fn private(&mut self, pd: usize, role: &'a str, size: usize) -> usize {
        let region = self.memory(pd, role, size);
        self.map(pd, region, role, true);
        region
    }

    /// Maps a region into two PDs.
    fn share(&mut self, region: usize, role: &'a str, writer: usize, reader: usize) {
        self.map(writer, region, role, true).peer = Some(reader);
        self.map(reader, region, role, false).peer = Some(writer);
    }

    fn map(&mut self, pd: usize, region: usize, role: &'a str, writable: bool) -> &mut Map<'a> {
        let maps = &mut self.pds[pd].maps;
        maps.push_mut(Map {
            region,
            vaddr: 0,
            writable,
            role,
            peer: None,
            symbols: None,
        })
    }

    fn channel(&mut self, role: &'a str, [first, second]: [usize; 2], rights: Rights) {
        let ids = [first, second].map(|pd| self.pds[pd].free_id());
        self.channels.push(Channel {
            role,
            ends: [
                End {
                    pd: first,
                    id: ids[0],
                    calls: matches!(rights, Rights::Call | Rights::CallAndNotify),
                    notifies: matches!(rights, Rights::BothNotify | Rights::FirstNotifies),
                },
                End {
                    pd: second,
                    id: ids[1],
                    calls: false,
                    notifies: matches!(rights, Rights::BothNotify | Rights::CallAndNotify),
                },
            ],
        });
    }

    /// Returns the region of a name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.regions.iter().position(|region| region.name == name)
    }

    /// Whether a PD may read a region, or write it.
    pub fn grants(&self, pd: usize, region: usize, write: bool) -> bool {
        let mut maps = self.pds[pd].maps.iter();
        maps.any(|map| map.region == region && (map.writable || !write))
    }

    /// Returns the PDs that have a region.
    pub fn owners(&self, region: usize) -> impl Iterator<Item = usize> {
        (0..self.pds.len()).filter(move |&pd| self.grants(pd, region, false))
    }

    /// Checks that no PD has more channels or memory than it can have, and that no two regions have
    /// one name.
    ///
    /// # Errors
    /// The first of each.
    pub fn check(&self, source: &Source) -> diagnostic::Result<()> {
        let mut report = Report::new(source);
        let overfull = self.pds.iter().enumerate().find_map(|(index, pd)| {
            let (channels, memory) = (pd.taken.len(), pd.maps.len());
            let is_over = pd.taken.last().is_some_and(|&last| last >= CHANNELS);
            let what = match () {
                () if is_over => format!("{channels} channels and interrupts, of {CHANNELS}"),
                () if memory > MAX_MEMORY => format!("{memory} regions, of {MAX_MEMORY}"),
                () => return None,
            };
            Some((&self.declaration.pds[index].name, what))
        });
        if let Some((name, what)) = overfull {
            report.at(
                name,
                format!("{name} has {what}"),
                "share less, or divide it into two",
            );
        }
        let mut seen = BTreeSet::new();
        let mut names = self.regions.iter().map(|region| region.name.as_str());
        if let Some(twice) = names.find(|name| !seen.insert(*name)) {
            // The longest of the user's names that it begins with is the one to blame.
            let pds = self.declaration.pds.iter().map(|pd| &pd.name);
            let devices = self.declaration.devices.iter().map(|device| &device.name);
            let regions = self.declaration.regions.iter().map(|region| &region.name);
            let names = pds.chain(devices).chain(regions);
            let parts = names.filter(|name| twice.starts_with(name.as_str()));
            report.at(
                parts.max_by_key(|name| name.len()).map_or(0, usize::from),
                format!("two regions would be called {twice}"),
                "choose another name",
            );
        }
        report.finish()
    }
}

impl Region {
    /// Returns what its address must be a multiple of.
    pub fn alignment(&self) -> u64 {
        match self.content {
            Content::LargePages => LARGE_PAGE,
            _ => PAGE,
        }
    }
}

impl PdPlan<'_> {
    fn free_id(&mut self) -> usize {
        let mut ids = 0..;
        let id = ids.find(|id| !self.taken.contains(id)).unwrap_or_default();
        self.taken.insert(id);
        id
    }
}
