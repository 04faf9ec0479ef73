// SPDX-License-Identifier: BSD-2-Clause
//! From the spec to protection domains that wait to be scheduled.
//!
//! Order matters in two places. Memory at given addresses comes first, while it is still free. And
//! nothing is started before everything is made; the initialiser has the highest priority, so
//! nobody runs before it has ended.

mod domains;
mod failure;
mod monitor;
mod regions;
mod uart;

use core::fmt;

use sdk_spec::Spec;

use crate::bootinfo::{BootInfo, SlotRegion, slots};
use crate::kernel::{Kernel, ObjectType};
use crate::layout::Layout;
use crate::memory::Memory;
pub use failure::Failure;

/// The part that is being made, for error messages.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    doing: &'static str,
    name: &'a str,
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.doing)?;
        if self.name.is_empty() {
            Ok(())
        } else {
            write!(f, " '{}'", self.name)
        }
    }
}

/// Everything that is needed to make a system.
pub struct Builder<'a> {
    pub(crate) kernel: Kernel,
    pub(crate) memory: Memory,
    pub(crate) slots: SlotRegion,
    spec: Spec<'a>,
    progress: Progress<'a>,
}

impl<'a> Builder<'a> {
    /// Nothing is made yet.
    pub fn new(kernel: Kernel, bootinfo: &BootInfo, spec: Spec<'a>) -> Self {
        Self {
            kernel,
            memory: Memory::new(bootinfo.untypeds()),
            slots: bootinfo.empty,
            spec,
            progress: Progress {
                doing: "the console",
                name: "",
            },
        }
    }

    /// Makes the whole system and starts it.
    pub fn run(&mut self) -> Result<(), Failure> {
        let layout = match Layout::new(&self.spec, &mut self.slots) {
            Ok(layout) => layout,
            Err(failure) => {
                self.bare_console();
                return Err(failure);
            }
        };
        let made = if sel4::PRINTING {
            None
        } else {
            self.uart(&layout)?
        };
        self.regions(&layout, made)?;
        self.objects(&layout)?;
        self.domains(&layout)?;
        let monitor = self.monitor(&layout)?;
        self.start(&layout, monitor)
    }

    /// Suspends the initialiser, for good. Returns only if the kernel refuses.
    pub fn end(&mut self) -> Failure {
        self.step("the end of the initialiser", "");
        match self.kernel.suspend(slots::TCB) {
            Ok(()) => Failure::Awake,
            Err(error) => error.into(),
        }
    }

    /// Makes a console for the case that nothing else can be made; without one there is nothing
    /// left to try.
    pub fn bare_console(&mut self) {
        if !sel4::PRINTING {
            let _ = self.bare_uart();
        }
    }

    /// Returns the part that was being made last.
    pub fn progress(&self) -> Progress<'a> {
        self.progress
    }

    fn step(&mut self, doing: &'static str, name: &'a str) {
        self.progress = Progress { doing, name };
    }

    /// Makes `count` objects anywhere in RAM, in the slots from `first` on.
    pub(crate) fn make(&mut self, kind: ObjectType, first: u64, count: u64) -> Result<(), Failure> {
        self.memory.allocate(&mut self.kernel, kind, first, count)
    }

    /// Makes `count` consecutive objects from physical address `paddr` on, in the slots from
    /// `first` on.
    fn make_at(
        &mut self,
        kind: ObjectType,
        paddr: u64,
        (first, count): (u64, u64),
        is_device: bool,
    ) -> Result<(), Failure> {
        let (kernel, slots) = (&mut self.kernel, &mut self.slots);
        self.memory
            .allocate_at(kernel, slots, kind, paddr, (first, count), is_device)
    }
}
