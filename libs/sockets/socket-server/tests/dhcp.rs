// SPDX-License-Identifier: BSD-2-Clause

//! DHCP: a machine without an address asks for one, keeps it while the lease lasts, and stands
//! servers that are silent, refuse, lose or lie. The servers' messages are smoltcp's.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use proptest::prelude::*;
use socket_proto::layouts::{AddressState, Layout, Names, Route};
use socket_proto::{ChangeKind, Errno, QueryKind, SocketKind, Span, addr, op};
use socket_server::{AddressEvent, Config, Fallback, TxQueue};
use stats::NetServer as Counter;
use test_world::smoltcp::wire::{
    DhcpMessageType as Kind, DhcpOption, DhcpPacket, DhcpRepr, EthernetAddress,
};
use test_world::{
    C2S, Faults, PEER_MAC, SERVER_IP, SERVER_MAC, World, administrator, config, frames,
};

const SECOND: u64 = 1_000_000_000;
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const GIVEN: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 77);
const MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);
const NOBODY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
const ALL: [u8; 6] = [0xff; 6];
const LEASE: u32 = 1000;

/// What the machine says to servers.
#[derive(Debug)]
struct Question {
    kind: Kind,
    number: u32,
    to: Ipv4Addr,
    card: [u8; 6],
    own: Ipv4Addr,
    wanted: Option<Ipv4Addr>,
    server: Option<Ipv4Addr>,
    to_all: bool,
    hostname: Option<String>,
}

impl Question {
    fn read(frame: &[u8]) -> Option<Question> {
        let (card, to, datagram) = frames::payload(frame, 17)?;
        if datagram[..4] != [0, 68, 0, 67] {
            return None;
        }
        let packet = DhcpPacket::new_checked(&datagram[8..]).unwrap();
        let repr = DhcpRepr::parse(&packet).unwrap();
        assert_eq!(repr.client_hardware_address, EthernetAddress(SERVER_MAC));
        assert_eq!(repr.client_identifier, Some(EthernetAddress(SERVER_MAC)));
        let mut options = packet.options();
        let hostname = options.find(|option| option.kind == 12);
        Some(Question {
            kind: repr.message_type,
            number: repr.transaction_id,
            to,
            card,
            own: repr.client_ip,
            wanted: repr.requested_ip,
            server: repr.server_identifier,
            to_all: repr.broadcast,
            hostname: hostname.map(|option| String::from_utf8(option.data.into()).unwrap()),
        })
    }
}

/// An answer as a well-behaved server gives it.
fn answer(question: &Question, kind: Kind) -> DhcpRepr<'static> {
    const NAMES: [DhcpOption<'static>; 2] = [
        DhcpOption {
            kind: 15,
            data: b"lab.example",
        },
        DhcpOption {
            kind: 42,
            data: &[10, 9, 0, 4],
        },
    ];
    let nak = kind == Kind::Nak;
    DhcpRepr {
        message_type: kind,
        transaction_id: question.number,
        secs: 0,
        client_hardware_address: EthernetAddress(SERVER_MAC),
        client_ip: NOBODY,
        your_ip: if nak { NOBODY } else { GIVEN },
        server_ip: SERVER,
        router: Some(SERVER),
        subnet_mask: Some(MASK),
        relay_agent_ip: NOBODY,
        broadcast: true,
        requested_ip: None,
        client_identifier: None,
        server_identifier: Some(SERVER),
        parameter_request_list: None,
        dns_servers: Some([SERVER, Ipv4Addr::new(10, 9, 0, 3)].into_iter().collect()),
        max_size: None,
        lease_duration: (!nak).then_some(LEASE),
        renew_duration: None,
        rebind_duration: None,
        additional_options: &NAMES,
    }
}

fn bytes(repr: &DhcpRepr<'_>) -> Vec<u8> {
    let mut bytes = vec![0; repr.buffer_len()];
    let mut packet = DhcpPacket::new_unchecked(&mut bytes[..]);
    repr.emit(&mut packet).unwrap();
    bytes
}

/// A link with a machine that wants an address.
struct Lan {
    world: World,
    heard: VecDeque<Vec<u8>>,
}

impl Lan {
    fn new(fallback: Fallback) -> Lan {
        Lan::with_faults(fallback, Faults::none())
    }

    fn with_faults(fallback: Fallback, faults: Faults) -> Lan {
        let config = Config {
            dhcp: Some(fallback),
            ..config()
        };
        let world = World::new(config, vec![administrator(8, 8)], faults);
        world.medium.start_tap();
        let heard = VecDeque::new();
        Lan { world, heard }
    }

    /// The next frame of the machine for which there is something to say, within a time.
    fn next<T>(&mut self, seconds: u64, mut read: impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
        let end = self.world.now + seconds * SECOND;
        loop {
            while let Some(frame) = self.heard.pop_front() {
                if let Some(found) = read(&frame) {
                    return Some(found);
                }
            }
            if self.world.now >= end {
                return None;
            }
            self.world.step(end);
            self.heard.extend(self.world.medium.take_tap());
            self.world.medium.start_tap();
        }
    }

    #[track_caller]
    fn question(&mut self, kind: Kind) -> Question {
        let found = self.next(4000, Question::read).expect("a question");
        assert_eq!(found.kind, kind, "{found:?}");
        found
    }

    fn say(&mut self, message: &[u8]) {
        let to = Ipv4Addr::BROADCAST;
        let packet = frames::udp((SERVER, 67), (to, 68), message);
        let frame = frames::ethernet(PEER_MAC, ALL, 0x0800, &packet);
        self.world.inject(frame);
    }

    fn reply(&mut self, question: &Question, kind: Kind) {
        self.say(&bytes(&answer(question, kind)));
    }

    /// Gives the machine its address.
    fn lease(&mut self) {
        let question = self.question(Kind::Discover);
        self.reply(&question, Kind::Offer);
        let question = self.question(Kind::Request);
        self.reply(&question, Kind::Ack);
        self.world.run_for(2 * SECOND);
        assert_eq!(self.addresses(), [GIVEN]);
    }

    fn query<L: Layout>(&mut self, what: QueryKind, index: u64) -> Option<L> {
        let mut layout = L::default();
        let length = layout.bytes().len();
        let span = Span {
            offset: C2S.into(),
            length: length as u64,
        };
        self.world.ask(op::Query { what, index, span }).ok()?;
        let bytes = self.world.clients[0].read(0, length);
        layout.bytes_mut().copy_from_slice(&bytes);
        Some(layout)
    }

    fn addresses(&mut self) -> Vec<IpAddr> {
        let states = (0..).map_while(|index| self.query(QueryKind::Address, index));
        let states: Vec<AddressState> = states.collect();
        states
            .iter()
            .filter_map(|state| ip(&state.address))
            .collect()
    }

    fn change(&mut self, what: ChangeKind) {
        let (index, span) = (0, Span::default());
        self.world.ask(op::Change { what, index, span }).unwrap();
    }

    fn events(&mut self) -> Vec<AddressEvent> {
        std::iter::from_fn(|| self.world.server.take_address_event()).collect()
    }

    fn send(&mut self, to: &str) -> Result<(), Errno> {
        let socket = self.world.socket(SocketKind::Datagram);
        let sent = self.world.send_datagrams(socket, &[(Some(to), b"x")]);
        self.world.close(socket);
        sent.map(drop)
    }
}

fn ip(words: &[u64]) -> Option<IpAddr> {
    let words = words.try_into().unwrap();
    addr::from_words(words)
        .unwrap()
        .map(|address: SocketAddr| address.ip())
}

/// The host that an ARP probe is about.
fn probe(frame: &[u8]) -> Option<Ipv4Addr> {
    let (target, _) = frames::asked(frame)?;
    (frame[28..32] == [0; 4]).then_some(target)
}

#[test]
fn a_server_gives_an_address_a_router_and_names() {
    let mut lan = Lan::new(Fallback::None);
    assert_eq!(lan.addresses(), Vec::<IpAddr>::new());
    assert_eq!(lan.send("10.9.0.1:7"), Err(Errno::ENETUNREACH));
    assert_eq!(lan.send("255.255.255.255:7"), Err(Errno::ENETUNREACH));
    let question = lan.question(Kind::Discover);
    assert_eq!((question.to, question.card), (Ipv4Addr::BROADCAST, ALL));
    assert_eq!((question.own, question.to_all), (NOBODY, true));
    assert_eq!(question.hostname.as_deref(), Some("tested"));
    lan.reply(&question, Kind::Offer);
    let second = lan.question(Kind::Request);
    assert_eq!((second.wanted, second.server), (Some(GIVEN), Some(SERVER)));
    assert_eq!((second.number, second.to_all), (question.number, true));
    lan.reply(&second, Kind::Ack);
    // Another host may have it.
    assert_eq!(lan.next(1, probe), Some(GIVEN));
    assert_eq!(lan.addresses(), Vec::<IpAddr>::new());
    lan.world.run_for(2 * SECOND);
    assert_eq!(lan.addresses(), [GIVEN]);
    let leased = AddressEvent::Leased {
        address: GIVEN,
        prefix: 24,
        server: SERVER,
    };
    assert_eq!(lan.events(), [leased]);
    let routes: Vec<Route> = (0..)
        .map_while(|n| lan.query(QueryKind::Route, n))
        .collect();
    let shown: Vec<_> = routes
        .iter()
        .map(|route| (route.prefix, ip(&route.router)))
        .collect();
    assert_eq!(shown, [(24, None), (0, Some(SERVER.into()))]);
    let names: Names = lan.query(QueryKind::Names, 0).unwrap();
    let servers = names.servers.chunks_exact(3).filter_map(ip);
    assert_eq!(
        servers.collect::<Vec<_>>(),
        [SERVER, Ipv4Addr::new(10, 9, 0, 3)]
    );
    assert_eq!(
        ip(&names.time_servers[..3]),
        Some(Ipv4Addr::new(10, 9, 0, 4).into())
    );
    assert!(names.domain.starts_with(b"lab.example\0"));
    assert!(
        (LEASE - 10..LEASE).contains(&names.lease),
        "{}",
        names.lease
    );
    assert_eq!(lan.send("8.8.8.8:7"), Ok(()));
}

#[test]
fn a_lease_is_renewed_by_its_server_then_by_any_and_ends() {
    let mut lan = Lan::new(Fallback::None);
    lan.lease();
    let start = lan.world.now;
    let minutes = |lan: &Lan| (lan.world.now - start) / SECOND;
    let question = lan.question(Kind::Request);
    assert!((495..=502).contains(&minutes(&lan)), "{}", minutes(&lan));
    assert_eq!((question.to, question.card), (SERVER, PEER_MAC));
    assert_eq!(
        (question.own, question.wanted, question.server),
        (GIVEN, None, None)
    );
    assert!(!question.to_all);
    // It is asked again, and renewed.
    let question = lan.question(Kind::Request);
    assert!((620..=700).contains(&minutes(&lan)), "{}", minutes(&lan));
    lan.reply(&question, Kind::Ack);
    let renewed = lan.world.now;
    let later = |lan: &Lan| (lan.world.now - renewed) / SECOND;
    let question = lan.question(Kind::Request);
    assert!((498..=502).contains(&later(&lan)), "{}", later(&lan));
    assert_eq!(question.to, SERVER);
    let mut question = std::iter::from_fn(|| Some(lan.question(Kind::Request)));
    let question = question.find(|question| question.to != SERVER).unwrap();
    assert_eq!((question.to, question.own), (Ipv4Addr::BROADCAST, GIVEN));
    lan.world.run_until("the end", |world| {
        world.now > renewed + (LEASE as u64 + 2) * SECOND
    });
    assert_eq!(lan.addresses(), Vec::<IpAddr>::new());
    assert_eq!(lan.events().last(), Some(&AddressEvent::Gone(GIVEN)));
    assert_eq!(lan.send("10.9.0.1:7"), Err(Errno::ENETUNREACH));
    lan.heard.clear();
    lan.world.medium.start_tap();
    lan.lease();
}

#[test]
fn what_a_server_takes_back_is_gone() {
    let mut lan = Lan::new(Fallback::None);
    let question = lan.question(Kind::Discover);
    lan.reply(&question, Kind::Offer);
    let question = lan.question(Kind::Request);
    lan.reply(&question, Kind::Nak);
    lan.lease();
    // Not without a question.
    lan.reply(&question, Kind::Nak);
    assert_eq!(lan.addresses(), [GIVEN]);
    let question = lan.question(Kind::Request);
    lan.reply(&question, Kind::Nak);
    assert_eq!(lan.addresses(), Vec::<IpAddr>::new());
    lan.lease();
}

#[test]
fn an_address_of_another_host_is_declined() {
    let mut lan = Lan::new(Fallback::None);
    let question = lan.question(Kind::Discover);
    lan.reply(&question, Kind::Offer);
    let question = lan.question(Kind::Request);
    lan.reply(&question, Kind::Ack);
    assert_eq!(lan.next(1, probe), Some(GIVEN));
    let claim = frames::arp(2, (PEER_MAC, GIVEN), (SERVER_MAC, NOBODY));
    lan.world
        .inject(frames::ethernet(PEER_MAC, SERVER_MAC, 0x0806, &claim));
    let declined = lan.question(Kind::Decline);
    assert_eq!(
        (declined.wanted, declined.server),
        (Some(GIVEN), Some(SERVER))
    );
    assert_eq!(lan.events(), [AddressEvent::Taken(GIVEN.into())]);
    let start = lan.world.now;
    lan.lease();
    assert!(lan.world.now - start > 10 * SECOND);
    assert_eq!(lan.world.count(Counter::DhcpConflicts), 1);
}

#[test]
fn a_declared_address_is_used_until_a_server_gives_one() {
    let mut lan = Lan::new(Fallback::Declared);
    let start = lan.world.now;
    lan.world.run_until("the fallback", |world| {
        world.server.take_address_event().is_some()
    });
    let after = (lan.world.now - start) / SECOND;
    assert!((12..18).contains(&after), "{after}");
    assert_eq!(lan.addresses(), [SERVER_IP]);
    assert_eq!(lan.send("8.8.8.8:7"), Ok(()));
    lan.heard.clear();
    lan.world.medium.start_tap();
    lan.lease();
    assert_eq!(lan.send("8.8.8.8:7"), Ok(()));
}

#[test]
fn a_link_local_address_is_chosen_that_nobody_has() {
    let mut lan = Lan::new(Fallback::LinkLocal);
    let first = lan.next(30, probe).unwrap();
    assert!(first.is_link_local());
    // Somebody else wants it, too.
    let question = frames::arp(1, (PEER_MAC, NOBODY), ([0; 6], first));
    lan.world
        .inject(frames::ethernet(PEER_MAC, ALL, 0x0806, &question));
    let second = lan.next(30, probe).unwrap();
    assert!(second.is_link_local() && second != first);
    lan.world.run_for(2 * SECOND);
    assert_eq!(lan.addresses(), [second]);
    assert_eq!(lan.send("169.254.7.7:7"), Ok(()));
    assert_eq!(lan.send("8.8.8.8:7"), Err(Errno::ENETUNREACH));
    lan.lease();
}

#[test]
fn an_address_is_given_back_and_asked_for_with_the_interface() {
    let mut lan = Lan::new(Fallback::None);
    lan.lease();
    lan.change(ChangeKind::InterfaceDown);
    // The driver takes what is there when it is looked at.
    assert!(lan.world.link.tx.free() > 0);
    let question = lan.question(Kind::Release);
    assert_eq!((question.own, question.server), (GIVEN, Some(SERVER)));
    assert_eq!((question.to, question.card), (SERVER, PEER_MAC));
    assert_eq!(lan.addresses(), Vec::<IpAddr>::new());
    assert!(lan.next(100, Question::read).is_none());
    lan.change(ChangeKind::InterfaceUp);
    lan.lease();
    // Behind another cable there may be another network.
    let (heard, now) = (&mut lan.heard, lan.world.now);
    heard.clear();
    lan.world.server.set_link(false, now);
    lan.world.server.set_link(true, now);
    let question = lan.question(Kind::Request);
    assert_eq!((question.to, question.own), (Ipv4Addr::BROADCAST, GIVEN));
    lan.reply(&question, Kind::Ack);
    assert_eq!(lan.addresses(), [GIVEN]);
    // A driver that starts again changes nothing.
    let now = lan.world.now;
    lan.world
        .server
        .link_up(SERVER_MAC, Default::default(), now)
        .unwrap();
    assert!(lan.next(100, Question::read).is_none());
    // A server that starts again knows nothing.
    lan.world.restart();
    lan.world.attach(0);
    lan.lease();
}

#[test]
fn an_address_comes_over_a_link_that_loses_and_doubles() {
    for seed in 1..20 {
        let faults = Faults {
            lost: 300,
            doubled: 100,
            ..Faults::some(seed)
        };
        let mut lan = Lan::with_faults(Fallback::None, faults);
        for attempt in 0..200u64 {
            let Some(question) = lan.next(70, Question::read) else {
                break;
            };
            // What is injected does not get lost by itself.
            if (attempt ^ seed) % 3 != 0 {
                match question.kind {
                    Kind::Discover => lan.reply(&question, Kind::Offer),
                    Kind::Request => lan.reply(&question, Kind::Ack),
                    kind => panic!("{kind:?}"),
                }
            }
            if lan.addresses() == [GIVEN] {
                break;
            }
        }
        lan.world.run_for(2 * SECOND);
        assert_eq!(lan.addresses(), [GIVEN], "{seed}");
    }
}

#[test]
fn lies_are_not_believed() {
    let mut lan = Lan::new(Fallback::None);
    let question = lan.question(Kind::Discover);
    let good = answer(&question, Kind::Offer);
    let lie = |change: fn(&mut DhcpRepr<'_>)| {
        let mut repr = good.clone();
        change(&mut repr);
        bytes(&repr)
    };
    let mut lies = vec![
        lie(|repr| repr.transaction_id ^= 1),
        lie(|repr| repr.client_hardware_address = EthernetAddress(PEER_MAC)),
        lie(|repr| repr.message_type = Kind::Discover),
        lie(|repr| repr.message_type = Kind::Ack),
        lie(|repr| repr.message_type = Kind::Nak),
        lie(|repr| repr.your_ip = NOBODY),
        lie(|repr| repr.your_ip = Ipv4Addr::LOCALHOST),
        lie(|repr| repr.your_ip = Ipv4Addr::new(224, 0, 0, 1)),
        lie(|repr| repr.your_ip = Ipv4Addr::new(10, 9, 0, 255)),
        lie(|repr| repr.your_ip = Ipv4Addr::new(10, 9, 0, 0)),
        lie(|repr| repr.subnet_mask = Some(Ipv4Addr::new(255, 0, 255, 0))),
        lie(|repr| repr.subnet_mask = Some(NOBODY)),
        lie(|repr| repr.server_identifier = None),
        lie(|repr| repr.lease_duration = None),
    ];
    let whole = bytes(&good);
    // Options that are cut off do not count.
    lies.extend((0..262).map(|length| whole[..length].to_vec()));
    let count = lies.len() as u64;
    for lie in lies {
        lan.say(&lie);
    }
    assert_eq!(lan.world.count(Counter::DhcpIgnored), count);
    lan.reply(&question, Kind::Offer);
    let question = lan.question(Kind::Request);
    let mut other = answer(&question, Kind::Ack);
    other.your_ip = Ipv4Addr::new(10, 9, 0, 78);
    lan.say(&bytes(&other));
    other = answer(&question, Kind::Ack);
    other.server_identifier = Some(GIVEN);
    lan.say(&bytes(&other));
    // A router that is not on the link is none.
    other = answer(&question, Kind::Ack);
    other.router = Some(Ipv4Addr::new(10, 8, 0, 1));
    lan.say(&bytes(&other));
    lan.world.run_for(2 * SECOND);
    assert_eq!(lan.addresses(), [GIVEN]);
    assert_eq!(lan.send("10.9.0.1:7"), Ok(()));
    assert_eq!(lan.send("8.8.8.8:7"), Err(Errno::ENETUNREACH));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes to the port, nothing breaks, and questions go on.
    #[test]
    fn nonsense_changes_nothing(
        messages in prop::collection::vec(
            (0usize..2, prop::collection::vec(any::<u8>(), 0..120), 0usize..320), 1..20,
        ),
    ) {
        let mut lan = Lan::new(Fallback::LinkLocal);
        for (whole, noise, at) in messages {
            let Some(question) = lan.next(100, Question::read) else {
                continue;
            };
            let kind = if question.kind == Kind::Request { Kind::Ack } else { Kind::Offer };
            let mut message = match whole {
                0 => Vec::new(),
                _ => bytes(&answer(&question, kind)),
            };
            let room = message.len().max(at + noise.len());
            message.resize(room, 0);
            message[at..at + noise.len()].copy_from_slice(&noise);
            lan.say(&message);
        }
        lan.world.run_for(SECOND);
    }
}
