// SPDX-License-Identifier: BSD-2-Clause
//! Writing the binary form.

use core::fmt;

use zerocopy::{FromZeros, IntoBytes};

use crate::{
    Buffers, Destination, ENCODED_SIZE, Interface, MAX_CLIENTS, MAX_DESTINATIONS, MAX_NAME,
    MAX_PORT_RANGES, PortRange,
    layout::{MAGIC, RawClient, RawConfig, RawInterface, RawName, RawPorts},
};

/// What does not fit into the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// A name is empty or longer than [`MAX_NAME`] bytes.
    Name,
    /// A slot number is [`MAX_CLIENTS`] or higher.
    Slot,
    /// A slot was given twice.
    SlotTaken,
    /// A list of port ranges has more than [`MAX_PORT_RANGES`] entries.
    TooManyPortRanges,
    /// A list of destinations has more than [`MAX_DESTINATIONS`] entries.
    TooManyDestinations,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Name => write!(f, "a name has 1 to {MAX_NAME} bytes"),
            BuildError::Slot => write!(f, "slots are numbered 0 to {}", MAX_CLIENTS - 1),
            BuildError::SlotTaken => write!(f, "each slot takes one client"),
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

impl core::error::Error for BuildError {}

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

/// Collects the configuration; the caller has checked that it makes sense.
pub struct Builder {
    raw: RawConfig,
}

impl Builder {
    /// A configuration without clients.
    pub fn new(interface: &Interface<'_>, buffers: &Buffers) -> Result<Self, BuildError> {
        let mut raw = RawConfig::new_zeroed();
        raw.magic = MAGIC;
        raw.size = (ENCODED_SIZE as u32).into();
        raw.interface = RawInterface {
            address: interface.address.octets(),
            gateway: interface.gateway.octets(),
            prefix_len: interface.prefix_len,
            hostname: encode_name(interface.hostname)?,
        };
        raw.buffers = buffers.encode();
        Ok(Self { raw })
    }

    /// Puts a client into a slot.
    pub fn client(&mut self, slot: usize, spec: &ClientSpec<'_>) -> Result<(), BuildError> {
        let entry = self.raw.clients.get_mut(slot).ok_or(BuildError::Slot)?;
        if entry.name.len != 0 {
            return Err(BuildError::SlotTaken);
        }
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
            *to = from.encode();
        }
        *entry = raw;
        Ok(())
    }

    /// The encoded configuration.
    pub fn finish(&self) -> &[u8] {
        self.raw.as_bytes()
    }
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

fn encode_ports(
    to: &mut [RawPorts; MAX_PORT_RANGES],
    from: &[PortRange],
) -> Result<(), BuildError> {
    if from.len() > MAX_PORT_RANGES {
        return Err(BuildError::TooManyPortRanges);
    }
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.encode();
    }
    Ok(())
}
