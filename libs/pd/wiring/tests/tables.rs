// SPDX-License-Identifier: BSD-2-Clause
//! A table that is written, read in Rust and in C; and bytes that are no table.

use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use wiring::{
    Buffers, Channel, Destination, ICMP, Limits, MAX_DESTINATIONS, MAX_PORT_RANGES, Memory, Misfit,
    Network, Peer, PortRange, Quota, Table, Text, Wiring, WiringError,
};

/// As long as a name can be: without a zero behind it.
const LONG: &str = "a_client_with_a_name_of_32_bytes";

fn port(port: u16) -> PortRange {
    PortRange::new(port, port).unwrap()
}

fn near() -> Destination {
    Destination::new([10, 0, 2, 0].into(), 24, port(80)).unwrap()
}

fn network() -> Network {
    Network {
        hostname: Text::new("isthmus").unwrap(),
        address: [10, 0, 2, 15],
        gateway: [10, 0, 2, 2],
        prefix_len: 24.into(),
        buffers: Buffers {
            stream_receive: 1.into(),
            stream_send: 2.into(),
            datagram_receive: 3.into(),
            datagram_send: 4.into(),
        },
        dns: [[10, 0, 2, 3], [10, 0, 2, 4], [0; 4]],
        domain: Text::new("example.org").unwrap(),
        address6: [0xfd; 16],
        gateway6: [0; 16],
        prefix_len6: 64.into(),
        autoconf: 1.into(),
        origin: 0.into(),
    }
}

fn table() -> Table<'static> {
    let peer = |name, about, number, is_client| Peer {
        name,
        about,
        number,
        priority: 50,
        stack: 0x4000,
        is_child: false,
        is_client,
    };
    let echo = peer("echo_server", "what echo_server does", 3, true);
    let long = peer(LONG, "", 4, true);
    let window = |index, peer, address, is_writable| Memory {
        index,
        role: "window",
        peer: Some(peer),
        address,
        size: 0x4_0000,
        is_writable,
        is_device: false,
    };
    Table {
        peers: vec![peer("net_server", "", 2, false), echo, long],
        memory: vec![
            Memory {
                role: "virtio_net",
                address: 0x1000,
                size: 0x1000,
                is_writable: true,
                is_device: true,
                ..Memory::default()
            },
            window(1, echo, 0x10_0000, false),
            window(2, long, 0x20_0000, true),
        ],
        channels: vec![
            Channel {
                role: "virtio_net",
                id: 7,
                ..Channel::default()
            },
            Channel {
                role: "sockets",
                peer: Some(long),
                id: 61,
                may_notify: true,
                may_call: false,
                is_called: true,
            },
        ],
        clients: vec![
            ("echo_server", echo_limits()),
            (
                LONG,
                Limits::new(quota(1, 0), &[], &[], &[], &[])
                    .unwrap()
                    .with(ICMP),
            ),
        ],
        network: Some(network()),
    }
}

fn echo_limits() -> Limits {
    let tcp = [port(7), PortRange::new(100, 200).unwrap()];
    let quota = quota(5, 6);
    let mut limits = Limits::new(quota, &tcp, &[port(7)], &[near()], &[near(), near()]).unwrap();
    limits.packets_per_second = 9.into();
    limits.bytes_per_second = (1 << 40).into();
    limits
}

fn quota(streams: u16, datagrams: u16) -> Quota {
    Quota {
        stream_sockets: streams.into(),
        datagram_sockets: datagrams.into(),
        stream_memory: 7.into(),
        datagram_memory: 8.into(),
        capture: 9.into(),
    }
}

#[test]
fn what_is_written_is_read() {
    let mut bytes = table().encode().unwrap();
    // The rest of the region.
    bytes.resize(4096, 0);
    let wiring = Wiring::parse(&bytes).unwrap();
    assert_eq!(wiring.own(), table().peers[0]);
    let peers: Vec<_> = wiring.peers().collect();
    assert_eq!(peers, table().peers[1..]);
    assert!(peers.iter().all(|peer| peer.is_client && !peer.is_child));
    let first = wiring.memory("window").unwrap();
    assert_eq!((first.address, first.is_writable), (0x10_0000, false));
    assert_eq!(first.peer.unwrap().about, "what echo_server does");
    let second = wiring.memory_with("window", LONG).unwrap();
    assert!(second.address == 0x20_0000 && second.is_writable && second.index == 2);
    assert_eq!(wiring.memory("nothing"), None);
    assert_eq!(wiring.device().unwrap().role, "virtio_net");
    assert_eq!(wiring.interrupt().unwrap().id, 7);
    let channel = wiring.channel("sockets").unwrap();
    assert!(channel.is_called && channel.may_notify && !channel.may_call);
    assert_eq!((channel.id, channel.peer.unwrap().number), (61, 4));
}

#[test]
fn what_is_written_of_the_network_is_read() {
    let bytes = table().encode().unwrap();
    let wiring = Wiring::parse(&bytes).unwrap();
    assert_eq!(wiring.network(), Some(&network()));
    assert_eq!(wiring.network().unwrap().hostname.as_str(), "isthmus");
    let servers: Vec<_> = network().name_servers().collect();
    assert_eq!(servers, [IpAddr::from([10, 0, 2, 3]), [10, 0, 2, 4].into()]);

    let echo = wiring.limits("echo_server").unwrap();
    assert_eq!(echo.quota, quota(5, 6));
    let range = PortRange::new(100, 200).unwrap();
    assert_eq!(echo.tcp_listen().collect::<Vec<_>>(), [port(7), range]);
    assert_eq!(echo.udp_bind().collect::<Vec<_>>(), [port(7)]);
    assert_eq!(echo.tcp_connect().collect::<Vec<_>>(), [near()]);
    assert_eq!(echo.udp_send().collect::<Vec<_>>(), [near(), near()]);
    assert_eq!(
        (echo.packets_per_second.get(), echo.bytes_per_second.get()),
        (9, 1 << 40)
    );
    let other = wiring.limits(LONG).unwrap();
    assert_eq!(other.tcp_listen().count() + other.tcp_connect().count(), 0);
    assert!(other.has(ICMP) && !echo.has(ICMP));
    assert!(wiring.limits("net_server").is_none() && wiring.limits("nobody").is_none());

    let mut without = table();
    (without.network, without.clients) = (None, Vec::new());
    let bytes = without.encode().unwrap();
    let wiring = Wiring::parse(&bytes).unwrap();
    assert!(wiring.network().is_none() && wiring.limits("echo_server").is_none());
}

#[test]
fn what_does_not_fit_is_not_written() {
    let long = "x".repeat(33);
    let misfit = |name: &str| Err(Misfit(name.to_string()));
    let mut other = table();
    other.memory[0].role = &long;
    assert_eq!(other.encode(), misfit(&long));
    let mut other = table();
    other.clients[0].0 = "nobody";
    assert_eq!(other.encode(), misfit("nobody"));
    let mut other = table();
    other.channels = vec![other.channels[0]; 1 << 16];
    assert_eq!(other.encode(), misfit("65536 entries"));
    let many = [port(1); MAX_PORT_RANGES + 1];
    assert_eq!(Limits::new(quota(1, 1), &many, &[], &[], &[]), None);
    assert_eq!(Limits::new(quota(1, 1), &[], &many, &[], &[]), None);
    let many = [near(); MAX_DESTINATIONS + 1];
    assert_eq!(Limits::new(quota(1, 1), &[], &[], &many, &[]), None);
    assert_eq!(Limits::new(quota(1, 1), &[], &[], &[], &many), None);
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |change: fn(&mut Table<'_>)| {
        let mut table = table();
        change(&mut table);
        Wiring::parse(&table.encode().unwrap()).map(|_| ())
    };
    let entry = |list, index| Err(WiringError::Entry { list, index });
    let memory = |index| entry("memory entry", index);
    assert_eq!(refused(|t| t.memory[1].size = 0), memory(1));
    assert_eq!(refused(|t| t.memory[1].address = 0), memory(1));
    assert_eq!(refused(|t| t.memory[2].size = usize::MAX), memory(2));
    assert_eq!(refused(|t| t.memory[0].role = ""), memory(0));
    assert_eq!(refused(|t| t.channels[1].id = 62), entry("channel", 1));
    assert_eq!(refused(|t| t.peers[0].name = ""), entry("peer", 0));
    assert_eq!(
        refused(|t| t.clients[1].0 = "echo_server"),
        entry("client", 0)
    );
    let network = |change: fn(&mut Network)| {
        let mut table = table();
        change(table.network.as_mut().unwrap());
        Wiring::parse(&table.encode().unwrap()).map(|_| ())
    };
    let impossible = entry("network", 0);
    assert_eq!(network(|n| n.gateway = [10, 0, 3, 2]), impossible);
    assert_eq!(network(|n| n.prefix_len = 31.into()), impossible);
    assert_eq!(network(|n| n.origin = 1.into()), impossible);
    assert_eq!(network(|n| n.origin = 4.into()), impossible);
    assert_eq!(network(|n| n.origin = 2.into()), Ok(()));
    assert_eq!(network(|n| n.hostname = Text::new("").unwrap()), impossible);
    assert_eq!(network(|n| n.buffers.datagram_send = 0.into()), impossible);
    assert_eq!(network(|n| n.dns[0] = [0; 4]), impossible);

    let error = |bytes: &[u8]| Wiring::parse(bytes).map(|_| ());
    let bytes = table().encode().unwrap();
    assert_eq!(error(&bytes[..bytes.len() - 1]), Err(WiringError::Short));
    assert_eq!(error(&[0; 4096]), Err(WiringError::Magic));
    let mut other = bytes;
    other[7] += 1;
    assert_eq!(error(&other), Err(WiringError::Magic));
}

#[test]
fn c_reads_the_same() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (table_file, program) = (folder.join("table.bin"), folder.join("reader"));
    std::fs::write(&table_file, table().encode().unwrap()).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(here.join("include"))
        .arg(here.join("tests/reader.c"))
        .arg("-o")
        .arg(&program)
        .status()
        .expect("a C compiler, as the build needs one");
    assert!(compiled.success());
    let output = Command::new(&program).arg(&table_file).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = [
        "net_server\n0x100000 r echo_server\n0x200000 rw\n7 interrupt\n61 called\nnone\n",
        "2 echo_server 100-200\n80 120\nisthmus 2 4\n4 0 example.org\n253 64 1\n",
    ];
    assert_eq!(said, expected.concat());
}

proptest! {
    /// Any damage is either refused or leaves a table that can be read to its end.
    #[test]
    fn garbage_is_an_error(
        at in 0usize..1200,
        with in proptest::collection::vec(any::<u8>(), 1..64),
        changes in proptest::collection::vec((0usize..1200, any::<u8>()), 0..20),
    ) {
        let mut bytes = table().encode().unwrap();
        let end = (at + with.len()).min(bytes.len());
        if at < end {
            bytes[at..end].copy_from_slice(&with[..end - at]);
        }
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if let Ok(wiring) = Wiring::parse(&bytes) {
            for peer in wiring.peers().chain([wiring.own()]) {
                prop_assert!(!peer.name.is_empty());
                let _ = wiring.memory_with("window", peer.name);
                if let Some(limits) = wiring.limits(peer.name) {
                    prop_assert!(limits.tcp_listen().count() <= MAX_PORT_RANGES);
                    prop_assert!(limits.udp_bind().all(|range| range.first() <= range.last()));
                    prop_assert!(limits.tcp_connect().count() <= MAX_DESTINATIONS);
                }
            }
            for memory in wiring.memories("window") {
                prop_assert!(memory.address.checked_add(memory.size).is_some());
            }
            for channel in wiring.channels("sockets") {
                prop_assert!(channel.id < 62);
            }
            if let Some(network) = wiring.network() {
                prop_assert!(network.prefix_len.get() <= 30);
            }
        }
    }
}
