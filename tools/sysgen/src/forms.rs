// SPDX-License-Identifier: BSD-2-Clause
//! How addresses, ports and destinations are written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
#[derive(Clone, Copy)]
pub struct Prefix(pub Ipv4Addr, pub u8);

fn prefix(text: &str) -> Option<Prefix> {
    let (address, len) = text.split_once('/')?;
    Some(Prefix(address.parse().ok()?, len.parse().ok()?))
}

/// Where an IPv4 address comes from: `10.0.2.15/24`, `dhcp`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Written")]
pub enum Origin {
    Declared(Prefix),
    Dhcp,
}

impl TryFrom<Written> for Origin {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let help = "write address/prefix length, for instance \"10.0.2.15/24\", or \"dhcp\"";
        let parse = |text: &str| match text {
            "dhcp" => Some(Origin::Dhcp),
            text => prefix(text).map(Origin::Declared),
        };
        written.read(parse, "IPv4 address with a prefix", help)
    }
}

/// What is used until a DHCP server has given an address: `10.0.2.15/24`, `link-local`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Written")]
pub enum Fallback {
    Declared(Prefix),
    LinkLocal,
}

impl TryFrom<Written> for Fallback {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let help = "write address/prefix length, for instance \"10.0.2.15/24\", or \"link-local\"";
        let parse = |text: &str| match text {
            "link-local" => Some(Fallback::LinkLocal),
            text => prefix(text).map(Fallback::Declared),
        };
        written.read(parse, "IPv4 address with a prefix", help)
    }
}

/// An IPv6 address: `fd00::2`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Written")]
pub struct Host6(pub Ipv6Addr);

impl TryFrom<Written> for Host6 {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let help = "write an address such as \"fe80::1\"";
        let host = written.read(|text| text.parse().ok(), "IPv6 address", help);
        host.map(Host6)
    }
}

/// An IPv6 address with the length of its network's prefix: `fd00::15/64`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Written")]
pub struct Prefix6(pub Ipv6Addr, pub u8);

impl TryFrom<Written> for Prefix6 {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let help = "write address/prefix length, for instance \"fd00::15/64\"";
        written.read(prefix6, "IPv6 address with a prefix", help)
    }
}

fn prefix6(text: &str) -> Option<Prefix6> {
    let (address, len) = text.split_once('/')?;
    Some(Prefix6(address.parse().ok()?, len.parse().ok()?))
}

/// A destination: `10.0.2.2:80`, `10.0.0.0/8:1-1023`, `*:443`, `10.0.2.2:*`, `[fd00::]/64:80`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Written")]
pub struct Target(pub Destination);

impl TryFrom<Written> for Target {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let help = "write hosts:ports, for instance \"10.0.2.2:80\", \"10.0.2.0/24:8000-8010\" (no bits behind the prefix), \"[fd00::2]:80\", \"*:443\"";
        written.read(destination, "destination", help).map(Target)
    }
}

fn destination(text: &str) -> Option<Destination> {
    let (hosts, range) = text.rsplit_once(':')?;
    let (network, len): (IpAddr, u8) = match hosts.strip_prefix('[') {
        None if hosts == "*" => (Ipv6Addr::UNSPECIFIED.into(), 0),
        None => {
            let (address, len) = hosts.split_once('/').unwrap_or((hosts, "32"));
            (address.parse::<Ipv4Addr>().ok()?.into(), len.parse().ok()?)
        }
        Some(rest) => {
            let (address, len) = rest.split_once(']')?;
            let len = match len {
                "" => "128",
                len => len.strip_prefix('/')?,
            };
            (address.parse::<Ipv6Addr>().ok()?.into(), len.parse().ok()?)
        }
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
        let v4 = |octets: [u8; 4]| Ipv4Addr::from(octets).to_ipv6_mapped();
        let v6 = |text: &str| text.parse::<Ipv6Addr>().unwrap();
        let near = destination("10.0.2.0/24:80-90").unwrap();
        assert!(near.contains(v4([10, 0, 2, 9]), 85));
        assert!(!near.contains(v4([10, 0, 3, 9]), 85));
        let web = destination("*:443").unwrap();
        assert!(web.contains(v4([8, 8, 8, 8]), 443) && !web.contains(v4([8, 8, 8, 8]), 80));
        assert!(web.contains(v6("2001:db8::1"), 443));
        let host = destination("10.0.2.2:*").unwrap();
        assert!(host.contains(v4([10, 0, 2, 2]), 1) && !host.contains(v4([10, 0, 2, 3]), 1));
        let near = destination("[fd00::]/64:80").unwrap();
        assert!(near.contains(v6("fd00::9"), 80) && !near.contains(v6("fd01::9"), 80));
        let host = destination("[fd00::2]:*").unwrap();
        assert!(host.contains(v6("fd00::2"), 7) && !host.contains(v6("fd00::3"), 7));
        for wrong in [
            "",
            "10.0.2.2",
            "10.0.2.2:",
            "10.0.2.2:0",
            "10.0.2.2:9-8",
            "10.0.2.1/24:80",
            "x:80",
            "10.0.2.0/33:80",
            "fd00::2:80",
            "[fd00::1]/64:80",
            "[fd00::]/129:80",
            "[fd00::2:80",
        ] {
            assert_eq!(destination(wrong), None, "{wrong}");
        }
    }
}
