// SPDX-License-Identifier: BSD-2-Clause
//! Protection domains: objects, memory, capabilities, threads.

use sdk_spec::abi::{CNODE_BITS, slots};
use sdk_spec::{Cap, CapKind, Map, Pd, Rights};

use super::regions::page_kind;
use super::{Builder, Failure};
use crate::fill::Readers;
use crate::kernel::{Attributes, CapRights, ObjectType, Source, TcbSetup};
use crate::layout::Layout;

impl<'a> Builder<'a> {
    /// Makes what capabilities name: all of it, before any capability is copied.
    pub(super) fn objects(&mut self, layout: &Layout) -> Result<(), Failure> {
        self.step("kernel objects", "");
        let pds = self.spec.pd_count() as u64;
        self.make(ObjectType::cnode(CNODE_BITS), layout.cnodes, pds)?;
        self.make(ObjectType::VSPACE, layout.vspaces, pds)?;
        self.make(ObjectType::SMALL_PAGE, layout.ipc_frames, pds)?;
        self.make(ObjectType::TCB, layout.tcbs, pds)?;
        self.make(ObjectType::NOTIFICATION, layout.notifications, pds)?;
        self.make(ObjectType::ENDPOINT, layout.monitor, 1)?;
        for (index, pd) in (0..).zip(self.spec.pds()) {
            if pd.record.has_endpoint == 1 {
                self.make(ObjectType::ENDPOINT, layout.endpoints + index, 1)?;
            }
            self.kernel.assign_asid(layout.vspaces + index)?;
        }
        self.interrupts(layout)
    }

    fn interrupts(&mut self, layout: &Layout) -> Result<(), Failure> {
        for (index, irq) in (0..).zip(self.spec.irqs()) {
            let pd = self.spec.pd(irq.pd as usize);
            self.step("interrupt of PD", pd.map_or("", |pd| pd.name));
            let (handler, notification) = (
                layout.irq_handlers + index,
                layout.irq_notifications + index,
            );
            let signal = Source {
                slot: layout.notifications + u64::from(irq.pd),
                rights: Rights::WRITE.into(),
                badge: irq.badge,
            };
            self.kernel
                .issue_irq_handler(u64::from(irq.number), handler)?;
            self.kernel.mint_here(notification, &signal)?;
            self.kernel.set_irq_notification(handler, notification)?;
        }
        Ok(())
    }

    /// Gives every PD its memory and capabilities.
    pub(super) fn domains(&mut self, layout: &Layout) -> Result<(), Failure> {
        for (index, pd) in (0..).zip(self.spec.pds()) {
            self.areas(layout.vspaces + index, &pd)?;
            self.maps(layout, index, &pd)?;
            self.step("capabilities of PD", pd.name);
            for cap in pd.caps {
                self.cap(layout, layout.cnodes + index, cap)?;
            }
            self.thread(layout, index, &pd)?;
        }
        Ok(())
    }

    /// Starts all PDs and the monitor.
    pub(super) fn start(&mut self, layout: &Layout, monitor: u64) -> Result<(), Failure> {
        for (index, pd) in (0..).zip(self.spec.pds()) {
            self.step("start of PD", pd.name);
            self.kernel.resume(layout.tcbs + index)?;
        }
        self.step("start of the monitor", "");
        Ok(self.kernel.resume(monitor)?)
    }

    /// Image and stack.
    fn areas(&mut self, vspace: u64, pd: &Pd<'a>) -> Result<(), Failure> {
        self.step("memory of PD", pd.name);
        for area in pd.areas {
            let first = self.slots.take(area.pages)?;
            self.make(ObjectType::SMALL_PAGE, first, area.pages)?;
            let executable = area.rights.has(Rights::EXECUTE);
            let readers = if executable {
                Readers::Code
            } else {
                Readers::Data
            };
            self.fill(first, 12, self.spec.data(area.data), readers)?;
            let attributes = Attributes::new(true, executable);
            for page in 0..area.pages {
                self.map(
                    vspace,
                    first + page,
                    area.vaddr + (page << 12),
                    area.rights.into(),
                    attributes,
                )?;
            }
        }
        Ok(())
    }

    /// Memory regions, and the IPC buffer.
    fn maps(&mut self, layout: &Layout, pd_index: u64, pd: &Pd<'a>) -> Result<(), Failure> {
        let vspace = layout.vspaces + pd_index;
        for map in pd.maps {
            let Some(region) = self.spec.regions().get(map.region as usize) else {
                continue;
            };
            self.step("maps of PD", pd.name);
            let mut frames = layout.region(&self.spec, map.region as usize);
            // A frame capability can be mapped once, so every further map needs copies.
            if !self.is_first(map) {
                let copies = self.slots.take(region.pages)?;
                for page in 0..region.pages {
                    self.kernel.copy_here(copies + page, frames + page)?;
                }
                frames = copies;
            }
            let attributes = Attributes::new(map.cached == 1, map.rights.has(Rights::EXECUTE));
            for page in 0..region.pages {
                let vaddr = map.vaddr + (page << page_kind(region).size_bits);
                self.map(vspace, frames + page, vaddr, map.rights.into(), attributes)?;
            }
        }
        self.step("IPC buffer of PD", pd.name);
        let read_write = Rights::READ.and(Rights::WRITE).into();
        self.map(
            vspace,
            layout.ipc_frames + pd_index,
            pd.record.ipc_buffer,
            read_write,
            Attributes::new(true, false),
        )
    }

    /// Whether no map before this one is of the same region.
    fn is_first(&self, map: &Map) -> bool {
        let mut maps = self.spec.pds().flat_map(|pd| pd.maps);
        maps.find(|other| other.region == map.region)
            .is_some_and(|first| core::ptr::eq(first, map))
    }

    fn cap(&mut self, layout: &Layout, cnode: u64, cap: &Cap) -> Result<(), Failure> {
        let object = u64::from(cap.object);
        let (slot, is_minted) = match cap.kind {
            CapKind::Endpoint => (layout.endpoints + object, true),
            CapKind::MonitorEndpoint => (layout.monitor, true),
            CapKind::Notification => (layout.notifications + object, true),
            CapKind::Tcb => (layout.tcbs + object, false),
            CapKind::IrqHandler => (layout.irq_handlers + object, false),
        };
        let to = u64::from(cap.slot);
        if is_minted {
            let source = Source {
                slot,
                rights: CapRights::from(cap.rights),
                badge: cap.badge,
            };
            self.kernel.mint(cnode, CNODE_BITS, to, &source)?;
        } else {
            self.kernel.copy(cnode, CNODE_BITS, to, slot)?;
        }
        Ok(())
    }

    fn thread(&mut self, layout: &Layout, index: u64, pd: &Pd<'a>) -> Result<(), Failure> {
        self.step("thread of PD", pd.name);
        let tcb = layout.tcbs + index;
        let setup = TcbSetup {
            fault_endpoint: u64::from(slots::FAULT),
            priority: pd.record.priority,
            cnode: layout.cnodes + index,
            cnode_bits: CNODE_BITS,
            vspace: layout.vspaces + index,
            ipc_buffer: pd.record.ipc_buffer,
            ipc_frame: layout.ipc_frames + index,
            entry: pd.record.entry,
            stack_pointer: pd.record.stack_pointer,
            name: pd.name,
        };
        self.kernel.set_up_thread(tcb, &setup)?;
        self.kernel
            .bind_notification(tcb, layout.notifications + index)?;
        Ok(())
    }
}
