// SPDX-License-Identifier: BSD-2-Clause
//! The writing side, for the tool (feature `encode`).

use alloc::string::String;
use alloc::vec::Vec;

use zerocopy::{Immutable, IntoBytes};

use crate::records::{Area, Cap, Header, Irq, MAGIC, Map, PdRecord, Region, Span, Table, VERSION};

/// Collects a spec. Records refer to each other by index, so the order of calls is the order of the
/// indices.
#[derive(Debug, Default)]
pub struct Writer {
    pds: Vec<PdRecord>,
    areas: Vec<Area>,
    maps: Vec<Map>,
    caps: Vec<Cap>,
    regions: Vec<Region>,
    irqs: Vec<Irq>,
    names: String,
    data: Vec<u8>,
}

impl Writer {
    /// An empty spec.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name.
    pub fn name(&mut self, name: &str) -> Span {
        let span = span(self.names.len(), name.len());
        self.names.push_str(name);
        span
    }

    /// Adds bytes that memory starts with.
    pub fn data(&mut self, bytes: &[u8]) -> Span {
        let span = span(self.data.len(), bytes.len());
        self.data.extend_from_slice(bytes);
        span
    }

    /// Adds the private memory of one PD.
    pub fn areas(&mut self, areas: &[Area]) -> Span {
        extend(&mut self.areas, areas)
    }

    /// Adds the mapped regions of one PD.
    pub fn maps(&mut self, maps: &[Map]) -> Span {
        extend(&mut self.maps, maps)
    }

    /// Adds the capabilities of one PD, in any order.
    pub fn caps(&mut self, caps: &[Cap]) -> Span {
        let mut sorted = caps.to_vec();
        sorted.sort_by_key(|cap| cap.slot);
        extend(&mut self.caps, &sorted)
    }

    /// Adds a PD.
    pub fn pd(&mut self, pd: PdRecord) {
        self.pds.push(pd);
    }

    /// Adds a region.
    pub fn region(&mut self, region: Region) {
        self.regions.push(region);
    }

    /// Adds an interrupt.
    pub fn irq(&mut self, irq: Irq) {
        self.irqs.push(irq);
    }

    /// The bytes, a multiple of 8 long.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = alloc::vec![0; size_of::<Header>()];
        let mut header = Header {
            magic: MAGIC,
            version: VERSION,
            ..Header::default()
        };
        header.pds = append(&mut bytes, &self.pds);
        header.areas = append(&mut bytes, &self.areas);
        header.maps = append(&mut bytes, &self.maps);
        header.caps = append(&mut bytes, &self.caps);
        header.regions = append(&mut bytes, &self.regions);
        header.irqs = append(&mut bytes, &self.irqs);
        header.names = append(&mut bytes, self.names.as_bytes());
        header.data = append(&mut bytes, &self.data);
        header.total_len = bytes.len() as u64;
        bytes[..size_of::<Header>()].copy_from_slice(header.as_bytes());
        bytes
    }
}

fn span(first: usize, count: usize) -> Span {
    Span {
        first: first as u64,
        count: count as u64,
    }
}

fn extend<T: Clone>(table: &mut Vec<T>, records: &[T]) -> Span {
    let span = span(table.len(), records.len());
    table.extend_from_slice(records);
    span
}

fn append<T: IntoBytes + Immutable>(bytes: &mut Vec<u8>, records: &[T]) -> Table {
    let table = Table {
        offset: bytes.len() as u64,
        count: records.len() as u64,
    };
    bytes.extend_from_slice(records.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    table
}
