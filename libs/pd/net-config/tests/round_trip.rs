// SPDX-License-Identifier: BSD-2-Clause
//! What the tool writes is what the PDs read, and nothing else is accepted.

use std::net::Ipv4Addr;

use net_config::{
    Buffers, BuildError, Builder, ClientSpec, ConfigError, Destination, ENCODED_SIZE, Interface,
    MAX_CLIENTS, MAX_PORT_RANGES, NetConfig, PortRange,
};
use proptest::prelude::*;

fn interface() -> Interface<'static> {
    Interface {
        hostname: "isthmus",
        address: Ipv4Addr::new(10, 0, 2, 15),
        prefix_len: 24,
        gateway: Ipv4Addr::new(10, 0, 2, 2),
    }
}

const BUFFERS: Buffers = Buffers {
    stream_receive: 1,
    stream_send: 2,
    datagram_receive: 3,
    datagram_send: 4,
};

fn port(port: u16) -> PortRange {
    PortRange::new(port, port).unwrap()
}

fn spec(name: &str) -> ClientSpec<'_> {
    ClientSpec {
        name,
        stream_sockets: 5,
        datagram_sockets: 6,
        tcp_listen: &[],
        udp_bind: &[],
        tcp_connect: &[],
    }
}

fn sample() -> Vec<u8> {
    let mut builder = Builder::new(&interface(), &BUFFERS).unwrap();
    let near = Destination::new([10, 0, 2, 0].into(), 24, port(80)).unwrap();
    let echo = ClientSpec {
        tcp_listen: &[port(7), PortRange::new(100, 200).unwrap()],
        udp_bind: &[port(7)],
        tcp_connect: &[near],
        ..spec("echo_server")
    };
    builder.client(3, &echo).unwrap();
    builder.client(0, &spec("other")).unwrap();
    builder.finish().to_vec()
}

#[test]
fn the_view_shows_what_was_built() {
    let bytes = sample();
    assert_eq!(bytes.len(), ENCODED_SIZE);
    let mut region = bytes.clone();
    region.resize(4096, 0);
    let config = NetConfig::parse(&region).unwrap();
    assert_eq!(config.interface(), interface());
    assert_eq!(config.buffers(), BUFFERS);
    assert_eq!(
        config.buffers().total(10, 100),
        (10 + 64) * 3 + 100 * 3 + (3 << 20)
    );
    let names: Vec<_> = config.clients().map(|c| (c.slot(), c.name())).collect();
    assert_eq!(names, [(0, "other"), (3, "echo_server")]);

    let echo = config.client_named("echo_server").unwrap();
    assert_eq!((echo.stream_sockets(), echo.datagram_sockets()), (5, 6));
    assert_eq!(echo.tcp_listen().next(), Some(port(7)));
    assert!(echo.may_listen_tcp(7) && echo.may_listen_tcp(150) && !echo.may_listen_tcp(8));
    assert!(echo.may_bind_udp(7) && !echo.may_bind_udp(150));
    assert!(echo.may_connect_tcp([10, 0, 2, 9].into(), 80));
    assert!(!echo.may_connect_tcp([10, 0, 3, 9].into(), 80));
    let other = config.client(0).unwrap();
    assert!(!other.may_listen_tcp(7) && !other.may_connect_tcp([10, 0, 2, 9].into(), 80));
    assert!(config.client(1).is_none() && config.client(MAX_CLIENTS).is_none());
    assert!(config.client_named("nobody").is_none());
}

#[test]
fn the_builder_refuses_what_does_not_fit() {
    let mut builder = Builder::new(&interface(), &BUFFERS).unwrap();
    assert_eq!(
        builder.client(MAX_CLIENTS, &spec("a")),
        Err(BuildError::Slot)
    );
    assert_eq!(builder.client(0, &spec("")), Err(BuildError::Name));
    assert_eq!(
        builder.client(0, &spec(&"x".repeat(33))),
        Err(BuildError::Name)
    );
    let many = [port(1); MAX_PORT_RANGES + 1];
    let crowded = ClientSpec {
        udp_bind: &many,
        ..spec("a")
    };
    assert_eq!(
        builder.client(0, &crowded),
        Err(BuildError::TooManyPortRanges)
    );
    assert_eq!(builder.client(0, &spec(&"x".repeat(32))), Ok(()));
    assert_eq!(builder.client(0, &spec("b")), Err(BuildError::SlotTaken));
}

#[test]
fn impossible_contents_are_refused() {
    let good = sample();
    assert!(matches!(
        NetConfig::parse(&good[..good.len() - 1]),
        Err(ConfigError::Short { .. })
    ));
    assert!(matches!(
        NetConfig::parse(&[0; 4096]),
        Err(ConfigError::Magic)
    ));

    let mut outside = interface();
    outside.gateway = Ipv4Addr::new(10, 0, 3, 2);
    let bytes = Builder::new(&outside, &BUFFERS).unwrap().finish().to_vec();
    assert!(matches!(
        NetConfig::parse(&bytes),
        Err(ConfigError::Interface)
    ));

    let mut empty = BUFFERS;
    empty.datagram_send = 0;
    let bytes = Builder::new(&interface(), &empty)
        .unwrap()
        .finish()
        .to_vec();
    assert!(matches!(
        NetConfig::parse(&bytes),
        Err(ConfigError::Buffers)
    ));

    let mut builder = Builder::new(&interface(), &BUFFERS).unwrap();
    builder.client(2, &spec("twin")).unwrap();
    builder.client(5, &spec("twin")).unwrap();
    assert!(matches!(
        NetConfig::parse(builder.finish()),
        Err(ConfigError::Client { slot: 5 })
    ));
}

proptest! {
    /// Any damage is either refused or leaves a view that can be walked through.
    #[test]
    fn damaged_bytes_never_panic(changes in proptest::collection::vec((0..ENCODED_SIZE, any::<u8>()), 1..20)) {
        let mut bytes = sample();
        for (at, value) in changes {
            bytes[at] = value;
        }
        if let Ok(config) = NetConfig::parse(&bytes) {
            prop_assert!((1..=30).contains(&config.interface().prefix_len));
            for client in config.clients() {
                prop_assert!(!client.name().is_empty());
                let _ = client.may_listen_tcp(7) | client.may_bind_udp(7) | client.may_connect_tcp([1; 4].into(), 7);
            }
        }
    }
}
