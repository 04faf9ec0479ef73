// SPDX-License-Identifier: BSD-2-Clause
//! What the tool writes is what the PDs read, and nothing else is accepted.

use std::net::Ipv4Addr;

use net_config::{
    Buffers, BuildError, ClientSpec, ConfigError, Destination, Interface, MAX_CLIENTS,
    MAX_PORT_RANGES, NetConfig, PortRange, encode,
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
    let near = Destination::new([10, 0, 2, 0].into(), 24, port(80)).unwrap();
    let echo = ClientSpec {
        tcp_listen: &[port(7), PortRange::new(100, 200).unwrap()],
        udp_bind: &[port(7)],
        tcp_connect: &[near],
        ..spec("echo_server")
    };
    encode(&interface(), &BUFFERS, &[spec("other"), echo]).unwrap()
}

#[test]
fn the_view_shows_what_was_built() {
    let mut region = sample();
    region.resize(4096, 0);
    let config = NetConfig::parse(&region).unwrap();
    assert_eq!(config.interface(), interface());
    assert_eq!(config.buffers(), BUFFERS);
    assert_eq!(
        config.buffers().total(10, 100),
        (10 + 64) * 3 + 100 * 3 + (3 << 20)
    );
    let names: Vec<_> = config.clients().map(|client| client.name()).collect();
    assert_eq!(names, ["other", "echo_server"]);

    let echo = config.client_named("echo_server").unwrap();
    assert_eq!((echo.stream_sockets(), echo.datagram_sockets()), (5, 6));
    let range = PortRange::new(100, 200).unwrap();
    assert_eq!(echo.tcp_listen().collect::<Vec<_>>(), [port(7), range]);
    assert_eq!(echo.udp_bind().collect::<Vec<_>>(), [port(7)]);
    let near = echo.tcp_connect().next().unwrap();
    assert!(near.contains([10, 0, 2, 9].into(), 80));
    assert!(!near.contains([10, 0, 3, 9].into(), 80));
    let other = config.client_named("other").unwrap();
    assert_eq!(other.tcp_listen().count() + other.tcp_connect().count(), 0);
    assert!(config.client_named("nobody").is_none());
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |clients: &[ClientSpec<'_>]| encode(&interface(), &BUFFERS, clients).err();
    assert_eq!(refused(&[spec("")]), Some(BuildError::Name));
    let long = "x".repeat(33);
    assert_eq!(refused(&[spec(&long)]), Some(BuildError::Name));
    assert_eq!(refused(&[spec(&long[1..])]), None);
    let many = [port(1); MAX_PORT_RANGES + 1];
    let crowded = ClientSpec {
        udp_bind: &many,
        ..spec("a")
    };
    assert_eq!(refused(&[crowded]), Some(BuildError::TooManyPortRanges));
    let names: Vec<String> = (0..=MAX_CLIENTS).map(|n| n.to_string()).collect();
    let all: Vec<_> = names.iter().map(|name| spec(name)).collect();
    assert_eq!(refused(&all), Some(BuildError::TooManyClients));
    let most = encode(&interface(), &BUFFERS, &all[1..]).unwrap();
    assert_eq!(
        NetConfig::parse(&most).unwrap().clients().count(),
        MAX_CLIENTS
    );
}

#[test]
fn impossible_contents_are_refused() {
    let error = |bytes: &[u8]| NetConfig::parse(bytes).err();
    let good = sample();
    assert_eq!(error(&good[..good.len() - 1]), Some(ConfigError::Short));
    assert_eq!(error(&[0; 4096]), Some(ConfigError::Magic));

    let mut outside = interface();
    outside.gateway = Ipv4Addr::new(10, 0, 3, 2);
    let bytes = encode(&outside, &BUFFERS, &[]).unwrap();
    assert_eq!(error(&bytes), Some(ConfigError::Interface));

    let mut empty = BUFFERS;
    empty.datagram_send = 0;
    let bytes = encode(&interface(), &empty, &[]).unwrap();
    assert_eq!(error(&bytes), Some(ConfigError::Buffers));

    let twins = [spec("one"), spec("twin"), spec("twin")];
    let bytes = encode(&interface(), &BUFFERS, &twins).unwrap();
    assert_eq!(error(&bytes), Some(ConfigError::Client { index: 2 }));
}

proptest! {
    /// Any damage is either refused or leaves a view that can be walked through.
    #[test]
    fn damaged_bytes_never_panic(changes in proptest::collection::vec((0..400usize, any::<u8>()), 1..20)) {
        let mut bytes = sample();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if let Ok(config) = NetConfig::parse(&bytes) {
            prop_assert!((1..=30).contains(&config.interface().prefix_len));
            for client in config.clients() {
                prop_assert!(!client.name().is_empty());
                let _ = client.tcp_listen().count() + client.udp_bind().count();
                prop_assert!(client.tcp_connect().all(|to| to.prefix_len() <= 32));
            }
        }
    }
}
