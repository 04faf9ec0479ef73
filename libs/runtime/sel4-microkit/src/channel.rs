// SPDX-License-Identifier: BSD-2-Clause

//! Peers and children of a PD, by the ids that the system description gives them.

use core::fmt;

use crate::MessageInfo;
use crate::symbols::{microkit_irqs, microkit_notifications, microkit_pps};

/// First capability slots by kind (Microkit 2.3, `microkit.h`).
mod slot {
    pub const NOTIFY: usize = 10;
    pub const CALL: usize = 74;
    pub const IRQ: usize = 138;
    pub const CHILD_TCB: usize = 202;
}

/// One end of a channel to another PD, or an interrupt, by its id.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Channel {
    index: usize,
}

impl Channel {
    /// Ids are below this (Microkit manual, "Channels"). Not upstream.
    pub const COUNT: usize = 62;

    /// Makes the channel with that id.
    ///
    /// # Panics
    /// If `index` is no possible id: at compile time in a `const`.
    pub const fn new(index: usize) -> Self {
        assert!(index < Self::COUNT, "channel ids are 0 to 61");
        Self { index }
    }

    /// Badges come from the SDK's tool, which makes no id above 61; one of 62 or 63 would be a
    /// channel on which nothing can be done.
    #[inline]
    pub(crate) const fn from_badge(id: u64) -> Self {
        Self { index: id as usize }
    }

    /// Returns the id.
    pub const fn index(&self) -> usize {
        self.index
    }

    #[inline]
    fn cap<T: sel4::CapType>(self, allowed: u64, base: usize, operation: &str) -> sel4::Cap<T> {
        if allowed & (1 << self.index) == 0 {
            self.not_allowed(operation);
        }
        sel4::Cap::from_bits((base + self.index) as sel4::CPtrBits)
    }

    #[cold]
    fn not_allowed(self, operation: &str) -> ! {
        panic!(
            "{operation}: the system description does not give channel {} that right",
            self.index
        )
    }

    #[doc(hidden)]
    #[inline]
    pub fn notification(&self) -> sel4::cap::Notification {
        self.cap(*microkit_notifications.get(), slot::NOTIFY, "notify")
    }

    #[doc(hidden)]
    #[inline]
    pub fn irq_handler(&self) -> sel4::cap::IrqHandler {
        self.cap(*microkit_irqs.get(), slot::IRQ, "irq_ack")
    }

    #[doc(hidden)]
    #[inline]
    pub fn endpoint(&self) -> sel4::cap::Endpoint {
        self.cap(*microkit_pps.get(), slot::CALL, "pp_call")
    }

    /// Returns whether the system description lets this PD signal the peer. Not upstream.
    pub fn may_notify(&self) -> bool {
        *microkit_notifications.get() & (1 << self.index) != 0
    }

    /// Signals the peer.
    ///
    /// # Panics
    /// If the system description has `notify="false"` for this end, or no such channel.
    #[inline]
    pub fn notify(&self) {
        self.notification().signal();
    }

    /// Lets the interrupt come again.
    ///
    /// # Errors
    /// What the kernel says; it has no reason to refuse.
    ///
    /// # Panics
    /// If this is no interrupt.
    #[inline]
    pub fn irq_ack(&self) -> Result<(), IrqAckError> {
        self.irq_handler().irq_handler_ack().map_err(IrqAckError)
    }

    /// Protected procedure call: runs the peer's `protected` and returns its reply, whose words are
    /// in the message registers. A peer that was restarted meanwhile replies with the label
    /// [`RESTARTED`](crate::RESTARTED).
    ///
    /// # Panics
    /// If the system description has no `pp="true"` for this end.
    #[inline]
    pub fn pp_call(&self, msg_info: MessageInfo) -> MessageInfo {
        MessageInfo::from_inner(self.endpoint().call(msg_info.into_inner()))
    }
}

/// Why the kernel refused [`Channel::irq_ack`]. Not upstream: that it is a `core::error::Error`.
#[derive(Debug, PartialEq, Eq)]
pub struct IrqAckError(sel4::Error);

impl fmt::Display for IrqAckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "acknowledging an interrupt: {}", self.0)
    }
}

impl core::error::Error for IrqAckError {}

/// A PD below this one in the system description, by its id. Its faults come to
/// [`Handler::fault`](crate::Handler::fault).
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Child {
    index: usize,
}

impl Child {
    /// Makes the child with that id.
    pub const fn new(index: usize) -> Self {
        Self { index }
    }

    /// Returns the id.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Returns the child's thread.
    pub fn tcb(&self) -> sel4::cap::Tcb {
        sel4::Cap::from_bits((slot::CHILD_TCB + self.index) as sel4::CPtrBits)
    }

    /// Stops the child (`microkit_pd_stop`; not upstream). What it was doing in the kernel is
    /// cancelled.
    ///
    /// # Errors
    /// What the kernel says, e.g. if there is no such child.
    pub fn stop(&self) -> sel4::Result<()> {
        self.tcb().tcb_suspend()
    }

    /// Lets a stopped child go on (`microkit_pd_resume`; not upstream). A system call it was
    /// waiting in is made again.
    ///
    /// On seL4 5.0.0 only a child that was waiting in the kernel, or had never run, may be stopped
    /// and resumed: a running one may repeat its last system call, as that kernel does not note
    /// where it got to.
    ///
    /// # Errors
    /// What the kernel says, e.g. if there is no such child.
    pub fn resume(&self) -> sel4::Result<()> {
        self.tcb().tcb_resume()
    }

    /// Makes the child run at `entry_point`, whatever it was doing (`microkit_pd_restart`; not
    /// upstream). For a PD of this runtime that is [`ENTRY_POINT`](crate::ENTRY_POINT), and the
    /// runtime there puts its memory back in order.
    ///
    /// On seL4 5.0.0 a child must not be restarted between its fault and the parent's receipt of
    /// it: that kernel would report the fault again at the child's next message. A parent of
    /// higher priority than its children, with no other PD above it that it calls, cannot get
    /// there.
    ///
    /// # Errors
    /// What the kernel says, e.g. if there is no such child.
    pub fn restart(&self, entry_point: usize) -> sel4::Result<()> {
        let mut context = sel4::UserContext::default();
        *context.pc_mut() = entry_point as sel4::Word;
        self.tcb().tcb_write_registers(true, 1, &mut context)
    }
}
