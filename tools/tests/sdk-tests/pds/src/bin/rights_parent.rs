// SPDX-License-Identifier: BSD-2-Clause

//! Test `rights`, the parent: each access that the child has no right to is a fault that names it,
//! and leaves memory as it was.

#![no_std]
#![no_main]

use core::sync::atomic::Ordering::Relaxed;

use sdk_test_pds::{Words, begin, rights_step, say, words};
use sel4::Fault;
use sel4_microkit::{ChannelSet, Child, ENTRY_POINT, Handler, MessageInfo, protection_domain, var};

const CONTENT: u64 = 0x600d_600d_600d_600d;

struct Parent {
    child: Child,
    announced: &'static Words,
    /// The child may only read it.
    ours: &'static Words,
}

#[protection_domain]
fn init() -> Parent {
    begin();
    let ours = words!(ours_vaddr);
    ours.iter().for_each(|word| word.store(CONTENT, Relaxed));
    Parent {
        child: Child::new(*var!(child_id: usize = 99)),
        announced: words!(announced_vaddr),
        ours,
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        assert_eq!(child, self.child);
        let step = self.announced[rights_step::STEP].load(Relaxed);
        let address = self.announced[rights_step::ADDRESS].load(Relaxed);
        let what = rights_step::NAMES[step as usize];
        let fault = msg_info.fault();
        let as_it_should_be = match &fault {
            Fault::VmFault(fault) => {
                let kind_is_right = match step {
                    rights_step::WRITE_READ_ONLY
                    | rights_step::WRITE_TEXT
                    | rights_step::WRITE_RODATA
                    | rights_step::WRITE_BELOW_STACK => fault.is_write(),
                    rights_step::EXECUTE_DATA | rights_step::EXECUTE_REGION => fault.is_prefetch(),
                    _ => !fault.is_write() && !fault.is_prefetch(),
                };
                fault.addr() == address && kind_is_right
            }
            Fault::CapFault(fault) => {
                step >= rights_step::RECEIVE_NOTIFICATION
                    && fault.addr() == address
                    && fault.in_recv_phase()
            }
            _ => false,
        };
        assert!(as_it_should_be, "{what} at {address:#x} gave {fault:x?}");
        assert!(self.ours.iter().all(|word| word.load(Relaxed) == CONTENT));
        say!("refused: {what}");
        self.child.restart(ENTRY_POINT)?;
        Ok(None)
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), sel4::Error> {
        say!("the child is through: {}", channels.display());
        Ok(())
    }
}
