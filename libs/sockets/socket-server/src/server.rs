// SPDX-License-Identifier: BSD-2-Clause

//! The server: state, and the two ways into it, [`Server::poll`] for packets and time and
//! [`Server::call`] for requests.

use alloc::vec;
use alloc::vec::Vec;

use smoltcp::time::Instant;

use crate::accounts::client::{Client, ClientPort};
use crate::accounts::ports::Ports;
use crate::accounts::queue::WorkQueue;
use crate::accounts::shares::Shares;
use crate::config::{ClientLimits, Config, ConfigError, check_mac, pool_sizes};
use crate::counters::Counters;
use crate::ethernet::gateway::{Gateway, GatewayEvent};
use crate::ethernet::pending::Pending;
use crate::frames::{Link, Offload, RxQueue, TxQueue};
use crate::ip::packet::Tuple;
use crate::ip::reassembly::{PAYLOAD_MAX, Reassembly};
use crate::ip::send::HEADER;
use crate::ip::stack::Stack;
use crate::protocol::window::Window;
use crate::tables::map::Map;
use crate::tables::timers::Timers;
use crate::transport::connection::TcpPool;
use crate::transport::half_open::Backlog;
use crate::transport::numbers::Numbers;
use crate::transport::time_wait::TimeWait;
use crate::transport::udp::UdpPool;

/// Frames taken a wake-up.
const RX_BUDGET: usize = 128;
/// Frames sent a wake-up.
const TX_BUDGET: usize = 256;
/// Frames sent within one call: what one `send` can fill.
const CALL_BUDGET: usize = 64;

/// What a wake-up or a call has led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Clients to notify: bit n is client n.
    pub notify: u32,
    /// When to call [`Server::poll`] again even if nothing happens, in nanoseconds.
    pub deadline: Option<u64>,
    /// Others want the server's time too: [`Server::spent`] wants to know how long the call took.
    pub metered: bool,
    /// The budget was used up: call [`Server::poll`] again soon.
    pub more_work: bool,
}

/// The socket server. `W` is a client's window.
pub struct Server<W> {
    pub(crate) stack: Stack,
    pub(crate) tcp: TcpPool,
    pub(crate) udp: UdpPool,
    /// Datagrams that wait for an Ethernet address.
    pub(crate) pending: Pending,
    pub(crate) tuples: Map<Tuple, u32>,
    pub(crate) half_open: Backlog,
    pub(crate) time_wait: TimeWait,
    pub(crate) numbers: Numbers,
    pub(crate) ports: Ports,
    pub(crate) reassembly: Reassembly,
    /// Room for a packet that has been put together.
    pub(crate) assembled: Vec<u8>,
    pub(crate) clients: Vec<Option<Client<W>>>,
    /// Connections that may have something to send, by client.
    pub(crate) dirty: WorkQueue,
    /// Transmit buffers under way, by client; the last account is the server's own.
    pub(crate) shares: Shares,
    pub(crate) timers: Timers,
    pub(crate) gateway: Gateway,
    pub(crate) counters: Counters,
    /// The client whose call is being served: it looks at its page before it sleeps, and needs no
    /// notification of what it brought about itself.
    pub(crate) caller: Option<usize>,
    pub(crate) datagram_send: usize,
    pub(crate) epoch: u32,
}

impl<W: Window> Server<W> {
    /// Makes the server with all of its sockets and buffers; later nothing is allocated. `clients`
    /// by slot; a slot may be empty.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(
        config: &Config,
        mut clients: Vec<Option<ClientPort<W>>>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        // Every turn looks at every slot: none behind the last client.
        while clients.pop_if(|last| last.is_none()).is_some() {}
        let limits: Vec<ClientLimits> = clients
            .iter()
            .map(|client| client.as_ref().map(|port| port.limits.clone()))
            .map(Option::unwrap_or_default)
            .collect();
        let (streams, datagrams) = pool_sizes(config, &limits)?;
        // A client that was attached to a server before this one sees here that its sockets are
        // gone.
        for port in clients.iter().flatten() {
            port.ready.set_epoch(config.epoch);
        }
        let seed = |purpose| config.seed(purpose);
        let timer_count = streams + clients.len() + 2;
        Ok(Server {
            stack: Stack::new(config, streams),
            tcp: TcpPool::new(streams, config.stream_receive, config.stream_send),
            udp: UdpPool::new(datagrams, config.datagram_receive, config.datagram_packets),
            pending: Pending::new(clients.len()),
            tuples: Map::new(streams, seed(1)),
            half_open: Backlog::new(seed(3)),
            time_wait: TimeWait::new(seed(4)),
            numbers: Numbers::new(&config.key),
            ports: Ports::new(streams + datagrams, &limits, &config.key),
            reassembly: Reassembly::new(seed(5)),
            assembled: vec![0; HEADER + PAYLOAD_MAX],
            clients: clients
                .into_iter()
                .map(|port| port.map(Client::new))
                .collect(),
            dirty: WorkQueue::new(streams, limits.len()),
            shares: Shares::new(limits.len() + 1),
            timers: Timers::new(timer_count),
            gateway: Gateway::new(),
            counters: Counters::default(),
            caller: None,
            datagram_send: config.datagram_send,
            epoch: config.epoch,
        })
    }

    /// The driver has started, for the first time or anew: takes the Ethernet address, and asks for
    /// the gateway's. What is known of neighbours stays: a driver that restarts has not changed
    /// the link.
    ///
    /// # Errors
    /// The address is none that a device can have; the old one stays.
    pub fn link_up(&mut self, mac: [u8; 6], offload: Offload, now: u64) -> Result<(), ConfigError> {
        check_mac(mac)?;
        self.stack.set_now(instant(now));
        self.stack.set_device(mac, offload);
        if self.stack.gateway().is_some() {
            self.gateway.start(self.stack.now());
            let at = self.stack.now();
            self.timers.set_if_earlier(self.gateway_timer(), at);
        }
        Ok(())
    }

    /// Handles what has come and what is due, within a budget.
    pub fn poll<R: RxQueue, T: TxQueue>(&mut self, now: u64, link: &mut Link<R, T>) -> Outcome {
        self.stack.set_now(instant(now));
        self.unblock(&mut link.tx);
        self.run_timers(&mut link.tx);
        self.time_wait.expire(self.stack.now());
        self.remind(&mut link.tx);
        let mut budget = RX_BUDGET;
        // Without buffers to answer with, frames are taken all the same: an answer can be lost, and
        // what needs none is not.
        while budget > 0 {
            let Some(frame) = link.rx.front() else {
                break;
            };
            self.ingress(frame, &mut link.tx);
            link.rx.pop();
            budget -= 1;
        }
        let more = self.flush(&mut link.tx, TX_BUDGET, |_| true);
        self.outcome(budget == 0 || more)
    }

    /// Answers a request of a client, then sends what it led to.
    pub fn call<T: TxQueue>(
        &mut self,
        client: usize,
        label: u64,
        words: [u64; 4],
        now: u64,
        tx: &mut T,
    ) -> (u64, [u64; 4], Outcome) {
        self.stack.set_now(instant(now));
        let sharers = self.meet(client);
        self.caller = Some(client);
        let (label, words) = self.answer(client, label, words, sharers, tx);
        self.caller = None;
        // What others have to send is not done at this client's expense.
        let more = self.flush(tx, CALL_BUDGET, |whose| whose == client);
        let outcome = Outcome {
            metered: sharers > 1,
            ..self.outcome(more)
        };
        (label, words, outcome)
    }

    /// A client will not come back: its sockets are closed, its connections reset, its ports free.
    /// If it calls all the same, it is told to attach. A number that is no client's changes
    /// nothing.
    pub fn client_gone<T: TxQueue>(&mut self, client: usize, now: u64, tx: &mut T) -> Outcome {
        self.stack.set_now(instant(now));
        self.drop_sockets(client);
        if let Ok(gone) = self.client_mut(client) {
            gone.attached = false;
            gone.notify = false;
        }
        let more = self.flush(tx, CALL_BUDGET, |whose| whose == client);
        self.outcome(more)
    }

    /// News of the gateway since the last call, for the log.
    pub fn take_event(&mut self) -> Option<GatewayEvent> {
        self.gateway.take_event()
    }

    /// What has been counted.
    pub fn counters(&mut self) -> &Counters {
        self.counters.stream_sockets = self.tcp.used() as u64;
        self.counters.half_open = self.half_open.len() as u64;
        self.counters.datagram_sockets = self.udp.used() as u64;
        &self.counters
    }

    fn outcome(&mut self, more_work: bool) -> Outcome {
        Outcome {
            notify: self.take_notifications(),
            metered: false,
            deadline: [self.timers.next(), self.half_open.next()]
                .into_iter()
                .flatten()
                .min()
                .map(nanoseconds),
            more_work,
        }
    }

    /// The time, in nanoseconds.
    pub(crate) fn time(&self) -> u64 {
        nanoseconds(self.stack.now())
    }
}

/// smoltcp counts microseconds.
pub(crate) fn instant(nanoseconds: u64) -> Instant {
    Instant::from_micros((nanoseconds / 1_000) as i64)
}

pub(crate) fn nanoseconds(at: Instant) -> u64 {
    at.total_micros().max(0) as u64 * 1_000
}
