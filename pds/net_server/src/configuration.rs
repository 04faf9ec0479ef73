// SPDX-License-Identifier: BSD-2-Clause

//! From the region `net_config` to the core's configuration.

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use net_config::{BYTES_A_DATAGRAM, CLOSING_STREAMS, ENCODED_SIZE, MAX_CLIENTS, NetConfig};
use pd_support::region;
use socket_server::{ClientLimits, Config, Destination, PortRange};

// The core serves as many clients as there are slots.
const _: () = assert!(MAX_CLIENTS <= socket_server::MAX_CLIENTS);

/// What this PD is configured to do.
pub struct Configuration {
    pub core: Config,
    /// By slot; an empty slot has none.
    pub limits: Vec<Option<ClientLimits>>,
}

impl Configuration {
    /// The gateway, for the log.
    pub fn gateway(&self) -> Ipv4Addr {
        self.core.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED)
    }
}

/// Reads the region. `key` is the core's secret, and `restarts` says how often this PD has been
/// restarted.
///
/// # Panics
/// If the region does not hold a configuration: the image was put together wrongly.
pub fn read(key: [u8; 16], restarts: u64) -> Configuration {
    let region = region!(r net_config).at_least(ENCODED_SIZE);
    // SAFETY: system.xml lets nobody write the region, which config-tool checks; its content was
    // put into the image.
    let bytes = unsafe { region.into_frozen_bytes() };
    let config = match bytes.slice(0, ENCODED_SIZE).map(NetConfig::parse) {
        Ok(Ok(config)) => config,
        Ok(Err(error)) => panic!("region net_config: {error}"),
        Err(error) => panic!("region net_config: {error}"),
    };
    let interface = config.interface();
    let buffers = config.buffers();
    let mut limits: Vec<Option<ClientLimits>> = vec![None; MAX_CLIENTS];
    for client in config.clients() {
        if let Some(slot) = limits.get_mut(client.slot()) {
            *slot = Some(client_limits(&client));
        }
    }
    Configuration {
        core: Config {
            address: interface.address,
            prefix: interface.prefix_len,
            gateway: (!interface.gateway.is_unspecified()).then_some(interface.gateway),
            key,
            epoch: restarts as u32 + 1,
            closing: CLOSING_STREAMS,
            stream_receive: buffers.stream_receive as usize,
            stream_send: buffers.stream_send as usize,
            datagram_receive: buffers.datagram_receive as usize,
            datagram_packets: buffers.datagram_receive as usize / BYTES_A_DATAGRAM,
            datagram_send: buffers.datagram_send as usize,
        },
        limits,
    }
}

fn client_limits(client: &net_config::Client<'_>) -> ClientLimits {
    let range = |range: net_config::PortRange| PortRange {
        first: range.first(),
        last: range.last(),
    };
    ClientLimits {
        stream_sockets: client.stream_sockets(),
        datagram_sockets: client.datagram_sockets(),
        tcp_ports: client.tcp_listen().map(range).collect(),
        udp_ports: client.udp_bind().map(range).collect(),
        destinations: client
            .tcp_connect()
            .map(|destination| Destination {
                network: destination.network(),
                prefix: destination.prefix_len(),
                ports: range(destination.ports()),
            })
            .collect(),
    }
}
