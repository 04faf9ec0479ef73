// SPDX-License-Identifier: BSD-2-Clause
//! How addresses, ports and destinations are written.

use std::net::Ipv4Addr;

use serde::Deserialize;
use wiring::{Destination, PortRange};

/// What stands between message and remedy in the errors of this module.
pub const HELP: &str = "\nhelp: ";

/// What is in the declaration: `80`, or `"8000-8010"`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "invalid type: neither an integer nor a string")]
enum Written {
    Number(i64),
    Text(String),
}

impl Written {
    fn read<T>(self, parse: fn(&str) -> Option<T>, what: &str, help: &str) -> Result<T, String> {
        let text = match self {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        let error = || format!("invalid value: \"{text}\" is no {what}{HELP}{help}");
        parse(&text).ok_or_else(error)
    }
}

/// A port or a range of ports: `80`, or `"8000-8010"`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Written")]
pub struct Ports(pub PortRange);

impl TryFrom<Written> for Ports {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let help = "write a port from 1 to 65535, or a range such as \"8000-8010\"";
        written.read(ports, "port", help).map(Ports)
    }
}

fn ports(text: &str) -> Option<PortRange> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    PortRange::new(first.trim().parse().ok()?, last.trim().parse().ok()?)
}

/// An address: `10.0.2.2`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Written")]
pub struct Host(pub Ipv4Addr);

impl TryFrom<Written> for Host {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let help = "write four numbers, for instance \"10.0.2.2\"";
        let host = written.read(|text| text.parse().ok(), "IPv4 address", help);
        host.map(Host)
    }
}

/// An address with the length of its network's prefix: `10.0.2.15/24`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Written")]
pub struct Prefix(pub Ipv4Addr, pub u8);

impl TryFrom<Written> for Prefix {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let help = "write address/prefix length, for instance \"10.0.2.15/24\"";
        written.read(prefix, "IPv4 address with a prefix", help)
    }
}

fn prefix(text: &str) -> Option<Prefix> {
    let (address, len) = text.split_once('/')?;
    Some(Prefix(address.parse().ok()?, len.parse().ok()?))
}

/// A destination: `10.0.2.2:80`, `10.0.0.0/8:1-1023`, `*:443`, `10.0.2.2:*`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Written")]
pub struct Target(pub Destination);

impl TryFrom<Written> for Target {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let help = "write hosts:ports, for instance \"10.0.2.2:80\", \"10.0.2.0/24:8000-8010\" (no bits behind the prefix), \"*:443\"";
        written.read(destination, "destination", help).map(Target)
    }
}

fn destination(text: &str) -> Option<Destination> {
    let (hosts, range) = text.rsplit_once(':')?;
    let Prefix(network, len) = match hosts {
        "*" => Prefix(Ipv4Addr::UNSPECIFIED, 0),
        network if network.contains('/') => prefix(network)?,
        host => Prefix(host.parse().ok()?, 32),
    };
    let range = match range {
        "*" => PortRange::ALL,
        range => ports(range)?,
    };
    Destination::new(network, len, range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations() {
        let near = destination("10.0.2.0/24:80-90").unwrap();
        assert!(near.contains([10, 0, 2, 9].into(), 85));
        assert!(!near.contains([10, 0, 3, 9].into(), 85));
        let web = destination("*:443").unwrap();
        assert!(web.contains([8, 8, 8, 8].into(), 443) && !web.contains([8, 8, 8, 8].into(), 80));
        let host = destination("10.0.2.2:*").unwrap();
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
            assert_eq!(destination(wrong), None, "{wrong}");
        }
    }
}
