// SPDX-License-Identifier: BSD-2-Clause
//! Which slot of the initialiser's CNode holds what. Objects that are looked up later lie at
//! computed places, so that no table of them is needed; all others take the next free slot.

use sdk_spec::{Region, Spec};

use crate::bootinfo::SlotRegion;
use crate::build::Failure;

impl SlotRegion {
    /// Takes the first `count` slots away. Returns the first of them.
    pub fn take(&mut self, count: u64) -> Result<u64, Failure> {
        let first = self.start;
        match first.checked_add(count) {
            Some(next) if next <= self.end => {
                self.start = next;
                Ok(first)
            }
            _ => Err(Failure::Slots {
                wanted: count,
                left: self.end - first,
            }),
        }
    }
}

/// First slots of the computed places.
#[derive(Clone, Copy)]
pub struct Layout {
    /// The monitor's endpoint.
    pub monitor: u64,
    /// TCBs, by PD.
    pub tcbs: u64,
    /// CNodes, by PD.
    pub cnodes: u64,
    /// Address spaces, by PD.
    pub vspaces: u64,
    /// Notifications, by PD.
    pub notifications: u64,
    /// Endpoints, by PD; empty for a PD without one.
    pub endpoints: u64,
    /// Frames of the IPC buffers, by PD.
    pub ipc_frames: u64,
    /// Interrupt handlers, by index.
    pub irq_handlers: u64,
    /// Badged notifications that interrupts signal, by index.
    pub irq_notifications: u64,
    regions: u64,
}

impl Layout {
    /// Takes the places for `spec`.
    pub fn new(spec: &Spec<'_>, slots: &mut SlotRegion) -> Result<Self, Failure> {
        let pds = spec.pd_count() as u64;
        let irqs = spec.irqs().len() as u64;
        Ok(Self {
            monitor: slots.take(1)?,
            tcbs: slots.take(pds)?,
            cnodes: slots.take(pds)?,
            vspaces: slots.take(pds)?,
            notifications: slots.take(pds)?,
            endpoints: slots.take(pds)?,
            ipc_frames: slots.take(pds)?,
            irq_handlers: slots.take(irqs)?,
            irq_notifications: slots.take(irqs)?,
            regions: slots.take(pages(spec.regions()))?,
        })
    }

    /// Slot of the first frame of region `index`; the others follow.
    pub fn region(&self, spec: &Spec<'_>, index: usize) -> u64 {
        self.regions + pages(&spec.regions()[..index])
    }
}

fn pages(regions: &[Region]) -> u64 {
    regions.iter().map(|region| region.pages).sum()
}
