// SPDX-License-Identifier: BSD-2-Clause
//! The spec that the initialiser reads.

use sdk_spec::abi::{IPC_BUFFER, SMALL_PAGE, STACK_TOP};
use sdk_spec::encode::Writer;
use sdk_spec::{Area, Map, NO_INDEX, NO_PADDR, PdRecord, Region, RegionKind, Rights, Span};

use crate::caps;
use crate::check::{Place, RegionPlan};
use crate::elf::{Program, Segment};
use crate::sdf::model::System;

/// Everything that is settled about a system. The lists are in order of its regions and of its PDs.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The description.
    pub system: System,
    /// Sizes and kinds of the regions.
    pub plans: Vec<RegionPlan>,
    /// Physical addresses of the regions where they are known.
    pub paddrs: Vec<Option<u64>>,
    /// Content of the prefill files.
    pub prefill: Vec<Option<Vec<u8>>>,
    /// Programs with their symbols written; each is there if there was no error.
    pub programs: Vec<Option<Program>>,
}

/// Bytes of the spec.
#[must_use]
pub fn encode(settled: &Settled) -> Vec<u8> {
    let mut writer = Writer::new();
    for index in 0..settled.system.regions.len() {
        let region = region(&mut writer, settled, index);
        writer.region(region);
    }
    for irq in caps::irqs(&settled.system) {
        writer.irq(irq);
    }
    for index in 0..settled.system.pds.len() {
        let pd = pd(&mut writer, settled, index);
        writer.pd(pd);
    }
    writer.finish()
}

fn region(writer: &mut Writer, settled: &Settled, index: usize) -> Region {
    let plan = &settled.plans[index];
    let bytes = settled.prefill[index].as_deref().unwrap_or(&[]);
    Region {
        name: writer.name(&settled.system.regions[index].name),
        paddr: settled.paddrs[index].unwrap_or(NO_PADDR),
        pages: plan.size / plan.page_size,
        data: writer.data(trimmed(bytes)),
        page_bits: plan.page_size.ilog2(),
        kind: match plan.place {
            Place::Device(_) => RegionKind::Device,
            Place::Anywhere | Place::Contiguous | Place::Ram(_) => RegionKind::Ram,
        },
        reserved: [0; 3],
    }
}

fn pd(writer: &mut Writer, settled: &Settled, index: usize) -> PdRecord {
    let pd = &settled.system.pds[index];
    let program = settled.programs[index].as_ref();
    let stack_bottom = STACK_TOP - pd.stack_size;
    let segments = program.iter().flat_map(|program| &program.segments);
    let mut areas: Vec<_> = segments.map(|s| area(writer, s)).collect();
    areas.push(Area {
        vaddr: stack_bottom,
        pages: pd.stack_size / SMALL_PAGE,
        data: Span::default(),
        rights: Rights::READ.and(Rights::WRITE),
        reserved: [0; 7],
    });
    let maps = pd.maps.iter().map(|map| Map {
        vaddr: map.vaddr,
        region: map.region as u32,
        rights: map.rights,
        cached: u8::from(map.cached),
        reserved: 0,
    });
    let maps: Vec<_> = maps.collect();
    PdRecord {
        name: writer.name(&pd.name),
        areas: writer.areas(&areas),
        maps: writer.maps(&maps),
        caps: writer.caps(&caps::of_pd(&settled.system, index)),
        entry: program.map_or(0, |program| program.entry),
        stack_pointer: STACK_TOP,
        stack_bottom,
        ipc_buffer: IPC_BUFFER,
        parent: pd.parent.map_or(NO_INDEX, |parent| parent.pd as u32),
        priority: pd.priority,
        has_endpoint: u8::from(settled.system.has_endpoint(index)),
        reserved: 0,
    }
}

fn area(writer: &mut Writer, segment: &Segment) -> Area {
    let pages = segment.pages();
    let mut bytes = vec![0; (segment.vaddr - pages.start) as usize];
    bytes.extend_from_slice(&segment.data);
    Area {
        vaddr: pages.start,
        pages: (pages.end - pages.start) / SMALL_PAGE,
        data: writer.data(trimmed(&bytes)),
        rights: segment.rights,
        reserved: [0; 7],
    }
}

/// Without zeroes at the end, which memory has anyway.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let len = bytes
        .iter()
        .rposition(|&b| b != 0)
        .map_or(0, |last| last + 1);
    &bytes[..len]
}
