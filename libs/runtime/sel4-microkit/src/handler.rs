// SPDX-License-Identifier: BSD-2-Clause

//! The event loop and what a PD puts into it.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;

use crate::ipc::{self, Event, Prepared};
use crate::{Channel, ChannelSet, Child, DeferredAction, MessageInfo, symbols};

pub use core::convert::Infallible;

/// The reactions of a PD to events. Each method runs to its end before the next event is
/// received.
///
/// A method that returns an error ends the PD as a panic does: a message, then a fault that the
/// parent sees.
pub trait Handler {
    /// Why the PD cannot go on.
    type Error: fmt::Display;

    /// Channels were signalled or interrupts came. Signals that come close together arrive as one.
    /// A PD that was restarted may get signals that were meant for its previous life.
    ///
    /// # Errors
    /// To end the PD. The default panics.
    fn notified(&mut self, channels: ChannelSet) -> Result<(), Self::Error> {
        panic!(
            "unexpected notification from channels {}",
            channels.display()
        )
    }

    /// A peer made a protected call; the answer goes back at the next receive.
    ///
    /// # Errors
    /// To end the PD. The default panics.
    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Self::Error> {
        panic!(
            "unexpected protected call on channel {} with {msg_info:?}",
            channel.index()
        )
    }

    /// A child faulted. `Some` answers the fault, so that the child goes on; with `None` it stays
    /// stopped until it is restarted.
    ///
    /// # Errors
    /// To end the PD. The default panics.
    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, Self::Error> {
        panic!(
            "unexpected fault of child {} with {msg_info:?}",
            child.index()
        )
    }

    /// A signal or acknowledgement to be sent together with the next receive. Asked after every
    /// event.
    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        None
    }

    /// Runs the event loop.
    #[doc(hidden)]
    fn run(&mut self) -> Result<Never, Self::Error> {
        // An interrupt that was delivered to a previous life, or before this PD was ready, waits
        // for its acknowledgement (seL4 issue 1536; libmicrokit does the same).
        let mut irqs = *symbols::microkit_irqs.get();
        while irqs != 0 {
            let irq = Channel::from_badge(irqs.trailing_zeros().into());
            irq.irq_ack().unwrap_or_else(|error| panic!("{error}"));
            irqs &= irqs - 1;
        }

        let mut answer: Option<MessageInfo> = None;
        let mut deferred: Option<Prepared> = (sel4::KERNEL_MCS && symbols::pd_is_passive())
            .then(Prepared::forfeit_scheduling_context);
        loop {
            let event = match (answer.take(), deferred.take()) {
                (Some(answer), None) => ipc::reply_recv(answer),
                (Some(answer), Some(action)) => {
                    action.send();
                    ipc::reply_recv(answer)
                }
                (None, Some(action)) => ipc::nb_send_recv(&action),
                (None, None) => ipc::recv(),
            };
            match event {
                Event::Notified(channels) => self.notified(channels)?,
                Event::Protected(channel, msg_info) => {
                    answer = Some(self.protected(channel, msg_info)?);
                }
                Event::Fault(child, msg_info) => answer = self.fault(child, msg_info)?,
            }
            deferred = self.take_deferred_action().map(DeferredAction::prepare);
        }
    }
}

/// Waits in the middle of a turn for a signal, and returns the channels. Calls of peers and faults
/// of children that come first go to `handler`, as in the event loop; signals do not. Not upstream.
///
/// Not to be called from [`Handler::protected`]: there is one place for a caller to be answered,
/// and the next event takes it.
///
/// # Errors
/// Those of `handler`.
pub fn wait_for_signal<H: Handler>(handler: &mut H) -> Result<ChannelSet, H::Error> {
    let mut event = ipc::recv();
    loop {
        let answer = match event {
            Event::Notified(channels) => return Ok(channels),
            Event::Protected(channel, msg_info) => Some(handler.protected(channel, msg_info)?),
            Event::Fault(child, msg_info) => handler.fault(child, msg_info)?,
        };
        event = answer.map_or_else(ipc::recv, ipc::reply_recv);
    }
}

/// The type without values: the event loop does not end.
#[doc(hidden)]
pub enum Never {}

impl Handler for Never {
    type Error = Infallible;
}

/// A handler that expects nothing to happen.
#[derive(Debug)]
pub struct NullHandler(());

impl NullHandler {
    /// Makes the handler.
    #[allow(clippy::new_without_default)] // upstream has none
    pub fn new() -> Self {
        Self(())
    }
}

impl Handler for NullHandler {
    type Error = Infallible;
}

/// A handler that is chosen when the PD runs.
#[cfg(feature = "alloc")]
impl<T: Handler + ?Sized> Handler for Box<T> {
    type Error = T::Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), T::Error> {
        (**self).notified(channels)
    }

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, T::Error> {
        (**self).protected(channel, msg_info)
    }

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, T::Error> {
        (**self).fault(child, msg_info)
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        (**self).take_deferred_action()
    }

    fn run(&mut self) -> Result<Never, T::Error> {
        (**self).run()
    }
}

#[cfg(test)]
mod tests;
