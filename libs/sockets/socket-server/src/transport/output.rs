// SPDX-License-Identifier: BSD-2-Clause

//! A connection's turn to send.

use super::connection::Sending;
use super::ending::Cause;
use super::tcp::Tcp;
use crate::counters::Counter;
use crate::ethernet::neighbours::RETRY;
use crate::frames::TxQueue;
use crate::ip::Network;
use crate::tables::id::ConnectionId;
use crate::time::Duration;

/// A socket that says that it wants to send, and then does not: look again after this. (It cannot
/// be seen whether that happens at all; it must not become an endless loop.)
const RELUCTANT: Duration = Duration::from_millis(10);

impl Tcp {
    /// Lets a connection send up to `limit` segments.
    pub(crate) fn turn<T: TxQueue>(
        &mut self,
        id: ConnectionId,
        limit: usize,
        net: &mut Network,
        tx: &mut T,
    ) {
        let now = net.now();
        let mut sent = 0;
        let mut tried = false;
        let next = loop {
            let connection = &mut self.connections[id];
            // As if everything were lost: the address may come back.
            if net.interface.lost
                && connection
                    .tuple
                    .is_some_and(|tuple| net.has_lost(tuple.local.0))
            {
                break Some(now + RETRY);
            }
            let at = self.engine.poll_at(&connection.socket, now);
            if at.is_none_or(|at| at > now) {
                break at;
            }
            let free = net.loopback.or(tx, connection.loops).free();
            if sent == limit || free == 0 {
                self.wake(id);
                break None;
            }
            if connection.is_sending() {
                let queued = connection.socket.unacknowledged() as u32;
                if let Some(window) = connection.flow.adjust(queued) {
                    // It may have nothing to send now.
                    self.acknowledge(id, window, net);
                    continue;
                }
            }
            let (progress, what) = self.engine.egress(&mut connection.socket, net, tx);
            connection.note_left(&what);
            if let Some(end) = what.data_end {
                let sending = connection.note_sent(end);
                connection.resent += u32::from(sending != Sending::New);
                net.stats
                    .add(Counter::TcpRetransmits, u64::from(sending != Sending::New));
                net.stats.add(
                    Counter::TcpTimeouts,
                    u64::from(sending == Sending::TimedOut),
                );
            }
            if let Some(next_hop) = what.unresolved {
                if let Some(client) = connection.owner.client()
                    && let Some(host) = net.search(next_hop, client, tx)
                {
                    net.neighbours.wait(id, host);
                }
                break Some(now + RETRY);
            }
            if progress {
                sent += 1;
            } else if tried {
                break Some(now + RELUCTANT);
            }
            tried = !progress;
        };
        if self.connections[id].owes_window() {
            self.show_window(id, net, tx);
        }
        self.settle(id, Cause::Turn, net);
        self.schedule(id, next);
    }

    /// Tells a peer that it may send more. If that gets lost, the peer asks.
    fn show_window<T: TxQueue>(&mut self, id: ConnectionId, net: &mut Network, tx: &mut T) {
        let connection = &mut self.connections[id];
        let Some(tuple) = connection.tuple else {
            return;
        };
        let next_hop = net.next_hop(tuple.remote.0);
        if let Some(Ok(hop)) = next_hop.map(|next_hop| net.hop(next_hop)) {
            let (segment, marks) = (connection.show_window(), connection.marks());
            net.send_segment(segment, &tuple, marks, hop, tx);
            net.send_probe(tx);
        }
    }
}
