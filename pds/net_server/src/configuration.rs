// SPDX-License-Identifier: BSD-2-Clause

//! From what the declaration says about the network to the core's configuration.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use net_config::{Buffers, CLOSING_STREAMS, ClientConfig, NetConfig};
use socket_server::{ClientLimits, Config, Destination};

/// What this PD is configured to do.
pub struct Configuration {
    pub core: Config,
    /// What each client may do, by name.
    limits: Vec<(String, ClientLimits)>,
}

impl Configuration {
    /// The gateway, for the log.
    pub fn gateway(&self) -> Ipv4Addr {
        self.core.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// What the client of this name may do.
    pub fn limits_of(&self, client: &str) -> Option<&ClientLimits> {
        let (_, limits) = self.limits.iter().find(|(name, _)| name == client)?;
        Some(limits)
    }
}

/// Reads the region. `key` is the core's secret, and `restarts` says how often this PD has been
/// restarted.
///
/// # Panics
/// If the region does not hold a configuration: the image was put together wrongly.
pub fn read(key: [u8; 16], restarts: u64) -> Configuration {
    let bytes = pd_support::configuration();
    let config = match NetConfig::parse(bytes.slice(0, bytes.len()).unwrap_or_default()) {
        Ok(config) => config,
        Err(error) => panic!("{error}"),
    };
    let interface = config.interface();
    let buffers = config.buffers();
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
            datagram_send: buffers.datagram_send as usize,
        },
        limits: config
            .clients()
            .map(|client| {
                (
                    String::from(client.name()),
                    client_limits(&client, &buffers),
                )
            })
            .collect(),
    }
}

/// Large buffers for so many connections of a client at once.
const BUSY: usize = 32;

fn client_limits(client: &ClientConfig<'_>, buffers: &Buffers) -> ClientLimits {
    let large = buffers.stream_receive as usize + buffers.stream_send as usize;
    ClientLimits {
        stream_memory: client.stream_sockets().min(BUSY) * large,
        datagram_memory: client.datagram_sockets().min(BUSY) * buffers.datagram_receive as usize,
        stream_sockets: client.stream_sockets(),
        datagram_sockets: client.datagram_sockets(),
        tcp_ports: client.tcp_listen().collect(),
        udp_ports: client.udp_bind().collect(),
        destinations: client
            .tcp_connect()
            .map(|destination| Destination {
                network: destination.network(),
                prefix: destination.prefix_len(),
                ports: destination.ports(),
            })
            .collect(),
    }
}
