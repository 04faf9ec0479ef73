// SPDX-License-Identifier: BSD-2-Clause
//! The system description as data: names are resolved to indices, defaults are filled in.

use crate::diagnostics::Position;
use sdk_spec::Rights;

/// A whole system.
#[derive(Clone, Debug, Default)]
pub struct System {
    /// Protection domains; a parent stands before its children.
    pub pds: Vec<ProtectionDomain>,
    /// Memory regions.
    pub regions: Vec<MemoryRegion>,
    /// The channels between them.
    pub channels: Vec<Channel>,
}

/// A protection domain.
#[derive(Clone, Debug)]
pub struct ProtectionDomain {
    /// Name, unique.
    pub name: String,
    /// Its element.
    pub at: Position,
    /// Parent, if it is a child.
    pub parent: Option<Parent>,
    /// Priority, 0 to 254.
    pub priority: u8,
    /// Stack size in bytes, a multiple of 4 KiB.
    pub stack_size: u64,
    /// Passive: written to the image; this kernel has no passive threads.
    pub passive: bool,
    /// Program; absent only after an error.
    pub image: Option<ProgramImage>,
    /// Mapped regions.
    pub maps: Vec<Map>,
    /// The interrupts that it receives.
    pub irqs: Vec<Irq>,
    /// Symbols to patch.
    pub setvars: Vec<SetVar>,
}

/// Whose child a PD is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Index of the parent.
    pub pd: usize,
    /// Id of the child at the parent.
    pub id: u64,
}

/// A program file.
#[derive(Clone, Debug)]
pub struct ProgramImage {
    /// Path, relative to a search path.
    pub path: String,
    /// Where symbols come from, if not from `path`.
    pub path_for_symbols: Option<String>,
    /// Its element.
    pub at: Position,
}

/// A region mapped into a PD.
#[derive(Clone, Copy, Debug)]
pub struct Map {
    /// Index of the region.
    pub region: usize,
    /// The virtual address.
    pub vaddr: u64,
    /// Page rights.
    pub rights: Rights,
    /// Cached memory.
    pub cached: bool,
    /// Its element.
    pub at: Position,
}

/// An interrupt of a PD.
#[derive(Clone, Copy, Debug)]
pub struct Irq {
    /// Channel id.
    pub id: u64,
    /// Interrupt number as the kernel counts.
    pub number: u64,
    /// Its element.
    pub at: Position,
}

/// A symbol to patch with a number.
#[derive(Clone, Debug)]
pub struct SetVar {
    /// Name of the symbol.
    pub symbol: String,
    /// What to write.
    pub value: SetVarValue,
    /// Where it is asked for.
    pub at: Position,
}

/// The number that a symbol gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetVarValue {
    /// A number known from the description: an address or an id.
    Number(u64),
    /// Size of a region in bytes.
    RegionSize(usize),
    /// Size of the file that a region is prefilled with, in bytes.
    PrefillSize(usize),
    /// Physical address of a region.
    RegionPaddr(usize),
}

/// A memory region.
#[derive(Clone, Debug)]
pub struct MemoryRegion {
    /// Name, unique.
    pub name: String,
    /// Its element.
    pub at: Position,
    /// Size in bytes; absent if it follows from the prefill file.
    pub size: Option<u64>,
    /// Page size asked for in bytes.
    pub page_size: Option<u64>,
    /// Physical address asked for.
    pub phys_addr: Option<u64>,
    /// File that it starts with.
    pub prefill: Option<Prefill>,
}

/// A file that a region starts with.
#[derive(Clone, Debug)]
pub struct Prefill {
    /// Path, relative to a search path.
    pub path: String,
    /// The attribute.
    pub at: Position,
}

/// A channel between two PDs.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its two ends.
    pub ends: [End; 2],
    /// Its element.
    pub at: Position,
}

/// One end of a channel.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Index of the PD.
    pub pd: usize,
    /// Channel id at this PD.
    pub id: u64,
    /// This PD may call the other.
    pub pp: bool,
    /// This PD may notify the other.
    pub notify: bool,
    /// Its element.
    pub at: Position,
}

impl Channel {
    /// Both directions: (this end, other end).
    pub fn directions(&self) -> [(&End, &End); 2] {
        let [a, b] = &self.ends;
        [(a, b), (b, a)]
    }
}

impl System {
    /// Whether PD `index` receives calls or faults and therefore has an endpoint.
    #[must_use]
    pub fn has_endpoint(&self, index: usize) -> bool {
        let has_child = |pd: &ProtectionDomain| pd.parent.is_some_and(|p| p.pd == index);
        self.pds.iter().any(has_child)
            || self
                .channels
                .iter()
                .flat_map(Channel::directions)
                .any(|(from, to)| from.pp && to.pd == index)
    }
}
