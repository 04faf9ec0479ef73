// SPDX-License-Identifier: BSD-2-Clause

//! Peers that do whatever they like: clients with arbitrary messages, a network with arbitrary
//! frames. Nothing panics, and the tables agree with one another after every step
//! ([`test_world::World`] has the server audit itself).

use proptest::prelude::*;
use smoltcp::iface::SocketHandle;
use socket_proto::{Errno, Handle, PollBits, SocketKind, SocketOption, Span, addr, op};
use socket_server::Config;
use stats::NetServer as Counter;
use test_world::{C2S, Faults, PEER_IP6, S2C, SERVER, SERVER_IP6, World, config6, frames, limits};

/// Connections of the well-behaved peer.
const PEERS: usize = 12;

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A call with words that mostly make sense.
    Call {
        client: usize,
        label: u64,
        words: [u64; 4],
    },
    /// A call with any words.
    Garbage {
        client: usize,
        label: u64,
        words: [u64; 4],
    },
    /// What the client's page says is put to the test, with one kind of call.
    Probe {
        client: usize,
        what: Probe,
    },
    /// The client writes rubbish into its window.
    Scribble {
        client: usize,
        bytes: Vec<u8>,
    },
    /// A frame comes: the nth of those seen on the wire lately, with some bytes changed.
    Replay {
        which: usize,
        changes: Vec<(usize, u8)>,
        fix: bool,
    },
    /// A frame of any bytes comes, with an Ethernet header that makes it go further.
    Frame {
        kind: u16,
        bytes: Vec<u8>,
    },
    /// An IPv6 packet comes whose first header is right, with these headers and bytes behind it.
    Packet6 {
        group: bool,
        hops: u8,
        headers: Vec<(u8, Vec<u8>)>,
        next: u8,
        bytes: Vec<u8>,
    },
    /// The peer does something sensible.
    PeerConnect {
        port: u16,
        v6: bool,
    },
    PeerSend {
        which: usize,
        size: usize,
    },
    PeerDatagram {
        port: u16,
        size: usize,
    },
    PeerRead {
        which: usize,
    },
    PeerClose {
        which: usize,
        abort: bool,
    },
    /// Time passes, in microseconds.
    Wait {
        micros: u64,
    },
    /// The driver keeps the server's frames, or gives them back.
    Driver {
        stopped: bool,
    },
}

/// The calls whose outcome readiness bits foretell.
#[derive(Clone, Copy, Debug)]
enum Probe {
    Error,
    Accept,
    Recv,
    Send,
}

fn handle_word() -> impl Strategy<Value = u64> {
    // Low indices and generations are those that exist.
    prop_oneof![
        8 => (0u64..7, 1u64..3).prop_map(|(index, generation)| index | generation << 16),
        1 => Just(0u64),
        1 => any::<u64>(),
    ]
}

fn address_words() -> impl Strategy<Value = [u64; 3]> {
    prop_oneof![
        (
            0u16..8,
            prop_oneof![
                Just("0.0.0.0"),
                Just("10.0.2.15"),
                Just("127.0.0.1"),
                Just("10.0.2.2"),
                Just("10.0.2.9"),
                Just("1.1.1.1"),
                Just("[::]"),
                Just("[::1]"),
                Just("[fd00::15]"),
                Just("[fd00::2]"),
                Just("[fd00::9]"),
                Just("[2001:db8::1]"),
                Just("[fe80::1]"),
                Just("[::ffff:10.0.2.2]"),
                Just("[::ffff:0.0.0.0]")
            ]
        )
            .prop_map(|(port, ip)| addr::to_words(format!("{ip}:{port}").parse().unwrap())),
        Just(addr::NO_ADDRESS),
        any::<[u64; 3]>(),
    ]
}

fn call() -> impl Strategy<Value = Step> {
    let span = prop_oneof![
        8 => (0u64..70_000, 0u64..70_000),
        4 => (0u64..70_000, 0u64..200).prop_map(|(at, length)| (at + u64::from(C2S), length)),
        1 => (any::<u64>(), any::<u64>()),
        1 => (0u64..3, 0u64..3).prop_map(|(a, b)| (u64::from(C2S + S2C) - a, b)),
    ];
    let small = prop_oneof![0u64..4, any::<u64>()];
    let words = prop_oneof![
        (handle_word(), address_words()).prop_map(|(h, [a, b, c])| (vec![3, 6], [h, a, b, c])),
        (handle_word(), span).prop_map(|(h, (at, length))| (vec![7, 8], [h, at, length, 0])),
        (prop::sample::select(vec![2u64, 10]), 1u64..4)
            .prop_map(|(family, kind)| (vec![2], [family, kind, 0, 0])),
        (handle_word(), small).prop_map(|(h, n)| (vec![4, 9], [h, n, 0, 0])),
        handle_word().prop_map(|h| (vec![5, 5, 10, 11, 12], [h, 0, 0, 0])),
        (handle_word(), any::<u64>()).prop_map(|(h, at)| (vec![14], [h, at, 0, 0])),
        (handle_word(), 3u64..5).prop_map(|(h, name)| (vec![13], [h, 1 << 32 | name, 0, 0])),
    ];
    (0usize..2, words, any::<prop::sample::Index>()).prop_map(|(client, (labels, words), pick)| {
        let label = *pick.get(&labels);
        Step::Call {
            client,
            label,
            words,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let changes = prop::collection::vec((0usize..80, any::<u8>()), 0..4);
    prop_oneof![
        20 => call(),
        2 => (0usize..3, prop_oneof![0u64..16, any::<u64>()], any::<[u64; 4]>())
            .prop_map(|(client, label, words)| Step::Garbage { client, label, words }),
        6 => (0usize..2, prop::sample::select(vec![Probe::Error, Probe::Accept, Probe::Recv, Probe::Send]))
            .prop_map(|(client, what)| Step::Probe { client, what }),
        // Seldom: it takes everything away.
        1 => (0usize..2).prop_map(|client| Step::Garbage { client, label: 1, words: [1, 0, 0, 0] }),
        2 => (0usize..2, prop::collection::vec(any::<u8>(), 0..200))
            .prop_map(|(client, bytes)| Step::Scribble { client, bytes }),
        6 => (any::<usize>(), changes, any::<bool>())
            .prop_map(|(which, changes, fix)| Step::Replay { which, changes, fix }),
        3 => (prop_oneof![Just(0x0800u16), Just(0x0806), Just(0x86dd), any::<u16>()], prop::collection::vec(any::<u8>(), 0..120))
            .prop_map(|(kind, bytes)| Step::Frame { kind, bytes }),
        8 => packet6(),
        3 => (0u16..8, any::<bool>()).prop_map(|(port, v6)| Step::PeerConnect { port, v6 }),
        3 => (any::<usize>(), 0usize..30_000).prop_map(|(which, size)| Step::PeerSend { which, size }),
        3 => (1u16..8, 0usize..3000).prop_map(|(port, size)| Step::PeerDatagram { port, size }),
        2 => any::<usize>().prop_map(|which| Step::PeerRead { which }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, abort)| Step::PeerClose { which, abort }),
        6 => prop_oneof![0u64..2_000, 0u64..30_000_000].prop_map(|micros| Step::Wait { micros }),
        1 => any::<bool>().prop_map(|stopped| Step::Driver { stopped }),
    ]
}

/// Chains of headers, fragments, messages of ICMPv6, and nonsense.
fn packet6() -> impl Strategy<Value = Step> {
    let bytes = |most: usize| prop::collection::vec(any::<u8>(), 0..most);
    let small = prop_oneof![Just(0u8), Just(1), Just(5), Just(8), any::<u8>()];
    let header = (
        prop::sample::select(vec![0u8, 43, 44, 44, 60, 50, 59]),
        prop_oneof![
            prop::collection::vec(small, 8),
            // Parts of one packet.
            (0u8..4, any::<bool>()).prop_map(|(at, more)| vec![
                0,
                0,
                0,
                at << 3 | u8::from(more),
                0,
                0,
                0,
                1
            ]),
            bytes(24),
        ],
    );
    let icmp = prop::sample::select(vec![1u8, 2, 3, 4, 128, 130, 133, 134, 135, 136, 137, 143]);
    let message = (icmp, 0u8..2, bytes(90)).prop_map(|(kind, code, mut bytes)| {
        // Targets, and options of short lengths.
        if bytes.len() > 24 && bytes[0] < 200 {
            bytes[4..20].copy_from_slice(&SERVER_IP6.octets());
            bytes[20] %= 6;
            bytes[21] %= 4;
        }
        bytes.splice(0..0, [kind, code, 0, 0]);
        (58u8, bytes)
    });
    let content = prop_oneof![
        3 => message,
        1 => (prop::sample::select(vec![6u8, 17, 58, 59]), bytes(60)),
    ];
    let hops = prop_oneof![Just(255u8), any::<u8>()];
    (
        any::<bool>(),
        hops,
        prop::collection::vec(header, 0..4),
        content,
    )
        .prop_map(|(group, hops, headers, (next, bytes))| Step::Packet6 {
            group,
            hops,
            headers,
            next,
            bytes,
        })
}

/// The packet of a step.
fn build6(
    group: bool,
    hops: u8,
    headers: &[(u8, Vec<u8>)],
    next: u8,
    mut bytes: Vec<u8>,
) -> Vec<u8> {
    let to = match group {
        true => "ff02::1".parse().unwrap(),
        false => SERVER_IP6,
    };
    let from = match hops & 1 == 0 {
        true => PEER_IP6,
        false => "fe80::1".parse().unwrap(),
    };
    if let Ok(mut icmp) = smoltcp::wire::Icmpv6Packet::new_checked(&mut bytes[..])
        && next == 58
    {
        icmp.fill_checksum(&from, &to);
    }
    let mut kinds = headers.iter().map(|&(kind, _)| kind).chain([next]);
    let first = kinds.next().unwrap();
    let mut payload = Vec::new();
    for ((_, header), next) in headers.iter().zip(kinds) {
        payload.push(next);
        payload.extend_from_slice(header.get(1..).unwrap_or_default());
    }
    payload.extend_from_slice(&bytes);
    frames::ipv6(from, to, first, hops, &payload)
}

/// Makes the checksums of an IPv4 packet right again, so that changed frames get past them.
fn fix_checksums(frame: &mut [u8]) {
    use smoltcp::wire::{Icmpv4Packet, IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};
    let Some(payload) = frame.get_mut(14..) else {
        return;
    };
    let Ok(mut packet) = Ipv4Packet::new_checked(payload) else {
        return;
    };
    packet.fill_checksum();
    let (from, to) = (packet.src_addr().into(), packet.dst_addr().into());
    match packet.next_header() {
        IpProtocol::Tcp => {
            if let Ok(mut tcp) = TcpPacket::new_checked(packet.payload_mut()) {
                tcp.fill_checksum(&from, &to);
            }
        }
        IpProtocol::Udp => {
            if let Ok(mut udp) = UdpPacket::new_checked(packet.payload_mut()) {
                udp.fill_checksum(&from, &to);
            }
        }
        IpProtocol::Icmp => {
            if let Ok(mut icmp) = Icmpv4Packet::new_checked(packet.payload_mut()) {
                icmp.fill_checksum();
            }
        }
        _ => {}
    }
}

/// Compares the bits of each socket of a client, as its page has them, with what calls answer.
fn probe(world: &mut World, client: usize, what: Probe) {
    let page = world.clients[client].page_words();
    let shown = page[16..].iter().enumerate().filter_map(|(index, word)| {
        let word = u64::from(word.load(std::sync::atomic::Ordering::Relaxed));
        let handle = Handle::from_raw(index as u64 | word >> 16 << 16)?;
        Some((handle, PollBits::from_bits_truncate(word as u16)))
    });
    for (socket, bits) in shown.collect::<Vec<_>>() {
        let shows = |bit| bits.contains(bit);
        let span = |offset: u32, length| Span {
            offset: offset.into(),
            length,
        };
        let mut option = |option| {
            let asked = world.ask_as(client, op::GetOption { socket, option });
            asked.map(|option| option.value)
        };
        let stream = option(SocketOption::Type) == Ok(1);
        let answer = match what {
            Probe::Error => option(SocketOption::Error),
            Probe::Accept => world.ask_as(client, op::Accept { socket }).map(|_| 0),
            Probe::Recv => {
                let recv = op::Recv::new(socket, span(C2S, 4096));
                world.ask_as(client, recv).map(|_| 0)
            }
            Probe::Send => {
                let send = op::Send::new(socket, span(0, 1));
                world.ask_as(client, send).map(|_| 0)
            }
        };
        match (what, answer) {
            (Probe::Error, answer) => {
                let pending = answer != Ok(0);
                assert_eq!(shows(PollBits::ERR), pending, "{answer:?}");
            }
            (Probe::Accept, Ok(_)) => assert!(shows(PollBits::IN), "{bits:?}"),
            (Probe::Accept, Err(Errno::EAGAIN)) => assert!(!shows(PollBits::IN), "{bits:?}"),
            // A range that is too short, or a socket that no bytes can come to.
            (Probe::Recv, Err(Errno::ENOTCONN)) => assert!(stream && !shows(PollBits::RDHUP)),
            (Probe::Recv, Err(Errno::EAGAIN)) => assert!(!shows(PollBits::IN), "{bits:?}"),
            (Probe::Recv, Ok(_)) => assert!(shows(PollBits::IN), "{bits:?}"),
            (Probe::Recv, Err(_)) => assert!(shows(PollBits::ERR), "{bits:?} {answer:?}"),
            (Probe::Send, Err(Errno::EAGAIN)) if stream => {
                assert!(!shows(PollBits::OUT), "{bits:?}");
            }
            (Probe::Send, _) | (Probe::Accept, _) => {}
        }
    }
}

struct Actors {
    world: World,
    peers: Vec<SocketHandle>,
    datagrams: SocketHandle,
    seen: Vec<Vec<u8>>,
}

impl Actors {
    fn new(seed: u64) -> Actors {
        let mut small = Config {
            autoconf: true,
            ..config6()
        };
        small.closing = 2;
        small.stream_receive = 8192;
        small.stream_send = 8192;
        small.datagram_receive = 4096;
        let mut clients = vec![limits(5, 2), limits(5, 2)];
        for client in &mut clients {
            // Room for the large buffers of none to three connections.
            client.datagram_memory = 6144;
            client.stream_memory = (seed % 4) as usize * 16_384;
        }
        let mut world = World::with_peer(small, clients, Faults::some(seed), PEERS + 2);
        world.peer.buffer = 8192;
        // So that something is there to be disturbed.
        world.listen(5, 3);
        let udp = world.socket(SocketKind::Datagram);
        world.bind(udp, "0.0.0.0:6").unwrap();
        let udp = world.socket6(SocketKind::Datagram);
        world.bind(udp, "[::]:7").unwrap();
        world.medium.start_tap();
        let datagrams = world.peer.bind(30);
        Actors {
            world,
            datagrams,
            peers: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn peer(&self, which: usize) -> Option<SocketHandle> {
        let count = self.peers.len();
        (count > 0).then(|| self.peers[which % count])
    }

    fn perform(&mut self, step: Step) {
        let world = &mut self.world;
        match step {
            Step::Call {
                client,
                label,
                words,
            }
            | Step::Garbage {
                client,
                label,
                words,
            } => {
                let (label, words) = world.raw_call(client, label, words);
                // Whatever was asked, the answer is one of the protocol's.
                let known = label == 0
                    || label == socket_proto::RESTARTED
                    || socket_proto::Errno::from_raw(label).is_some();
                assert!(
                    known && (label == 0 || words == [0; 4]),
                    "{label} {words:?}"
                );
            }
            Step::Probe { client, what } => probe(world, client, what),
            Step::Scribble { client, bytes } => world.clients[client].fill(&bytes),
            Step::Replay {
                which,
                changes,
                fix,
            } => {
                if self.seen.is_empty() {
                    return;
                }
                let mut frame = self.seen[which % self.seen.len()].clone();
                for (at, byte) in changes {
                    if let Some(old) = frame.get_mut(at) {
                        *old = byte;
                    }
                }
                if fix {
                    fix_checksums(&mut frame);
                }
                world.medium.inject(SERVER, frame);
                world.step(world.now);
            }
            Step::Frame { kind, bytes } => {
                let mut frame = test_world::SERVER_MAC.to_vec();
                frame.extend_from_slice(&test_world::PEER_MAC);
                frame.extend_from_slice(&kind.to_be_bytes());
                frame.extend_from_slice(&bytes);
                world.medium.inject(SERVER, frame);
                world.step(world.now);
            }
            Step::Packet6 {
                group,
                hops,
                headers,
                next,
                bytes,
            } => {
                let packet = build6(group, hops, &headers, next, bytes);
                let to = match group {
                    true => [0x33, 0x33, 0, 0, 0, 1],
                    false => test_world::SERVER_MAC,
                };
                let frame = frames::ethernet(test_world::PEER_MAC, to, 0x86dd, &packet);
                world.medium.inject(SERVER, frame);
                world.step(world.now);
            }
            Step::PeerConnect { port, v6 } => {
                if self.peers.len() < PEERS && port != 0 {
                    let to = match v6 {
                        true => SERVER_IP6.into(),
                        false => test_world::SERVER_IP.into(),
                    };
                    self.peers.push(world.peer.connect_to(to, port));
                }
            }
            Step::PeerSend { which, size } => {
                if let Some(peer) = self.peer(which) {
                    let data = test_world::pattern(size, 1);
                    let _ = self.world.peer.tcp(peer).send_slice(&data);
                }
            }
            Step::PeerDatagram { port, size } => {
                let data = test_world::pattern(size, 2);
                let to = (test_world::SERVER_IP, port);
                let _ = world.peer.udp(self.datagrams).send_slice(&data, to);
            }
            Step::PeerRead { which } => {
                if let Some(peer) = self.peer(which) {
                    let _ = self.world.peer.tcp(peer).recv(|b| (b.len(), ()));
                }
            }
            Step::PeerClose { which, abort } => {
                if let Some(peer) = self.peer(which) {
                    let tcp = self.world.peer.tcp(peer);
                    if abort { tcp.abort() } else { tcp.close() }
                }
            }
            Step::Wait { micros } => world.run_for(micros * 1000),
            Step::Driver { stopped } => world.medium.stop_driver(stopped),
        }
        // What the two said to each other is material for replays, in both directions.
        self.seen.extend(self.world.medium.take_tap());
        self.seen.extend(self.world.medium.take_recording());
        self.world.medium.start_tap();
        self.world.medium.start_recording();
        let excess = self.seen.len().saturating_sub(64);
        self.seen.drain(..excess);
    }

    /// After all that, a well-behaved client still gets what it asks for.
    fn still_serves(mut self) {
        let world = &mut self.world;
        world.medium.stop_driver(false);
        world.medium.set_faults(Faults::none());
        world.attach(0);
        world.attach(1);
        world.run_for(30_000_000_000);
        // A port that none of the steps name.
        let listener = world.listen(20, 3);
        let (socket, peer) = world.connected(listener, 20);
        world.peer.tcp(peer).send_slice(b"still alive?").unwrap();
        world.await_bits(socket, socket_proto::PollBits::IN);
        assert_eq!(world.recv(socket, 100).unwrap(), b"still alive?");
        let handle: Handle = socket;
        world.close(handle);
        world.close(listener);
        world.run_for(100_000_000_000);
        assert_eq!(world.count(Counter::DatagramSockets), 0);
        assert_eq!(world.count(Counter::StreamSockets), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_peers_do_upsets_the_server(seed: u64, steps in prop::collection::vec(step(), 1..250)) {
        let mut actors = Actors::new(seed);
        for step in steps {
            actors.perform(step);
        }
        actors.still_serves();
    }
}
