// SPDX-License-Identifier: BSD-2-Clause
//! What must hold for a declaration: every value makes sense, every name is that of something, and
//! all fits together.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use wiring::{MAX_ABOUT, MAX_CLIENTS, MAX_NAME};

use crate::declaration::{At, Declaration, Named, Pd, Region, Service};
use crate::diagnostic::{Report, Result, Source};
use crate::network;
use crate::plan::{DEVICE_SIZE, LARGE_PAGE, PAGE};

/// Children of one PD, as channels to each: Microkit has 62 of a PD, and the supervisor has some
/// others.
const MAX_PDS: usize = 58;
/// Sockets of all clients together: what the server's handles and tables are made for.
const MAX_SOCKETS: usize = 16_384;
/// Highest priority that Microkit gives to a PD.
const MAX_PRIORITY: u64 = 254;
/// What Microkit accepts; less than the least is too little for a formatted line.
const STACKS: RangeInclusive<u64> = 0x2000..=0x100_0000;
/// The largest heap and the largest region: more than a board has, and addresses stay in range.
const HEAPS: RangeInclusive<u64> = LARGE_PAGE..=1 << 36;
const REGIONS: RangeInclusive<u64> = PAGE..=1 << 30;

/// Checks a declaration.
///
/// # Errors
/// All mistakes that can be found in one run.
pub fn check(source: &Source, declaration: &Declaration) -> Result<()> {
    let mut report = Report::new(source);
    if *declaration.board != "qemu_virt_aarch64" {
        report.at(
            &declaration.board,
            format!("the board {}", declaration.board),
            "write \"qemu_virt_aarch64\": no other has been tried",
        );
    }
    network::check(&mut report, declaration);
    devices(&mut report, declaration);
    for pd in &declaration.pds {
        protection_domain(&mut report, declaration, pd);
    }
    owners(&mut report, declaration);
    for region in &declaration.regions {
        shared(&mut report, declaration, region);
    }
    // What does not fit together may follow from what is wrong by itself.
    if report.errors.is_empty() {
        services(&mut report, declaration);
        calls(&mut report, declaration);
        sizes(&mut report, declaration);
    }
    report.finish()
}

/// A name is a file's name, a symbol's part and an XML attribute's value.
fn name(report: &mut Report<'_>, name: &At<String>) {
    let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if name.len() > MAX_NAME || !begins || !name.bytes().all(letters) {
        report.at(
            name,
            format!("\"{name}\" is no name"),
            format!("use 1 to {MAX_NAME} letters, digits and underscores, a letter first"),
        );
    }
}

/// A region or device goes by its name in the tables, where other roles have names, too.
fn role(report: &mut Report<'_>, role: &At<String>) {
    name(report, role);
    if wiring::role::ALL.contains(&role.as_str()) {
        report.at(
            role,
            format!("\"{role}\" is the name of a role that every system has"),
            "choose another name",
        );
    }
}

/// A size is a multiple of a page, and within its limits.
pub fn size(
    report: &mut Report<'_>,
    what: &str,
    size: &At<u64>,
    limits: RangeInclusive<u64>,
    page: u64,
) {
    if !limits.contains(size) || !size.is_multiple_of(page) {
        let (least, most) = limits.into_inner();
        report.at(
            size,
            format!("a {what} of {:#x} bytes", **size),
            format!("use a multiple of {page:#x} from {least:#x} to {most:#x}"),
        );
    }
}

/// Reports a name of nothing. `table` is where those that there are have their blocks.
fn unknown<T>(
    report: &mut Report<'_>,
    what: &str,
    name: &At<String>,
    table: &str,
    known: &[Named<T>],
) {
    let known: Vec<&str> = known.iter().map(|named| named.name.as_str()).collect();
    report.at(
        name,
        format!("no {what} {name}"),
        format!("add [{table}.{name}], or name one of {}", known.join(", ")),
    );
}

/// No page of registers has two devices: it would have two owners.
fn devices(report: &mut Report<'_>, declaration: &Declaration) {
    let mut taken: BTreeMap<u64, &str> = BTreeMap::new();
    let mut irqs: BTreeMap<u32, &str> = BTreeMap::new();
    for device in &declaration.devices {
        role(report, &device.name);
        if let Some(registers) = &device.registers {
            if !registers.is_multiple_of(DEVICE_SIZE) {
                report.at(
                    registers,
                    format!("registers at {:#x}", **registers),
                    format!("write the address of their page, a multiple of {DEVICE_SIZE:#x}"),
                );
            }
            if let Some(other) = taken.insert(**registers, &device.name) {
                report.at(
                    registers,
                    format!("the registers of {} and {other} share a page", device.name),
                    "choose slots in different pages: QEMU puts eight virtio slots into one",
                );
            }
        }
        if let Some(irq) = &device.irq
            && let Some(other) = irqs.insert(**irq, &device.name)
        {
            report.at(
                irq,
                format!("interrupt {irq} is that of {other}"),
                "give each device its own",
            );
        }
    }
}

/// Each device belongs to one PD.
fn owners(report: &mut Report<'_>, declaration: &Declaration) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for pd in &declaration.pds {
        for device in &pd.devices {
            if declaration.device(device).is_none() {
                unknown(report, "device", device, "devices", &declaration.devices);
            } else if let Some(owner) = owners.insert(device, &pd.name) {
                report.at(
                    device,
                    format!("{device} is the device of {owner}"),
                    "give each device to one PD",
                );
            }
        }
    }
}

fn protection_domain(report: &mut Report<'_>, declaration: &Declaration, pd: &Named<Pd>) {
    name(report, &pd.name);
    if let Some(name) = &pd.program {
        program(report, name);
    }
    if pd.about.len() > MAX_ABOUT {
        report.at(
            &pd.about,
            format!("{} bytes", pd.about.len()),
            format!("say it in at most {MAX_ABOUT} bytes"),
        );
    }
    if *pd.priority > MAX_PRIORITY {
        report.at(
            &pd.priority,
            format!("priority {}", pd.priority),
            format!("use 0 to {MAX_PRIORITY}"),
        );
    }
    size(report, "stack", &pd.stack, STACKS, PAGE);
    if let Some(heap) = &pd.heap {
        size(report, "heap", heap, HEAPS, LARGE_PAGE);
    }
    let before = report.errors.len();
    uses(report, declaration, pd);
    if report.errors.len() == before {
        network::client(report, declaration, pd);
    }
}

/// A program is a folder's name, or a path if it has a dot.
fn program(report: &mut Report<'_>, program: &At<String>) {
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"_-./".contains(&b);
    let is_path = program.contains('.') || !program.contains('/');
    if program.is_empty() || program.starts_with('-') || !is_path || !program.bytes().all(letters) {
        report.at(
            program,
            format!("\"{program}\" is no program"),
            "name a folder of pds/, or a file such as \"build/gpio.elf\"",
        );
    }
}

fn uses(report: &mut Report<'_>, declaration: &Declaration, pd: &Named<Pd>) {
    for (index, used) in pd.uses.iter().enumerate() {
        let Some(server) = declaration.find(used) else {
            unknown(report, "protection domain", used, "pds", &declaration.pds);
            continue;
        };
        if used.as_str() == pd.name.as_str() {
            report.at(used, format!("{} uses itself", pd.name), "remove it");
        } else if pd.uses[..index]
            .iter()
            .any(|other| other.as_str() == used.as_str())
        {
            report.at(used, format!("{used} is there twice"), "remove one");
        } else if let None | Some(Service::Supervision | Service::Log) =
            declaration.pds[server].service()
        {
            report.at(
                used,
                format!("{used} offers nothing that {} could use", pd.name),
                "name a PD that serves \"time\", \"random\", \"packets\" or \"sockets\"; every PD has the console and the supervisor",
            );
        }
    }
}

fn shared(report: &mut Report<'_>, declaration: &Declaration, region: &Named<Region>) {
    role(report, &region.name);
    size(report, "region", &region.size, REGIONS, PAGE);
    let mut owners: Vec<&str> = Vec::new();
    for owner in std::iter::once(&region.writer).chain(&region.readers) {
        if declaration.find(owner).is_none() {
            unknown(report, "protection domain", owner, "pds", &declaration.pds);
        } else if owners.contains(&owner.as_str()) {
            report.at(owner, format!("{owner} has it already"), "remove it");
        }
        owners.push(owner);
    }
}

/// Each service has one server, and the server what it needs.
fn services(report: &mut Report<'_>, declaration: &Declaration) {
    let mut servers: BTreeMap<&str, &str> = BTreeMap::new();
    for pd in &declaration.pds {
        let Some(serves) = &pd.serves else {
            continue;
        };
        let service = serves.role();
        if let Some(other) = servers.insert(service, &pd.name) {
            report.at(
                serves,
                format!("{other} serves \"{service}\" already"),
                "remove one: a system has one server of each kind",
            );
            continue;
        }
        let mut devices = pd
            .devices
            .iter()
            .filter_map(|name| declaration.device(name));
        let has_irq = devices.clone().any(|device| device.irq.is_some());
        let has_registers = devices.any(|device| device.registers.is_some());
        let missing = match **serves {
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
                &pd.name,
                format!("{} serves \"{service}\" and has not {missing}", pd.name),
                "add devices = [\"…\"] with what the board has",
            );
        }
        if **serves == Service::Sockets {
            server_of_sockets(report, declaration, pd);
        }
    }
}

fn server_of_sockets(report: &mut Report<'_>, declaration: &Declaration, pd: &Named<Pd>) {
    for needed in [Service::Packets, Service::Time] {
        if !declaration.uses(pd, needed) {
            let needed = needed.role();
            report.at(
                &pd.name,
                format!(
                    "{} serves \"sockets\" and uses no server of {needed}",
                    pd.name
                ),
                "add the PD that serves it to uses",
            );
        }
    }
}

/// A protected procedure call goes upwards only, and so does what a parent may do.
fn calls(report: &mut Report<'_>, declaration: &Declaration) {
    let supervisor = declaration.server_of(Service::Supervision);
    for (index, pd) in declaration.pds.iter().enumerate() {
        let (at, own) = (pd.priority.or(&pd.name), *pd.priority);
        for server in declaration.used_by(pd).map(|used| &declaration.pds[used]) {
            let theirs = *server.priority;
            if server.service() != Some(Service::Packets) && theirs <= own {
                let (name, server) = (&pd.name, &server.name);
                report.at(
                    at,
                    format!("{name} has priority {own} and calls {server}, which has {theirs}"),
                    format!("a call goes upwards: use a priority below {theirs}"),
                );
            }
        }
        if let Some(supervisor) = supervisor.filter(|&supervisor| supervisor != index) {
            let supervisor = &declaration.pds[supervisor];
            if *supervisor.priority <= own {
                report.at(
                    at,
                    format!(
                        "{} would not be stopped by {} if it hung",
                        pd.name, supervisor.name
                    ),
                    format!("use a priority below {}", *supervisor.priority),
                );
            }
        }
    }
}

/// Tables and memory suffice.
fn sizes(report: &mut Report<'_>, declaration: &Declaration) {
    let pds = &declaration.pds;
    if let Some(pd) = pds.get(MAX_PDS) {
        report.at(
            &pd.name,
            format!("{} protection domains", pds.len()),
            format!("a system has at most {MAX_PDS}: the supervisor has a channel to each"),
        );
    }
    let clients: Vec<&Named<Pd>> = declaration.clients().map(|client| &pds[client]).collect();
    if let Some(client) = clients.get(MAX_CLIENTS) {
        report.at(
            &client.name,
            format!("{} clients of one server", clients.len()),
            format!("a server has at most {MAX_CLIENTS}: it has a channel to each"),
        );
    }
    let sockets: usize = clients.iter().map(|client| client.sockets()).sum();
    if sockets > MAX_SOCKETS
        && let Some(client) = clients.last()
    {
        report.at(
            &client.name,
            format!("{sockets} sockets of all clients"),
            format!("a server has at most {MAX_SOCKETS}"),
        );
    }
    if let Some(server) = declaration.server_of(Service::Sockets)
        && let Some(heap) = &pds[server].heap
    {
        let needed = declaration.server_heap();
        if needed > **heap {
            report.at(
                heap,
                format!(
                    "sockets and memory of {} clients need {needed:#x} bytes, and this heap has {:#x}",
                    clients.len(),
                    **heap
                ),
                "remove this line: the heap is then as large as they need",
            );
        }
    }
}
