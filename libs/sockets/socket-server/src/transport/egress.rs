// SPDX-License-Identifier: BSD-2-Clause

//! Sending: only connections that may have something to send are visited, in turn, a few segments
//! each.

use smoltcp::time::Duration;

use crate::accounts::shares::{ANSWERS, SHARE, Shares};
use crate::ethernet::neighbours::RETRY;
use crate::frames::TxQueue;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::connection::{Connection, Owner};
use crate::transport::ending::{ATTEMPT, Cause, FIN_WAIT, GONE, LINGER, SILENCE, UNREACHED};
use crate::transport::segment::{MSS, before};
use smoltcp::socket::tcp::State;
use smoltcp::time::Instant;

/// Segments of one connection before the next has its turn.
const TURN: usize = 16;
/// A socket that says that it wants to send, and then does not: look again after this. (It cannot
/// be seen whether that happens at all; it must not become an endless loop.)
pub(crate) const RELUCTANT: Duration = Duration::from_millis(10);

impl<W: Window> Server<W> {
    /// Lets connections of some clients send, up to a budget of frames, which these clients share
    /// equally. Returns whether there is more that could be sent at once.
    pub(crate) fn flush<T: TxQueue>(
        &mut self,
        tx: &mut T,
        budget: usize,
        whose: impl Fn(usize) -> bool,
    ) -> bool {
        self.note_sent(None, tx);
        if self.dirty.is_empty() {
            return false;
        }
        let wants = self.wants();
        let mut left = budget;
        while left > 0 && tx.free() > ANSWERS {
            let shares = &self.shares;
            let may = |client| whose(client) && share(shares, wants, client) > 0;
            let Some((index, client, credit)) = self.dirty.pop(may) else {
                break;
            };
            let most = share(shares, wants, client).min(tx.free() - ANSWERS);
            self.turn(index, tx, TURN.min(left).min(credit).min(most));
            let sent = self.note_sent(Some(client), tx);
            // A visit counts even if nothing was sent: work is bounded, not only packets.
            let used = sent.max(1);
            self.dirty.charge(client, used);
            left = left.saturating_sub(used);
        }
        if self.dirty.is_empty() {
            return false;
        }
        let free = tx.free() > ANSWERS;
        let (mut waits, mut could) = (false, false);
        for client in (0..self.clients.len()).filter(|&client| self.dirty.has_work(client)) {
            let may = free && share(&self.shares, wants, client) > 0;
            could |= may;
            waits |= !may;
        }
        if waits {
            tx.hurry();
        }
        could
    }

    /// Books what has been sent since the last time for a client, or for nobody. Returns how many
    /// frames that was.
    pub(crate) fn note_sent<T: TxQueue>(&mut self, client: Option<usize>, tx: &mut T) -> usize {
        let account = client.unwrap_or(self.clients.len());
        self.shares
            .note(account, self.counters.tx_frames, tx.free())
    }

    /// The clients that have frames under way or wait for buffers: bit n is client n.
    fn wants(&self) -> u32 {
        (0..self.clients.len())
            .map(|client| u32::from(self.wants_buffers(client)) << client)
            .sum()
    }

    /// Whether a client has frames under way or waits for buffers.
    fn wants_buffers(&self, client: usize) -> bool {
        let now = self.stack.now();
        let waits = self.clients[client]
            .as_ref()
            .is_some_and(|client| client.blocked || client.invited > now);
        waits || self.shares.held(client) > 0 || self.dirty.has_work(client)
    }

    /// How many transmit buffers a client may take now.
    pub(crate) fn room<T: TxQueue>(&mut self, client: usize, tx: &mut T) -> usize {
        self.note_sent(None, tx);
        let free = tx.free().saturating_sub(ANSWERS);
        // On a narrow path a single datagram may need more than a share.
        if self.shares.held(client) == 0 {
            return free;
        }
        share(&self.shares, self.wants(), client).min(free)
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
            if connection.is_sending() {
                let queued = connection.socket().send_queue() as u32;
                if let Some(window) = connection.flow.adjust(queued) {
                    // It may have nothing to send now.
                    self.acknowledge(index, window);
                    continue;
                }
            }
            let set = &mut connection.set;
            let (progress, what) = self.stack.egress(tx, set, &mut self.counters);
            if what.packets > 0 {
                connection.reached = true;
            }
            if let Some(end) = what.data_end {
                let sending = note_sent(connection, end);
                self.counters.tcp_retransmits += u64::from(sending != Sending::New);
                self.counters.tcp_timeouts += u64::from(sending == Sending::TimedOut);
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

    /// Sets a connection's timer: for smoltcp, or for when the peer's silence has lasted long
    /// enough.
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

/// How many transmit buffers a client may take: as many as there are, unless others want some too.
fn share(shares: &Shares, wants: u32, client: usize) -> usize {
    if wants & !(1 << client) == 0 {
        usize::MAX
    } else {
        SHARE.saturating_sub(shares.held(client))
    }
}

/// When the server stops waiting for a connection's peer.
pub(crate) fn patience(connection: &Connection) -> Option<Instant> {
    let since = connection.since;
    match connection.owner {
        Owner::Free => None,
        Owner::Client(_) if connection.connecting => {
            let patience = if connection.reached {
                ATTEMPT
            } else {
                UNREACHED
            };
            Some(since + patience)
        }
        // A reset that cannot be sent because the next hop is gone.
        Owner::Closing { .. } if connection.socket().state() == State::Closed => {
            Some(since + UNREACHED)
        }
        Owner::Closing { .. } => Some((connection.moved + FIN_WAIT).min(since + LINGER)),
        _ if connection.socket().state() == State::Closed => None,
        _ => match connection.waiting_since {
            Some(since) => Some(since + SILENCE),
            None => Some(connection.heard + GONE),
        },
    }
}

/// Why a segment with data was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    /// For the first time, or as a question that repeats a byte.
    New,
    /// Because it is taken for lost.
    Again,
    /// Because the retransmission timer has run out.
    TimedOut,
}

/// Notes that a segment up to `end` has been sent.
fn note_sent(connection: &mut Connection, end: u32) -> Sending {
    let highest = match connection.highest {
        Some(highest) if !before(highest, end) => highest,
        _ => {
            connection.highest = Some(end);
            return Sending::New;
        }
    };
    // Questions whether the peer is still there, or has room again.
    if connection.socket().send_queue() == 0 || connection.flow.is_closed() {
        return Sending::New;
    }
    let oldest = connection.snd_una();
    let requested = core::mem::take(&mut connection.flow.resend);
    if requested || end.wrapping_sub(oldest) > u32::from(MSS) {
        return Sending::Again;
    }
    let flight = highest.wrapping_sub(oldest);
    connection.flow.congestion.timed_out(flight, highest);
    Sending::TimedOut
}
