// SPDX-License-Identifier: BSD-2-Clause

//! Clients are kept apart: handles, ports, quotas, permissions, attach.

use socket_proto::layouts::Layout;
use socket_proto::{
    DatagramHeader, Errno, Failure, Family, Flags, OptionValue, PollBits, Protocol, RESTARTED,
    SocketKind, SocketOption, Span, op,
};
use socket_server::{ClientLimits, Destination, MAX_CLIENTS, PortRange};
use stats::NetServer as Counter;
use test_world::{Faults, World, config, errno, limits};

const SECOND: u64 = 1_000_000_000;

fn two_clients() -> World {
    World::new(config(), vec![limits(8, 4), limits(8, 4)], Faults::none())
}

fn ports(first: u16, last: u16) -> PortRange {
    PortRange::new(first, last).unwrap()
}

fn port(port: u16) -> PortRange {
    ports(port, port)
}

#[test]
fn handles_are_their_clients_own_and_die_with_close() {
    let mut world = two_clients();
    let listener = world.listen(80, 4);
    let foreign = world.call(1, op::Accept { socket: listener });
    assert_eq!(errno(foreign), Some(Errno::EBADF));
    let other = world.socket_as(1, SocketKind::Stream).unwrap();
    assert_eq!(other, listener, "the same words, another client's table");
    world.close(listener);
    let socket = listener;
    assert_eq!(world.ask(op::Accept { socket }), Err(Errno::EBADF));
    assert_eq!(world.ask(op::Close { socket }), Err(Errno::EBADF));
    assert_eq!(world.ask(op::SockName { socket }), Err(Errno::EBADF));
    // The index is used again, the generation is another.
    let again = world.socket(SocketKind::Stream);
    assert_eq!(again.index(), listener.index());
    assert_ne!(again, listener);
    assert_eq!(world.bits(listener), PollBits::NVAL);
    assert_eq!(world.bits(again), PollBits::OUT | PollBits::HUP);
    // The other client's socket was never touched.
    let name = world.call(1, op::SockName { socket: other });
    assert!(name.is_ok());
}

#[test]
fn a_port_is_taken_once() {
    let mut world = two_clients();
    world.listen(80, 4);
    let other = world.socket_as(1, SocketKind::Stream).unwrap();
    let addr = "10.0.2.15:80".parse().unwrap();
    let bind = op::Bind {
        socket: other,
        addr,
    };
    assert_eq!(world.ask_as(1, bind), Err(Errno::EADDRINUSE));
    let udp = world.socket_as(1, SocketKind::Datagram).unwrap();
    let bind = op::Bind { socket: udp, addr };
    assert_eq!(world.ask_as(1, bind), Ok(()));
    assert_eq!(world.ask_as(1, bind), Err(Errno::EINVAL), "bound already");
    let elsewhere = world.socket(SocketKind::Stream);
    assert_eq!(
        world.bind(elsewhere, "10.0.2.16:81"),
        Err(Errno::EADDRNOTAVAIL)
    );
    assert_eq!(world.bind(elsewhere, "[::]:81"), Err(Errno::EAFNOSUPPORT));
    world.bind(elsewhere, "0.0.0.0:0").unwrap();
    assert!(world.name(elsewhere).port() >= socket_server::EPHEMERAL_FIRST);
}

#[test]
fn permissions_are_the_configurations() {
    let narrow = ClientLimits {
        stream_memory: usize::MAX,
        datagram_memory: 1 << 17,
        capture: 0,
        stream_sockets: 4,
        datagram_sockets: 4,
        tcp_ports: vec![port(80), ports(8000, 8010)],
        udp_ports: vec![port(53)],
        tcp_destinations: vec![Destination::new([10, 0, 2, 0].into(), 24, port(25)).unwrap()],
        udp_destinations: vec![Destination::new([10, 0, 2, 3].into(), 32, ports(53, 54)).unwrap()],
        ..ClientLimits::default()
    };
    let mut world = World::new(config(), vec![narrow], Faults::none());
    for (kind, port, expected) in [
        (SocketKind::Stream, 80, Ok(())),
        (SocketKind::Stream, 8010, Ok(())),
        (SocketKind::Stream, 8011, Err(Errno::EACCES)),
        (SocketKind::Stream, 53, Err(Errno::EACCES)),
        (SocketKind::Datagram, 53, Ok(())),
        (SocketKind::Datagram, 80, Err(Errno::EACCES)),
        (SocketKind::Datagram, 0, Ok(())),
    ] {
        let socket = world.socket(kind);
        assert_eq!(world.bind(socket, &format!("0.0.0.0:{port}")), expected);
        world.close(socket);
    }
    let socket = world.socket(SocketKind::Stream);
    assert_eq!(
        world.ask(op::Listen { socket, backlog: 1 }),
        Err(Errno::EACCES)
    );
    assert_eq!(world.connect(socket, "10.0.2.2:26"), Err(Errno::EACCES));
    assert_eq!(world.connect(socket, "10.0.3.2:25"), Err(Errno::EACCES));
    assert_eq!(
        world.connect(socket, "10.0.2.2:25"),
        Err(Errno::EINPROGRESS)
    );
    let socket = world.socket(SocketKind::Datagram);
    for (to, expected) in [
        ("10.0.2.3:53", Ok(())),
        ("10.0.2.3:54", Ok(())),
        ("10.0.2.3:55", Err(Errno::EACCES)),
        ("10.0.2.4:53", Err(Errno::EACCES)),
        ("127.0.0.1:53", Err(Errno::EACCES)),
    ] {
        let datagram: (_, &[u8]) = (Some(to), b"hello");
        let sent = world.send_datagrams(socket, &[datagram]);
        assert_eq!(sent, expected.map(|()| 1), "{to}");
        assert_eq!(world.connect(socket, to), expected, "{to}");
    }
    // The datagrams of a batch before one that is refused are sent.
    let batch: [(_, &[u8]); 2] = [(Some("10.0.2.3:53"), b"1"), (Some("10.0.2.9:53"), b"2")];
    assert_eq!(world.send_datagrams(socket, &batch), Ok(1));
    for (family, protocol) in [
        (Family::Inet, Protocol::Icmp),
        (Family::Inet6, Protocol::Icmpv6),
    ] {
        let echo = op::Socket {
            family,
            kind: SocketKind::Datagram,
            protocol,
        };
        assert_eq!(world.ask(echo), Err(Errno::EACCES));
    }
    // Listening on a port of the server's choice is not a way around.
    let socket = world.socket(SocketKind::Stream);
    world.bind(socket, "0.0.0.0:0").unwrap();
    assert_eq!(
        world.ask(op::Listen { socket, backlog: 1 }),
        Err(Errno::EACCES)
    );
}

#[test]
fn a_port_that_is_anothers_is_not_taken_by_chance() {
    let mut limits = [limits(8, 8), limits(8, 8)];
    limits[0].tcp_ports.clear();
    limits[0].udp_ports.clear();
    let reserved = ports(49_152, 65_533);
    limits[1].tcp_ports = vec![reserved];
    limits[1].udp_ports = vec![reserved];
    let mut world = World::new(config(), limits.to_vec(), Faults::none());
    for kind in [SocketKind::Stream, SocketKind::Datagram] {
        // By connecting and by binding, until nothing is left to choose from.
        let first = world.socket(kind);
        let connected = world.connect(first, "10.0.2.2:9");
        assert!(matches!(connected, Ok(()) | Err(Errno::EINPROGRESS)));
        let second = world.socket(kind);
        world.bind(second, "0.0.0.0:0").unwrap();
        let mut ports = [world.name(first).port(), world.name(second).port()];
        ports.sort();
        assert_eq!(ports, [65_534, 65_535]);
        let third = world.socket(kind);
        let nothing = Err(Errno::EADDRNOTAVAIL);
        assert_eq!(world.bind(third, "0.0.0.0:0"), nothing);
        assert_eq!(world.connect(third, "10.0.2.2:9"), nothing);
        // The other client has plenty.
        for _ in 0..8 {
            let socket = world.socket_as(1, kind).unwrap();
            let addr = "0.0.0.0:0".parse().unwrap();
            world.ask_as(1, op::Bind { socket, addr }).unwrap();
        }
    }
}

#[test]
fn a_quota_ends_where_it_says_and_only_for_its_client() {
    let mut world = World::new(config(), vec![limits(3, 2), limits(3, 2)], Faults::none());
    let mut sockets = Vec::new();
    for (kind, count) in [(SocketKind::Stream, 3), (SocketKind::Datagram, 2)] {
        for _ in 0..count {
            sockets.push(world.socket(kind));
        }
        assert_eq!(world.socket_as(0, kind), Err(Errno::EMFILE));
        assert!(world.socket_as(1, kind).is_ok());
    }
    for socket in sockets {
        world.close(socket);
    }
    // What waits in a backlog counts too.
    let listener = world.listen(80, 100);
    for _ in 0..5 {
        world.peer.connect(80);
    }
    world.run_for(SECOND / 10);
    assert_eq!(world.count(Counter::StreamSockets), 2);
    assert_eq!(world.count(Counter::DropsBacklog), 3);
    assert_eq!(world.socket_as(0, SocketKind::Stream), Err(Errno::EMFILE));
    let (socket, _) = world.accept(listener).unwrap();
    world.close(socket);
    assert!(world.socket_as(0, SocketKind::Stream).is_ok());
}

#[test]
fn connections_that_only_close_make_room() {
    // Quota 4, and 2 places for those that are closing.
    let mut config = config();
    config.closing = 2;
    let mut world = World::new(config, vec![limits(4, 1)], Faults::none());
    let listener = world.listen(80, 4);
    for round in 0..20 {
        let (socket, peer) = world.connected(listener, 80);
        world.send(socket, b"bye").unwrap();
        world.close(socket);
        world.run_for(SECOND / 100);
        if round % 2 == 0 {
            // To TIME-WAIT, which takes no place; otherwise it stays in FIN-WAIT-2.
            world.peer.tcp(peer).close();
            world.run_for(SECOND / 100);
        }
        let mut last = [0; 8];
        assert_eq!(world.peer.tcp(peer).recv_slice(&mut last), Ok(3));
    }
    assert!(world.count(Counter::TcpReclaimed) >= 4);
    assert!(world.count(Counter::StreamSockets) <= 6);
}

#[test]
fn connections_that_close_take_no_place_of_another_client() {
    // Quotas 2 and 3, and 2 places for those that are closing.
    let mut config = config();
    config.closing = 2;
    let mut world = World::new(config, vec![limits(2, 1), limits(3, 1)], Faults::none());
    let listener = world.listen(80, 4);
    // Its peers read nothing: these connections have bytes to send for a long time.
    for _ in 0..6 {
        let (socket, _) = world.connected(listener, 80);
        world.send(socket, &[1; 60_000]).unwrap();
        world.run_for(SECOND / 10);
        world.close(socket);
    }
    assert_eq!(world.count(Counter::StreamSockets), 6);
    // Attempts that are given up take none.
    for _ in 0..20 {
        let socket = world.socket(SocketKind::Stream);
        let result = world.connect(socket, "10.0.2.99:80");
        assert_eq!(result, Err(Errno::EINPROGRESS));
        world.close(socket);
    }
    let places = world.count(Counter::StreamSockets);
    assert!(places <= 7, "{places}");
    for _ in 0..3 {
        let socket = world.socket_as(1, SocketKind::Stream).unwrap();
        let addr = Some("10.0.2.2:80".parse().unwrap());
        let result = world.ask_as(1, op::Connect { socket, addr });
        assert_eq!(result, Err(Errno::EINPROGRESS));
    }
    assert_eq!(world.count(Counter::TcpReclaimed), 2);
}

#[test]
fn attach_drops_everything_the_client_had() {
    let mut world = two_clients();
    let listener = world.listen(80, 4);
    let (socket, peer) = world.connected(listener, 80);
    let waiting = world.peer.connect(80);
    world.run_for(SECOND / 10);
    let udp = world.socket(SocketKind::Datagram);
    world.bind(udp, "0.0.0.0:7").unwrap();
    let theirs = world.socket_as(1, SocketKind::Stream).unwrap();
    let addr = "0.0.0.0:81".parse().unwrap();
    world
        .ask_as(
            1,
            op::Bind {
                socket: theirs,
                addr,
            },
        )
        .unwrap();

    world.attach(0);
    assert_eq!(world.count(Counter::ClientRestarts), 1);
    for socket in [listener, socket, udp] {
        assert_eq!(world.bits(socket), PollBits::NVAL);
        assert_eq!(world.ask(op::Close { socket }), Err(Errno::EBADF));
    }
    world.run_for(SECOND / 10);
    assert!(!world.peer.tcp(peer).is_active());
    assert!(!world.peer.tcp(waiting).is_active());
    world.assert_no_streams();
    assert_eq!(world.count(Counter::DatagramSockets), 0);
    // Its ports are free, the other client's socket is untouched.
    world.listen(80, 4);
    assert!(world.ask_as(1, op::SockName { socket: theirs }).is_ok());
}

#[test]
fn a_client_that_is_gone_leaves_nothing_behind() {
    let mut world = two_clients();
    let theirs = world.socket_as(1, SocketKind::Stream).unwrap();
    let listener = world.listen(80, 4);
    let (socket, peer) = world.connected(listener, 80);
    let waiting = world.peer.connect(80);
    let attempt = world.socket(SocketKind::Stream);
    assert_eq!(
        world.connect(attempt, "10.0.2.77:9"),
        Err(Errno::EINPROGRESS)
    );
    let udp = world.socket(SocketKind::Datagram);
    world.bind(udp, "0.0.0.0:7").unwrap();
    world.run_for(SECOND / 10);

    world.client_gone(0);
    for socket in [listener, socket, attempt, udp] {
        assert_eq!(world.bits(socket), PollBits::NVAL);
        let call = world.call(0, op::SockName { socket });
        assert_eq!(call, Err(Failure::Restarted));
    }
    world.run_for(SECOND / 10);
    assert!(!world.peer.tcp(peer).is_active(), "reset");
    assert!(!world.peer.tcp(waiting).is_active(), "reset");
    // The attempt cannot even say that it is over, because nobody answers ARP.
    world.run_for(SECOND * 4);
    world.assert_no_streams();
    assert_eq!(world.count(Counter::DatagramSockets), 0);
    let late = world.peer.connect(80);
    world.run_for(SECOND / 10);
    assert!(!world.peer.tcp(late).is_active(), "nobody listens");
    // Its ports are free for others, whose sockets are untouched.
    for (kind, port) in [(SocketKind::Stream, 80), (SocketKind::Datagram, 7)] {
        let socket = world.socket_as(1, kind).unwrap();
        let addr = format!("0.0.0.0:{port}").parse().unwrap();
        world.ask_as(1, op::Bind { socket, addr }).unwrap();
    }
    let name = world.ask_as(1, op::SockName { socket: theirs });
    assert!(name.is_ok());
    // Twice is as good as once, and nobody has that number.
    world.client_gone(0);
    world.client_gone(99);
    // Should it come back after all, it starts anew.
    world.attach(0);
    assert!(world.socket_as(0, SocketKind::Stream).is_ok());
}

#[test]
fn a_client_that_has_not_attached_is_told_to() {
    let mut world = World::simple();
    let mut fresh = World::new(config(), vec![], Faults::none());
    // Nobody is in that slot.
    assert!(fresh.raw_call(0, 2, [1, 0, 0, 0]).0 != 0);
    assert!(fresh.raw_call(usize::MAX, 1, [1, 0, 0, 0]).0 != 0);

    let wrong = world.call(0, op::Attach { version: 99 });
    assert_eq!(errno(wrong), Some(Errno::EPROTO));
    // A second server that knows nothing of the client: as after a restart.
    world.limits[0] = limits(4, 4);
    world.restart();
    let kind = SocketKind::Stream;
    assert_eq!(
        world.call(0, op::Socket::new(kind)),
        Err(Failure::Restarted)
    );
    assert_eq!(world.raw_call(0, 14, [0; 4]).0, RESTARTED);
    let version = socket_proto::VERSION;
    let Ok(attached) = world.call(0, op::Attach { version }) else {
        panic!("attach");
    };
    assert_eq!((attached.epoch, attached.sockets), (2, 8));
    assert_eq!(world.clients[0].page().epoch(), 2);
    assert!(world.call(0, op::Socket::new(kind)).is_ok());
}

#[test]
fn operations_that_do_not_fit_the_socket_say_so() {
    let mut world = World::simple();
    let udp = world.socket(SocketKind::Datagram);
    assert_eq!(world.accept(udp).map(drop), Err(Errno::EOPNOTSUPP));
    let listen = op::Listen {
        socket: udp,
        backlog: 1,
    };
    assert_eq!(world.ask(listen), Err(Errno::EOPNOTSUPP));
    let idle = world.socket(SocketKind::Stream);
    assert_eq!(world.send(idle, b"x"), Err(Errno::EPIPE));
    assert_eq!(world.recv(idle, 10), Err(Errno::ENOTCONN));
    assert_eq!(world.peer_name(idle), Err(Errno::ENOTCONN));
    assert_eq!(world.accept(idle).map(drop), Err(Errno::EINVAL));
    let listener = world.listen(80, 1);
    assert_eq!(world.send(listener, b"x"), Err(Errno::EPIPE));
    assert_eq!(world.connect(listener, "10.0.2.2:9"), Err(Errno::EISCONN));
    for (socket, kind) in [(udp, 2), (idle, 1)] {
        let option = SocketOption::Type;
        let asked = world.ask(op::GetOption { socket, option });
        assert_eq!(asked, Ok(OptionValue::new(kind)));
    }
}

#[test]
fn ranges_outside_of_the_window_are_refused() {
    let mut world = World::simple();
    let listener = world.listen(80, 1);
    let (socket, peer) = world.connected(listener, 80);
    world.peer.tcp(peer).send_slice(b"waiting").unwrap();
    world.await_bits(socket, PollBits::IN);
    let (c2s, total) = (
        u64::from(test_world::C2S),
        u64::from(test_world::C2S + test_world::S2C),
    );
    let span = |offset, length| Span { offset, length };
    for span in [
        span(c2s - 1, 2),
        span(total, 1),
        span(total - 1, 2),
        span(u64::MAX, 1),
        span(1, u64::MAX),
        span(0, total),
    ] {
        let send = world.ask(op::Send::new(socket, span));
        assert_eq!(send, Err(Errno::EFAULT), "{span:?}");
        let recv = world.ask(op::Recv::new(socket, span));
        assert_eq!(recv, Err(Errno::EFAULT), "{span:?}");
    }
    let recv = world.ask(op::Recv {
        socket,
        span: span(0, 10),
        flags: Flags::NONE,
    });
    assert_eq!(recv, Err(Errno::EFAULT), "the client's own half");
    assert_eq!(world.recv(socket, 10).unwrap(), b"waiting");
}

/// A network without a gateway, so that even the peer's address has to be asked for.
fn two_clients_without_gateway() -> World {
    let mut config = config();
    config.gateway = None;
    World::new(config, vec![limits(8, 4), limits(8, 4)], Faults::none())
}

#[test]
fn a_client_that_sends_to_nobody_keeps_no_other_from_finding_its_neighbour() {
    for kind in [SocketKind::Stream, SocketKind::Datagram] {
        let mut world = two_clients_without_gateway();
        let flood = world.socket(SocketKind::Datagram);
        let mut nobody = 0;
        let mut send_to_nobody = |world: &mut World| {
            nobody = (nobody + 1) % 100;
            let to = format!("10.0.2.{}:9", 100 + nobody);
            assert_eq!(world.send_datagrams(flood, &[(Some(&to), b"lost")]), Ok(1));
        };
        send_to_nobody(&mut world);
        world.run_for(SECOND / 2);
        let victim = world.socket_as(1, kind).unwrap();
        let addr = Some("10.0.2.2:80".parse().unwrap());
        let connect = op::Connect {
            socket: victim,
            addr,
        };
        let (listener, bound) = (world.peer.listen(80), world.peer.bind(80));
        let header = DatagramHeader::new(0, None).bytes().to_vec();
        world.clients[1].fill(&header);
        let connected = world.ask_as(1, connect);
        if kind == SocketKind::Datagram {
            let span = Span {
                offset: 0,
                length: header.len() as u64,
            };
            let send = op::Send {
                socket: victim,
                span,
                flags: Flags::NONE,
            };
            world.ask_as(1, send).unwrap();
        } else {
            assert_eq!(connected, Err(Errno::EINPROGRESS));
        }
        let start = world.now;
        while !world.peer.tcp(listener).may_send() && !world.peer.udp(bound).can_recv() {
            assert!(world.now < start + SECOND, "{kind:?}: not within a second");
            send_to_nobody(&mut world);
            world.run_for(SECOND / 200);
        }
    }
}

#[test]
fn a_client_that_sends_to_nobody_asks_for_few_neighbours() {
    let mut world = two_clients_without_gateway();
    let flood = world.socket(SocketKind::Datagram);
    world.medium.start_tap();
    for round in 0..10_000 {
        let to = format!("10.0.2.{}:9", 100 + round % 100);
        let _ = world.send_datagrams(flood, &[(Some(&to), b"lost")]);
        world.run_for(SECOND / 1000);
    }
    let asked = world.medium.take_tap().len();
    assert!((10..=330).contains(&asked), "{asked} frames in 10 seconds");
}

#[test]
fn sixty_two_clients_have_their_ports_and_their_notifications() {
    let everyone = (0..MAX_CLIENTS).map(|_| limits(2, 1)).collect();
    let mut world = World::new(config(), everyone, Faults::none());
    let sockets: Vec<_> = (0..MAX_CLIENTS)
        .map(|client| {
            let socket = world.socket_as(client, SocketKind::Datagram).unwrap();
            let addr = format!("0.0.0.0:{}", 1000 + client).parse().unwrap();
            world.ask_as(client, op::Bind { socket, addr }).unwrap();
            socket
        })
        .collect();
    let sender = world.peer.bind(5000);
    for (client, &socket) in sockets.iter().enumerate().rev() {
        world.notified = 0;
        world.peer.send_to(sender, 1000 + client as u16, b"to one");
        world.run_for(SECOND / 1000);
        assert_eq!(world.notified, 1 << client);
        let bits = world.clients[client].page().bits(socket);
        assert!(bits.contains(PollBits::IN), "client {client}");
    }
}
