// SPDX-License-Identifier: BSD-2-Clause

//! How this machine comes to its IPv4 address by DHCP (RFC 2131): it asks, tries the address that
//! it is given (RFC 5227), uses it while the lease lasts, and meanwhile has it renewed. Without an
//! answer it uses another one, if that is declared: a fixed one, or one of its own choice that
//! means something on the link only (RFC 3927).

mod message;

use core::net::{IpAddr, Ipv4Addr};

use smoltcp::wire::IpProtocol;

use super::Network;
use super::address::Address;
use super::interface::Place;
use super::link6::AddressEvent;
use super::output::{UDP, emit_udp};
use super::packet::{Tuple, is_host};
use crate::config::{Config, Fallback, in_network, network_mask};
use crate::counters::Counter;
use crate::ethernet::arp::{Arp, REQUEST as ARP_REQUEST};
use crate::ethernet::{BROADCAST, Hop};
use crate::frames::TxQueue;
use crate::tables::map::mix;
use crate::time::{Duration, Instant, earliest};
use message::{ACK, Answer, DECLINE, DISCOVER, LENGTH, NAK, OFFER, Question, RELEASE, REQUEST};
pub use message::{DOMAIN_MAX, Servers};

/// The ports of a server and of a client.
const SERVER_PORT: u16 = 67;
pub const CLIENT_PORT: u16 = 68;
/// Until a question is asked again for the first time; then twice as long, up to the most, and each
/// time up to a second more, so that machines that start together do not go on together.
const RETRY: Duration = Duration::from_secs(2);
const RETRY_MOST: Duration = Duration::from_secs(64);
const SPREAD: u64 = 1_000_000;
/// Questions without an answer until another address is used.
const PATIENCE: u8 = 3;
/// How long another host has to say that it has the address.
const SILENCE: Duration = Duration::from_secs(1);
/// After an address was another host's (RFC 2131 section 3.1).
const PAUSE: Duration = Duration::from_secs(10);
/// The least time from one request for a renewal to the next.
const RENEW_PAUSE: Duration = Duration::from_secs(60);
/// The shortest lease, in seconds; a server that gives less gives that.
const LEASE_LEAST: u32 = 60;
/// The lease that does not end.
const FOREVER: u32 = u32::MAX;
/// The network of addresses that hosts choose themselves. The first and last 256 of them are kept
/// (RFC 3927 section 2.1).
const LINK_LOCAL: u32 = Ipv4Addr::new(169, 254, 0, 0).to_bits();
const LINK_LOCAL_BITS: u8 = 16;

/// An address with the router for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    place: Place,
    router: Option<Ipv4Addr>,
}

/// What a server has given.
#[derive(Clone, Copy, Debug)]
struct Lease {
    held: Held,
    server: Ipv4Addr,
    /// The card that the server's messages come from.
    card: [u8; 6],
    /// When it is to be renewed by this server, by any, and when it ends.
    renew: Option<Instant>,
    rebind: Option<Instant>,
    end: Option<Instant>,
    answer: Answer,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// There is nothing to do: addresses are declared, or the interface is down.
    Off,
    /// Servers are asked for an offer.
    Asking,
    /// A server is asked for what it has offered.
    Requesting { address: Ipv4Addr, server: Ipv4Addr },
    /// It is found out whether another host has the address of this lease, or the one that this
    /// machine has chosen.
    Trying { lease: Option<Lease>, asked: bool },
    /// There is a lease.
    Bound(Lease),
}

/// DHCP.
pub struct Dhcp {
    enabled: bool,
    fallback: Fallback,
    declared: Option<Held>,
    hostname: &'static str,
    state: State,
    /// When something is due.
    pub due: Option<Instant>,
    /// The number of the questions, and when the first of them was asked.
    number: u32,
    began: Instant,
    asked: Instant,
    /// How often the last one has been asked.
    tries: u8,
    /// What the interface has because of this.
    held: Option<Held>,
    /// An address of this machine's choice that is tried.
    choice: Ipv4Addr,
    seed: u64,
    draws: u64,
    /// Not yet told.
    event: Option<AddressEvent>,
}

impl Dhcp {
    /// `config` has been checked.
    pub fn new(config: &Config, seed: u64) -> Self {
        let declared = Held {
            place: (config.address, config.prefix),
            router: config.gateway,
        };
        Dhcp {
            enabled: config.dhcp.is_some(),
            fallback: config.dhcp.unwrap_or_default(),
            declared: (config.dhcp == Some(Fallback::Declared)).then_some(declared),
            hostname: config.hostname,
            state: State::Off,
            due: None,
            number: 0,
            began: Instant::ZERO,
            asked: Instant::ZERO,
            tries: 0,
            held: None,
            choice: Ipv4Addr::UNSPECIFIED,
            seed,
            draws: 0,
            event: None,
        }
    }

    /// What the servers of a lease say, and how many seconds it lasts; all of them for one without
    /// end.
    pub fn lease(&self, now: Instant) -> Option<(&Servers, &Servers, &[u8; DOMAIN_MAX], u32)> {
        let State::Bound(lease) = &self.state else {
            return None;
        };
        let left = |end: Instant| (end.max(now) - now).secs().min(u64::from(FOREVER - 1)) as u32;
        let answer = &lease.answer;
        let seconds = lease.end.map_or(FOREVER, left);
        Some((
            &answer.name_servers,
            &answer.time_servers,
            &answer.domain,
            seconds,
        ))
    }

    /// News, which are told once.
    pub fn take_event(&mut self) -> Option<AddressEvent> {
        self.event.take()
    }

    fn draw(&mut self) -> u64 {
        self.draws += 1;
        mix(self.seed, self.draws)
    }

    /// Questions begin anew.
    fn ask_from(&mut self, at: Instant) {
        self.state = State::Asking;
        self.number = self.draw() as u32;
        (self.tries, self.began, self.due) = (0, at, Some(at));
    }

    /// When to ask again.
    fn again(&mut self, now: Instant) -> Instant {
        let pause = RETRY * (1 << self.tries.min(5));
        self.tries = self.tries.saturating_add(1);
        now + pause.min(RETRY_MOST) + Duration::from_micros(self.draw() % SPREAD)
    }

    /// The address that is being tried.
    fn tried(&self) -> Option<Ipv4Addr> {
        match &self.state {
            State::Trying { lease, .. } => Some(match lease {
                Some(lease) => lease.held.place.0,
                None => self.choice,
            }),
            _ => None,
        }
    }
}

/// Whether an answer makes sense as an address of this machine.
fn held(answer: &Answer) -> Option<Held> {
    let (address, prefix) = (answer.address, answer.prefix);
    let hosts = !network_mask(prefix);
    let number = address.to_bits() & hosts;
    let names_all = prefix < 31 && (number == 0 || number == hosts);
    if !is_host(address) || prefix == 0 || names_all {
        return None;
    }
    let near = |router: &Ipv4Addr| in_network(address, prefix, *router) && *router != address;
    let router = answer
        .router
        .filter(|router| is_host(*router) && near(router));
    Some(Held {
        place: (address, prefix),
        router,
    })
}

impl Network {
    /// The driver has started. If it is not the first time, nothing has changed.
    pub(super) fn start_dhcp(&mut self) {
        if matches!(self.dhcp.state, State::Off) {
            self.restart_dhcp();
        }
    }

    /// There may be another network: the address that there is is asked for again.
    pub(super) fn restart_dhcp(&mut self) {
        let now = self.now();
        let dhcp = &mut self.dhcp;
        if !dhcp.enabled {
            return;
        }
        match &mut dhcp.state {
            State::Bound(lease) => {
                (lease.renew, lease.rebind) = (None, Some(now));
                (dhcp.due, dhcp.tries) = (Some(now), 0);
                dhcp.number = dhcp.draw() as u32;
            }
            _ => dhcp.ask_from(now),
        }
        self.plan6();
    }

    /// The interface is being shut down: the address is given back.
    pub(super) fn stop_dhcp<T: TxQueue>(&mut self, tx: &mut T) {
        if let State::Bound(lease) = self.dhcp.state
            && self.interface.link_up
        {
            self.ask_dhcp(RELEASE, None, Some(&lease), true, tx);
        }
        self.use_address(None);
        self.dhcp.state = State::Off;
        self.dhcp.due = None;
        self.plan6();
    }

    /// Does what is due.
    pub(super) fn run_dhcp<T: TxQueue>(&mut self, tx: &mut T) {
        let now = self.now();
        if self.dhcp.due.is_none_or(|due| due > now) {
            return;
        }
        self.dhcp.due = None;
        match self.dhcp.state {
            State::Off => {}
            State::Asking if self.dhcp.tries == PATIENCE && self.dhcp.held.is_none() => {
                self.fall_back();
            }
            State::Asking => {
                self.ask_dhcp(DISCOVER, None, None, false, tx);
                self.dhcp.due = Some(self.dhcp.again(now));
            }
            State::Requesting { .. } if self.dhcp.tries == PATIENCE => self.dhcp.ask_from(now),
            State::Requesting { address, server } => {
                self.dhcp.asked = now;
                self.ask_dhcp(REQUEST, Some((address, server)), None, false, tx);
                self.dhcp.due = Some(self.dhcp.again(now));
            }
            State::Trying {
                lease,
                asked: false,
            } => {
                if let Some(address) = self.dhcp.tried() {
                    let own = (self.interface.mac, Ipv4Addr::UNSPECIFIED);
                    let probe = Arp::new(ARP_REQUEST, own, ([0; 6], address));
                    probe.send(BROADCAST, tx, self.stats);
                }
                self.dhcp.state = State::Trying { lease, asked: true };
                self.dhcp.due = Some(now + SILENCE);
            }
            State::Trying {
                lease: Some(lease), ..
            } => self.bind(lease),
            State::Trying { lease: None, .. } => {
                let place = (self.dhcp.choice, LINK_LOCAL_BITS);
                self.use_address(Some(Held {
                    place,
                    router: None,
                }));
                self.go_on_asking();
            }
            State::Bound(lease) => self.renew(lease, tx),
        }
    }

    /// No server has answered: another address is used, and servers are asked further on.
    fn fall_back(&mut self) {
        match (self.dhcp.fallback, self.dhcp.declared) {
            (Fallback::Declared, Some(declared)) => {
                self.use_address(Some(declared));
                self.go_on_asking();
            }
            (Fallback::LinkLocal, _) => {
                let host = 256 + self.dhcp.draw() % (0x1_0000 - 512);
                self.dhcp.choice = Ipv4Addr::from_bits(LINK_LOCAL + host as u32);
                self.dhcp.state = State::Trying {
                    lease: None,
                    asked: false,
                };
                self.dhcp.due = Some(self.now());
            }
            _ => self.go_on_asking(),
        }
    }

    fn go_on_asking(&mut self) {
        let now = self.now();
        self.dhcp.ask_from(now);
        // Not sooner than without this.
        self.dhcp.tries = PATIENCE + 1;
        if let Some(held) = self.dhcp.held {
            self.tell(AddressEvent::Used(held.place.0.into()));
        }
    }

    fn tell(&mut self, event: AddressEvent) {
        self.dhcp.event = Some(event);
        self.link6.news = true;
    }

    /// The lease is to be renewed, by its server or by any, or is over.
    fn renew<T: TxQueue>(&mut self, lease: Lease, tx: &mut T) {
        let now = self.now();
        let over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if over(lease.end) {
            self.use_address(None);
            self.tell(AddressEvent::Gone(lease.held.place.0));
            return self.dhcp.ask_from(now);
        }
        let (to_all, until) = match over(lease.rebind) {
            true => (true, lease.end),
            false => (false, lease.rebind),
        };
        if to_all || over(lease.renew) {
            if self.dhcp.tries == 0 {
                (self.dhcp.number, self.dhcp.began) = (self.dhcp.draw() as u32, now);
            }
            self.dhcp.tries = self.dhcp.tries.saturating_add(1);
            self.dhcp.asked = now;
            self.ask_dhcp(REQUEST, None, Some(&lease), !to_all, tx);
        }
        // Half of the time that is left (RFC 2131 section 4.4.5), but soon behind another cable.
        let half = until.map(|until| now + (until - now) / 2);
        let pause = match lease.renew.is_none() && self.dhcp.tries <= PATIENCE {
            true => Some(now + RETRY * u32::from(self.dhcp.tries)),
            false => half.map(|half| half.max(now + RENEW_PAUSE)),
        };
        let later = [pause, lease.end, lease.rebind.filter(|at| *at > now)];
        self.dhcp.due = earliest(&later);
    }

    /// Sends a message: to the server of a lease, or to all.
    fn ask_dhcp<T: TxQueue>(
        &mut self,
        kind: u8,
        offer: Option<(Ipv4Addr, Ipv4Addr)>,
        lease: Option<&Lease>,
        to_one: bool,
        tx: &mut T,
    ) {
        let own = lease.map_or(Ipv4Addr::UNSPECIFIED, |lease| lease.held.place.0);
        let ends = lease.filter(|_| kind == RELEASE).map(|lease| lease.server);
        let question = Question {
            kind,
            number: self.dhcp.number,
            seconds: (self.now() - self.dhcp.began).secs().min(u16::MAX.into()) as u16,
            own,
            card: self.interface.mac,
            wanted: offer.map(|(address, _)| address),
            server: offer.map(|(_, server)| server).or(ends),
            hostname: self.dhcp.hostname,
        };
        let (to, card) = match lease.filter(|_| to_one) {
            Some(lease) => (lease.server, lease.card),
            None => (Ipv4Addr::BROADCAST, BROADCAST),
        };
        let tuple = Tuple {
            local: (own.into(), CLIENT_PORT),
            remote: (to.into(), SERVER_PORT),
        };
        let hop = self.hop_to(card);
        let envelope = self.envelope(tuple.addresses(), hop, IpProtocol::Udp);
        let checksum = self.interface.writes_checksums(hop);
        // One that cannot leave is as good as lost.
        let _ = envelope.send_filled(UDP + LENGTH, tx, |datagram| {
            question.write(&mut datagram[UDP..]);
            emit_udp(datagram, &tuple, checksum);
            Ok::<(), core::convert::Infallible>(())
        });
        self.stats.inc(Counter::DhcpQuestions);
    }

    /// A datagram has come to a client's port for which there is no socket. Returns whether it was
    /// for this machine.
    #[cold]
    pub(crate) fn dhcp_answer(&mut self, tuple: &Tuple, bytes: &[u8], back: Hop) -> bool {
        if tuple.local.1 != CLIENT_PORT || !self.dhcp.enabled {
            return false;
        }
        let answer = Answer::read(bytes, self.dhcp.number, self.interface.mac);
        let used = match (answer, back) {
            (Some(answer), Hop::Ethernet { destination, .. }) if tuple.remote.1 == SERVER_PORT => {
                self.dhcp_answered(&answer, destination)
            }
            _ => None,
        };
        self.stats
            .add(Counter::DhcpIgnored, u64::from(used.is_none()));
        self.plan6();
        true
    }

    /// A server has answered. `None` if that changes nothing.
    fn dhcp_answered(&mut self, answer: &Answer, card: [u8; 6]) -> Option<()> {
        let now = self.now();
        match (self.dhcp.state, answer.kind) {
            (State::Asking, OFFER) => {
                let (address, server) = (held(answer)?.place.0, answer.server?);
                answer.lease?;
                self.dhcp.state = State::Requesting { address, server };
                (self.dhcp.tries, self.dhcp.due) = (0, Some(now));
            }
            (State::Requesting { address, server }, ACK) => {
                if answer.address != address || answer.server != Some(server) {
                    return None;
                }
                let lease = self.lease(answer, card)?;
                match self.dhcp.held == Some(lease.held) {
                    true => self.bind(lease),
                    false => {
                        self.dhcp.state = State::Trying {
                            lease: Some(lease),
                            asked: false,
                        };
                        self.dhcp.due = Some(now);
                    }
                }
            }
            (State::Requesting { server, .. }, NAK) => {
                if answer.server != Some(server) {
                    return None;
                }
                let pause = self.dhcp.again(now);
                self.dhcp.ask_from(pause);
            }
            (State::Bound(lease), ACK) if self.dhcp.tries > 0 => {
                if answer.address != lease.held.place.0 {
                    return None;
                }
                let lease = self.lease(answer, card)?;
                self.bind(lease);
            }
            (State::Bound(lease), NAK) if self.dhcp.tries > 0 => {
                self.use_address(None);
                self.tell(AddressEvent::Gone(lease.held.place.0));
                self.dhcp.ask_from(now);
            }
            _ => return None,
        }
        Some(())
    }

    /// What a server gives, if it makes sense (RFC 2131 section 4.4.5).
    fn lease(&self, answer: &Answer, card: [u8; 6]) -> Option<Lease> {
        let asked = self.dhcp.asked;
        let seconds = answer.lease?.max(LEASE_LEAST);
        let after = |seconds: u32| asked + Duration::from_secs(seconds.into());
        let rebind = answer.rebind.filter(|rebind| *rebind < seconds);
        let rebind = rebind.unwrap_or(seconds - seconds / 8);
        let renew = answer.renew.filter(|renew| *renew < rebind);
        let renew = renew.unwrap_or((seconds / 2).min(rebind));
        let ends = seconds != FOREVER;
        Some(Lease {
            held: held(answer)?,
            server: answer.server?,
            card,
            renew: ends.then(|| after(renew)),
            rebind: ends.then(|| after(rebind)),
            end: ends.then(|| after(seconds)),
            answer: *answer,
        })
    }

    /// The address of a lease is used from now on.
    fn bind(&mut self, lease: Lease) {
        let (address, prefix) = lease.held.place;
        if self.dhcp.held != Some(lease.held) {
            let server = lease.server;
            self.tell(AddressEvent::Leased {
                address,
                prefix,
                server,
            });
        }
        self.use_address(Some(lease.held));
        self.dhcp.state = State::Bound(lease);
        self.dhcp.tries = 0;
        self.dhcp.due = lease.renew;
    }

    /// The interface has this address and this route, in place of what it had of DHCP.
    fn use_address(&mut self, new: Option<Held>) {
        let old = core::mem::replace(&mut self.dhcp.held, new);
        let everything = (Address::ANY4, 0);
        if old == new {
            return;
        }
        if let Some(old) = old {
            // An administrator may have removed either.
            if let Some(router) = old.router {
                let _ = self.remove_route(everything, Some(router.into()));
            }
            let _ = self.remove_address(old.place.0.into());
        }
        if let Some(new) = new {
            // Or added them, or so many that there is no room.
            let _ = self.add_address(new.place.0.into(), new.place.1);
            if let Some(router) = new.router {
                let _ = self.add_route(everything, router.into());
            }
        }
    }

    /// A host says by ARP that it has an address, or wants to.
    #[cold]
    pub(crate) fn dhcp_conflict<T: TxQueue>(&mut self, taken: Ipv4Addr, card: [u8; 6], tx: &mut T) {
        if self.dhcp.tried() != Some(taken) || card == self.interface.mac {
            return;
        }
        let now = self.now();
        self.stats.inc(Counter::DhcpConflicts);
        if let State::Trying {
            lease: Some(lease), ..
        } = self.dhcp.state
        {
            let offer = Some((taken, lease.server));
            self.ask_dhcp(DECLINE, offer, None, false, tx);
            self.dhcp.ask_from(now + PAUSE);
        } else {
            self.fall_back();
            self.dhcp.due = Some(now + SILENCE);
        }
        self.tell(AddressEvent::Taken(IpAddr::V4(taken)));
        self.plan6();
    }
}
