// SPDX-License-Identifier: BSD-2-Clause

//! Addresses, routes and neighbours that change while clients hold sockets, and an interface that
//! is shut down and started again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use socket_proto::layouts::{AddressState, Layout, Neighbour, Route, SocketState};
use socket_proto::{ChangeKind, Errno, Handle, PollBits, QueryKind, SocketKind, Span, addr, op};
use stats::NetServer as Counter;
use test_world::{
    C2S, Faults, PEER_IP, PEER_IP6, PEER_MAC, SERVER_IP, SERVER_IP6, SERVER_MAC, World,
    administrator, config6, errno, frames, limits,
};

const SECOND: u64 = 1_000_000_000;
/// An address in another network of the same link.
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 1);

/// A world of an administrator and another client.
fn world() -> World {
    let limits = vec![administrator(32, 8), limits(4, 4)];
    World::new(config6(), limits, Faults::none())
}

fn words(address: impl Into<IpAddr>) -> [u64; 3] {
    addr::to_words((address.into(), 0).into())
}

fn change(world: &mut World, what: ChangeKind, layout: &impl Layout) -> Result<(), Errno> {
    world.clients[0].fill(layout.bytes());
    let span = Span {
        offset: 0,
        length: layout.bytes().len() as u64,
    };
    let index = 0;
    world.ask(op::Change { what, index, span })
}

fn by_number(world: &mut World, what: ChangeKind, index: u64) -> Result<(), Errno> {
    let span = Span::default();
    world.ask(op::Change { what, index, span })
}

fn address(
    world: &mut World,
    what: ChangeKind,
    address: impl Into<IpAddr>,
    prefix: u32,
) -> Result<(), Errno> {
    let address = words(address);
    let state = 0;
    let said = AddressState {
        address,
        prefix,
        state,
    };
    change(world, what, &said)
}

fn route(world: &mut World, what: ChangeKind, to: &str, router: &str) -> Result<(), Errno> {
    let (network, prefix) = to.split_once('/').unwrap();
    let router = match router {
        "" => addr::NO_ADDRESS,
        router => words(router.parse::<IpAddr>().unwrap()),
    };
    let said = Route {
        network: words(network.parse::<IpAddr>().unwrap()),
        router,
        prefix: prefix.parse().unwrap(),
        reserved: 0,
    };
    change(world, what, &said)
}

fn neighbour(host: impl Into<IpAddr>, mac: [u8; 6]) -> Neighbour {
    let [a, b, c, d, e, f] = mac;
    Neighbour {
        address: words(host),
        mac: [a, b, c, d, e, f, 0, 0],
        state: 3,
        age: 0,
    }
}

fn list<L: Layout>(world: &mut World, what: QueryKind) -> Vec<L> {
    let query = |index| {
        let mut layout = L::default();
        let length = layout.bytes().len();
        let span = Span {
            offset: C2S.into(),
            length: length as u64,
        };
        world.ask(op::Query { what, index, span }).ok()?;
        let bytes = world.clients[0].read(0, length);
        layout.bytes_mut().copy_from_slice(&bytes);
        Some(layout)
    };
    (0..).map_while(query).collect()
}

fn ip(words: [u64; 3]) -> Option<IpAddr> {
    addr::from_words(words).unwrap().map(|address| address.ip())
}

fn shown(world: &mut World) -> Vec<String> {
    let routes: Vec<Route> = list(world, QueryKind::Route);
    let show = |route: &Route| {
        let to = format!("{}/{}", ip(route.network).unwrap(), route.prefix);
        match ip(route.router) {
            Some(router) => format!("{to} via {router}"),
            None => to,
        }
    };
    routes.iter().map(show).collect()
}

/// What the server sends while something is done.
fn sent(world: &mut World, act: impl FnOnce(&mut World)) -> Vec<Vec<u8>> {
    world.medium.start_tap();
    act(world);
    world.medium.take_tap()
}

fn send_to(world: &mut World, socket: Handle, to: &str) -> Result<(), Errno> {
    world.send_datagrams(socket, &[(Some(to), b"x")]).map(drop)
}

fn bind(world: &mut World, socket: Handle, addr: impl Into<IpAddr>) -> Result<(), Errno> {
    let addr = (addr.into(), 0).into();
    world.ask(op::Bind { socket, addr })
}

#[test]
fn only_an_administrator_may_change_anything() {
    let mut world = world();
    for &what in ChangeKind::ALL {
        let span = Span::default();
        let index = 0;
        let refused = world.call(1, op::Change { what, index, span });
        assert_eq!(errno(refused), Some(Errno::EPERM));
    }
    let span = Span {
        offset: C2S.into(),
        length: SocketState::INFO.size as u64,
    };
    let what = QueryKind::AnySocket;
    let index = 0;
    let refused = world.call(1, op::Query { what, index, span });
    assert_eq!(errno(refused), Some(Errno::EPERM));
    // Everybody may look.
    for what in [QueryKind::Address, QueryKind::Route, QueryKind::Neighbour] {
        assert!(world.call(1, op::Query { what, index, span }).is_ok());
    }
}

#[test]
fn what_makes_no_sense_is_refused_as_on_linux() {
    use ChangeKind::*;
    let mut world = world();
    let world = &mut world;
    assert_eq!(
        address(world, AddAddress, SERVER_IP, 24),
        Err(Errno::EEXIST)
    );
    assert_eq!(
        address(world, AddAddress, SERVER_IP6, 64),
        Err(Errno::EEXIST)
    );
    for (nobody, prefix) in [
        ("0.0.0.0", 8),
        ("127.0.0.2", 8),
        ("224.0.0.1", 4),
        ("10.1.0.1", 33),
    ] {
        let nobody: IpAddr = nobody.parse().unwrap();
        assert_eq!(
            address(world, AddAddress, nobody, prefix),
            Err(Errno::EINVAL)
        );
    }
    assert_eq!(
        address(world, AddAddress, Ipv6Addr::LOCALHOST, 64),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        address(world, RemoveAddress, OTHER, 0),
        Err(Errno::EADDRNOTAVAIL)
    );
    let far: IpAddr = "fd09::1".parse().unwrap();
    assert_eq!(
        address(world, RemoveAddress, far, 0),
        Err(Errno::EADDRNOTAVAIL)
    );
    assert_eq!(
        route(world, AddRoute, "0.0.0.0/0", "10.0.2.3"),
        Err(Errno::EEXIST)
    );
    assert_eq!(
        route(world, AddRoute, "10.7.0.5/16", "10.0.2.3"),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        route(world, AddRoute, "10.7.0.0/16", "10.9.0.1"),
        Err(Errno::ENETUNREACH)
    );
    assert_eq!(
        route(world, AddRoute, "10.7.0.0/16", "fd00::2"),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        route(world, AddRoute, "fd07::/16", "fd09::2"),
        Err(Errno::ENETUNREACH)
    );
    assert_eq!(
        route(world, RemoveRoute, "10.7.0.0/16", ""),
        Err(Errno::ESRCH)
    );
    assert_eq!(
        route(world, RemoveRoute, "fd07::/16", ""),
        Err(Errno::ESRCH)
    );
    let nobody = neighbour(OTHER, PEER_MAC);
    assert_eq!(change(world, RemoveNeighbour, &nobody), Err(Errno::ENOENT));
    assert_eq!(
        change(world, AddNeighbour, &nobody),
        Err(Errno::ENETUNREACH)
    );
    let group = neighbour(PEER_IP, [1, 0, 0, 0, 0, 0]);
    assert_eq!(change(world, AddNeighbour, &group), Err(Errno::EINVAL));
    assert_eq!(by_number(world, InterfaceDown, 1), Err(Errno::ENODEV));
    assert_eq!(by_number(world, EndSocket, 7), Err(Errno::ENOENT));
    assert_eq!(by_number(world, AddAddress, 0), Err(Errno::EINVAL));
    let (what, index) = (AddAddress, 0);
    let length = AddressState::INFO.size as u64;
    for offset in [C2S.into(), u64::MAX] {
        let span = Span { offset, length };
        assert_eq!(
            world.ask(op::Change { what, index, span }),
            Err(Errno::EFAULT)
        );
    }
    // Tables are bounded.
    let more =
        (2..20).filter(|&n| address(world, AddAddress, Ipv4Addr::new(10, n, 0, 1), 24).is_ok());
    assert_eq!(more.count(), 7);
    let full = address(world, AddAddress, OTHER, 24);
    assert_eq!(full, Err(Errno::ENOBUFS));
    let more =
        (0..40).filter(|n| route(world, AddRoute, &format!("10.7.{n}.0/24"), "10.0.2.3").is_ok());
    assert_eq!(more.count(), 15);
    let more = (10..60).filter(|&n| {
        let host = neighbour(Ipv4Addr::new(10, 0, 2, n), [2, 0, 0, 0, 0, n]);
        n == 15 || change(world, AddNeighbour, &host) == Ok(())
    });
    assert_eq!(more.count(), 33);
}

#[test]
fn an_address_is_used_as_soon_as_it_is_there() {
    let mut world = world();
    address(&mut world, ChangeKind::AddAddress, OTHER, 24).unwrap();
    let socket = world.socket(SocketKind::Datagram);
    // Packets to its network come from it, others from the first one.
    let frames = sent(&mut world, |world| {
        send_to(world, socket, "10.1.0.9:7").unwrap();
        world.run_for(SECOND / 10);
    });
    let asks: Vec<_> = frames
        .iter()
        .filter_map(|frame| frames::asked(frame))
        .collect();
    assert_eq!(asks[0].0, Ipv4Addr::new(10, 1, 0, 9));
    assert_eq!(frames[0][28..32], OTHER.octets());
    // Who asks for it gets an answer, and is heard.
    let (peer, mac) = (Ipv4Addr::new(10, 1, 0, 9), [2, 0, 0, 0, 0, 9]);
    let frames = sent(&mut world, |world| {
        let question = frames::arp(1, (mac, peer), ([0; 6], OTHER));
        world.inject(frames::ethernet(mac, [0xff; 6], 0x0806, &question));
        world.run_for(SECOND / 10);
    });
    let answer = frames.iter().find(|frame| frame[20..22] == [0, 2]).unwrap();
    assert_eq!(answer[28..32], OTHER.octets());
    let datagram = frames.iter().find(|frame| frame[12..14] == [8, 0]).unwrap();
    assert_eq!(datagram[26..34], [OTHER.octets(), peer.octets()].concat());
    let bound = world.socket(SocketKind::Datagram);
    assert_eq!(bind(&mut world, bound, OTHER), Ok(()));
    let port = world.name(bound).port();
    let packet = frames::udp((peer, 9), (OTHER, port), b"in");
    world.inject(frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, &packet));
    world.await_bits(bound, PollBits::IN);
    let routes = shown(&mut world);
    assert!(routes.contains(&"10.1.0.0/24".into()), "{routes:?}");
    // One of IPv6 is tried first.
    let six: Ipv6Addr = "fd01::9".parse().unwrap();
    address(&mut world, ChangeKind::AddAddress, six, 64).unwrap();
    let bound = world.socket6(SocketKind::Datagram);
    assert_eq!(bind(&mut world, bound, six), Err(Errno::EADDRNOTAVAIL));
    world.run_for(2 * SECOND);
    assert_eq!(bind(&mut world, bound, six), Ok(()));
    // It is still there behind another cable.
    world.server.set_link(false, world.now);
    world.server.set_link(true, world.now);
    world.run_for(3 * SECOND);
    let states: Vec<AddressState> = list(&mut world, QueryKind::Address);
    let addresses: Vec<_> = states
        .iter()
        .filter_map(|state| ip(state.address))
        .collect();
    let expected: [IpAddr; 4] = [
        SERVER_IP.into(),
        OTHER.into(),
        SERVER_IP6.into(),
        six.into(),
    ];
    assert!(expected.iter().all(|one| addresses.contains(one)));
}

#[test]
fn sockets_see_what_linuxs_see_when_their_address_goes() {
    let mut world = world();
    address(&mut world, ChangeKind::AddAddress, OTHER, 24).unwrap();
    let any = world.socket(SocketKind::Datagram);
    let bound = world.socket(SocketKind::Datagram);
    bind(&mut world, bound, OTHER).unwrap();
    let connected = world.socket(SocketKind::Datagram);
    world.connect(connected, "10.1.0.9:7").unwrap();
    let stream = world.socket(SocketKind::Stream);
    bind(&mut world, stream, OTHER).unwrap();
    let listener = world.listen(80, 4);
    let (first, peer) = world.connected(listener, 80);

    address(&mut world, ChangeKind::RemoveAddress, OTHER, 0).unwrap();
    assert_eq!(
        send_to(&mut world, bound, "10.0.2.2:7"),
        Err(Errno::ENETUNREACH)
    );
    let to_peer = world.send_datagrams(connected, &[(None, b"x")]);
    assert_eq!(to_peer.map(drop), Err(Errno::ENETUNREACH));
    assert_eq!(world.name(connected).ip(), OTHER);
    assert_eq!(send_to(&mut world, any, "10.1.0.9:7"), Ok(()));
    assert_eq!(world.connect(stream, "10.0.2.2:7"), Err(Errno::ENETUNREACH));
    let late = world.socket(SocketKind::Datagram);
    assert_eq!(bind(&mut world, late, OTHER), Err(Errno::EADDRNOTAVAIL));

    // The address of a connection goes: it keeps its bytes, and goes on when the address is back.
    address(&mut world, ChangeKind::RemoveAddress, SERVER_IP, 0).unwrap();
    let routes = shown(&mut world);
    assert!(
        routes
            .iter()
            .all(|route| route.starts_with("fd") || route.starts_with("::"))
    );
    assert_eq!(
        send_to(&mut world, any, "10.0.2.2:7"),
        Err(Errno::ENETUNREACH)
    );
    assert_eq!(
        send_to(&mut world, any, "255.255.255.255:7"),
        Err(Errno::ENETUNREACH)
    );
    let frames = sent(&mut world, |world| {
        world.send(first, b"later").unwrap();
        world.peer.tcp(peer).send_slice(b"hello").unwrap();
        world.run_for(2 * SECOND);
    });
    assert!(frames.iter().all(|frame| frame[12..14] != [8, 0]));
    address(&mut world, ChangeKind::AddAddress, SERVER_IP, 24).unwrap();
    world.run_for(5 * SECOND);
    assert_eq!(world.peer.tcp(peer).recv_queue(), 5);
    world.await_bits(first, PollBits::IN);
    // The route by the gateway went with the address.
    assert_eq!(
        send_to(&mut world, any, "8.8.8.8:7"),
        Err(Errno::ENETUNREACH)
    );
    route(&mut world, ChangeKind::AddRoute, "0.0.0.0/0", "10.0.2.2").unwrap();
    assert_eq!(send_to(&mut world, any, "8.8.8.8:7"), Ok(()));
}

#[test]
fn a_connection_whose_address_is_gone_ends_in_time() {
    let mut world = world();
    let listener = world.listen(80, 4);
    let (socket, _) = world.connected(listener, 80);
    address(&mut world, ChangeKind::RemoveAddress, SERVER_IP, 0).unwrap();
    world.send(socket, b"for nobody").unwrap();
    world.run_for(130 * SECOND);
    assert_eq!(world.send(socket, b"more"), Err(Errno::ETIMEDOUT));
    world.close(socket);
    world.close(listener);
    world.run_for(700 * SECOND);
    world.assert_no_streams();
}

#[test]
fn routes_lead_by_the_longest_prefix() {
    use ChangeKind::*;
    let mut world = world();
    let next = |world: &mut World, to: &str| {
        let socket = match to.contains('[') {
            true => world.socket6(SocketKind::Datagram),
            false => world.socket(SocketKind::Datagram),
        };
        send_to(world, socket, to).unwrap();
        world.close(socket);
        let known: Vec<Neighbour> = list(world, QueryKind::Neighbour);
        let asked: Vec<_> = known.iter().filter(|host| host.state == 0).collect();
        let hosts = asked.iter().filter_map(|host| ip(host.address));
        let hosts: Vec<String> = hosts.map(|host| host.to_string()).collect();
        world.run_for(4 * SECOND);
        hosts.join(" ")
    };
    assert_eq!(next(&mut world, "10.7.1.1:7"), "");
    route(&mut world, AddRoute, "10.7.0.0/16", "10.0.2.7").unwrap();
    route(&mut world, AddRoute, "10.7.1.0/24", "10.0.2.8").unwrap();
    assert_eq!(next(&mut world, "10.7.1.1:7"), "10.0.2.8");
    assert_eq!(next(&mut world, "10.7.2.1:7"), "10.0.2.7");
    let routes = shown(&mut world);
    let expected = [
        "10.7.1.0/24 via 10.0.2.8",
        "10.0.2.0/24",
        "10.7.0.0/16 via 10.0.2.7",
    ];
    assert!(
        expected
            .iter()
            .all(|route| routes.contains(&route.to_string())),
        "{routes:?}"
    );
    route(&mut world, RemoveRoute, "10.7.1.0/24", "").unwrap();
    assert_eq!(next(&mut world, "10.7.1.1:7"), "10.0.2.7");
    // Another gateway.
    route(&mut world, RemoveRoute, "0.0.0.0/0", "10.0.2.2").unwrap();
    route(&mut world, AddRoute, "0.0.0.0/0", "10.0.2.9").unwrap();
    assert_eq!(next(&mut world, "8.8.8.8:7"), "10.0.2.9");
    assert_eq!(next(&mut world, "10.0.2.2:7"), "10.0.2.9 10.0.2.2");

    route(&mut world, AddRoute, "fd07::/16", "fd00::7").unwrap();
    route(&mut world, AddRoute, "fd07:1::/32", "fd00::8").unwrap();
    assert_eq!(next(&mut world, "[fd07::1]:7"), "10.0.2.9 fd00::7");
    assert_eq!(next(&mut world, "[fd07:1::1]:7"), "10.0.2.9 fd00::8");
    assert_eq!(next(&mut world, "[fd00::99]:7"), "10.0.2.9 fd00::99");
    let routes = shown(&mut world);
    assert!(
        routes.contains(&"fd07::/16 via fd00::7".into()),
        "{routes:?}"
    );
    route(&mut world, RemoveRoute, "fd07:1::/32", "").unwrap();
    assert_eq!(next(&mut world, "[fd07:1::1]:7"), "10.0.2.9 fd00::7");
    route(&mut world, RemoveRoute, "fd07::/16", "fd00::7").unwrap();
    route(&mut world, RemoveRoute, "::/0", &PEER_IP6.to_string()).unwrap();
    let socket = world.socket6(SocketKind::Datagram);
    assert_eq!(
        send_to(&mut world, socket, "[fd07::1]:7"),
        Err(Errno::ENETUNREACH)
    );
}

#[test]
fn neighbours_are_shown_fixed_and_forgotten() {
    let mut world = world();
    let host = Ipv4Addr::new(10, 0, 2, 7);
    let mac = [2, 0, 0, 0, 0, 7];
    let socket = world.socket(SocketKind::Datagram);
    // A datagram that waits leaves as soon as the address is said.
    send_to(&mut world, socket, "10.0.2.7:7").unwrap();
    let frames = sent(&mut world, |world| {
        change(world, ChangeKind::AddNeighbour, &neighbour(host, mac)).unwrap();
        world.run_for(700 * SECOND);
        send_to(world, socket, "10.0.2.7:7").unwrap();
    });
    let datagrams: Vec<_> = frames.iter().filter(|frame| frame[..6] == mac).collect();
    assert_eq!(datagrams.len(), 2);
    // Nobody else changes it.
    let other = [2, 0, 0, 0, 0, 8];
    let claim = frames::arp(2, (other, host), (SERVER_MAC, SERVER_IP));
    world.inject(frames::ethernet(other, SERVER_MAC, 0x0806, &claim));
    let known: Vec<Neighbour> = list(&mut world, QueryKind::Neighbour);
    let found = known
        .iter()
        .find(|known| ip(known.address) == Some(host.into()));
    assert_eq!(found.unwrap().mac[..6], mac);
    assert_eq!(found.unwrap().state, 3);
    let gateway = known
        .iter()
        .find(|known| ip(known.address) == Some(PEER_IP.into()));
    assert_eq!(
        (gateway.unwrap().state, &gateway.unwrap().mac[..6]),
        (2, &PEER_MAC[..])
    );
    change(
        &mut world,
        ChangeKind::RemoveNeighbour,
        &neighbour(host, mac),
    )
    .unwrap();
    let known: Vec<Neighbour> = list(&mut world, QueryKind::Neighbour);
    assert!(
        known
            .iter()
            .all(|known| ip(known.address) != Some(host.into()))
    );

    // The gateway's is said, survives other gateways, and is asked for again afterwards.
    change(
        &mut world,
        ChangeKind::AddNeighbour,
        &neighbour(PEER_IP, mac),
    )
    .unwrap();
    route(&mut world, ChangeKind::RemoveRoute, "0.0.0.0/0", "").unwrap();
    route(&mut world, ChangeKind::AddRoute, "0.0.0.0/0", "10.0.2.2").unwrap();
    world.run_for(100 * SECOND);
    let frames = sent(&mut world, |world| {
        send_to(world, socket, "8.8.8.8:7").unwrap()
    });
    assert_eq!(frames[0][..6], mac);
    change(
        &mut world,
        ChangeKind::RemoveNeighbour,
        &neighbour(PEER_IP, mac),
    )
    .unwrap();
    world.run_for(SECOND);
    let frames = sent(&mut world, |world| {
        send_to(world, socket, "8.8.8.8:7").unwrap()
    });
    assert_eq!(frames[0][..6], PEER_MAC);
}

#[test]
fn an_interface_is_shut_down_and_started_while_clients_hold_sockets() {
    let mut world = world();
    let listener = world.listen(80, 4);
    let (socket, peer) = world.connected(listener, 80);
    let any = world.socket(SocketKind::Datagram);
    let six = world.socket6(SocketKind::Datagram);
    // One that waits for a neighbour is told.
    let trying = world.socket(SocketKind::Stream);
    let host = "10.0.2.77:7";
    assert_eq!(world.connect(trying, host), Err(Errno::EINPROGRESS));
    world.run_for(SECOND / 10);
    by_number(&mut world, ChangeKind::InterfaceDown, 0).unwrap();
    world.settle();
    assert_eq!(world.connect(trying, host), Err(Errno::EHOSTUNREACH));

    let dropped = world.count(Counter::DropsInterfaceDown);
    let frames = sent(&mut world, |world| {
        for to in [
            "10.0.2.2:7",
            "8.8.8.8:7",
            "10.0.2.255:7",
            "255.255.255.255:7",
        ] {
            assert_eq!(send_to(world, any, to), Err(Errno::ENETUNREACH));
        }
        assert_eq!(send_to(world, six, "[fd00::2]:7"), Err(Errno::ENETUNREACH));
        let stream = world.socket(SocketKind::Stream);
        assert_eq!(world.connect(stream, "10.0.2.2:7"), Err(Errno::ENETUNREACH));
        // Addresses of IPv4 stay, those of IPv6 go.
        assert_eq!(send_to(world, any, "10.0.2.15:7"), Ok(()));
        let bound = world.socket(SocketKind::Datagram);
        assert_eq!(bind(world, bound, SERVER_IP), Ok(()));
        let bound = world.socket6(SocketKind::Datagram);
        assert_eq!(bind(world, bound, SERVER_IP6), Err(Errno::EADDRNOTAVAIL));
        world.send(socket, b"later").unwrap();
        world.peer.tcp(peer).send_slice(b"hello").unwrap();
        // A driver that starts, and a cable, change nothing.
        world.server.set_link(false, world.now);
        world.server.set_link(true, world.now);
        world
            .server
            .link_up(SERVER_MAC, Default::default(), world.now)
            .unwrap();
        world.run_for(20 * SECOND);
    });
    assert_eq!(frames, Vec::<Vec<u8>>::new());
    assert!(world.count(Counter::DropsInterfaceDown) > dropped);
    assert_eq!(
        route(&mut world, ChangeKind::AddRoute, "10.7.0.0/16", "10.0.2.7"),
        Err(Errno::ENETDOWN)
    );
    assert_eq!(shown(&mut world), Vec::<String>::new());
    assert_eq!(world.bits(listener), PollBits::NONE);

    by_number(&mut world, ChangeKind::InterfaceUp, 0).unwrap();
    world.run_for(3 * SECOND);
    assert_eq!(world.peer.tcp(peer).recv_queue(), 5);
    world.await_bits(socket, PollBits::IN);
    assert_eq!(send_to(&mut world, any, "8.8.8.8:7"), Ok(()));
    assert_eq!(send_to(&mut world, six, "[fd00::2]:7"), Ok(()));
    let (_, _) = world.connected(listener, 80);
}

#[test]
fn a_new_life_of_the_server_is_as_it_is_declared() {
    let mut world = world();
    let before = shown(&mut world);
    address(&mut world, ChangeKind::AddAddress, OTHER, 24).unwrap();
    by_number(&mut world, ChangeKind::InterfaceDown, 0).unwrap();
    world.restart();
    world.attach(0);
    world.run_for(3 * SECOND);
    assert_eq!(shown(&mut world), before);
}

#[test]
fn sockets_of_all_are_shown_and_can_be_ended() {
    let mut world = world();
    let listener = world.listen(80, 4);
    let (socket, peer) = world.connected(listener, 80);
    let kind = SocketKind::Datagram;
    let other = world.call(1, op::Socket::new(kind)).unwrap().socket;
    let addr = (SERVER_IP, 53).into();
    world
        .call(
            1,
            op::Bind {
                socket: other,
                addr,
            },
        )
        .unwrap();
    let all = |world: &mut World| {
        let mut all = Vec::new();
        let mut index = 0;
        loop {
            let mut state = SocketState::default();
            let length = SocketState::INFO.size;
            let span = Span {
                offset: C2S.into(),
                length: length as u64,
            };
            let what = QueryKind::AnySocket;
            match world.ask(op::Query { what, index, span }) {
                Ok(_) => state
                    .bytes_mut()
                    .copy_from_slice(&world.clients[0].read(0, length)),
                Err(Errno::ENODEV) => return all,
                Err(errno) => panic!("{errno}"),
            }
            index = state.socket + 1;
            all.push(state);
        }
    };
    let sockets = all(&mut world);
    let seen: Vec<_> = sockets
        .iter()
        .map(|state| (state.kind, state.state))
        .collect();
    assert_eq!(seen, [(1, 10), (1, 1), (2, 7)]);
    assert!(sockets[0].owner.starts_with(b"administrator\0"));
    assert_eq!(sockets[2].local, addr::to_words(addr));
    for state in &sockets {
        by_number(&mut world, ChangeKind::EndSocket, state.socket).unwrap();
    }
    world.run_for(SECOND);
    assert!(!world.peer.tcp(peer).is_open());
    // Handles stay, and tell why, once.
    assert_eq!(world.so_error(socket), Some(Errno::ECONNABORTED));
    assert_eq!(
        world.bits(listener),
        PollBits::OUT | PollBits::HUP | PollBits::ERR
    );
    world.close(socket);
    let stale = sockets[1].socket;
    assert_eq!(
        by_number(&mut world, ChangeKind::EndSocket, stale),
        Err(Errno::ENOENT)
    );
    assert_eq!(all(&mut world).len(), 2);
}
