// SPDX-License-Identifier: BSD-2-Clause

//! The server: the layers on top of one another, and the two ways into them. A frame or a time
//! comes in by [`Server::poll`] at the bottom and goes up (`ingress.rs`), a request comes in by
//! [`Server::call`] at the top.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use socket_proto::{Errno, Operation};

use crate::accounts::Accounts;
use crate::accounts::account::ClientPort;
use crate::accounts::ports::Ports;
use crate::accounts::schedule::Schedule;
use crate::capture::{On, Tap, Tapped, Way};
use crate::config::{ClientLimits, Config, ConfigError, pool_sizes};
use crate::counters::{Counter, Counters};
use crate::ethernet::gateway::GatewayEvent;
use crate::ethernet::is_card;
use crate::frames::{Link, Offload, RxQueue, TxQueue};
use crate::ip::Network;
use crate::ip::link6::AddressEvent;
use crate::ip::output::{HEADER6, Outgoing};
use crate::ip::reassembly::PAYLOAD_MAX;
use crate::protocol::window::Window;
use crate::sockets::Call;
use crate::sockets::socket::Role;
use crate::tables::id::{ClientId, SocketId};
use crate::tables::set::ClientSet;
use crate::time::{earliest, instant, nanoseconds};
use crate::transport::connection::{Attempt, Owner};
use crate::transport::tcp::Tcp;

/// Frames taken a wake-up.
const RX_BUDGET: usize = 128;
/// Frames of loopback taken a wake-up.
const LOOPBACK_BUDGET: usize = 128;
/// Frames sent a wake-up, by the device and over loopback.
const TX_BUDGET: usize = 256;
/// Frames sent within one call: what one `send` can fill.
const CALL_BUDGET: usize = 64;

/// What a wake-up or a call has led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Clients to notify: bit n is client n.
    pub notify: u64,
    /// When to call [`Server::poll`] again even if nothing happens, in nanoseconds.
    pub deadline: Option<u64>,
    /// Others want the server's time too: [`Server::spent`] wants to know how long the call took.
    pub metered: bool,
    /// The budget was used up, or something is on its way over loopback: call [`Server::poll`]
    /// again soon.
    pub more_work: bool,
}

/// The socket server. `W` is a client's window.
pub struct Server<W> {
    pub(crate) net: Network,
    pub(crate) tcp: Tcp,
    pub(crate) ports: Ports,
    pub(crate) schedule: Schedule,
    pub(crate) accounts: Accounts<W>,
    /// Room for a packet that has been put together.
    pub(crate) assembled: Vec<u8>,
    datagram_send: usize,
    pub(crate) epoch: u32,
    pub(crate) tap: Rc<Tap>,
    /// Somebody captures.
    pub(crate) tapping: bool,
}

impl<W: Window> Server<W> {
    /// Makes the server with all of its sockets and buffers; later nothing is allocated. A client
    /// is known by its place in `clients`.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(
        config: &Config,
        clients: Vec<ClientPort<W>>,
        stats: &Counters,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let limits = clients.iter().map(|port| port.limits.clone());
        let limits: Vec<ClientLimits> = limits.collect();
        let (streams, datagrams) = pool_sizes(config, &limits)?;
        // A client that was attached to a server before this one sees here that its sockets are
        // gone.
        for port in &clients {
            port.ready.set_epoch(config.epoch);
        }
        stats.count(Counter::DatagramSockets).set(0);
        stats.set(Counter::StreamSocketsTotal, streams as u64);
        Ok(Server {
            net: Network::new(config, streams, clients.len(), *stats),
            tcp: Tcp::new(config, streams, &limits),
            ports: Ports::new(streams + datagrams, &limits, &config.key),
            schedule: Schedule::new(&limits, *stats),
            accounts: Accounts::new(clients, config.datagram_receive),
            assembled: vec![0; HEADER6 + PAYLOAD_MAX],
            datagram_send: config.datagram_send,
            epoch: config.epoch,
            tap: Rc::new(Tap::new(&limits, *stats)),
            tapping: false,
        })
    }

    /// The driver has started, for the first time or anew: takes the Ethernet address, and asks for
    /// the gateway's.
    ///
    /// # Errors
    /// No device can have this address; the old one stays.
    pub fn link_up(&mut self, mac: [u8; 6], offload: Offload, now: u64) -> Result<(), ConfigError> {
        if !is_card(mac) {
            return Err(ConfigError::Mac);
        }
        self.net.set_now(instant(now));
        self.net.link_up(mac, offload);
        Ok(())
    }

    /// The device says whether the link is up. While it is down connections over it send nothing;
    /// their timers go on.
    pub fn set_link(&mut self, up: bool, now: u64) {
        self.net.set_now(instant(now));
        self.net.set_link(up);
    }

    /// Handles what has come and what is due, within a budget.
    pub fn poll<R: RxQueue, T: TxQueue>(&mut self, now: u64, link: &mut Link<R, T>) -> Outcome {
        let tap = self.tap();
        let tx = &mut Tapped::new(&mut link.tx, tap.as_deref(), now);
        self.net.set_now(instant(now));
        self.net.run_timers(tx);
        self.tcp.run_timers(&mut self.net, tx);
        self.accounts.run_timers(self.net.now());
        self.schedule.rates.run_timers(self.net.now());
        let mut budget = match self.net.interface.up {
            true => RX_BUDGET,
            false => self.net.discard(RX_BUDGET, &mut link.rx),
        };
        // Without buffers to answer with, frames are taken all the same: an answer can be lost, and
        // what needs none is not.
        while budget > 0 {
            let Some(frame) = link.rx.front() else {
                break;
            };
            tx.pass(On::Device, Way::Received, frame);
            self.ingress(frame, tx);
            link.rx.pop();
            budget -= 1;
        }
        self.loop_back(LOOPBACK_BUDGET, tx);
        self.unblock(tx);
        self.end_waits();
        let everyone = ClientSet(u64::MAX);
        self.outcome(everyone, TX_BUDGET, budget == 0, tx)
    }

    /// Replies to a request of a client, then sends what it led to.
    pub fn call<T: TxQueue>(
        &mut self,
        client: usize,
        label: u64,
        words: [u64; 4],
        now: u64,
        tx: &mut T,
    ) -> (u64, [u64; 4], Outcome) {
        let tap = self.tap();
        let tx = &mut Tapped::new(tx, tap.as_deref(), now);
        self.net.set_now(instant(now));
        let client = self.accounts.find(client);
        let sharers = client.map_or(0, |client| self.accounts.meet(client, self.net.now()));
        // Others may have to do something about it.
        let changes = label == Operation::Change.raw();
        let (label, words) = self.answer(client, label, words, sharers, tx);
        self.take_changes(client);
        let outcome = Outcome {
            metered: sharers > 1,
            ..self.outcome(client.into(), CALL_BUDGET, changes, tx)
        };
        (label, words, outcome)
    }

    /// A call of this client took so many nanoseconds. To be told if [`Outcome::metered`] is set.
    pub fn spent(&mut self, client: usize, nanoseconds: u64) {
        if let Some(client) = self.accounts.find(client) {
            self.accounts.get_mut(client).meter.spend(nanoseconds);
        }
    }

    /// A client will not come back: its sockets are closed, its connections reset, its ports free.
    /// If it calls all the same, it is told to attach. A number that is no client's changes
    /// nothing.
    pub fn client_gone<T: TxQueue>(&mut self, client: usize, now: u64, tx: &mut T) -> Outcome {
        self.net.set_now(instant(now));
        let client = self.accounts.find(client);
        let tap = self.tap();
        let tx = &mut Tapped::new(tx, tap.as_deref(), now);
        if let Some(client) = client {
            self.end_capture(client);
            let mut call = self.begin(client);
            call.close_all();
            call.account.attached = false;
            call.account.notify = false;
        }
        self.outcome(client.into(), CALL_BUDGET, false, tx)
    }

    /// Which frames the device is to receive besides those for its own address and for all hosts,
    /// if that may have changed since the last call: whether all of them, and else those for which
    /// groups. An address may come twice.
    #[inline]
    pub fn take_groups(&mut self) -> Option<(bool, impl Iterator<Item = [u8; 6]>)> {
        match self.net.take_groups_changed() {
            true => Some((self.net.promiscuous, self.net.groups())),
            false => None,
        }
    }

    /// News of the gateway since the last call, for the log.
    pub fn take_event(&mut self) -> Option<GatewayEvent> {
        self.net.gateway.event.take()
    }

    /// News of an address since the last call, for the log; there may be more.
    #[inline]
    pub fn take_address_event(&mut self) -> Option<AddressEvent> {
        self.net.take_address_event()
    }

    /// Tells those who waited for a host's Ethernet address that it is there, or will not come.
    pub(crate) fn end_waits(&mut self) {
        self.tcp.end_waits(&mut self.net);
        while let Some(outgoing) = self.net.next_undeliverable() {
            let Outgoing {
                protocol, tuple, ..
            } = outgoing;
            self.datagram_failed(protocol, tuple, Errno::EHOSTUNREACH);
        }
    }

    /// What looks at frames.
    #[inline]
    fn tap(&self) -> Option<Rc<Tap>> {
        self.tapping.then(|| Rc::clone(&self.tap))
    }

    /// Sends, tells sockets what has changed, and sums up.
    fn outcome<T: TxQueue>(
        &mut self,
        whose: ClientSet,
        budget: usize,
        more_work: bool,
        tx: &mut T,
    ) -> Outcome {
        let (tcp, net) = (&mut self.tcp, &mut self.net);
        // What is sent into a link that is down is lost.
        let mut more = net.interface.link_up && self.schedule.flush(whose, budget, tcp, net, tx);
        more |= self.schedule.flush_loopback(whose, budget, tcp, net, tx);
        more |= !net.loopback.is_empty();
        self.take_changes(None);
        let now = self.net.now();
        let stats = self.net.stats;
        let (used, half_open) = (self.tcp.connections.used(), self.tcp.half_open.known.len());
        stats.count(Counter::StreamSockets).set(used as u64);
        stats.count(Counter::TcpHalfOpen).set(half_open as u64);
        Outcome {
            notify: self.accounts.take_news(now, self.net.stats).0,
            metered: false,
            deadline: earliest(&[
                self.net.next_due(),
                self.tcp.next_due(),
                self.accounts.timers.next(),
                self.schedule.rates.next_due(),
            ])
            .map(nanoseconds),
            more_work: more_work || more,
        }
    }

    /// What a client's call works with: its account, and the layers below.
    pub(crate) fn begin(&mut self, client: ClientId) -> Call<'_, W> {
        Call {
            client,
            account: self.accounts.get_mut(client),
            schedule: &mut self.schedule,
            ports: &mut self.ports,
            tcp: &mut self.tcp,
            net: &mut self.net,
            datagram_send: self.datagram_send,
        }
    }

    /// Transmit buffers have come back: datagram sockets that wait for some can send again.
    fn unblock<T: TxQueue>(&mut self, tx: &mut T) {
        while let Some(client) = self.schedule.unblock(&self.tcp, &self.net, tx) {
            let account = self.accounts.get_mut(client);
            for slot in account.slots() {
                if let Ok(socket) = account.socket_mut(slot)
                    && let Role::Datagram(datagram) = &mut socket.role
                    && core::mem::take(&mut datagram.blocked)
                {
                    account.notify |= account.refresh(slot, &mut self.tcp);
                }
            }
        }
    }

    /// Takes notice of the connections that have changed.
    fn take_changes(&mut self, caller: Option<ClientId>) {
        while let Some(id) = self.tcp.changed.pop(0) {
            let connection = &self.tcp.connections[id];
            let Owner::Socket(socket) = connection.owner else {
                continue;
            };
            if let Attempt::Failed(errno) = connection.attempt {
                let mut call = self.begin(socket.client);
                call.attempt_failed(socket.slot, errno);
            }
            self.refresh(socket, caller);
        }
    }

    pub(crate) fn refresh(&mut self, socket: SocketId, caller: Option<ClientId>) {
        self.accounts.refresh(socket, caller, &mut self.tcp);
    }
}
