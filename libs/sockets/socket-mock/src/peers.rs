// SPDX-License-Identifier: BSD-2-Clause

//! What happens at the other end of the network.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;

use socket_proto::{Errno, PollBits, Sent};

use crate::{End, Server, Slot, State, addr, peer_addr};

/// One direction of a stream.
pub struct Pipe {
    /// Sent and not yet received.
    pub bytes: VecDeque<u8>,
    /// How many of them there can be.
    pub capacity: usize,
    /// No more will come.
    pub fin: bool,
    /// The stream was reset.
    pub reset: bool,
}

impl Pipe {
    fn new(capacity: usize) -> Rc<RefCell<Pipe>> {
        Rc::new(RefCell::new(Pipe {
            bytes: VecDeque::new(),
            capacity,
            fin: false,
            reset: false,
        }))
    }

    fn room(&self) -> usize {
        self.capacity.saturating_sub(self.bytes.len())
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<Sent, Errno> {
        if self.reset {
            return Err(Errno::ECONNRESET);
        }
        if self.fin {
            return Err(Errno::EPIPE);
        }
        let count = bytes.len().min(self.room());
        if count == 0 && !bytes.is_empty() {
            return Err(Errno::EAGAIN);
        }
        self.bytes.extend(&bytes[..count]);
        Ok(Sent {
            count: count as u64,
            room: self.room() as u64,
        })
    }

    pub(crate) fn recv(&mut self, max: usize) -> Result<Vec<u8>, Errno> {
        if self.reset {
            return Err(Errno::ECONNRESET);
        }
        if self.bytes.is_empty() && !self.fin {
            return Err(Errno::EAGAIN);
        }
        let count = max.min(self.bytes.len());
        Ok(self.bytes.drain(..count).collect())
    }
}

impl Slot {
    pub(crate) fn bits(&self) -> PollBits {
        match &self.state {
            State::Stream => PollBits::OUT | PollBits::HUP,
            State::Listening(queue) => PollBits::NONE.with(PollBits::IN, !queue.is_empty()),
            State::Connecting => PollBits::NONE,
            State::Failed(_) => PollBits::IN | PollBits::OUT | PollBits::ERR | PollBits::HUP,
            State::Datagram { received } => PollBits::OUT.with(PollBits::IN, !received.is_empty()),
            State::Connected(end) => {
                let (rx, tx) = (end.rx.borrow(), end.tx.borrow());
                PollBits::NONE
                    .with(PollBits::IN, !rx.bytes.is_empty() || rx.fin || rx.reset)
                    // As the real server: a third of the buffer must be free.
                    .with(
                        PollBits::OUT,
                        tx.room() >= tx.capacity / 3 || tx.fin || tx.reset,
                    )
                    .with(PollBits::RDHUP, rx.fin)
                    .with(PollBits::ERR | PollBits::HUP, rx.reset)
            }
        }
    }
}

/// A peer's end of a stream.
pub struct Peer<'s> {
    server: &'s Server,
    end: End,
}

impl Peer<'_> {
    /// Sends; answers how many bytes there was room for.
    pub fn send(&self, bytes: &[u8]) -> usize {
        let sent = self.end.tx.borrow_mut().send(bytes);
        self.server.publish();
        match sent {
            Ok(Sent { count, .. }) => count as usize,
            _ => 0,
        }
    }

    /// Everything that has arrived.
    pub fn recv(&self) -> Vec<u8> {
        let bytes = self.end.rx.borrow_mut().bytes.drain(..).collect();
        self.server.publish();
        bytes
    }

    /// Whether it has received everything and the end of the stream.
    pub fn saw_end(&self) -> bool {
        let rx = self.end.rx.borrow();
        rx.bytes.is_empty() && rx.fin
    }

    /// Ends the direction towards the client.
    pub fn finish(&self) {
        self.end.tx.borrow_mut().fin = true;
        self.server.publish();
    }

    /// Resets the connection.
    pub fn reset(&self) {
        self.end.tx.borrow_mut().reset = true;
        self.end.rx.borrow_mut().reset = true;
        self.server.publish();
    }
}

impl Server {
    fn pair(&self, peer: SocketAddr) -> (End, End) {
        let (a, b) = (
            Pipe::new(self.capacity.get()),
            Pipe::new(self.capacity.get()),
        );
        let ours = End {
            rx: a.clone(),
            tx: b.clone(),
            peer,
        };
        let theirs = End {
            rx: b,
            tx: a,
            peer: addr(0),
        };
        (ours, theirs)
    }

    /// A peer connects to a listening port; `None` if nobody listens.
    pub fn peer_connects(&self, port: u16) -> Option<Peer<'_>> {
        let (ours, theirs) = self.pair(peer_addr(40_000));
        {
            let mut slots = self.slots.borrow_mut();
            let queue = slots.values_mut().find_map(|slot| match &mut slot.state {
                State::Listening(queue) if slot.port == port => Some(queue),
                _ => None,
            })?;
            queue.push_back(ours);
        }
        self.publish();
        Some(Peer {
            server: self,
            end: theirs,
        })
    }

    /// Answers the only connection attempt.
    pub fn answer_connect(&self, answer: Result<(), Errno>) -> Option<Peer<'_>> {
        let (ours, theirs) = self.pair(peer_addr(80));
        {
            let mut slots = self.slots.borrow_mut();
            let slot = slots
                .values_mut()
                .find(|slot| matches!(slot.state, State::Connecting))?;
            slot.state = match answer {
                Ok(()) => State::Connected(ours),
                Err(errno) => State::Failed(errno),
            };
        }
        self.publish();
        answer.ok().map(|()| Peer {
            server: self,
            end: theirs,
        })
    }

    /// A datagram arrives at a port.
    pub fn datagram_arrives(&self, port: u16, from: SocketAddr, payload: &[u8]) {
        for slot in self.slots.borrow_mut().values_mut() {
            if let State::Datagram { received } = &mut slot.state
                && slot.port == port
            {
                received.push_back((from, payload.to_vec()));
            }
        }
        self.publish();
    }
}
