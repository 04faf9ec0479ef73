// SPDX-License-Identifier: BSD-2-Clause
//! The monitor's thread: the initialiser's address space, and one capability.

use sdk_spec::Rights;
use sdk_spec::abi::MONITOR_PRIORITY;

use super::{Builder, Failure};
use crate::bootinfo::slots;
use crate::kernel::{Attributes, CapRights, ObjectType, Source, TcbSetup};
use crate::layout::Layout;
use crate::{monitor, start};

/// log2 of the slots of its CNode, the fewest that the kernel makes.
const CNODE_BITS: u32 = 1;

impl Builder<'_> {
    /// Makes the monitor's thread; gives its TCB. It does not run yet.
    pub(super) fn monitor(&mut self, layout: &Layout) -> Result<u64, Failure> {
        self.step("the monitor", "");
        let (tcb, cnode, frame) = (self.slot()?, self.slot()?, self.slot()?);
        self.make(ObjectType::TCB, tcb, 1)?;
        self.make(ObjectType::cnode(CNODE_BITS), cnode, 1)?;
        self.make(ObjectType::SMALL_PAGE, frame, 1)?;
        let endpoint = Source {
            slot: layout.monitor,
            rights: Rights::READ.into(),
            badge: 0,
        };
        self.kernel
            .mint(cnode, CNODE_BITS, monitor::ENDPOINT, &endpoint)?;
        let attributes = Attributes::new(true, false);
        self.map(
            slots::VSPACE,
            frame,
            monitor::IPC_BUFFER,
            CapRights::ALL,
            attributes,
        )?;
        let setup = TcbSetup {
            fault_endpoint: 0,
            priority: MONITOR_PRIORITY,
            cnode,
            cnode_bits: CNODE_BITS,
            vspace: slots::VSPACE,
            ipc_buffer: monitor::IPC_BUFFER,
            ipc_frame: frame,
            entry: monitor::main as extern "C" fn() -> ! as usize as u64,
            stack_pointer: start::monitor_stack(),
            name: "monitor",
        };
        self.kernel.set_up_thread(tcb, &setup)?;
        Ok(tcb)
    }

    fn slot(&mut self) -> Result<u64, Failure> {
        self.slots.take(1)
    }
}
