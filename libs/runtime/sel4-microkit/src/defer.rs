// SPDX-License-Identifier: BSD-2-Clause

//! Signals and acknowledgements that go out together with the next receive: with MCS that spares a
//! system call.

use crate::{Channel, IrqAckError, ipc::Prepared};

/// Something to do just before the next receive: what
/// [`Handler::take_deferred_action`](crate::Handler::take_deferred_action) returns.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct DeferredAction {
    channel: Channel,
    interface: DeferredActionInterface,
}

/// The kind of a [`DeferredAction`].
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum DeferredActionInterface {
    /// [`Channel::notify`].
    Notify,
    /// [`Channel::irq_ack`].
    IrqAck,
}

impl DeferredAction {
    /// Makes an action of that kind on that channel.
    pub fn new(channel: Channel, interface: DeferredActionInterface) -> Self {
        Self { channel, interface }
    }

    /// Makes a signal.
    pub fn new_notify(channel: Channel) -> Self {
        Self::new(channel, DeferredActionInterface::Notify)
    }

    /// Makes an acknowledgement.
    pub fn new_irq_ack(channel: Channel) -> Self {
        Self::new(channel, DeferredActionInterface::IrqAck)
    }

    /// Returns the channel.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Returns the kind.
    pub fn interface(&self) -> DeferredActionInterface {
        self.interface
    }

    /// Carries out the action at once.
    ///
    /// # Errors
    /// As [`Channel::irq_ack`].
    pub fn execute_now(self) -> Result<(), IrqAckError> {
        match self.interface {
            DeferredActionInterface::Notify => {
                self.channel.notify();
                Ok(())
            }
            DeferredActionInterface::IrqAck => self.channel.irq_ack(),
        }
    }

    pub(crate) fn prepare(self) -> Prepared {
        match self.interface {
            DeferredActionInterface::Notify => Prepared {
                cap: self.channel.notification().cast(),
                info: sel4::MessageInfo::EMPTY,
            },
            DeferredActionInterface::IrqAck => Prepared {
                cap: self.channel.irq_handler().cast(),
                info: sel4::cap::IrqHandler::ACK,
            },
        }
    }
}

/// Holds one deferred action for
/// [`Handler::take_deferred_action`](crate::Handler::take_deferred_action).
#[derive(Debug, Default)]
pub struct DeferredActionSlot {
    inner: Option<DeferredAction>,
}

impl DeferredActionSlot {
    /// Makes an empty slot.
    pub const fn new() -> Self {
        Self { inner: None }
    }

    /// Takes the action out.
    pub fn take(&mut self) -> Option<DeferredAction> {
        self.inner.take()
    }

    /// Puts an action in. One that was there is carried out at once.
    ///
    /// # Errors
    /// As [`Channel::irq_ack`], of the action that was there.
    pub fn defer(&mut self, action: DeferredAction) -> Result<(), IrqAckError> {
        match self.inner.replace(action) {
            Some(previous) => previous.execute_now(),
            None => Ok(()),
        }
    }

    /// Defers a signal.
    ///
    /// # Errors
    /// As [`defer`](Self::defer).
    pub fn defer_notify(&mut self, channel: Channel) -> Result<(), IrqAckError> {
        self.defer(DeferredAction::new_notify(channel))
    }

    /// Defers an acknowledgement.
    ///
    /// # Errors
    /// As [`defer`](Self::defer).
    pub fn defer_irq_ack(&mut self, channel: Channel) -> Result<(), IrqAckError> {
        self.defer(DeferredAction::new_irq_ack(channel))
    }
}
