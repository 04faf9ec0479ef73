// SPDX-License-Identifier: BSD-2-Clause
//! Writing the binary form.

use std::fmt;

use zerocopy::{FromZeros, IntoBytes};

use crate::{
    Buffers, Destination, Interface, MAX_CLIENTS, MAX_DESTINATIONS, MAX_NAME, MAX_PORT_RANGES,
    PortRange,
    layout::{
        MAGIC, RawBuffers, RawClient, RawDestination, RawHeader, RawInterface, RawName, RawPorts,
    },
};

/// What does not fit into the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// A name is empty or longer than [`MAX_NAME`] bytes.
    Name,
    /// There are more than [`MAX_CLIENTS`] clients.
    TooManyClients,
    /// A list of port ranges has more than [`MAX_PORT_RANGES`] entries.
    TooManyPortRanges,
    /// A list of destinations has more than [`MAX_DESTINATIONS`] entries.
    TooManyDestinations,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Name => write!(f, "a name has 1 to {MAX_NAME} bytes"),
            BuildError::TooManyClients => write!(f, "a server has at most {MAX_CLIENTS} clients"),
            BuildError::TooManyPortRanges => {
                write!(
                    f,
                    "a list holds at most {MAX_PORT_RANGES} ports or ranges of ports"
                )
            }
            BuildError::TooManyDestinations => {
                write!(f, "a list holds at most {MAX_DESTINATIONS} destinations")
            }
        }
    }
}

impl std::error::Error for BuildError {}

/// One client's entry.
#[derive(Clone, Copy, Debug)]
pub struct ClientSpec<'a> {
    /// Name of its PD.
    pub name: &'a str,
    /// Stream sockets that it may have, those in its backlogs included.
    pub stream_sockets: u16,
    /// Datagram sockets that it may have.
    pub datagram_sockets: u16,
    /// TCP ports that it may listen on.
    pub tcp_listen: &'a [PortRange],
    /// UDP ports that it may bind.
    pub udp_bind: &'a [PortRange],
    /// Where it may connect to with TCP.
    pub tcp_connect: &'a [Destination],
}

/// The binary form of a configuration; the caller has checked that it makes sense.
///
/// # Errors
/// See [`BuildError`].
pub fn encode(
    interface: &Interface<'_>,
    buffers: &Buffers,
    clients: &[ClientSpec<'_>],
) -> Result<Vec<u8>, BuildError> {
    if clients.len() > MAX_CLIENTS {
        return Err(BuildError::TooManyClients);
    }
    let size = size_of::<RawHeader>() + size_of::<RawClient>() * clients.len();
    let header = RawHeader {
        magic: MAGIC,
        size: (size as u32).into(),
        interface: RawInterface {
            address: interface.address.octets(),
            gateway: interface.gateway.octets(),
            prefix_len: interface.prefix_len,
            hostname: encode_name(interface.hostname)?,
        },
        buffers: RawBuffers {
            stream_receive: buffers.stream_receive.into(),
            stream_send: buffers.stream_send.into(),
            datagram_receive: buffers.datagram_receive.into(),
            datagram_send: buffers.datagram_send.into(),
        },
        clients: (clients.len() as u16).into(),
    };
    let mut bytes = header.as_bytes().to_vec();
    for client in clients {
        bytes.extend_from_slice(encode_client(client)?.as_bytes());
    }
    Ok(bytes)
}

fn encode_client(spec: &ClientSpec<'_>) -> Result<RawClient, BuildError> {
    let mut raw = RawClient::new_zeroed();
    raw.name = encode_name(spec.name)?;
    raw.stream_sockets = spec.stream_sockets.into();
    raw.datagram_sockets = spec.datagram_sockets.into();
    encode_ports(&mut raw.tcp_listen, spec.tcp_listen)?;
    encode_ports(&mut raw.udp_bind, spec.udp_bind)?;
    if spec.tcp_connect.len() > MAX_DESTINATIONS {
        return Err(BuildError::TooManyDestinations);
    }
    for (to, from) in raw.tcp_connect.iter_mut().zip(spec.tcp_connect) {
        *to = RawDestination {
            network: from.network().octets(),
            prefix_len: from.prefix_len(),
            ports: encode_range(from.ports()),
        };
    }
    Ok(raw)
}

fn encode_name(name: &str) -> Result<RawName, BuildError> {
    let mut bytes = [0; MAX_NAME];
    match bytes.get_mut(..name.len()) {
        Some(to) if !name.is_empty() => to.copy_from_slice(name.as_bytes()),
        _ => return Err(BuildError::Name),
    }
    Ok(RawName {
        len: name.len() as u8,
        bytes,
    })
}

fn encode_range(range: PortRange) -> RawPorts {
    RawPorts {
        first: range.first().into(),
        last: range.last().into(),
    }
}

fn encode_ports(
    to: &mut [RawPorts; MAX_PORT_RANGES],
    from: &[PortRange],
) -> Result<(), BuildError> {
    if from.len() > MAX_PORT_RANGES {
        return Err(BuildError::TooManyPortRanges);
    }
    for (to, from) in to.iter_mut().zip(from) {
        *to = encode_range(*from);
    }
    Ok(())
}
