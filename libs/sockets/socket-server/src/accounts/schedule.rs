// SPDX-License-Identifier: BSD-2-Clause

//! Whose turn it is to send: over the accounts first, then over an account's connections.

use super::rates::Rates;
use super::shares::{ANSWERS, SERVER, SHARE, Shares};
use crate::config::ClientLimits;
use crate::counters::{Counter, Counters};
use crate::frames::TxQueue;
use crate::frames::loopback::CLIENT_FRAMES;
use crate::ip::Network;
use crate::tables::id::ClientId;
use crate::tables::set::{ClientSet, TimedSet};
use crate::time::{Duration, Instant};
use crate::transport::tcp::Tcp;

/// Segments of one connection before the next has its turn.
const TURN: usize = 16;
/// How long a share is kept for a client that has been told that it can send again.
const INVITATION: Duration = Duration::from_millis(10);

/// The schedule.
pub(crate) struct Schedule {
    /// Transmit buffers under way.
    shares: Shares,
    pub(crate) rates: Rates,
    /// Clients with a datagram socket that waits for transmit buffers.
    blocked: ClientSet,
    /// Clients with one that waits for room in loopback.
    blocked_there: ClientSet,
    /// Clients whose share of the buffers is kept, because they have been told that there are some.
    invited: TimedSet,
}

impl Schedule {
    pub(crate) fn new(clients: &[ClientLimits], stats: Counters) -> Self {
        Schedule {
            shares: Shares::new(stats.count(Counter::TxFrames).get()),
            rates: Rates::new(clients, stats.count(Counter::TxBytes).get()),
            blocked: ClientSet::default(),
            blocked_there: ClientSet::default(),
            invited: TimedSet::new(clients.len()),
        }
    }

    /// Lets connections of some clients send, up to a budget of frames, which these clients share
    /// equally. Returns whether there is more that could be sent at once.
    pub(crate) fn flush<T: TxQueue>(
        &mut self,
        whose: ClientSet,
        budget: usize,
        tcp: &mut Tcp,
        net: &mut Network,
        tx: &mut T,
    ) -> bool {
        self.note_sent(SERVER, net, tx);
        if tcp.queue.waiting.is_empty() {
            return false;
        }
        let wants = self.wants(tcp, net.now());
        let mut left = budget;
        while left > 0 && tx.free() > ANSWERS {
            let may = self.with_room(wants);
            let Some(turn) = tcp.queue.pop(ClientSet(whose.0 & may.0)) else {
                break;
            };
            let client = turn.client;
            let most = self.share(wants, client).min(tx.free() - ANSWERS);
            tcp.turn(turn.id, TURN.min(left).min(turn.credit).min(most), net, tx);
            // A visit counts even if nothing was sent: work is bounded, not only packets.
            let used = self.note_sent(client, net, tx).max(1);
            tcp.queue.charge(client, used);
            left = left.saturating_sub(used);
        }
        let waiting = tcp.queue.waiting.without(self.rates.paused);
        let may = if tx.free() > ANSWERS {
            self.with_room(wants)
        } else {
            ClientSet::default()
        };
        if waiting.0 & !may.0 != 0 {
            tx.hurry();
        }
        waiting.0 & may.0 != 0
    }

    /// Lets connections of some clients send over loopback, up to a budget of frames. Returns
    /// whether there is more that could be sent at once.
    pub(crate) fn flush_loopback<T: TxQueue>(
        &mut self,
        whose: ClientSet,
        budget: usize,
        tcp: &mut Tcp,
        net: &mut Network,
        tx: &mut T,
    ) -> bool {
        if tcp.loopback.waiting.is_empty() {
            return false;
        }
        let mut left = budget;
        while left > 0
            && let Some(turn) = tcp.loopback.pop(whose & net.loopback.with_room())
        {
            let client = turn.client;
            let before = net.loopback.room(client);
            net.loopback.set_sender(client);
            tcp.turn(turn.id, TURN.min(left).min(turn.credit), net, tx);
            net.loopback.set_sender(SERVER);
            let used = before.saturating_sub(net.loopback.room(client)).max(1);
            tcp.loopback.charge(client, used);
            left = left.saturating_sub(used);
        }
        !(tcp.loopback.waiting & net.loopback.with_room()).is_empty()
    }

    /// Books what has been sent since the last time for an account. Returns how many frames that
    /// was.
    pub(crate) fn note_sent<T: TxQueue>(
        &mut self,
        account: ClientId,
        net: &Network,
        tx: &mut T,
    ) -> usize {
        let count = |counter| net.stats.count(counter).get();
        let sent = self
            .shares
            .note(account, count(Counter::TxFrames), tx.free());
        if !self.rates.is_empty() {
            let bytes = count(Counter::TxBytes);
            self.rates.note(account, sent, bytes, net.now());
        }
        sent
    }

    /// The clients that have frames under way or wait for buffers that they may have.
    fn wants(&mut self, tcp: &Tcp, now: Instant) -> ClientSet {
        let invited = self.invited.members(now);
        let waiting = (tcp.queue.waiting | self.blocked).without(self.rates.paused);
        self.shares.holders | waiting | invited
    }

    /// How many transmit buffers a client may take: as many as there are, unless others want some
    /// too.
    fn share(&self, wants: ClientSet, client: ClientId) -> usize {
        if wants.has_others(client) {
            SHARE.saturating_sub(self.shares.held(client))
        } else {
            usize::MAX
        }
    }

    /// The clients that may take transmit buffers.
    fn with_room(&self, wants: ClientSet) -> ClientSet {
        let alone = wants.0.is_power_of_two();
        let room = ClientSet(!self.shares.full.0 | if alone { wants.0 } else { 0 });
        room.without(self.rates.paused)
    }

    /// How many transmit buffers a client may take now.
    pub(crate) fn room<T: TxQueue>(
        &mut self,
        client: ClientId,
        tcp: &Tcp,
        net: &Network,
        tx: &mut T,
    ) -> usize {
        self.note_sent(SERVER, net, tx);
        if self.rates.paused.contains(client) {
            return 0;
        }
        let free = tx.free().saturating_sub(ANSWERS);
        // On a narrow path a single datagram may need more than a share.
        if self.shares.held(client) == 0 {
            return free;
        }
        let wants = self.wants(tcp, net.now());
        self.share(wants, client).min(free)
    }

    /// A datagram socket of a client waits for transmit buffers, or for room in loopback.
    pub(crate) fn block(&mut self, client: ClientId, loops: bool) {
        if loops {
            self.blocked_there.set(client, true);
        } else {
            self.blocked.set(client, true);
        }
    }

    /// Takes out a client whose datagram sockets wait for transmit buffers, or for room in
    /// loopback, and for which there is some now.
    pub(crate) fn unblock<T: TxQueue>(
        &mut self,
        tcp: &Tcp,
        net: &Network,
        tx: &mut T,
    ) -> Option<ClientId> {
        for client in self.blocked.iter() {
            if self.room(client, tcp, net, tx) >= Network::FRAGMENT_RESERVE {
                self.blocked.set(client, false);
                self.invited.add(client, net.now() + INVITATION);
                return Some(client);
            }
        }
        for client in self.blocked_there.iter() {
            if 2 * net.loopback.room(client) >= CLIENT_FRAMES {
                self.blocked_there.set(client, false);
                return Some(client);
            }
        }
        None
    }
}
