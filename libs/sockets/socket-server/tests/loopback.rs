// SPDX-License-Identifier: BSD-2-Clause

//! What goes to this machine itself: without the device, and no client at the cost of another.

use socket_proto::datagram::stride;
use socket_proto::layouts::Layout;
use socket_proto::{
    Accepted, DatagramHeader, Errno, Handle, PollBits, Sent, Shutdown, SocketKind, SocketOption,
    Span, op,
};
use socket_server::{ClientLimits, Destination, Offload, PortRange, SendRate};
use stats::NetServer as Counter;
use test_world::{Faults, SERVER_MAC, World, config, frames, limits, pattern};

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;
/// The client that connects is number 0, whom the methods of the world mean; this one serves.
const SERVER: usize = 1;
const PORT: u16 = 80;
/// Frames that one client may have under way.
const SHARE: u64 = 48;

fn two_clients() -> World {
    World::new(config(), vec![limits(8, 4), limits(8, 4)], Faults::none())
}

fn bound(world: &mut World, client: usize, kind: SocketKind, addr: &str) -> Handle {
    let socket = world.socket_as(client, kind).unwrap();
    let addr = addr.parse().unwrap();
    world.ask_as(client, op::Bind { socket, addr }).unwrap();
    socket
}

fn listener(world: &mut World, addr: &str) -> Handle {
    let socket = bound(world, SERVER, SocketKind::Stream, addr);
    let backlog = 4;
    world
        .ask_as(SERVER, op::Listen { socket, backlog })
        .unwrap();
    socket
}

/// A connection over loopback: the end of client 0, and the other one.
fn connected(world: &mut World, listener: Handle, to: &str) -> (Handle, Handle) {
    let socket = world.socket(SocketKind::Stream);
    assert_eq!(world.connect(socket, to), Err(Errno::EINPROGRESS));
    assert!(world.outcome.more_work, "the SYN is on its way");
    world.settle();
    assert_eq!(world.connect(socket, to), Ok(()));
    let Accepted { socket: other, .. } = world
        .ask_as(SERVER, op::Accept { socket: listener })
        .unwrap();
    (socket, other)
}

/// Has the serving client send back what it receives. Returns how many bytes that were.
fn echo(world: &mut World, socket: Handle) -> u64 {
    let span = Span {
        offset: test_world::C2S.into(),
        length: 1 << 15,
    };
    let Ok(received) = world.ask_as(SERVER, op::Recv::new(socket, span)) else {
        return 0;
    };
    let mut left = Span {
        length: received.bytes,
        ..span
    };
    while left.length > 0 {
        match world.ask_as(SERVER, op::Send::new(socket, left)) {
            Ok(Sent { count, .. }) => {
                left.offset += count;
                left.length -= count;
            }
            Err(Errno::EAGAIN) => world.step(world.now + MILLISECOND),
            Err(errno) => panic!("{errno}"),
        }
    }
    received.bytes
}

/// Sends bytes to the other end and back.
fn exchange(world: &mut World, (socket, other): (Handle, Handle), data: &[u8]) {
    let (mut sent, mut received) = (0, Vec::new());
    world.run_until("all bytes", |world| {
        let end = data.len().min(sent + 20_000);
        if let Ok((count, _)) = world.send(socket, &data[sent..end]) {
            sent += count;
        }
        echo(world, other);
        received.extend(world.recv(socket, 1 << 16).unwrap_or_default());
        received.len() == data.len()
    });
    assert!(received == data);
}

#[test]
fn bytes_go_through_small_buffers_without_a_wait() {
    for size in [2304, 5_000, 60_000] {
        let mut world = two_clients();
        let listener = listener(&mut world, "0.0.0.0:80");
        let ends = connected(&mut world, listener, "127.0.0.1:80");
        for (client, socket) in [(0, ends.0), (SERVER, ends.1)] {
            for option in [SocketOption::SendBuffer, SocketOption::ReceiveBuffer] {
                let set = op::SetOption {
                    socket,
                    option,
                    value: size,
                    second: 0,
                };
                world.ask_as(client, set).unwrap();
            }
        }
        let start = world.now;
        exchange(&mut world, ends, &pattern(200_000, size as u32));
        assert!(world.now - start < 10 * MILLISECOND);
        assert_eq!(world.count(Counter::LoopbackDrops), 0);
    }
}

#[test]
fn bytes_go_there_and_back_without_the_device() {
    for to in ["127.0.0.1:80", "10.0.2.15:80", "127.9.8.7:80"] {
        let mut world = two_clients();
        let listener = listener(&mut world, "0.0.0.0:80");
        let before = world.count(Counter::TxFrames);
        let ends = connected(&mut world, listener, to);
        let near = world.name(ends.0);
        let own = if to.starts_with("127") {
            "127.0.0.1"
        } else {
            "10.0.2.15"
        };
        assert_eq!(near.ip().to_string(), own);
        assert_eq!(world.peer_name(ends.0).unwrap().to_string(), to);
        let named = |world: &mut World, socket| {
            let [name, peer] = [
                world.ask_as(SERVER, op::SockName { socket }).unwrap(),
                world.ask_as(SERVER, op::PeerName { socket }).unwrap(),
            ];
            [name.address.to_string(), peer.address.to_string()]
        };
        assert_eq!(named(&mut world, ends.1), [to.into(), near.to_string()]);
        exchange(&mut world, ends, &pattern(1 << 20, 7));
        world.shutdown(ends.0, Shutdown::Write).unwrap();
        world.settle();
        let close = op::Close { socket: ends.1 };
        world.ask_as(SERVER, close).unwrap();
        world.settle();
        assert_eq!(world.recv(ends.0, 10), Ok(vec![]));
        world.close(ends.0);
        world
            .ask_as(SERVER, op::Close { socket: listener })
            .unwrap();
        world.settle();
        world.assert_no_streams();
        assert_eq!(world.count(Counter::TxFrames), before);
        assert_eq!(world.count(Counter::TcpRetransmits), 0);
        assert_eq!(world.count(Counter::LoopbackDrops), 0);
    }
}

#[test]
fn a_socket_is_reached_by_the_address_that_it_is_bound_to() {
    let mut world = two_clients();
    listener(&mut world, "127.0.0.1:80");
    listener(&mut world, "10.0.2.15:81");
    let attempt = |world: &mut World, to| {
        let socket = world.socket(SocketKind::Stream);
        assert_eq!(world.connect(socket, to), Err(Errno::EINPROGRESS));
        let start = world.now;
        world.settle();
        assert!(world.now - start < MILLISECOND, "at once");
        let end = world.connect(socket, to);
        world.close(socket);
        end
    };
    assert_eq!(attempt(&mut world, "127.0.0.1:80"), Ok(()));
    assert_eq!(attempt(&mut world, "0.0.0.0:80"), Ok(()), "as on Linux");
    assert_eq!(attempt(&mut world, "10.0.2.15:81"), Ok(()));
    for refused in ["127.0.0.2:80", "10.0.2.15:80", "127.0.0.1:81"] {
        assert_eq!(attempt(&mut world, refused), Err(Errno::ECONNREFUSED));
    }
    // Nor from outside.
    let peer = world.peer.connect(80);
    world.run_until("a refusal", |world| !world.peer.tcp(peer).is_open());
    // And an address of loopback means nothing there.
    let socket = world.socket(SocketKind::Stream);
    world.bind(socket, "127.0.0.1:0").unwrap();
    assert_eq!(world.connect(socket, "10.0.2.2:80"), Err(Errno::EINVAL));
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, "127.0.0.3:5000").unwrap();
    let sent = world.send_datagrams(socket, &[(Some("10.0.2.2:80"), b"x")]);
    assert_eq!(sent, Err(Errno::EINVAL));
    for nobodys in ["127.255.255.255:80", "10.0.2.16:80"] {
        let socket = world.socket(SocketKind::Stream);
        assert_eq!(world.bind(socket, nobodys), Err(Errno::EADDRNOTAVAIL));
        world.close(socket);
    }
}

#[test]
fn a_socket_does_not_meet_itself() {
    let mut world = World::simple();
    let socket = world.socket(SocketKind::Stream);
    world.bind(socket, "127.0.0.1:5000").unwrap();
    let end = world.connect(socket, "127.0.0.1:5000");
    assert_eq!(end, Err(Errno::ECONNREFUSED));
    world.assert_no_streams();
    // Of two ports the server chooses the one that leads to another end.
    let ephemeral = PortRange::new(49_152, 65_533).unwrap();
    let other = ClientLimits {
        tcp_ports: vec![ephemeral],
        ..limits(8, 4)
    };
    let first = ClientLimits {
        tcp_ports: vec![],
        ..limits(8, 4)
    };
    let mut world = World::new(config(), vec![first, other], Faults::none());
    for to in [65_534, 65_535] {
        let socket = world.socket(SocketKind::Stream);
        let started = world.connect(socket, &format!("127.0.0.1:{to}"));
        assert_eq!(started, Err(Errno::EINPROGRESS));
        assert_eq!(world.name(socket).port(), to ^ 1);
        world.close(socket);
        world.settle();
    }
}

#[test]
fn datagrams_of_any_length_arrive() {
    let mut world = two_clients();
    let other = bound(&mut world, SERVER, SocketKind::Datagram, "0.0.0.0:80");
    let socket = world.socket(SocketKind::Datagram);
    for length in [0, 1, 1472, 1473, 65_507] {
        let data = pattern(length, 5);
        for to in ["127.0.0.1:80", "10.0.2.15:80"] {
            let sent = world.send_datagrams(socket, &[(Some(to), &data)]);
            assert_eq!(sent, Ok(1), "{length} {to}");
            world.settle();
            let span = Span {
                offset: test_world::C2S.into(),
                length: 1 << 17,
            };
            let received = world.ask_as(SERVER, op::Recv::new(other, span)).unwrap();
            assert_eq!(received.datagrams, 1);
            let mut header = DatagramHeader::default();
            let bytes = world.clients[SERVER].read(0, 32 + length);
            header.bytes_mut().copy_from_slice(&bytes[..32]);
            assert!(bytes[32..] == data);
            let from = header.peer().unwrap().unwrap().ip().to_string();
            assert_eq!(Some(&*from), to.strip_suffix(":80"));
        }
    }
    assert_eq!(world.count(Counter::DropsMalformed), 0);
}

#[test]
fn a_connected_datagram_socket_hears_its_peer_alone_and_of_errors() {
    let mut world = World::simple();
    let socket = world.socket(SocketKind::Datagram);
    world.connect(socket, "127.0.0.1:7").unwrap();
    let name = world.name(socket);
    assert_eq!(name.ip().to_string(), "127.0.0.1");
    let start = world.now;
    assert_eq!(world.send_datagrams(socket, &[(None, b"x")]), Ok(1));
    world.settle();
    assert!(world.now - start < MILLISECOND, "at once");
    assert_eq!(world.so_error(socket), Some(Errno::ECONNREFUSED));
    let seven = world.socket(SocketKind::Datagram);
    world.bind(seven, "0.0.0.0:7").unwrap();
    let port = name.port();
    for (to, heard) in [("127.0.0.1", true), ("10.0.2.15", false)] {
        let to = format!("{to}:{port}");
        world.send_datagrams(seven, &[(Some(&to), b"y")]).unwrap();
        world.settle();
        let received = world.recv_datagrams(socket, 1000);
        assert_eq!(received.is_ok(), heard, "{to}");
    }
    // No answer to those was held back, whatever their number.
    let none = world.socket(SocketKind::Datagram);
    for _ in 0..2000 {
        world
            .send_datagrams(none, &[(Some("127.0.0.1:9"), b"z")])
            .unwrap();
        world.settle();
    }
    assert_eq!(world.count(Counter::RepliesLimited), 0);
}

/// So many datagrams in one call. Returns how many were taken.
fn flood(world: &mut World, client: usize, socket: Handle, count: usize) -> Result<u64, Errno> {
    let header = DatagramHeader::new(1000, Some("127.0.0.1:80".parse().unwrap()));
    let mut batch = vec![0; count * stride(1000)];
    for start in (0..batch.len()).step_by(stride(1000)) {
        batch[start..start + 32].copy_from_slice(header.bytes());
    }
    world.clients[client].fill(&batch);
    let length = batch.len() as u64;
    let span = Span { offset: 0, length };
    let sent = world.ask_as(client, op::Send::new(socket, span))?;
    Ok(sent.count)
}

#[test]
fn a_flood_fills_its_own_share_and_is_told() {
    let mut world = two_clients();
    let listener = listener(&mut world, "127.0.0.1:80");
    let ends = connected(&mut world, listener, "127.0.0.1:80");
    let [first, second] =
        [0, 1].map(|client| world.socket_as(client, SocketKind::Datagram).unwrap());
    for _ in 0..20 {
        assert_eq!(flood(&mut world, 0, first, 60), Ok(SHARE));
        assert_eq!(flood(&mut world, 0, first, 60), Err(Errno::EAGAIN));
        assert!(!world.bits(first).contains(PollBits::OUT));
        // Another client does not notice; nor does the device, for which there is as much room as
        // before.
        assert_eq!(flood(&mut world, SERVER, second, 10), Ok(10));
        assert_eq!(
            world.send_datagrams(first, &[(Some("10.0.2.2:9"), b"x")]),
            Ok(1)
        );
        world.notified = 0;
        world.settle();
        assert!(world.bits(first).contains(PollBits::OUT));
        assert!(world.take_notified(0));
    }
    assert_eq!(world.count(Counter::LoopbackDrops), 0);
    // Nobody listens at that port. There were more answers than may be under way at once.
    assert_eq!(world.count(Counter::DropsNoSocket), 20 * (SHARE + 10));
    exchange(&mut world, ends, &pattern(100_000, 3));
}

#[test]
fn a_wake_up_takes_so_many_and_no_more() {
    let clients = vec![limits(8, 4); 6];
    let mut world = World::new(config(), clients, Faults::none());
    for client in 0..6 {
        let socket = world.socket_as(client, SocketKind::Datagram).unwrap();
        assert_eq!(flood(&mut world, client, socket, 60), Ok(SHARE));
    }
    let sent = world.count(Counter::LoopbackFrames);
    let outcome = world.server.poll(world.now, &mut world.link);
    assert!(outcome.more_work);
    assert_eq!(world.count(Counter::DropsNoSocket), 128);
    // The answers are on their way.
    assert_eq!(world.count(Counter::LoopbackFrames), sent + 128);
    world.outcome = outcome;
    world.settle();
    assert!(!world.outcome.more_work);
    assert_eq!(world.count(Counter::DropsNoSocket), 6 * SHARE);
}

#[test]
fn an_inbox_that_is_full_drops_and_the_sender_goes_on() {
    let mut world = two_clients();
    bound(&mut world, SERVER, SocketKind::Datagram, "0.0.0.0:80");
    let socket = world.socket(SocketKind::Datagram);
    for _ in 0..20 {
        assert_eq!(flood(&mut world, 0, socket, 48), Ok(SHARE));
        world.settle();
    }
    assert!(world.count(Counter::DropsSocketFull) > 0);
}

#[test]
fn neither_a_link_that_is_down_nor_a_driver_that_takes_nothing_matters() {
    let mut world = two_clients();
    let listener = listener(&mut world, "0.0.0.0:80");
    let ends = connected(&mut world, listener, "127.0.0.1:80");
    world.server.set_link(false, world.now);
    exchange(&mut world, ends, &pattern(200_000, 1));
    let ends = connected(&mut world, listener, "10.0.2.15:80");
    exchange(&mut world, ends, &pattern(200_000, 2));
    world.server.set_link(true, world.now);
    world.link.tx.set_buffers(0);
    exchange(&mut world, ends, &pattern(200_000, 3));
}

#[test]
fn the_end_of_a_client_reaches_its_peers_here() {
    let mut world = two_clients();
    let listener_ = listener(&mut world, "0.0.0.0:80");
    let (socket, _) = connected(&mut world, listener_, "127.0.0.1:80");
    world.client_gone(SERVER);
    world.settle();
    assert_eq!(world.recv(socket, 10), Err(Errno::ECONNRESET));
    // Its next life listens again at once.
    world.attach(SERVER);
    let listener_ = listener(&mut world, "0.0.0.0:80");
    let ends = connected(&mut world, listener_, "127.0.0.1:80");
    exchange(&mut world, ends, &pattern(10_000, 1));
    world.restart();
    world.attach(0);
    world.attach(SERVER);
    let listener = listener(&mut world, "0.0.0.0:80");
    let ends = connected(&mut world, listener, "127.0.0.1:80");
    exchange(&mut world, ends, &pattern(10_000, 1));
}

#[test]
fn destinations_here_are_permitted_like_any_other() {
    let here = Destination::new(
        "127.0.0.1".parse().unwrap(),
        32,
        PortRange::new(80, 80).unwrap(),
    );
    let narrow = ClientLimits {
        tcp_destinations: vec![here.unwrap()],
        udp_destinations: vec![Destination::ANYWHERE],
        send_rate: SendRate::default(),
        ..limits(8, 4)
    };
    let mut world = World::new(config(), vec![narrow, limits(8, 4)], Faults::none());
    let listener = listener(&mut world, "0.0.0.0:80");
    let socket = world.socket(SocketKind::Stream);
    for other in ["127.0.0.1:81", "127.0.0.2:80", "10.0.2.15:80"] {
        assert_eq!(world.connect(socket, other), Err(Errno::EACCES));
    }
    connected(&mut world, listener, "127.0.0.1:80");
}

#[test]
fn nothing_of_loopback_comes_by_the_device() {
    let mut world = two_clients();
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, &format!("0.0.0.0:{PORT}")).unwrap();
    let [own, here, all] =
        ["10.0.2.15", "127.0.0.1", "127.255.255.255"].map(|a| a.parse().unwrap());
    let peer = test_world::PEER_IP;
    for (from, to) in [
        (here, own),
        (own, own),
        (peer, here),
        (here, here),
        (peer, all),
    ] {
        let udp = frames::udp((from, 9), (to, PORT), b"forged");
        let packet = frames::ipv4(from, to, 17, &udp);
        world.inject(frames::ethernet(
            test_world::PEER_MAC,
            SERVER_MAC,
            0x0800,
            &packet,
        ));
        // Its Ethernet addresses are those of loopback.
        world.inject(frames::ethernet([0; 6], [0; 6], 0x0800, &packet));
        assert_eq!(world.recv_datagrams(socket, 100), Err(Errno::EAGAIN));
    }
    // Nor an error about what is on its way there.
    world.connect(socket, "127.0.0.1:9").unwrap();
    let quoted = frames::udp((here, PORT), (here, 9), b"");
    let quoted = frames::ipv4(here, here, 17, &quoted);
    for (code, rest) in [(3, [0; 4]), (4, [0, 0, 0, 100])] {
        for to in [own, here] {
            let icmp = frames::icmp(3, code, rest, &quoted);
            let packet = frames::ipv4(peer, to, 1, &icmp);
            world.inject(frames::ethernet(
                test_world::PEER_MAC,
                SERVER_MAC,
                0x0800,
                &packet,
            ));
        }
    }
    assert_eq!(world.so_error(socket), None);
    assert_eq!(world.count(Counter::PathMtuChanges), 0);
}

#[test]
fn checksums_are_right_where_the_device_would_fill_them_in() {
    let mut world = two_clients();
    for (rx_checksum, tx_checksum) in [(false, true), (true, false), (true, true)] {
        let offload = Offload {
            rx_checksum,
            tx_checksum,
        };
        world
            .server
            .link_up(SERVER_MAC, offload, world.now)
            .unwrap();
        let listener = listener(&mut world, "0.0.0.0:80");
        let ends = connected(&mut world, listener, "127.0.0.1:80");
        exchange(&mut world, ends, &pattern(100_000, 1));
        let other = bound(&mut world, SERVER, SocketKind::Datagram, "0.0.0.0:80");
        let socket = world.socket(SocketKind::Datagram);
        world
            .send_datagrams(socket, &[(Some("127.0.0.1:80"), b"x")])
            .unwrap();
        world.settle();
        assert!(
            world.clients[SERVER]
                .page()
                .bits(other)
                .contains(PollBits::IN)
        );
        world.close(socket);
        for socket in [listener, ends.1, other] {
            world.ask_as(SERVER, op::Close { socket }).unwrap();
        }
        world.close(ends.0);
        world.run_for(SECOND / 10);
    }
    assert_eq!(world.count(Counter::DropsMalformed), 0);
}
