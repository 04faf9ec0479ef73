// SPDX-License-Identifier: BSD-2-Clause
//! The declaration with every value checked and every name resolved.

use std::collections::BTreeMap;

use net_config::{Buffers, CLOSING_STREAMS, Interface, MAX_CLIENTS};
use toml::Spanned;
use wiring::{MAX_ABOUT, MAX_NAME};

use crate::network::{self, Limits, Ports, Report};
use crate::schema::{self, File, Service, in_order};
use crate::{Diagnostic, Source};

/// Children of one PD, as channels to each: Microkit has 62 of a PD, and the supervisor has some
/// others.
const MAX_PDS: usize = 58;
/// Sockets of all clients together: what the server's handles and tables are made for.
const MAX_SOCKETS: usize = 16_384;
/// Priority of a PD that does not say.
const PRIORITY: u8 = 50;
/// Highest priority that Microkit gives to a PD.
const MAX_PRIORITY: i64 = 254;
/// Stack of a PD that does not say, and what Microkit accepts; less than the least is too little
/// for a formatted line.
const STACK: u64 = 0x1_0000;
const STACKS: std::ops::RangeInclusive<u64> = 0x2000..=0x100_0000;
/// A heap is made of large pages.
pub const HEAP_PAGE: u64 = 0x20_0000;
/// The largest heap and the largest region: more than a board has, and addresses stay in range.
const MAX_HEAP: u64 = 1 << 36;
const MAX_REGION: u64 = 1 << 30;
/// Registers of a device: one page.
pub const DEVICE_SIZE: u64 = 0x1000;

/// A declaration without mistakes.
pub struct Declaration<'a> {
    pub interface: Interface<'a>,
    pub buffers: Buffers,
    /// In the order of the file.
    pub pds: Vec<Pd<'a>>,
    pub regions: Vec<Shared<'a>>,
}

/// A protection domain.
pub struct Pd<'a> {
    pub name: &'a str,
    pub about: &'a str,
    pub program: &'a str,
    pub serves: Option<Service>,
    pub priority: u8,
    pub stack: u64,
    pub heap: Option<u64>,
    /// The PDs that it uses, by index.
    pub uses: Vec<usize>,
    pub devices: Vec<Device<'a>>,
    pub reads_counters: bool,
    /// What it may do as a client of the socket server.
    pub limits: Option<Limits>,
}

/// A device and its owner's name for it.
pub struct Device<'a> {
    pub name: &'a str,
    pub registers: Option<u64>,
    pub irq: Option<u32>,
}

/// Memory that PDs share for a purpose of their own.
pub struct Shared<'a> {
    pub name: &'a str,
    pub size: u64,
    pub writer: usize,
    pub readers: Vec<usize>,
    pub notifies: bool,
}

impl Declaration<'_> {
    /// The PD that offers a service, if there is one.
    pub fn server_of(&self, service: Service) -> Option<usize> {
        self.pds.iter().position(|pd| pd.serves == Some(service))
    }

    /// The PDs that use another, by index.
    pub fn users_of(&self, server: usize) -> impl Iterator<Item = usize> {
        let uses = move |(_, pd): &(usize, &Pd<'_>)| pd.uses.contains(&server);
        self.pds
            .iter()
            .enumerate()
            .filter(uses)
            .map(|(user, _)| user)
    }
}

/// Checks a declaration.
///
/// # Errors
/// All mistakes that can be found in one run.
pub fn check<'a>(source: &Source, file: &'a File) -> Result<Declaration<'a>, Vec<Diagnostic>> {
    let mut report = Report {
        source,
        errors: Vec::new(),
    };
    if file.board.get_ref() != "qemu_virt_aarch64" {
        report.at(
            &file.board,
            format!("the board {}", file.board.get_ref()),
            "write \"qemu_virt_aarch64\": no other has been tried",
        );
    }
    let interface = network::interface(&mut report, &file.interface);
    let buffers = network::buffers(&mut report, &file.buffers);
    check_registers(&mut report, file);
    let names: BTreeMap<&str, usize> = in_order(&file.pds)
        .into_iter()
        .enumerate()
        .map(|(index, (name, _))| (name.get_ref().as_str(), index))
        .collect();
    let mut check = Check {
        file,
        names,
        ports: Ports::new(),
        owners: BTreeMap::new(),
    };
    let mut pds = Vec::new();
    for (name, pd) in in_order(&file.pds) {
        pds.push(check.pd(&mut report, name, pd, &buffers));
    }
    let regions = in_order(&file.regions)
        .into_iter()
        .map(|(name, region)| check.region(&mut report, name, region))
        .collect();
    // What does not fit together may follow from what is wrong by itself.
    if report.errors.is_empty() {
        check_services(&mut report, file, &pds);
        check_calls(&mut report, file, &pds);
        check_sizes(&mut report, file, &pds, &buffers);
    }
    match interface {
        Some(interface) if report.errors.is_empty() => Ok(Declaration {
            interface,
            buffers,
            pds,
            regions,
        }),
        _ => Err(report.errors),
    }
}

struct Check<'a> {
    file: &'a File,
    names: BTreeMap<&'a str, usize>,
    ports: Ports<'a>,
    /// Who has which device.
    owners: BTreeMap<&'a str, &'a str>,
}

impl<'a> Check<'a> {
    fn pd(
        &mut self,
        report: &mut Report<'_>,
        name: &'a Spanned<String>,
        pd: &'a schema::Pd,
        buffers: &Buffers,
    ) -> Pd<'a> {
        check_name(report, name);
        if let Some(program) = &pd.program {
            check_program(report, program);
        }
        let text = |value: &'a Option<Spanned<String>>, default: &'a str| match value {
            Some(value) => value.get_ref().as_str(),
            None => default,
        };
        if let Some(about) = pd
            .about
            .as_ref()
            .filter(|about| about.get_ref().len() > MAX_ABOUT)
        {
            report.at(
                about,
                format!("{} bytes", about.get_ref().len()),
                format!("say it in at most {MAX_ABOUT} bytes"),
            );
        }
        let uses = self.uses(report, name.get_ref(), pd);
        let has_server = uses
            .iter()
            .any(|&index| self.service(index) == Some(Service::Sockets));
        let limits = self.ports.limits(report, name, pd, buffers);
        if limits.sockets() > 0 && !has_server && uses.len() == pd.uses.len() {
            let at = pd.stream_sockets.as_ref().or(pd.datagram_sockets.as_ref());
            report.at_span(
                at.map_or(name.span(), Spanned::span),
                format!(
                    "{} has sockets, but uses no server of sockets",
                    name.get_ref()
                ),
                "add uses = [\"net_server\"]",
            );
        }
        if limits.sockets() == 0 && has_server {
            report.at(
                name,
                format!(
                    "{} uses the server of sockets, but may have none",
                    name.get_ref()
                ),
                "add stream_sockets = 16, or datagram_sockets = 4",
            );
        }
        Pd {
            name: name.get_ref(),
            about: text(&pd.about, ""),
            program: text(&pd.program, name.get_ref()),
            serves: pd.serves.as_ref().map(|service| *service.get_ref()),
            priority: priority(report, pd),
            stack: stack(report, pd),
            heap: heap(report, pd),
            uses,
            devices: self.devices(report, name.get_ref(), pd),
            reads_counters: pd
                .reads_counters
                .as_ref()
                .is_some_and(|reads| *reads.get_ref()),
            limits: has_server.then_some(limits),
        }
    }

    fn service(&self, index: usize) -> Option<Service> {
        let (_, pd) = *in_order(&self.file.pds).get(index)?;
        pd.serves.as_ref().map(|service| *service.get_ref())
    }

    fn uses(&self, report: &mut Report<'_>, name: &str, pd: &schema::Pd) -> Vec<usize> {
        let mut uses = Vec::new();
        for used in &pd.uses {
            let Some(index) = self.resolve(report, used) else {
                continue;
            };
            if used.get_ref() == name {
                report.at(used, format!("{name} uses itself"), "remove it");
            } else if uses.contains(&index) {
                report.at(
                    used,
                    format!("{} is there twice", used.get_ref()),
                    "remove one",
                );
            } else if !matches!(
                self.service(index),
                Some(Service::Time | Service::Random | Service::Packets | Service::Sockets)
            ) {
                report.at(
                    used,
                    format!("{} offers nothing that {name} could use", used.get_ref()),
                    "name a PD that serves \"time\", \"random\", \"packets\" or \"sockets\"; every PD has the console and the supervisor",
                );
            } else {
                uses.push(index);
            }
        }
        uses
    }

    fn devices(
        &mut self,
        report: &mut Report<'_>,
        name: &'a str,
        pd: &'a schema::Pd,
    ) -> Vec<Device<'a>> {
        let mut devices = Vec::new();
        for device in &pd.devices {
            let wanted = device.get_ref().as_str();
            let Some((_, declared)) = self
                .file
                .devices
                .iter()
                .find(|(known, _)| known.get_ref() == wanted)
            else {
                let known = list(self.file.devices.keys().map(|name| name.get_ref().as_str()));
                report.at(
                    device,
                    format!("no device {wanted}"),
                    format!("add [devices.{wanted}], or name one of {known}"),
                );
                continue;
            };
            if let Some(owner) = self.owners.insert(wanted, name) {
                report.at(
                    device,
                    format!("{wanted} is the device of {owner}"),
                    "give each device to one PD",
                );
            }
            devices.push(Device {
                name: wanted,
                registers: declared.registers.as_ref().map(|at| *at.get_ref()),
                irq: declared.irq.as_ref().map(|irq| *irq.get_ref()),
            });
        }
        devices
    }

    fn region(
        &self,
        report: &mut Report<'_>,
        name: &'a Spanned<String>,
        region: &'a schema::Region,
    ) -> Shared<'a> {
        check_name(report, name);
        check_role(report, name);
        let size = *region.size.get_ref();
        if size == 0 || !size.is_multiple_of(0x1000) || size > MAX_REGION {
            report.at(
                &region.size,
                format!("a region of {size:#x} bytes"),
                format!("use a multiple of 0x1000 up to {MAX_REGION:#x}"),
            );
        }
        let writer = self.resolve(report, &region.writer).unwrap_or_default();
        let mut readers = Vec::new();
        for reader in &region.readers {
            let Some(index) = self.resolve(report, reader) else {
                continue;
            };
            if index == writer || readers.contains(&index) {
                report.at(
                    reader,
                    format!("{} has it already", reader.get_ref()),
                    "remove it",
                );
            }
            readers.push(index);
        }
        Shared {
            name: name.get_ref(),
            size,
            writer,
            readers,
            notifies: region
                .notifies
                .as_ref()
                .is_some_and(|notifies| *notifies.get_ref()),
        }
    }

    fn resolve(&self, report: &mut Report<'_>, name: &Spanned<String>) -> Option<usize> {
        let index = self.names.get(name.get_ref().as_str()).copied();
        if index.is_none() {
            report.at(
                name,
                format!("no protection domain {}", name.get_ref()),
                format!(
                    "add [pds.{}], or name one of {}",
                    name.get_ref(),
                    list(self.names.keys().copied())
                ),
            );
        }
        index
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// A name is a file's name, a symbol's part and an XML attribute's value.
fn check_name(report: &mut Report<'_>, name: &Spanned<String>) {
    let text = name.get_ref();
    let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if text.len() > MAX_NAME || !begins || !text.bytes().all(letters) {
        report.at(
            name,
            format!("\"{text}\" is no name"),
            format!("use 1 to {MAX_NAME} letters, digits and underscores, a letter first"),
        );
    }
}

/// A region or device goes by its name in the tables, where other roles have names, too.
fn check_role(report: &mut Report<'_>, name: &Spanned<String>) {
    if wiring::role::ALL.contains(&name.get_ref().as_str()) {
        report.at(
            name,
            format!(
                "\"{}\" is the name of a role that every system has",
                name.get_ref()
            ),
            "choose another name",
        );
    }
}

/// A program is a folder's name, or a path if it has a dot.
fn check_program(report: &mut Report<'_>, program: &Spanned<String>) {
    let text = program.get_ref();
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"_-./".contains(&b);
    let is_path = text.contains('.') || !text.contains('/');
    if text.is_empty() || text.starts_with('-') || !is_path || !text.bytes().all(letters) {
        report.at(
            program,
            format!("\"{text}\" is no program"),
            "name a folder of pds/, or a file such as \"build/gpio.elf\"",
        );
    }
}

fn priority(report: &mut Report<'_>, pd: &schema::Pd) -> u8 {
    let Some(priority) = &pd.priority else {
        return PRIORITY;
    };
    match u8::try_from(*priority.get_ref()) {
        Ok(value) if i64::from(value) <= MAX_PRIORITY => value,
        _ => {
            report.at(
                priority,
                format!("priority {}", priority.get_ref()),
                format!("use 0 to {MAX_PRIORITY}"),
            );
            PRIORITY
        }
    }
}

fn stack(report: &mut Report<'_>, pd: &schema::Pd) -> u64 {
    let Some(stack) = &pd.stack else {
        return STACK;
    };
    let size = *stack.get_ref();
    if !STACKS.contains(&size) || !size.is_multiple_of(0x1000) {
        report.at(
            stack,
            format!("a stack of {size:#x} bytes"),
            format!(
                "use a multiple of 0x1000 from {:#x} to {:#x}",
                STACKS.start(),
                STACKS.end()
            ),
        );
    }
    size
}

fn heap(report: &mut Report<'_>, pd: &schema::Pd) -> Option<u64> {
    let heap = pd.heap.as_ref()?;
    let size = *heap.get_ref();
    if size == 0 || !size.is_multiple_of(HEAP_PAGE) || size > MAX_HEAP {
        report.at(
            heap,
            format!("a heap of {size:#x} bytes"),
            format!(
                "use a multiple of {HEAP_PAGE:#x} up to {MAX_HEAP:#x}: it is made of pages of 2 MiB"
            ),
        );
    }
    Some(size)
}

/// No page of registers has two devices: it would have two owners.
fn check_registers(report: &mut Report<'_>, file: &File) {
    let mut taken: BTreeMap<u64, &str> = BTreeMap::new();
    let mut irqs: BTreeMap<u32, &str> = BTreeMap::new();
    for (name, device) in in_order(&file.devices) {
        check_name(report, name);
        check_role(report, name);
        if let Some(registers) = &device.registers {
            let at = *registers.get_ref();
            if !at.is_multiple_of(DEVICE_SIZE) {
                report.at(
                    registers,
                    format!("registers at {at:#x}"),
                    format!("write the address of their page, a multiple of {DEVICE_SIZE:#x}"),
                );
            }
            if let Some(other) = taken.insert(at, name.get_ref()) {
                report.at(
                    registers,
                    format!(
                        "the registers of {} and {other} share a page",
                        name.get_ref()
                    ),
                    "choose slots in different pages: QEMU puts eight virtio slots into one",
                );
            }
        }
        if let Some(irq) = &device.irq
            && let Some(other) = irqs.insert(*irq.get_ref(), name.get_ref())
        {
            report.at(
                irq,
                format!("interrupt {} is that of {other}", irq.get_ref()),
                "give each device its own",
            );
        }
    }
}

/// Each service has one server, and the server what it needs.
fn check_services(report: &mut Report<'_>, file: &File, pds: &[Pd<'_>]) {
    let mut servers: BTreeMap<&str, &str> = BTreeMap::new();
    for ((name, raw), pd) in in_order(&file.pds).into_iter().zip(pds) {
        let (Some(serves), Some(service)) = (&raw.serves, pd.serves) else {
            continue;
        };
        let word = word(service);
        if let Some(other) = servers.insert(word, pd.name) {
            report.at(
                serves,
                format!("{other} serves \"{word}\" already"),
                "remove one: a system has one server of each kind",
            );
            continue;
        }
        let has_registers = pd.devices.iter().any(|device| device.registers.is_some());
        let has_irq = pd.devices.iter().any(|device| device.irq.is_some());
        let missing = match service {
            Service::Packets if !(has_registers && has_irq) => "a device with registers and irq",
            Service::Random | Service::Log if !has_registers => "a device with registers",
            Service::Supervision if !(has_registers && has_irq) => {
                "a clock of its own, with registers and irq"
            }
            Service::Time if !has_irq => "a device with irq",
            _ => "",
        };
        if !missing.is_empty() {
            report.at(
                name,
                format!("{} serves \"{word}\" and has not {missing}", pd.name),
                "add devices = [\"…\"] with what the board has",
            );
        }
        if service == Service::Sockets {
            for needed in [Service::Packets, Service::Time] {
                if !pd.uses.iter().any(|&used| pds[used].serves == Some(needed)) {
                    report.at(
                        name,
                        format!(
                            "{} serves \"sockets\" and uses no server of {}",
                            pd.name,
                            self::word(needed)
                        ),
                        "add the PD that serves it to uses",
                    );
                }
            }
            if pd.heap.is_none() {
                report.at(
                    name,
                    format!("{} has no memory for sockets", pd.name),
                    "add heap = 0x400_0000, or as much as they need",
                );
            }
        }
    }
}

/// How a service is called in the declaration.
fn word(service: Service) -> &'static str {
    match service {
        Service::Supervision => "supervision",
        Service::Time => "time",
        Service::Random => "random",
        Service::Packets => "packets",
        Service::Sockets => "sockets",
        Service::Log => "log",
    }
}

/// A protected procedure call goes upwards only, and so does what a parent may do.
fn check_calls(report: &mut Report<'_>, file: &File, pds: &[Pd<'_>]) {
    let supervisor = pds
        .iter()
        .find(|pd| pd.serves == Some(Service::Supervision));
    for ((name, raw), pd) in in_order(&file.pds).into_iter().zip(pds) {
        let at = raw.priority.as_ref().map_or(name.span(), Spanned::span);
        for &used in &pd.uses {
            let server = &pds[used];
            if server.serves != Some(Service::Packets) && server.priority <= pd.priority {
                report.at_span(
                    at.clone(),
                    format!(
                        "{} has priority {} and calls {}, which has {}",
                        pd.name, pd.priority, server.name, server.priority
                    ),
                    format!(
                        "a call goes upwards: use a priority below {}",
                        server.priority
                    ),
                );
            }
        }
        if let Some(supervisor) = supervisor
            && supervisor.name != pd.name
            && supervisor.priority <= pd.priority
        {
            report.at_span(
                at,
                format!(
                    "{} would not be stopped by {} if it hung",
                    pd.name, supervisor.name
                ),
                format!("use a priority below {}", supervisor.priority),
            );
        }
    }
}

/// Tables and memory suffice.
fn check_sizes(report: &mut Report<'_>, file: &File, pds: &[Pd<'_>], buffers: &Buffers) {
    let entries = in_order(&file.pds);
    if let Some((name, _)) = entries.get(MAX_PDS) {
        report.at(
            *name,
            format!("{} protection domains", entries.len()),
            format!("a system has at most {MAX_PDS}: the supervisor has a channel to each"),
        );
    }
    let clients: Vec<(usize, &Limits)> = pds
        .iter()
        .enumerate()
        .filter_map(|(index, pd)| Some((index, pd.limits.as_ref()?)))
        .collect();
    if let Some((index, _)) = clients.get(MAX_CLIENTS) {
        report.at(
            entries[*index].0,
            format!("{} clients of one server", clients.len()),
            format!("a server has at most {MAX_CLIENTS}: it has a channel to each"),
        );
    }
    let sockets: usize = clients.iter().map(|(_, limits)| limits.sockets()).sum();
    if sockets > MAX_SOCKETS
        && let Some((index, _)) = clients.last()
    {
        report.at(
            entries[*index].0,
            format!("{sockets} sockets of all clients"),
            format!("a server has at most {MAX_SOCKETS}"),
        );
    }
    let sum = |count: fn(&Limits) -> u16| clients.iter().map(|(_, l)| u64::from(count(l))).sum();
    let (streams, datagrams) = (sum(|l| l.stream_sockets), sum(|l| l.datagram_sockets));
    let needed = buffers.total(streams, datagrams);
    let server = pds
        .iter()
        .position(|pd| pd.serves == Some(Service::Sockets));
    if let Some((_, raw)) = server.and_then(|server| entries.get(server))
        && let Some(heap) = &raw.heap
    {
        // An eighth stays for the sockets themselves and the server's tables.
        let usable = heap.get_ref() - heap.get_ref() / 8;
        if needed > usable {
            report.at(
                heap,
                format!(
                    "{streams} stream sockets, {CLOSING_STREAMS} connections that are closing and {datagrams} datagram sockets need {needed} bytes of buffers, but of this heap only {usable} bytes are for them"
                ),
                "allow fewer sockets, make [buffers] smaller, or this heap larger",
            );
        }
    }
}
