// SPDX-License-Identifier: BSD-2-Clause

//! Socket options, queries and the state of the link.

use std::net::Ipv4Addr;

use socket_proto::layouts::{Account, Interface, Layout, QueryKind, SocketState, TcpInfo};
use socket_proto::{Errno, Handle, OptionAccess, OptionKinds, PollBits, SocketKind, SocketOption};
use socket_proto::{Span, addr, op};
use stats::NetServer as Counter;
use test_world::{C2S, Faults, PEER_IP, SERVER_IP, SERVER_MAC, World, config, frames, limits};

const SECOND: u64 = 1_000_000_000;

fn get(world: &mut World, socket: Handle, option: SocketOption) -> Result<(u64, u64), Errno> {
    let got = world.ask(op::GetOption { socket, option })?;
    Ok((got.value, got.second))
}

fn set(world: &mut World, socket: Handle, option: SocketOption, value: u64) -> Result<(), Errno> {
    let second = 0;
    world.ask(op::SetOption {
        socket,
        option,
        value,
        second,
    })
}

#[test]
fn every_option_can_be_read_and_the_writable_ones_set() {
    let mut world = World::simple();
    let kinds = [SocketKind::Stream, SocketKind::Datagram];
    for (kind, v6) in kinds
        .into_iter()
        .flat_map(|kind| [(kind, false), (kind, true)])
    {
        let socket = match v6 {
            true => world.socket6(kind),
            false => world.socket(kind),
        };
        for &option in SocketOption::ALL {
            let of_kind = match option.kinds() {
                OptionKinds::All => true,
                OptionKinds::Stream => kind == SocketKind::Stream,
                OptionKinds::Datagram => kind == SocketKind::Datagram,
            };
            let applies = of_kind && (v6 || !option.is_ipv6());
            let got = get(&mut world, socket, option);
            assert_eq!(got.is_ok(), applies, "{}: {got:?}", option.name());
            let writable = applies && option.access() == OptionAccess::ReadWrite;
            let expected = if writable {
                Ok(())
            } else {
                Err(Errno::ENOPROTOOPT)
            };
            let value = match option {
                // The lowest bits are not the client's.
                SocketOption::TypeOfService | SocketOption::TrafficClass => 4,
                SocketOption::MaxSegment => 88,
                SocketOption::SendBuffer | SocketOption::ReceiveBuffer => 5000,
                _ => 1,
            };
            assert_eq!(
                set(&mut world, socket, option, value),
                expected,
                "{}",
                option.name()
            );
            if writable {
                let (found, _) = get(&mut world, socket, option).unwrap();
                assert_eq!(found, value, "{}", option.name());
            }
        }
    }
    let socket = world.socket(SocketKind::Stream);
    let read = |world: &mut World, option| get(world, socket, option).unwrap().0;
    assert_eq!(read(&mut world, SocketOption::SendBuffer), 1 << 16);
    assert_eq!(read(&mut world, SocketOption::ReceiveBuffer), 1 << 16);
    assert_eq!(read(&mut world, SocketOption::Protocol), 6);
    assert_eq!(read(&mut world, SocketOption::AcceptConnections), 0);
    let listener = world.listen(80, 4);
    let (listens, _) = get(&mut world, listener, SocketOption::AcceptConnections).unwrap();
    assert_eq!(listens, 1);
    for value in [0, 256, u64::MAX - 1] {
        let set = set(&mut world, socket, SocketOption::TimeToLive, value);
        assert_eq!(set, Err(Errno::EINVAL));
    }
    let second = world.ask(op::SetOption {
        socket,
        option: SocketOption::NoDelay,
        value: 1,
        second: 1,
    });
    assert_eq!(second, Err(Errno::EINVAL));
}

/// Everything that the server sends while `act` lasts.
fn sent(world: &mut World, act: impl FnOnce(&mut World)) -> Vec<Vec<u8>> {
    world.medium.start_tap();
    act(world);
    let frames = world.medium.take_tap();
    let ours = |frame: &Vec<u8>| frame[6..12] == SERVER_MAC;
    frames.into_iter().filter(ours).collect()
}

/// What the headers of packets say, as often as it changes: time to live, and type of service.
fn marks(frames: &[Vec<u8>]) -> Vec<(u8, u8)> {
    let packets = frames.iter().filter_map(|frame| frames::packet(frame));
    let mut marks: Vec<(u8, u8)> = packets
        .map(|packet| {
            let sum = packet[..20]
                .chunks(2)
                .map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
            let sum: u32 = sum.sum();
            assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff, "a wrong checksum");
            (packet[8], packet[1])
        })
        .collect();
    marks.dedup();
    marks
}

#[test]
fn options_reach_every_fragment_of_datagrams_and_those_that_wait() {
    let mut world = World::simple();
    let socket = world.socket(SocketKind::Datagram);
    let send = |world: &mut World, to, length: usize| {
        let frames = sent(world, |world| {
            let sent = world.send_datagrams(socket, &[(Some(to), &vec![1; length])]);
            assert_eq!(sent, Ok(1));
            world.run_for(SECOND / 10);
        });
        marks(&frames)
    };
    assert_eq!(send(&mut world, "10.0.2.2:9", 10), [(64, 0)]);
    set(&mut world, socket, SocketOption::TimeToLive, 3).unwrap();
    set(&mut world, socket, SocketOption::TypeOfService, 0xff).unwrap();
    assert_eq!(send(&mut world, "10.0.2.2:9", 10), [(3, 0xff)]);
    assert_eq!(send(&mut world, "10.0.2.2:9", 10_000), [(3, 0xff)]);
    // A host whose Ethernet address is not known yet.
    let host = Ipv4Addr::new(10, 0, 2, 77);
    let mac = [2, 0, 0, 0, 0, 77];
    let frames = sent(&mut world, |world| {
        let sent = world.send_datagrams(socket, &[(Some("10.0.2.77:9"), b"later")]);
        assert_eq!(sent, Ok(1));
        let reply = frames::arp(2, (mac, host), (SERVER_MAC, SERVER_IP));
        world.inject(frames::ethernet(mac, SERVER_MAC, 0x0806, &reply));
        world.run_for(SECOND / 10);
    });
    assert_eq!(marks(&frames), [(3, 0xff)]);
}

#[test]
fn a_datagram_to_all_hosts_leaves_at_once_to_the_address_of_all() {
    let mut world = World::simple();
    let socket = world.socket(SocketKind::Datagram);
    set(&mut world, socket, SocketOption::Broadcast, 1).unwrap();
    for (to, ip) in [
        ("10.0.2.255:9", [10, 0, 2, 255]),
        ("255.255.255.255:9", [255; 4]),
    ] {
        for length in [5, 5_000] {
            let frames = sent(&mut world, |world| {
                let sent = world.send_datagrams(socket, &[(Some(to), &vec![1; length])]);
                assert_eq!(sent, Ok(1));
            });
            assert_eq!(frames.len(), length.div_ceil(1480));
            for frame in &frames {
                let packet = frames::packet(frame).unwrap();
                assert_eq!((&frame[..6], &packet[16..20]), (&[0xff; 6][..], &ip[..]));
            }
        }
    }
}

#[test]
fn options_reach_the_segments_of_connections_made_and_accepted() {
    let mut world = World::simple();
    let listener = world.listen(80, 4);
    set(&mut world, listener, SocketOption::TimeToLive, 9).unwrap();
    set(&mut world, listener, SocketOption::TypeOfService, 0xb8).unwrap();
    let mut ends = None;
    let frames = sent(&mut world, |world| {
        ends = Some(world.connected(listener, 80))
    });
    let (socket, peer) = ends.unwrap();
    // The first is the SYN|ACK.
    assert_eq!(marks(&frames), [(9, 0xb8)]);
    assert_eq!(
        get(&mut world, socket, SocketOption::TimeToLive),
        Ok((9, 0))
    );
    let one = |world: &mut World| {
        world.send(socket, b"x").unwrap();
        world.run_for(SECOND / 10);
    };
    assert_eq!(marks(&sent(&mut world, one)), [(9, 0xb8)]);
    set(&mut world, socket, SocketOption::TimeToLive, 77).unwrap();
    set(&mut world, socket, SocketOption::TypeOfService, 0x13).unwrap();
    assert_eq!(marks(&sent(&mut world, one)), [(77, 0x10)]);
    set(&mut world, socket, SocketOption::TypeOfService, 0).unwrap();
    set(&mut world, socket, SocketOption::TimeToLive, u64::MAX).unwrap();
    assert_eq!(marks(&sent(&mut world, one)), [(64, 0)]);
    // The peer that takes what is sent late: with Nagle's algorithm the second byte waits.
    let segments = |frames: Vec<Vec<u8>>| frames.len();
    let two = |world: &mut World| {
        for _ in 0..2 {
            world.send(socket, b"y").unwrap();
        }
    };
    let at_once = sent(&mut world, two);
    assert_eq!(segments(at_once), 2);
    world.run_for(SECOND);
    set(&mut world, socket, SocketOption::NoDelay, 0).unwrap();
    let at_once = sent(&mut world, two);
    assert_eq!(segments(at_once), 1);
    world.run_for(SECOND);
    assert_eq!(world.peer.tcp(peer).recv_queue(), 7);
}

/// The segment size that a SYN announces.
fn announced(frame: &[u8]) -> Option<u16> {
    let (_, _, segment) = frames::payload(frame, 6)?;
    match segment[20..] {
        [2, 4, high, low, ..] if segment[13] & 2 != 0 => Some(u16::from_be_bytes([high, low])),
        _ => None,
    }
}

fn longest(frames: &[Vec<u8>]) -> Option<usize> {
    let segments = frames.iter().filter_map(|frame| frames::payload(frame, 6));
    segments.map(|(.., segment)| segment.len() - 20).max()
}

#[test]
fn the_largest_segment_is_announced_and_sent() {
    let mut world = World::simple();
    let listener = world.listen(80, 4);
    set(&mut world, listener, SocketOption::MaxSegment, 500).unwrap();
    let mut ends = None;
    let syn_ack = sent(&mut world, |world| {
        ends = Some(world.connected(listener, 80))
    });
    let (accepted, _) = ends.unwrap();
    assert_eq!(syn_ack.iter().find_map(|frame| announced(frame)), Some(500));

    let made = world.socket(SocketKind::Stream);
    set(&mut world, made, SocketOption::MaxSegment, 32_767).unwrap();
    set(&mut world, made, SocketOption::MaxSegment, 600).unwrap();
    world.peer.listen(90);
    let syn = sent(&mut world, |world| {
        world.connect(made, "10.0.2.2:90").unwrap_err();
        world.await_bits(made, PollBits::OUT);
    });
    assert_eq!(syn.iter().find_map(|frame| announced(frame)), Some(600));

    for (socket, mss) in [(accepted, 500), (made, 600)] {
        // It is too late for another one.
        set(&mut world, socket, SocketOption::MaxSegment, 1000).unwrap();
        let shown = get(&mut world, socket, SocketOption::MaxSegment);
        assert_eq!(shown, Ok((mss as u64, 0)));
        // With large buffers, too.
        for _ in 0..3 {
            let frames = sent(&mut world, |world| {
                world.send(socket, &[1; 20_000]).unwrap();
                world.run_for(SECOND);
            });
            assert_eq!(longest(&frames), Some(mss));
        }
        let info: TcpInfo = query(&mut world, QueryKind::Tcp, socket.raw()).unwrap();
        assert_eq!((info.send_mss, info.receive_mss), (mss as u32, mss as u32));
    }
    let (usual, _) = world.connected(listener, 80);
    let shown = get(&mut world, usual, SocketOption::MaxSegment);
    assert_eq!(shown, Ok((500, 0)));
}

#[test]
fn tcp_info_tells_what_is_true() {
    let mut world = World::simple();
    let listener = world.listen(80, 4);
    let info = |world: &mut World, socket: Handle| -> Result<TcpInfo, Errno> {
        query(world, QueryKind::Tcp, socket.raw())
    };
    let idle = world.socket(SocketKind::Stream);
    let of = |state| TcpInfo {
        state,
        ..TcpInfo::default()
    };
    assert_eq!(info(&mut world, idle), Ok(of(7)));
    assert_eq!(info(&mut world, listener), Ok(of(10)));
    let datagram = world.socket(SocketKind::Datagram);
    assert_eq!(info(&mut world, datagram), Err(Errno::EOPNOTSUPP));

    let (socket, peer) = world.connected(listener, 80);
    world.run_for(3 * SECOND);
    world.peer.tcp(peer).send_slice(&[1; 1000]).unwrap();
    world.await_bits(socket, PollBits::IN);
    let found = info(&mut world, socket).unwrap();
    assert!(
        found.handshake > 0 && found.congestion_window >= 14_600,
        "{found:?}"
    );
    assert_eq!(
        (found.state, found.send_mss, found.receive_mss),
        (1, 1460, 1460)
    );
    assert_eq!(
        (found.in_flight, found.unsent, found.retransmissions),
        (0, 0, 0)
    );
    assert_eq!(found.receive_window, 2 * 1460 - 1000);
    assert!(found.silence < SECOND / 100);
    let window = world.peer.tcp(peer).recv_capacity() as u32;
    assert_eq!(found.peer_window, window);

    world.medium.set_faults(Faults {
        lost: 1000,
        ..Faults::none()
    });
    let (taken, _) = world.send(socket, &[1; 40_000]).unwrap();
    world.run_for(2 * SECOND);
    let found = info(&mut world, socket).unwrap();
    assert_eq!(found.in_flight + found.unsent, taken as u64);
    assert!(
        found.in_flight >= 2 * 1460 && found.retransmissions > 1,
        "{found:?}"
    );
    assert_eq!(found.congestion_window, 1460);
    assert!(found.silence >= 2 * SECOND);
}

#[test]
fn a_close_that_does_not_linger_resets() {
    let mut world = World::simple();
    let listener = world.listen(80, 4);
    for (linger, resets) in [(None, false), (Some(5), false), (Some(0), true)] {
        let (socket, peer) = world.connected(listener, 80);
        world
            .ask(op::SetOption {
                socket,
                option: SocketOption::Linger,
                value: linger.is_some().into(),
                second: linger.unwrap_or(0),
            })
            .unwrap();
        let shown = get(&mut world, socket, SocketOption::Linger);
        assert_eq!(shown, Ok((linger.is_some().into(), linger.unwrap_or(0))));
        let before = world.count(Counter::TcpReset);
        world.close(socket);
        world.run_for(SECOND / 10);
        let closed = world.peer.tcp(peer).state() == smoltcp::socket::tcp::State::Closed;
        assert_eq!(closed, resets, "{linger:?}");
        assert_eq!(world.count(Counter::TcpReset) > before, resets);
    }
}

#[test]
fn a_silent_peer_is_given_as_long_as_its_socket_says() {
    let mut world = World::simple();
    let listener = world.listen(80, 4);
    let (idle, _) = world.connected(listener, 80);
    let (asked, _) = world.connected(listener, 80);
    let (owed, _) = world.connected(listener, 80);
    set(&mut world, idle, SocketOption::KeepAlive, 0).unwrap();
    set(&mut world, owed, SocketOption::UserTimeout, 5_000).unwrap();
    world.medium.set_faults(Faults {
        lost: 1000,
        ..Faults::none()
    });
    world.send(owed, b"anyone?").unwrap();
    world.run_for(3 * SECOND);
    assert!(!world.bits(owed).contains(PollBits::ERR));
    world.run_for(4 * SECOND);
    assert!(world.bits(owed).contains(PollBits::ERR));
    assert_eq!(world.so_error(owed), Some(Errno::ETIMEDOUT));
    world.run_for(300 * SECOND);
    assert!(world.bits(asked).contains(PollBits::ERR));
    assert_eq!(world.bits(idle), PollBits::OUT);
}

/// Seconds from `start` on at which the server asks whether the peer is there; it stays away.
fn questions(world: &mut World, start: u64, seconds: u64) -> Vec<u64> {
    let mut at = Vec::new();
    for second in 0..seconds {
        let until = start + second * SECOND + SECOND / 2;
        let rest = until.saturating_sub(world.now);
        let frames = sent(world, |world| world.run_for(rest));
        if frames
            .iter()
            .any(|frame| frames::payload(frame, 6).is_some())
        {
            at.push(second);
        }
    }
    at
}

#[test]
fn an_idle_peer_is_asked_as_its_socket_says() {
    for (idle, interval, count, user_timeout, asked, gone) in [
        (10, 3, 4, 0, vec![10, 13, 16, 19], 22),
        (2, 5, 1, 0, vec![2], 7),
        // The questions go on for that time, as on Linux.
        (4, 2, 1, 9_000, vec![4, 6, 8], 10),
        (10, 3, 4, 2_000, vec![10], 13),
    ] {
        let mut world = World::simple();
        let listener = world.listen(80, 4);
        let (socket, _) = world.connected(listener, 80);
        let start = world.now;
        for (option, value) in [
            (SocketOption::KeepIdle, idle),
            (SocketOption::KeepInterval, interval),
            (SocketOption::KeepCount, count),
            (SocketOption::UserTimeout, user_timeout),
        ] {
            set(&mut world, socket, option, value).unwrap();
        }
        world.medium.set_faults(Faults {
            lost: 1000,
            ..Faults::none()
        });
        let found = questions(&mut world, start, gone);
        assert_eq!(found, asked);
        assert!(!world.bits(socket).contains(PollBits::ERR));
        world.run_for(SECOND);
        assert_eq!(world.so_error(socket), Some(Errno::ETIMEDOUT));
    }
}

#[test]
fn an_answer_begins_the_questions_anew_and_a_setting_counts_at_once() {
    let mut world = World::simple();
    let listener = world.listen(80, 4);
    let (socket, _) = world.connected(listener, 80);
    let start = world.now;
    set(&mut world, socket, SocketOption::KeepInterval, 2).unwrap();
    set(&mut world, socket, SocketOption::KeepCount, 1).unwrap();
    assert_eq!(questions(&mut world, start, 150), [60, 120]);
    set(&mut world, socket, SocketOption::KeepIdle, 40).unwrap();
    assert_eq!(questions(&mut world, start, 180), [160]);
    set(&mut world, socket, SocketOption::KeepAlive, 0).unwrap();
    assert_eq!(questions(&mut world, start, 500), [0; 0]);
    assert_eq!(world.bits(socket), PollBits::OUT);
    // The peer was silent for long: it is asked at once, and not given up.
    set(&mut world, socket, SocketOption::KeepAlive, 1).unwrap();
    world.run_for(5 * SECOND);
    assert_eq!(world.bits(socket), PollBits::OUT);
}

fn query<L: Layout>(world: &mut World, what: QueryKind, index: u64) -> Result<L, Errno> {
    let mut layout = L::default();
    let span = Span {
        offset: u64::from(C2S) + 64,
        length: layout.bytes().len() as u64,
    };
    let written = world.ask(op::Query { what, index, span })?;
    assert_eq!(written.bytes, span.length);
    let bytes = world.clients[0].read(64, span.length as usize);
    layout.bytes_mut().copy_from_slice(&bytes);
    Ok(layout)
}

#[test]
fn queries_tell_what_is_there() {
    let mut world = World::new(config(), vec![limits(3, 2)], Faults::none());
    let interface: Interface = query(&mut world, QueryKind::Interface, 0).unwrap();
    assert_eq!(&interface.name[..5], b"eth0\0");
    assert_eq!(interface.mac[..6], SERVER_MAC);
    assert_eq!(interface.address, addr::to_words((SERVER_IP, 0).into()));
    assert_eq!(
        (interface.prefix, interface.mtu, interface.link_up),
        (24, 1500, 1)
    );
    assert_eq!(interface.tx_frames, world.count(Counter::TxFrames));
    assert!(interface.tx_frames > 0);
    let loopback: Interface = query(&mut world, QueryKind::Interface, 1).unwrap();
    assert_eq!(&loopback.name[..3], b"lo\0");
    let address = addr::to_words("127.0.0.1:0".parse().unwrap());
    assert_eq!((loopback.address, loopback.prefix), (address, 8));
    assert_eq!((loopback.link_up, loopback.tx_frames), (1, 0));
    let none = query::<Interface>(&mut world, QueryKind::Interface, 2);
    assert_eq!(none, Err(Errno::ENODEV));

    let listener = world.listen(80, 4);
    world.socket(SocketKind::Datagram);
    let (socket, peer) = world.connected(listener, 80);
    let account: Account = query(&mut world, QueryKind::Account, 0).unwrap();
    let expected = Account {
        stream_sockets: 2,
        stream_quota: 3,
        datagram_sockets: 1,
        datagram_quota: 2,
    };
    assert_eq!(account, expected);
    let more = query::<Account>(&mut world, QueryKind::Account, 1);
    assert_eq!(more, Err(Errno::EINVAL));

    world.peer.tcp(peer).send_slice(b"unread").unwrap();
    world.await_bits(socket, PollBits::IN);
    let state: SocketState = query(&mut world, QueryKind::Socket, socket.raw()).unwrap();
    let peer_port = addr::from_words(state.remote).unwrap().unwrap().port();
    let expected = SocketState {
        kind: 1,
        state: 1,
        local: addr::to_words((SERVER_IP, 80).into()),
        remote: addr::to_words((PEER_IP, peer_port).into()),
        unread: 6,
        unacknowledged: 0,
        retransmissions: 0,
        ..state
    };
    assert_eq!(state, expected);
    let state: SocketState = query(&mut world, QueryKind::Socket, listener.raw()).unwrap();
    assert_eq!((state.state, state.remote), (10, addr::NO_ADDRESS));
    world.close(socket);
    let closed = query::<SocketState>(&mut world, QueryKind::Socket, socket.raw());
    assert_eq!(closed, Err(Errno::EBADF));
    for (offset, errno) in [(0, Errno::EFAULT), (u64::from(C2S), Errno::EINVAL)] {
        let span = Span { offset, length: 8 };
        let short = world.ask(op::Query {
            what: QueryKind::Account,
            index: 0,
            span,
        });
        assert_eq!(short, Err(errno));
    }
}

#[test]
fn nothing_is_sent_while_the_link_is_down_and_neighbours_are_asked_again() {
    let mut world = World::simple();
    let listener = world.listen(80, 4);
    let (socket, peer) = world.connected(listener, 80);
    world.run_for(SECOND);
    let now = world.now;
    world.server.set_link(false, now);
    let interface: Interface = query(&mut world, QueryKind::Interface, 0).unwrap();
    assert_eq!(interface.link_up, 0);
    let frames = sent(&mut world, |world| {
        world.send(socket, b"later").unwrap();
        world.run_for(5 * SECOND);
    });
    assert!(frames.is_empty(), "{} frames", frames.len());
    let now = world.now;
    world.server.set_link(true, now);
    let frames = sent(&mut world, |world| {
        world.run_for(SECOND / 10);
        world.run_for(SECOND / 10);
    });
    assert!(frames.iter().any(|frame| frames::asked(frame).is_some()));
    assert_eq!(world.peer.tcp(peer).recv_queue(), 5);
}
