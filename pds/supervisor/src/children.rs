// SPDX-License-Identifier: BSD-2-Clause

//! The children: ids, names, and their faults in the words of `supervision`.

use core::fmt::Write;

use heapless::String;
use sel4::Fault;
use sel4_microkit::{Channel, Child, var};
use supervision::{Access, FaultKind, FaultReport, MAX_CHILD_NAME, MAX_CHILDREN};

/// The channel on which child n says that it is ready is this plus n.
const READY_CHANNELS: usize = 10;

/// Value of a symbol that the system description does not set.
const ABSENT: u64 = u64::MAX;

/// What the children are called, by the symbols that the system description sets to their ids. A child is added here, or goes by its number.
pub struct Names([Option<&'static str>; MAX_CHILDREN]);

macro_rules! children {
    ($names:expr, $($name:literal: $symbol:ident),+ $(,)?) => {
        $( $names.set(*var!($symbol: u64 = ABSENT), $name); )+
    };
}

impl Names {
    /// To be called once.
    pub fn take() -> Self {
        let mut names = Self([None; MAX_CHILDREN]);
        children![names,
            "timer_driver": timer_driver_child,
            "net_driver": net_driver_child,
            "net_server": net_server_child,
            "echo_server": echo_server_child,
            "http_server": http_server_child,
            "console": console_child,
        ];
        names
    }

    fn set(&mut self, id: u64, name: &'static str) {
        if let Some(entry) = usize::try_from(id).ok().and_then(|id| self.0.get_mut(id)) {
            *entry = Some(name);
        }
    }

    /// How many are known.
    pub fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// What to call a child.
    pub fn of(&self, child: Child) -> String<MAX_CHILD_NAME> {
        let mut name = String::new();
        // Both fit.
        let _ = match self.0.get(child.index()).copied().flatten() {
            Some(known) => name.push_str(known).map_err(|_| core::fmt::Error),
            None => write!(name, "child {}", child.index()),
        };
        name
    }

    /// The names by child id, unknown ones empty.
    #[cfg(feature = "fault-injection")]
    pub fn by_id(&self) -> [&'static str; MAX_CHILDREN] {
        self.0.map(Option::unwrap_or_default)
    }
}

/// The child that says on this channel that it is ready, if it is such a channel.
pub fn by_ready_channel(channel: Channel) -> Option<Child> {
    let id = channel.index().checked_sub(READY_CHANNELS)?;
    Some(Child::new(id))
}

/// A fault in words that build on the host.
pub fn report(fault: &Fault) -> FaultReport {
    let kind = match fault {
        Fault::VmFault(vm) => FaultKind::Vm {
            address: vm.addr(),
            access: match (vm.is_prefetch(), vm.is_write()) {
                (true, _) => Access::Execute,
                (false, true) => Access::Write,
                (false, false) => Access::Read,
            },
            syndrome: vm.fsr(),
        },
        Fault::CapFault(cap) => FaultKind::Capability { cptr: cap.addr() },
        Fault::UnknownSyscall(call) => FaultKind::UnknownSyscall {
            number: call.syscall(),
        },
        Fault::UserException(exception) => FaultKind::Exception {
            syndrome: exception.number(),
        },
        Fault::DebugException(_) => FaultKind::Debug,
        Fault::Timeout(_) => FaultKind::Timeout,
        Fault::Other(other) => FaultKind::Other {
            label: other.label(),
        },
        // The only one left is the null fault, which no kernel sends.
        _ => FaultKind::Other { label: 0 },
    };
    FaultReport {
        kind,
        pc: fault.ip(),
    }
}
