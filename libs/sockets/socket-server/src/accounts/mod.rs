// SPDX-License-Identifier: BSD-2-Clause

//! A client is an account: what it has and may use, its ports, its turns to send, its share of the
//! server's time. Nothing here walks over clients that are idle.

pub mod account;
pub mod meter;
pub mod ports;
pub mod rates;
pub mod schedule;
mod shares;

use alloc::vec::Vec;

use crate::counters::{Counter, Counters};
use crate::tables::id::{ClientId, Id, SocketId};
use crate::tables::set::{ClientSet, TimedSet};
use crate::tables::timers::Timers;
use crate::time::{Instant, earliest};
use crate::transport::tcp::Tcp;
use account::{Account, ClientPort};
use meter::PRESENT;

/// All accounts.
pub(crate) struct Accounts<W> {
    /// By client.
    accounts: Vec<Account<W>>,
    /// Accounts that may have news for their clients.
    touched: ClientSet,
    /// When a client's deadline passes, or calls that were refused are worth trying again.
    pub(crate) timers: Timers<ClientId>,
    /// Clients that want the server's time.
    present: TimedSet,
}

impl<W> Accounts<W> {
    /// By client. A datagram socket may hold so many bytes.
    pub(crate) fn new(ports: Vec<ClientPort<W>>, datagram_receive: usize) -> Self {
        let count = ports.len();
        Accounts {
            accounts: ports
                .into_iter()
                .map(|port| Account::new(port, datagram_receive))
                .collect(),
            touched: ClientSet::default(),
            timers: Timers::new(count),
            present: TimedSet::new(count),
        }
    }

    /// The client with a number that came from outside.
    pub(crate) fn find(&self, number: usize) -> Option<ClientId> {
        (number < self.accounts.len()).then(|| ClientId::new(number))
    }

    pub(crate) fn get(&self, client: ClientId) -> &Account<W> {
        &self.accounts[client.index()]
    }

    /// An account to change. What it has to tell its client is found by [`Self::take_news`].
    pub(crate) fn get_mut(&mut self, client: ClientId) -> &mut Account<W> {
        self.touched.set(client, true);
        &mut self.accounts[client.index()]
    }

    /// Brings a socket's word in its client's page up to date. The client is notified of what
    /// became ready, unless it is in a call: it looks at its page before it sleeps.
    pub(crate) fn refresh(&mut self, socket: SocketId, caller: Option<ClientId>, tcp: &mut Tcp) {
        let account = self.get_mut(socket.client);
        let rising = account.refresh(socket.slot, tcp);
        account.notify |= rising && caller != Some(socket.client);
    }

    /// Whom to notify. Pages are complete by then.
    pub(crate) fn take_news(&mut self, now: Instant, stats: Counters) -> ClientSet {
        let mut notify = ClientSet::default();
        for client in core::mem::take(&mut self.touched).iter() {
            let account = &mut self.accounts[client.index()];
            if let Some(at) = earliest(&[account.deadline, account.refill]) {
                self.timers.set_if_earlier(client, at);
            }
            // A client that was refused would be refused again. Its news wait.
            if account.refill.is_some() {
                continue;
            }
            if core::mem::take(&mut account.notify) {
                notify.set(client, true);
                // It is expected to call.
                self.present.add(client, now + PRESENT);
                stats.inc(Counter::ReadyNotifications);
            }
        }
        notify
    }

    /// Wakes the clients whose deadline has passed, or that may try again.
    pub(crate) fn run_timers(&mut self, now: Instant) {
        while let Some(client) = self.timers.pop_due(now) {
            let account = self.get_mut(client);
            account.notify |= account.deadline.take_if(|at| *at <= now).is_some();
            if account.refill.take_if(|at| *at <= now).is_some() {
                account.notify = true;
                // So that it looks at its sockets, of which none may have become ready.
                account.ready.log_all();
            }
        }
    }
}
