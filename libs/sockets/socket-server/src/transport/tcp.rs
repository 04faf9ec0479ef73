// SPDX-License-Identifier: BSD-2-Clause

//! All TCP connections, and what names them. An entry that ends leaves every list, table and timer
//! in one place, [`Tcp::release`].

use socket_proto::Errno;

use super::buffers::Buffers;
use super::closing::Closing;
use super::connection::{Attempt, Connection, Owner};
use super::engine::{Engine, scale};
use super::half_open::Backlog;
use super::numbers::Numbers;
use super::time_wait::TimeWait;
use crate::config::{ClientLimits, Config};
use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::ip::Network;
use crate::ip::packet::Tuple;
use crate::tables::fair_queue::FairQueue;
use crate::tables::id::ConnectionId;
use crate::tables::list::{Links, Lists};
use crate::tables::map::Map;
use crate::tables::pool::Pool;
use crate::tables::timers::Timers;
use crate::time::{Instant, earliest};

/// The connections.
pub(crate) struct Tcp {
    pub(crate) engine: Engine,
    pub(crate) connections: Pool<ConnectionId, Connection>,
    /// Of listeners' queues: a connection is in one at most.
    pub links: Links<ConnectionId>,
    pub(crate) closing: Closing,
    pub(crate) tuples: Map<Tuple, ConnectionId>,
    pub half_open: Backlog,
    pub(crate) time_wait: TimeWait,
    pub(super) numbers: Numbers,
    pub(crate) timers: Timers<ConnectionId>,
    /// Connections that may have something to send by the device.
    pub queue: FairQueue<ConnectionId>,
    /// Those that may over loopback.
    pub loopback: FairQueue<ConnectionId>,
    /// One list: connections of which the layer above has to take notice.
    pub(crate) changed: Lists<ConnectionId>,
    pub(crate) buffers: Buffers,
    /// How far windows are shifted that are offered to a peer that does so.
    pub(super) scale: u8,
}

impl Tcp {
    /// So many connections for all of these clients together.
    pub(crate) fn new(config: &Config, count: usize, limits: &[ClientLimits]) -> Self {
        let clients = limits.len();
        let buffers = Buffers::new(config, limits, count);
        Tcp {
            engine: Engine::new(config),
            connections: Pool::new(count, || Connection::new(buffers.small.socket())),
            links: Links::new(count),
            closing: Closing::new(count, limits),
            tuples: Map::new(count, config.seed(1)),
            half_open: Backlog::new(config.seed(3)),
            time_wait: TimeWait::new(config.seed(4)),
            numbers: Numbers::new(&config.key),
            timers: Timers::new(count),
            queue: FairQueue::new(count, clients),
            loopback: FairQueue::new(count, clients),
            changed: Lists::new(count, 1),
            scale: scale(buffers.large.receive),
            buffers,
        }
    }

    /// Whether there is a connection between these ends, or was until a moment ago.
    pub(crate) fn is_taken(&self, tuple: &Tuple) -> bool {
        self.tuples.get(tuple).is_some() || self.time_wait.get(tuple).is_some()
    }

    /// When something is due here.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        earliest(&[self.timers.next(), self.half_open.timers.next()])
    }

    /// Does what is due. Each timer comes once a wake-up, so that the work is bounded by their
    /// number.
    pub(crate) fn run_timers<T: TxQueue>(&mut self, net: &mut Network, tx: &mut T) {
        let now = net.now();
        self.time_wait.expire(now);
        self.remind(net, tx);
        for _ in self.connections.ids() {
            let Some(id) = self.timers.pop_due(now) else {
                break;
            };
            let connection = &mut self.connections[id];
            let is_due = connection.deadline().is_some_and(|at| at <= now);
            if is_due && !connection.asks_instead(now) {
                self.give_up(id, net);
            }
            self.wake(id);
        }
    }

    /// Wakes the connections whose next hop's address is there, and those for which it will not
    /// come.
    pub(crate) fn end_waits(&mut self, net: &mut Network) {
        while let Some((id, found)) = net.neighbours.next_waited() {
            match self.connections[id].attempt {
                Attempt::UnderWay if !found => self.fail(id, Errno::EHOSTUNREACH, net),
                _ => self.wake(id),
            }
        }
    }

    /// A connection may have something to send.
    pub(super) fn wake(&mut self, id: ConnectionId) {
        let connection = &self.connections[id];
        if let Some(client) = connection.owner.client()
            && !connection.has_failed()
        {
            let queue = match connection.loops {
                true => &mut self.loopback,
                false => &mut self.queue,
            };
            queue.push(id, client);
        }
    }

    /// Sets a connection's timer: for smoltcp, or for when the peer's silence has lasted long
    /// enough.
    pub(super) fn schedule(&mut self, id: ConnectionId, next: Option<Instant>) {
        let connection = &self.connections[id];
        let over = connection.owner == Owner::Free || connection.has_failed();
        if let Some(at) = earliest(&[next, connection.deadline()]).filter(|_| !over) {
            self.timers.set_if_earlier(id, at);
        }
    }

    /// Takes a connection out of the pool. If it is empty, one that is closing makes room.
    pub(super) fn take(
        &mut self,
        owner: Owner,
        tuple: Tuple,
        iss: u32,
        net: &mut Network,
    ) -> Option<ConnectionId> {
        if self.connections.is_full() {
            let victim = self.closing.victim(owner.client())?;
            net.stats.inc(Counter::TcpReclaimed);
            self.release(victim, net);
        }
        let id = self.connections.take()?;
        if let Some(client) = owner.client() {
            self.closing.took(client);
        }
        self.connections[id].begin(owner, tuple, iss, net.now());
        self.connections[id].loops = net.is_own(tuple.remote.0);
        // There are as many names as connections.
        let _ = self.tuples.insert(tuple, id);
        let used = self.connections.used() as u64;
        net.stats.count(Counter::StreamSocketsPeak).raise(used);
        Some(id)
    }

    /// Frees the four values that name a connection for a new one.
    pub(super) fn forget_tuple(&mut self, id: ConnectionId) {
        if let Some(tuple) = self.connections[id].tuple
            && self.tuples.get(&tuple) == Some(id)
        {
            self.tuples.remove(&tuple);
        }
    }

    /// Puts a connection back into the pool, whatever its peer still thinks. It leaves all lists
    /// here; that of a listener it has left.
    pub(crate) fn release(&mut self, id: ConnectionId, net: &mut Network) {
        self.retire(id, net);
        self.give_back(id);
        let connection = &mut self.connections[id];
        if let Some(client) = connection.owner.client() {
            self.closing.gave_back(id, client);
        }
        connection.socket.abort();
        connection.owner = Owner::Free;
        connection.tuple = None;
        self.connections.put_back(id);
    }

    /// Nothing more is to happen to a connection: it has neither name nor timer, and waits for
    /// nothing.
    pub(super) fn retire(&mut self, id: ConnectionId, net: &mut Network) {
        self.forget_tuple(id);
        self.timers.clear(id);
        self.queue.remove(id);
        self.loopback.remove(id);
        self.changed.remove(id);
        net.neighbours.waiting.remove(id);
    }
}
