// SPDX-License-Identifier: BSD-2-Clause
//! `report.txt`: what has been built, for people.

use std::fmt::{self, Display, Write as _};

use sdk_spec::abi::{IPC_BUFFER, STACK_TOP};
use sdk_spec::{Cap, CapKind, Rights};

use crate::caps;
use crate::check::Place;
use crate::image::RootPlace;
use crate::layout::Budget;
use crate::sdf::model::Channel;
use crate::spec::Settled;

/// Figures of the finished image.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Bytes of loader.img.
    pub image: u64,
    /// Bytes of the spec in it.
    pub spec: u64,
    /// Where the initialiser's image is loaded.
    pub root: RootPlace,
    /// Memory and capabilities.
    pub budget: Budget,
}

/// The report's text.
#[must_use]
pub fn text(settled: &Settled, figures: &Figures) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_all(&mut out, settled, figures);
    out
}

fn write_all(out: &mut String, settled: &Settled, figures: &Figures) -> fmt::Result {
    let root = figures.root;
    writeln!(out, "# Image")?;
    writeln!(out, "loader.img          {}", Size(figures.image))?;
    writeln!(
        out,
        "initial task        {}, of which spec {}",
        Size(root.end - root.start),
        Size(figures.spec)
    )?;
    writeln!(
        out,
        "  physical          {:#x}..{:#x}",
        root.start, root.end
    )?;
    writeln!(
        out,
        "memory needed       {} at most",
        Size(figures.budget.bytes)
    )?;
    writeln!(out, "capabilities needed {} at most", figures.budget.slots)?;
    regions(out, settled)?;
    channels(out, settled)?;
    for index in 0..settled.system.pds.len() {
        protection_domain(out, settled, index)?;
    }
    Ok(())
}

fn regions(out: &mut String, settled: &Settled) -> fmt::Result {
    writeln!(
        out,
        "\n# Memory regions: name, size, page size, physical address, prefilled bytes"
    )?;
    for (index, region) in settled.system.regions.iter().enumerate() {
        let plan = &settled.plans[index];
        let place = match (plan.place, settled.paddrs[index]) {
            (Place::Device(_), Some(paddr)) => format!("{paddr:#x} device"),
            (Place::Contiguous, Some(paddr)) => format!("{paddr:#x} chosen"),
            (_, Some(paddr)) => format!("{paddr:#x}"),
            (_, None) => "anywhere".to_owned(),
        };
        let (name, size, page) = (&region.name, Size(plan.size), Size(plan.page_size));
        write!(out, "{name:24} {size:>10} {page:>7}  {place}")?;
        if let Some(bytes) = &settled.prefill[index] {
            write!(out, "  {} bytes", bytes.len())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn channels(out: &mut String, settled: &Settled) -> fmt::Result {
    let pds = &settled.system.pds;
    writeln!(out, "\n# Channels: PD and id, what it may do, peer and id")?;
    let directions = settled.system.channels.iter().flat_map(Channel::directions);
    for (own, peer) in directions {
        let may = match (own.pp, own.notify) {
            (true, true) => "calls, notifies",
            (true, false) => "calls",
            (false, true) => "notifies",
            (false, false) => "only listens to",
        };
        let (own_name, peer_name) = (&pds[own.pd].name, &pds[peer.pd].name);
        writeln!(out, "{own_name}.{} {may} {peer_name}.{}", own.id, peer.id)?;
    }
    Ok(())
}

fn protection_domain(out: &mut String, settled: &Settled, index: usize) -> fmt::Result {
    let system = &settled.system;
    let pd = &system.pds[index];
    writeln!(out, "\n# Protection domain '{}'", pd.name)?;
    let image = pd.image.as_ref().map_or("", |image| image.path.as_str());
    writeln!(out, "priority {}, program {image}", pd.priority)?;
    match pd.parent {
        Some(parent) => writeln!(
            out,
            "child {} of '{}'",
            parent.id, system.pds[parent.pd].name
        )?,
        None => writeln!(out, "faults go to the monitor")?,
    }
    if let Some(program) = &settled.programs[index] {
        writeln!(
            out,
            "entry {:#x}, stack pointer {STACK_TOP:#x}",
            program.entry
        )?;
        writeln!(out, "memory:")?;
        for segment in &program.segments {
            memory(out, segment.pages(), segment.rights, "program")?;
        }
    }
    for map in &pd.maps {
        let end = map.vaddr + settled.plans[map.region].size;
        let name = &system.regions[map.region].name;
        let what = if map.cached {
            name.clone()
        } else {
            format!("{name} (uncached)")
        };
        memory(out, map.vaddr..end, map.rights, &what)?;
    }
    let rw = Rights::READ.and(Rights::WRITE);
    memory(out, STACK_TOP - pd.stack_size..STACK_TOP, rw, "stack")?;
    memory(out, IPC_BUFFER..IPC_BUFFER + 0x1000, rw, "IPC buffer")?;
    writeln!(out, "capabilities:")?;
    for cap in caps::of_pd(system, index) {
        capability(out, settled, &cap)?;
    }
    if !pd.setvars.is_empty() {
        let names: Vec<_> = pd.setvars.iter().map(|s| s.symbol.as_str()).collect();
        writeln!(out, "symbols set: {}", names.join(", "))?;
    }
    Ok(())
}

fn memory(
    out: &mut String,
    range: std::ops::Range<u64>,
    rights: Rights,
    what: &str,
) -> fmt::Result {
    let letter = |right, letter| if rights.has(right) { letter } else { '-' };
    writeln!(
        out,
        "  {:#012x}..{:#012x} {}{}{} {what}",
        range.start,
        range.end,
        letter(Rights::READ, 'r'),
        letter(Rights::WRITE, 'w'),
        letter(Rights::EXECUTE, 'x'),
    )
}

fn capability(out: &mut String, settled: &Settled, cap: &Cap) -> fmt::Result {
    let object = cap.object as usize;
    let pd = || format!("'{}'", settled.system.pds[object].name);
    let what = match cap.kind {
        CapKind::Endpoint => format!("endpoint of {}", pd()),
        CapKind::MonitorEndpoint => "endpoint of the monitor".to_owned(),
        CapKind::Notification => format!("notification of {}", pd()),
        CapKind::Tcb => format!("TCB of {}", pd()),
        CapKind::IrqHandler => {
            let irqs = caps::irqs(&settled.system);
            format!("handler of interrupt {}", irqs[object].number)
        }
    };
    let names = [
        (Rights::READ, "receive"),
        (Rights::WRITE, "send"),
        (Rights::GRANT, "grant"),
    ];
    let names = names.iter().filter(|(right, _)| cap.rights.has(*right));
    let rights: Vec<_> = names.map(|(_, name)| *name).collect();
    write!(out, "  {:3} {what}", cap.slot)?;
    if !rights.is_empty() {
        write!(out, ": {}", rights.join(", "))?;
    }
    if cap.badge != 0 {
        write!(out, "; badge {:#x}", cap.badge)?;
    }
    writeln!(out)
}

/// A number of bytes for people.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u64);

impl Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..0x400 => (1, "B"),
            0x400..0x10_0000 => (0x400, "KiB"),
            _ => (0x10_0000, "MiB"),
        };
        let text = if self.0.is_multiple_of(unit) {
            format!("{} {name}", self.0 / unit)
        } else {
            format!("{:.1} {name}", self.0 as f64 / unit as f64)
        };
        f.pad(&text)
    }
}
