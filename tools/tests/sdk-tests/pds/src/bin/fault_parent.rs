// SPDX-License-Identifier: BSD-2-Clause

//! Test `fault`, the parent: every kind of fault arrives with what it should say, and the child
//! runs again after a restart, an answer, or a resume.

#![no_std]
#![no_main]

use core::sync::atomic::Ordering::Relaxed;

use sdk_test_pds::{Words, begin, fault_step, say, words};
use sel4::Fault;
use sel4_microkit::{
    Channel, ChannelSet, Child, ENTRY_POINT, Handler, LastWords, MessageInfo, get_mr,
    protection_domain, set_mr,
};
use supervision::FaultReport;

const CHILD: Child = Child::new(5);
/// To and from the child, when it has gone through all its faults.
const FROM_CHILD: Channel = Channel::new(0);
/// Its signals come back when no PD above its priority has anything to do: when the child waits.
const REFLECTOR: Channel = Channel::new(1);

/// An address where nothing is mapped, as a supervisor sets it to make a child fault wherever it
/// is.
const NOWHERE: usize = 0x66_6000;

struct Parent {
    /// Written by the child: what it is about to do, and the address that must be reported.
    announced: &'static Words,
    faults: u64,
    resumed: bool,
}

#[protection_domain]
fn init() -> Parent {
    begin();
    Parent {
        announced: words!(announced_vaddr),
        faults: 0,
        resumed: false,
    }
}

impl Parent {
    fn restart(&mut self) -> Result<Option<MessageInfo>, sel4::Error> {
        self.faults += 1;
        CHILD.restart(ENTRY_POINT)?;
        Ok(None)
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, sel4::Error> {
        assert_eq!(child, CHILD);
        let step = self.announced[fault_step::STEP].load(Relaxed);
        let address = self.announced[fault_step::ADDRESS].load(Relaxed);
        let fault = msg_info.fault();
        // A system call puts its reply where the fault's words are.
        let registers = (step >= fault_step::HOOK)
            .then(|| child.tcb().tcb_read_registers(false, u64::MAX))
            .transpose()?
            .unwrap_or_default();
        match (step, &fault) {
            (fault_step::READ, Fault::VmFault(fault)) => {
                assert_eq!(fault.addr(), address);
                assert!(!fault.is_write() && !fault.is_prefetch());
                say!("read of nothing at {address:#x}");
            }
            (fault_step::WRITE, Fault::VmFault(fault)) => {
                assert_eq!(fault.addr(), address);
                assert!(fault.is_write());
                say!("write to nothing at {address:#x}");
            }
            (fault_step::UNDEFINED, Fault::UserException(fault)) => {
                assert_eq!(fault.fault_ip(), address);
                say!("undefined instruction");
            }
            (fault_step::NO_CAP, Fault::CapFault(fault)) => {
                assert_eq!(fault.addr(), address);
                assert!(fault.in_recv_phase());
                say!("capability that is not there");
            }
            (fault_step::UNKNOWN_SYSCALL, Fault::UnknownSyscall(fault)) => {
                assert_eq!(fault.syscall(), address);
                say!("unknown system call");
                // The registers of the fault are in the message registers; this one is where the
                // child goes on.
                const FAULT_IP: usize = 8;
                set_mr(FAULT_IP, get_mr(FAULT_IP) + 4);
                self.faults += 1;
                return Ok(Some(MessageInfo::new(0, msg_info.count())));
            }
            (fault_step::PANIC, Fault::UserException(_)) => say!("panic"),
            (fault_step::ERROR, Fault::UserException(_)) => say!("error of a handler"),
            (fault_step::HOOK, Fault::UserException(_)) => match LastWords::read(&registers) {
                Some(LastWords::Panic(text)) => say!("last words: {text}"),
                other => panic!("the registers hold {other:?}"),
            },
            (fault_step::OVERFLOW, Fault::VmFault(_)) => {
                say!("{}", FaultReport::of_fault(fault, Some(&registers)));
            }
            (fault_step::DONE, Fault::VmFault(fault)) => {
                assert!(fault.is_prefetch());
                assert_eq!((fault.ip(), fault.addr()), (NOWHERE as u64, NOWHERE as u64));
                say!(
                    "made to fault at {NOWHERE:#x}, {} faults in all",
                    self.faults
                );
                return Ok(None);
            }
            _ => panic!("step {step} gave {fault:x?}"),
        }
        self.restart()
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), sel4::Error> {
        let turns = || self.announced[fault_step::TURNS].load(Relaxed);
        if channels.contains(REFLECTOR) {
            // The child has a lower priority, so it would get this signal after it was stopped.
            CHILD.stop()?;
            FROM_CHILD.notify();
            assert_eq!(turns(), 0);
            self.resumed = true;
            CHILD.resume()?;
        } else if !self.resumed {
            REFLECTOR.notify();
        } else {
            assert_eq!(turns(), 1);
            say!("stopped and resumed");
            CHILD.restart(NOWHERE)?;
        }
        Ok(())
    }
}
