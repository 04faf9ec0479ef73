// SPDX-License-Identifier: BSD-2-Clause

//! The server, its link and its test peer, and the steps of their clock.

use std::net::{Ipv4Addr, Ipv6Addr};

use socket_proto::{Call, Errno, Failure, op, reply};
use socket_server::{
    ClientLimits, Config, Destination, Link, Names, Offload, Outcome, PortRange, Server,
};

use stats::{NetServer as Counter, Reader, Sample, StatsPage, Writer};

use crate::memory::page;
use crate::{ClientMemory, Faults, Medium, Peer, SERVER, SharedWindow, SimRx, SimTx};

/// The server's Ethernet address.
pub const SERVER_MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
/// The test peer's Ethernet address.
pub const PEER_MAC: [u8; 6] = [0x52, 0x55, 0x0a, 0, 2, 2];
/// The server's address.
pub const SERVER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
/// The test peer's address. It is the server's gateway, too.
pub const PEER_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
/// The server's IPv6 address, where it has one.
pub const SERVER_IP6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0x15);
/// The test peer's IPv6 address. It is the server's gateway, too.
pub const PEER_IP6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2);
/// Bytes of the half of a window that the client writes.
pub const C2S: u32 = 128 << 10;
/// Bytes of the half of a window that the server writes.
pub const S2C: u32 = 128 << 10;

const SECOND: u64 = 1_000_000_000;

/// What the server is told.
pub fn config() -> Config {
    Config {
        address: SERVER_IP,
        prefix: 24,
        gateway: Some(PEER_IP),
        dhcp: None,
        hostname: "tested",
        names: Names::default(),
        address6: None,
        gateway6: None,
        autoconf: false,
        key: *b"a key for tests.",
        epoch: 1,
        closing: 8,
        stream_receive: 1 << 16,
        stream_send: 1 << 16,
        datagram_receive: 1 << 17,
        datagram_send: 65_507,
    }
}

/// As [`config`], with IPv6 on the link.
pub fn config6() -> Config {
    Config {
        address6: Some((SERVER_IP6, 64)),
        gateway6: Some(PEER_IP6),
        ..config()
    }
}

/// Everything is allowed.
pub fn limits(streams: usize, datagrams: usize) -> ClientLimits {
    ClientLimits {
        stream_sockets: streams,
        datagram_sockets: datagrams,
        stream_memory: usize::MAX,
        datagram_memory: datagrams.min(8) << 17,
        capture: 0,
        tcp_ports: vec![PortRange::ALL],
        udp_ports: vec![PortRange::ALL],
        tcp_destinations: vec![Destination::ANYWHERE],
        udp_destinations: vec![Destination::ANYWHERE],
        icmp: true,
        multicast: true,
        ..ClientLimits::default()
    }
}

/// As [`limits`], and may change the machine's place on the network.
pub fn administrator(streams: usize, datagrams: usize) -> ClientLimits {
    ClientLimits {
        administration: true,
        name: "administrator",
        ..limits(streams, datagrams)
    }
}

/// The server, its link and its peer.
pub struct World {
    /// The time, in nanoseconds.
    pub now: u64,
    /// The link.
    pub medium: Medium,
    /// The server's queues on it.
    pub link: Link<SimRx, SimTx>,
    /// The server.
    pub server: Server<SharedWindow>,
    /// Where it counts.
    counters: Writer<Counter>,
    /// The test peer at the far end.
    pub peer: Peer,
    /// What each client shares with the server.
    pub clients: Vec<ClientMemory>,
    /// What the server was told at its start, and is told at the next one.
    pub config: Config,
    /// What each client may use, from the next start on.
    pub limits: Vec<ClientLimits>,
    /// What the server last said.
    pub outcome: Outcome,
    /// How often in a row its deadline had passed already.
    overdue: u32,
    /// Clients that were notified since they last looked.
    pub notified: u64,
    /// Whether the server audits itself after each step, which takes long with thousands of
    /// sockets.
    pub audits: bool,
    /// What was done with the server, if wanted.
    pub script: Option<Vec<Event>>,
}

/// One use of the server.
pub enum Event {
    /// Frames and time.
    Poll {
        /// The time in nanoseconds.
        now: u64,
        /// The frames that it took.
        frames: Vec<Vec<u8>>,
    },
    /// A client's call.
    Call {
        /// The time in nanoseconds.
        now: u64,
        /// Which client.
        client: usize,
        /// Label of the request.
        label: u64,
        /// Words of the request.
        words: [u64; 4],
        /// The client's half of the window.
        window: Vec<u8>,
    },
}

impl World {
    /// A world without faults, with one client that has attached.
    pub fn simple() -> World {
        World::new(config(), vec![limits(32, 8)], Faults::none())
    }

    /// A world with a client for each of `limits`, all of them attached.
    pub fn new(config: Config, limits: Vec<ClientLimits>, faults: Faults) -> World {
        World::with_peer(config, limits, faults, 600)
    }

    /// `peers` is how many sockets the peer can have.
    pub fn with_peer(
        config: Config,
        limits: Vec<ClientLimits>,
        faults: Faults,
        peers: usize,
    ) -> World {
        let medium = Medium::new(faults);
        let clients: Vec<ClientMemory> = limits.iter().map(|_| ClientMemory::new()).collect();
        let now = SECOND;
        let counters = Writer::attach(page::<StatsPage>(), 0);
        let mut world = World {
            now,
            link: medium.server_end(512),
            peer: Peer::new(&medium, peers),
            medium,
            server: start(&config, &clients, &limits, &counters, now),
            counters,
            clients,
            config,
            limits,
            outcome: Outcome::default(),
            overdue: 0,
            notified: 0,
            audits: true,
            script: None,
        };
        for client in 0..world.clients.len() {
            world.attach(client);
        }
        // The ARP probe finds the gateway; addresses of IPv6 are used when nobody else has them.
        let on_link = world.config.autoconf || world.config.address6.is_some();
        world.run_for(if on_link { 3 * SECOND } else { SECOND / 10 });
        world
    }

    /// A new life of the server, which knows nothing of the last one. Clients are notified, and are
    /// not attached.
    pub fn restart(&mut self) {
        self.config.epoch += 1;
        self.counters = Writer::attach(page::<StatsPage>(), 0);
        let (config, clients, limits) = (&self.config, &self.clients, &self.limits);
        self.server = start(config, clients, limits, &self.counters, self.now);
        self.outcome = Outcome {
            more_work: true,
            ..Outcome::default()
        };
        self.notified = u64::MAX;
    }

    /// Attaches a client.
    pub fn attach(&mut self, client: usize) {
        let version = socket_proto::VERSION;
        self.call(client, op::Attach { version }).expect("attach");
    }

    /// A client's call. It fails with no error that the protocol does not name for it.
    pub fn call<C: Call>(&mut self, client: usize, request: C) -> Result<C::Reply, Failure> {
        let (label, words) = (C::OPERATION.raw(), request.encode());
        let (label, words) = self.raw_call(client, label, words);
        let reply = reply::decode(label, words);
        if let Err(Failure::Errno(errno)) = reply {
            let operation = C::OPERATION;
            let named = operation.info().returns(errno);
            assert!(named, "{} returns {}", operation.name(), errno.name());
        }
        reply
    }

    /// A call with any words. Returns label and words of the reply.
    #[track_caller]
    pub fn raw_call(&mut self, client: usize, label: u64, words: [u64; 4]) -> (u64, [u64; 4]) {
        self.medium.set_now(self.now);
        if let Some(script) = &mut self.script {
            let window = self.clients[client].written();
            script.push(Event::Call {
                window,
                now: self.now,
                client,
                label,
                words,
            });
        }
        let tx = &mut self.link.tx;
        let (label, words, outcome) = self.server.call(client, label, words, self.now, tx);
        self.take(outcome);
        (label, words)
    }

    /// The supervisor says that a client will not come back.
    pub fn client_gone(&mut self, client: usize) {
        self.medium.set_now(self.now);
        let outcome = self.server.client_gone(client, self.now, &mut self.link.tx);
        self.take(outcome);
    }

    #[track_caller]
    fn take(&mut self, outcome: Outcome) {
        if self.audits {
            assert_eq!(self.server.audit(), Ok(()));
        }
        self.notified |= outcome.notify;
        self.outcome = outcome;
    }

    /// Puts a frame in front of the server and lets it look.
    pub fn inject(&mut self, frame: Vec<u8>) {
        self.medium.inject(SERVER, frame);
        self.step(self.now);
    }

    /// Whether a client was notified since the last look.
    pub fn take_notified(&mut self, client: usize) -> bool {
        let bit = 1 << client;
        let notified = self.notified & bit != 0;
        self.notified &= !bit;
        notified
    }

    /// Goes to the next moment at which something happens, but not further than `until`, and lets
    /// it happen.
    pub fn step(&mut self, until: u64) {
        let mut next = until;
        if self.outcome.more_work {
            next = self.now;
        }
        if let Some(deadline) = self.outcome.deadline {
            next = next.min(deadline);
        }
        if let Some(at) = self.medium.next_delivery() {
            next = next.min(at);
        }
        if let Some(at) = self.peer.poll_at(self.now) {
            next = next.min(at);
        }
        // A microsecond is the least that smoltcp sees.
        self.now = next.max(self.now + 1_000).min(until.max(self.now + 1_000));
        self.medium.set_now(self.now);
        self.peer.poll(self.now);
        if self.script.is_some() {
            self.medium.start_recording();
        }
        let outcome = self.server.poll(self.now, &mut self.link);
        // A server that always wakes itself at once leaves no time to a driver of lower priority.
        let overdue = outcome.deadline.is_some_and(|at| at <= self.now);
        self.overdue = if overdue { self.overdue + 1 } else { 0 };
        assert!(self.overdue < 8, "at {}: {outcome:?}", self.now);
        if let Some(script) = &mut self.script {
            script.push(Event::Poll {
                now: self.now,
                frames: self.medium.take_recording(),
            });
        }
        self.take(outcome);
        self.peer.poll(self.now);
    }

    /// Goes on until nothing is on the link and nobody has anything to do at once.
    pub fn settle(&mut self) {
        let limit = self.now + SECOND;
        while self.outcome.more_work
            || self.medium.next_delivery().is_some()
            || self.peer.poll_at(self.now).is_some_and(|at| at <= self.now)
        {
            assert!(self.now < limit, "no rest: {:?}", self.outcome);
            self.step(self.now + SECOND);
        }
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, nanoseconds: u64) {
        let until = self.now + nanoseconds;
        let mut steps = 0;
        while self.now < until {
            self.step(until);
            steps += 1;
            assert!(steps < 1_000_000, "no rest: {:?}", self.outcome);
        }
    }

    /// Steps until something holds, for a simulated minute (ten under faults) at most.
    #[track_caller]
    pub fn run_until(&mut self, what: &str, mut done: impl FnMut(&mut World) -> bool) {
        let limit = self.now + 600 * SECOND;
        while !done(self) {
            assert!(self.now < limit, "never happened: {what}");
            self.step(self.now + SECOND);
        }
    }

    /// What the server has counted.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counters.count(counter).get()
    }

    /// The values of all its counters.
    pub fn counts(&self) -> Vec<Sample> {
        let page = Reader::open(self.counters.page()).expect("a page of counters");
        page.samples().collect()
    }

    /// Nothing is left of any connection, as the counters show.
    #[track_caller]
    pub fn assert_no_streams(&mut self) {
        assert_eq!(self.count(Counter::StreamSockets), 0);
    }
}

fn start(
    config: &Config,
    clients: &[ClientMemory],
    limits: &[ClientLimits],
    counters: &Writer<Counter>,
    now: u64,
) -> Server<SharedWindow> {
    let ports = clients.iter().zip(limits);
    let ports = ports.map(|(memory, limits)| memory.port(limits.clone()));
    let server = Server::new(config, ports.collect(), counters);
    let mut server = server.expect("the configuration is fine");
    server
        .link_up(SERVER_MAC, Offload::default(), now)
        .expect("the address is fine");
    server
}

/// The error of a reply.
pub fn errno<R>(reply: Result<R, Failure>) -> Option<Errno> {
    match reply {
        Err(Failure::Errno(errno)) => Some(errno),
        _ => None,
    }
}

/// Bytes whose every position can be told from its neighbours.
pub fn pattern(length: usize, salt: u32) -> Vec<u8> {
    (0..length as u32)
        .map(|i| (i.wrapping_add(salt).wrapping_mul(0x9e37_79b9) >> 24) as u8)
        .collect()
}
