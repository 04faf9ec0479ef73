// SPDX-License-Identifier: BSD-2-Clause

//! Sending: only connections that may have something to send are visited, in turn, a few segments each.

use smoltcp::time::Duration;

use super::Server;
use super::connections::{ATTEMPT, Cause, FIN_WAIT, HALF_OPEN, SILENCE, UNREACHED};
use crate::link::TxQueue;
use crate::neighbours::RETRY;
use crate::tcp::{Connection, Owner};
use crate::window::Window;
use smoltcp::socket::tcp::State;
use smoltcp::time::Instant;

/// Segments of one connection before the next has its turn.
const TURN: usize = 16;
/// A socket that says that it wants to send, and then does not: look again after this. (It cannot be seen whether that happens at
/// all; it must not become an endless loop.)
pub(super) const RELUCTANT: Duration = Duration::from_millis(10);

impl<W: Window> Server<W> {
    /// Lets connections send, up to a budget of frames.
    pub(super) fn flush<T: TxQueue>(&mut self, tx: &mut T, budget: usize) {
        let mut left = budget;
        while left > 0 && tx.free() > 0 {
            let Some(index) = self.dirty.pop() else {
                break;
            };
            let used = self.turn(index, tx, TURN.min(left));
            // A visit counts even if nothing was sent: work is bounded, not only packets.
            left -= used.max(1);
        }
    }

    /// One connection's turn. Answers how many segments it sent.
    fn turn<T: TxQueue>(&mut self, index: usize, tx: &mut T, limit: usize) -> usize {
        if self.tcp.get(index).owner == Owner::Free {
            return 0;
        }
        let now = self.stack.now();
        let mut sent = 0;
        let mut tried = false;
        let next = loop {
            let connection = self.tcp.get_mut(index);
            let at = self.stack.poll_at(&connection.set);
            if at.is_none_or(|at| at > now) {
                break at;
            }
            if sent == limit || tx.free() == 0 {
                self.dirty.push(index);
                break None;
            }
            let set = &mut connection.set;
            let (progress, what) = self.stack.egress(tx, set, &mut self.counters);
            if what.packets > 0 {
                connection.reached = true;
            }
            if let Some(end) = what.data_end {
                self.counters.tcp_retransmits += u64::from(is_repeated(connection, end));
            }
            if let Some(syn) = what.syn {
                connection.syn = Some(syn);
            }
            if let Some(next_hop) = what.unresolved {
                self.await_neighbour(index, next_hop, tx);
                break Some(now + RETRY);
            }
            if progress {
                sent += 1;
                tried = false;
            } else {
                if tried {
                    break Some(now + RELUCTANT);
                }
                tried = true;
            }
        };
        self.settle(index, Cause::Turn);
        self.schedule(index, next);
        sent
    }

    /// Sets a connection's timer: for smoltcp, or for when the peer's silence has lasted long enough.
    fn schedule(&mut self, index: usize, next: Option<Instant>) {
        let connection = self.tcp.get(index);
        if connection.owner == Owner::Free {
            return;
        }
        let deadline = [next, patience(connection)].into_iter().flatten().min();
        if let Some(at) = deadline {
            self.timers.set_if_earlier(index, at);
        }
    }
}

/// When the server stops waiting for a connection's peer.
pub(super) fn patience(connection: &Connection) -> Option<Instant> {
    let since = connection.since;
    match connection.owner {
        Owner::Free | Owner::TimeWait => None,
        Owner::Pending { queued: false, .. } => Some(since + HALF_OPEN),
        Owner::Client(_) if connection.connecting => {
            let patience = if connection.reached {
                ATTEMPT
            } else {
                UNREACHED
            };
            Some(since + patience)
        }
        Owner::Closing { .. } if connection.socket().state() == State::FinWait2 => {
            Some(since + FIN_WAIT)
        }
        // A reset that cannot be sent because the next hop is gone.
        Owner::Closing { .. } if connection.socket().state() == State::Closed => {
            Some(since + UNREACHED)
        }
        _ => connection.waiting_since.map(|since| since + SILENCE),
    }
}

/// Whether a segment up to `end` has been sent before.
fn is_repeated(connection: &mut Connection, end: u32) -> bool {
    match connection.highest {
        Some(highest) if end.wrapping_sub(highest) as i32 <= 0 => true,
        _ => {
            connection.highest = Some(end);
            false
        }
    }
}
