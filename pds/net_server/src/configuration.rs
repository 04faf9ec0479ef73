// SPDX-License-Identifier: BSD-2-Clause

//! From what the declaration says about the network to the core's configuration.

use core::num::{NonZeroU32, NonZeroU64};

use pd_support::wiring;
use socket_server::{ClientLimits, Config, Fallback, Names, SendRate};
use wiring::{
    ADMINISTRATION, CLOSING_STREAMS, DHCP, DHCP_OR_DECLARED, DHCP_OR_LINK_LOCAL, ICMP, Limits,
    MULTICAST, Network, SEES_SOCKETS,
};

/// Returns what the wiring table says about the network.
///
/// # Panics
/// If it says nothing: the image was put together wrongly.
pub fn network() -> &'static Network {
    match wiring().network() {
        Some(network) => network,
        None => panic!("no network in the wiring table"),
    }
}

/// Returns the core's configuration. `key` is its secret, and `restarts` says how often this PD has
/// been restarted.
pub fn core(network: &'static Network, key: [u8; 16], restarts: u64) -> Config {
    let buffers = &network.buffers;
    Config {
        address: network.address.into(),
        prefix: network.prefix_len.get() as u8,
        gateway: Some(network.gateway.into()),
        dhcp: fallback(network.origin.get()),
        hostname: network.hostname.as_str(),
        names: names(network),
        address6: network.own6(),
        gateway6: network.router6(),
        autoconf: network.autoconf.get() == 1,
        key,
        epoch: restarts as u32 + 1,
        closing: CLOSING_STREAMS,
        stream_receive: buffers.stream_receive.get() as usize,
        stream_send: buffers.stream_send.get() as usize,
        datagram_receive: buffers.datagram_receive.get() as usize,
        datagram_send: buffers.datagram_send.get() as usize,
    }
}

fn fallback(origin: u32) -> Option<Fallback> {
    match origin {
        DHCP => Some(Fallback::None),
        DHCP_OR_DECLARED => Some(Fallback::Declared),
        DHCP_OR_LINK_LOCAL => Some(Fallback::LinkLocal),
        _ => None,
    }
}

fn names(network: &'static Network) -> Names {
    let mut servers = [None; 3];
    let declared = network.dns.iter().filter(|server| **server != [0; 4]);
    for (place, server) in servers.iter_mut().zip(declared) {
        *place = Some((*server).into());
    }
    Names {
        servers,
        domain: network.domain.as_str(),
    }
}

/// Returns what a client may do, in the core's form.
pub fn client_limits(name: &'static str, limits: &Limits) -> ClientLimits {
    let quota = &limits.quota;
    ClientLimits {
        stream_sockets: quota.stream_sockets.get().into(),
        datagram_sockets: quota.datagram_sockets.get().into(),
        stream_memory: quota.stream_memory.get() as usize,
        datagram_memory: quota.datagram_memory.get() as usize,
        capture: quota.capture.get() as usize,
        tcp_ports: limits.tcp_listen().collect(),
        udp_ports: limits.udp_bind().collect(),
        tcp_destinations: limits.tcp_connect().collect(),
        udp_destinations: limits.udp_send().collect(),
        send_rate: SendRate {
            packets: NonZeroU32::new(limits.packets_per_second.get()),
            bytes: NonZeroU64::new(limits.bytes_per_second.get()),
        },
        icmp: limits.has(ICMP),
        multicast: limits.has(MULTICAST),
        administration: limits.has(ADMINISTRATION),
        sees_sockets: limits.has(SEES_SOCKETS),
        name,
    }
}
