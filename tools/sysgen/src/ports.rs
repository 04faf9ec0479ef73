// SPDX-License-Identifier: BSD-2-Clause
//! How ports and destinations are written.

use std::{fmt, net::Ipv4Addr};

use net_config::{Destination, PortRange};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A port or a range of ports: `80`, or `"8000-8010"`.
#[derive(Clone, Copy)]
pub struct PortEntry(pub PortRange);

const PORT_FORM: &str = "a port from 1 to 65535, or a range such as \"8000-8010\"";

impl<'de> Deserialize<'de> for PortEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;

        impl Visitor<'_> for Entry {
            type Value = PortEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(PORT_FORM)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<PortEntry, E> {
                u16::try_from(number)
                    .ok()
                    .and_then(|port| PortRange::new(port, port))
                    .map(PortEntry)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<PortEntry, E> {
                parse_ports(text)
                    .map(PortEntry)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Entry)
    }
}

fn parse_ports(text: &str) -> Option<PortRange> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    PortRange::new(first.trim().parse().ok()?, last.trim().parse().ok()?)
}

/// An address with the length of its network's prefix: `10.0.2.15/24`.
pub fn parse_prefix(text: &str) -> Option<(Ipv4Addr, u8)> {
    let (address, prefix_len) = text.split_once('/')?;
    Some((address.parse().ok()?, prefix_len.parse().ok()?))
}

/// A destination: `10.0.2.2:80`, `10.0.0.0/8:1-1023`, `*:443`, `10.0.2.2:*`.
pub fn parse_destination(text: &str) -> Option<Destination> {
    let (hosts, ports) = text.rsplit_once(':')?;
    let (network, prefix_len) = match hosts {
        "*" => (Ipv4Addr::UNSPECIFIED, 0),
        network if network.contains('/') => parse_prefix(network)?,
        host => (host.parse().ok()?, 32),
    };
    let ports = match ports {
        "*" => PortRange::ALL,
        ports => parse_ports(ports)?,
    };
    Destination::new(network, prefix_len, ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations() {
        let near = parse_destination("10.0.2.0/24:80-90").unwrap();
        assert!(near.contains([10, 0, 2, 9].into(), 85));
        assert!(!near.contains([10, 0, 3, 9].into(), 85));
        let web = parse_destination("*:443").unwrap();
        assert!(web.contains([8, 8, 8, 8].into(), 443) && !web.contains([8, 8, 8, 8].into(), 80));
        let host = parse_destination("10.0.2.2:*").unwrap();
        assert!(host.contains([10, 0, 2, 2].into(), 1) && !host.contains([10, 0, 2, 3].into(), 1));
        for wrong in [
            "",
            "10.0.2.2",
            "10.0.2.2:",
            "10.0.2.2:0",
            "10.0.2.2:9-8",
            "10.0.2.1/24:80",
            "x:80",
            "10.0.2.0/33:80",
        ] {
            assert_eq!(parse_destination(wrong), None, "{wrong}");
        }
    }
}
