// SPDX-License-Identifier: BSD-2-Clause

//! Network server: wires the socket core to the driver's rings, the clients' windows and the timer.
//!
//! A wake-up is: look at the rings, let the core work within its budget, make everything visible to
//! the driver, notify clients, set the timer. A client's call is answered by the core at once and
//! never waits.

#![no_std]
#![no_main]

extern crate alloc;

mod clients;
mod configuration;
mod frames;
mod key;
mod timeout;

use core::net::Ipv4Addr;

use pd_support::{
    Pd, Peer, ReadOnly, ReadWrite, clock, error, four_words, info, message, peer, region, role,
    warn,
};
use ring::{DriverPage, Filter, ServerEnd, ServerEvent, ServerPage};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, protection_domain, restart_count,
};
use socket_server::{AddressEvent, GatewayEvent, Link, Offload, Outcome, Server};
use stats::{NetServer as Counter, Unit, Value, Writer, mac_to_value};
use time::Clock;

use clients::{ClientWindow, Clients};
use frames::Frames;
use timeout::Timeout;

/// Rounds of work in one wake-up, each within the core's budget of frames. Then the clients, which
/// have a lower priority, get a turn.
const ROUNDS: usize = 4;
/// How long that turn is, in nanoseconds: short against the time that the rounds take, and long
/// enough for some calls. What the core wants to do at a time that has passed waits for as long: it
/// may be waiting for the driver, which has a lower priority, too.
const PAUSE: u64 = 200_000;

struct NetServer {
    core: Server<ClientWindow>,
    clients: Clients,
    driver_peer: Peer,
    driver: ServerEnd<'static, { ring::CAPACITY }>,
    frames: Frames,
    timeout: Timeout,
    clock: Clock,
    stats: Writer<Counter>,
}

#[protection_domain(heap_region = (heap_vaddr, heap_size))]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let clock = clock::clock();
    let network = configuration::network();
    let configuration = configuration::core(network, key::obtain(), restart_count());
    let (clients, ports) = Clients::take();
    let core = Server::new(&configuration, ports, &pd.stats())
        .unwrap_or_else(|error| panic!("configuration: {error}"));
    let theirs: &DriverPage = region::<ReadOnly>(role::DRIVER_RINGS).page();
    let mine: &ServerPage = region::<ReadWrite>(role::SERVER_RINGS).page();
    match network.asks_dhcp() {
        true => info!("asks DHCP servers for an address"),
        false => info!(
            "{}/{} via {}",
            configuration.address,
            configuration.prefix,
            Ipv4Addr::from(network.gateway)
        ),
    }
    let mut server = NetServer {
        core,
        clients,
        driver_peer: peer(role::PACKETS),
        driver: ServerEnd::start(mine, theirs),
        frames: Frames::map(),
        timeout: Timeout::new(peer(role::TIME), clock, pd.stats()),
        clock,
        stats: pd.stats(),
    };
    for pool in [Counter::RxBuffers, Counter::TxBuffers] {
        server.stats.set(pool, ring::CAPACITY as u64);
    }
    server.work();
    // Clients that were attached to the server before it was restarted may be asleep, waiting for
    // sockets that are gone.
    if restart_count() > 0 {
        server.clients.notify_all();
    }
    pd.run(server)
}

impl NetServer {
    fn now(&self) -> u64 {
        self.clock.nanos(clock::now())
    }

    /// Works until there is nothing more to do, or the clients must have a turn.
    fn work(&mut self) {
        for _ in 0..ROUNDS {
            let more = self.round();
            if !more && !self.driver.sleep() {
                return;
            }
        }
        self.stats.inc(Counter::BudgetUsedUp);
        let at = self.now() + PAUSE;
        self.timeout.at_latest(at);
    }

    /// One round: takes frames and sends frames within the core's budget. Returns whether there is
    /// more to do.
    fn round(&mut self) -> bool {
        let now = self.now();
        if self.driver.poll() == (ServerEvent::Up { first: true }) {
            self.driver_started(now);
        }
        if let Some(up) = self.driver.take_link_change() {
            self.stats.set(Counter::LinkUp, up.into());
            self.core.set_link(up, now);
            warn!("link is {}", if up { "up" } else { "down" });
        }
        let (rx, tx) = self.frames.queues(self.driver.split());
        let outcome = self.core.poll(now, &mut Link { rx, tx });
        self.finish(&outcome);
        self.show_pools();
        self.report();
        outcome.more_work
    }

    /// Finishes the core's work: hands frames to the driver, notifies clients, sets the timer.
    fn finish(&mut self, outcome: &Outcome) {
        if let Some((promiscuous, groups)) = self.core.take_groups() {
            let mut filter = Filter {
                promiscuous,
                ..Filter::default()
            };
            groups.for_each(|group| filter.add(group));
            self.driver.set_filter(filter);
        }
        if self.driver.flush() {
            self.stats.inc(Counter::DriverNotifications);
            self.driver_peer.notify();
        }
        self.clients.notify(outcome.notify);
        if let Some(deadline) = outcome.deadline {
            let soonest = self.now() + PAUSE;
            self.timeout.at_latest(deadline.max(soonest));
        }
    }

    /// Resets the connections of clients whose lives are over: their peers learn it now, not when
    /// the clients attach again.
    fn clients_gone(&mut self) {
        let mut departed = 0u64;
        self.clients.departed(|client| departed |= 1 << client);
        while departed != 0 {
            let client = departed.trailing_zeros() as usize;
            departed &= departed - 1;
            let now = self.now();
            let (_, mut tx) = self.frames.queues(self.driver.split());
            let outcome = self.core.client_gone(client, now, &mut tx);
            self.finish(&outcome);
        }
    }

    fn driver_started(&mut self, now: u64) {
        let device = self.driver.device();
        self.stats.set(Counter::LinkUp, device.link_up.into());
        // The driver negotiates no offloads yet.
        let taken = self.core.link_up(device.mac, Offload::default(), now);
        self.core.set_link(device.link_up, now);
        match taken {
            Ok(()) => info!("driver is up, {}", shown(device.mac)),
            Err(error) => error!("driver is up, but {error}"),
        }
    }

    /// Says how much of the pools of buffers is in use.
    fn show_pools(&mut self) {
        let (rx, tx) = (self.driver.rx().in_use(), self.driver.tx().take_use());
        let stats = &self.stats;
        stats.set(Counter::RxBuffersFree, rx.free as u64);
        stats.raise(Counter::RxBuffersPeak, rx.peak as u64);
        stats.set(Counter::TxBuffersFree, tx.free as u64);
        stats.raise(Counter::TxBuffersPeak, tx.peak as u64);
        stats.add(Counter::TxBuffersFailures, tx.failures.into());
    }

    /// Reports rare events: violations, restarts, the gateway.
    fn report(&mut self) {
        if let Some(violations) = self.driver.take_violations() {
            self.stats
                .add(Counter::DriverViolations, violations.count.into());
            if let Some(last) = violations.last {
                warn!("driver: {} violations, the last: {last}", violations.count);
            }
        }
        // The first start is none.
        self.stats
            .add(Counter::DriverRestarts, self.driver.take_restarts().into());
        self.stats
            .add(Counter::DriverRenewals, self.driver.take_renewals().into());
        self.stats.add(
            Counter::FramesResubmitted,
            self.driver.take_resubmitted().into(),
        );
        match self.core.take_event() {
            Some(GatewayEvent::Answered { mac, after }) => {
                self.stats.set(Counter::GatewayReachable, 1);
                info!("gateway answered after {after} us: {}", shown(mac));
            }
            Some(GatewayEvent::Silent) => {
                self.stats.set(Counter::GatewayReachable, 0);
                warn!("gateway does not answer ARP");
            }
            None => {}
        }
        while let Some(event) = self.core.take_address_event() {
            match event {
                AddressEvent::Used(address) => info!("{address} is used"),
                AddressEvent::Taken(address) => warn!("{address} is another host's"),
                AddressEvent::Leased {
                    address,
                    prefix,
                    server,
                } => info!("{address}/{prefix} is used, as {server} says"),
                AddressEvent::Gone(address) => warn!("{address} is not used any more"),
            }
        }
    }
}

impl Handler for NetServer {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(self.timeout.channel()) {
            self.timeout.fired();
            self.driver.nudge();
        }
        if self
            .clients
            .news()
            .is_some_and(|news| channels.contains(news))
        {
            self.clients_gone();
        }
        self.work();
        Ok(())
    }

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        let words = four_words(&msg_info);
        // A channel that is no client's has a number that the core does not know, and gets an
        // error.
        let client = self.clients.calling(channel).unwrap_or(usize::MAX);
        let now = self.now();
        let (_, mut tx) = self.frames.queues(self.driver.split());
        let (label, words, outcome) = self
            .core
            .call(client, msg_info.label(), words, now, &mut tx);
        self.finish(&outcome);
        if outcome.metered {
            self.core.spent(client, self.now().saturating_sub(now));
        }
        // Buffers may have come back since the last look, and of those there is no signal.
        if outcome.more_work || (self.driver.waits_for_buffers() && self.driver.sleep()) {
            let at = self.now();
            self.timeout.at_latest(at);
        }
        Ok(message(label, &words))
    }
}

/// Returns an Ethernet address as it is shown.
fn shown(mac: [u8; 6]) -> Value {
    Value {
        raw: mac_to_value(mac),
        unit: Unit::Mac,
    }
}
