// SPDX-License-Identifier: BSD-2-Clause

//! Queues the answers that wait to be sent, and keeps those that the broker has not confirmed.

use alloc::boxed::Box;

use heapless::Vec;
use rust_mqtt::types::{PacketIdentifier, QoS};

/// Largest number of answers in the queue, those that have been sent included.
pub const MAX_WAITING: usize = 128;
/// Largest number of answers that have been sent and not confirmed.
pub(crate) const MAX_FLIGHTS: usize = 16;
/// Bytes of the longest message that is answered.
pub const MAX_PAYLOAD: usize = 1024;

/// An answer with a quality of service above 0.
pub(crate) struct Flight {
    /// Its number; `None` as long as it has not been sent.
    pub id: Option<PacketIdentifier>,
    pub qos: QoS,
    pub payload: Box<[u8]>,
}

/// All of them, in the order in which they are sent.
#[derive(Default)]
pub(crate) struct Flights(pub Vec<Flight, MAX_WAITING>);

impl Flights {
    /// The first that has not been sent, if it may be.
    pub fn next(&mut self) -> Option<&mut Flight> {
        let mut waiting = self.0.iter_mut().enumerate();
        let (sent, next) = waiting.find(|(_, flight)| flight.id.is_none())?;
        (sent < MAX_FLIGHTS).then_some(next)
    }

    /// Those that have been sent, with their numbers.
    pub fn sent(&mut self) -> impl Iterator<Item = (PacketIdentifier, &mut Flight)> {
        self.0
            .iter_mut()
            .map_while(|flight| Some((flight.id?, flight)))
    }

    /// Forgets an answer. Returns whether there was one.
    pub fn end(&mut self, id: PacketIdentifier) -> bool {
        let index = self.0.iter().position(|flight| flight.id == Some(id));
        index.map(|index| self.0.remove(index)).is_some()
    }
}
