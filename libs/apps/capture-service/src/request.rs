// SPDX-License-Identifier: BSD-2-Clause

//! What the line says that a viewer may send.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::str::{FromStr, SplitAsciiWhitespace};

use socket_client::{addr, layouts::CaptureFilter};

/// A word that means nothing, or not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown<'a>(pub &'a str);

/// Protocols that a word names, by their numbers in IP or their EtherType.
const PROTOCOLS: [(&str, u32); 7] = [
    ("icmp", 1),
    ("tcp", 6),
    ("udp", 17),
    ("icmp6", 58),
    ("ip", 0x0800),
    ("arp", 0x0806),
    ("ip6", 0x86dd),
];

/// Reads a line such as `udp host 10.0.2.2 port 53 snap 96`: a protocol (`arp`, `icmp`, `icmp6`,
/// `ip`, `ip6`, `tcp`, `udp`), `host` with an address, `port` with a port, `snap` with the number
/// of bytes of each frame that are wanted, `promiscuous`; in any order, all frames if there is
/// nothing.
///
/// # Errors
/// The first word that has no meaning here.
pub fn parse(line: &str) -> Result<CaptureFilter, Unknown<'_>> {
    let (mut host, mut port) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let mut filter = CaptureFilter::default();
    let mut words = line.split_ascii_whitespace();
    while let Some(word) = words.next() {
        match word {
            "host" => host = value(word, &mut words)?,
            "port" => port = value(word, &mut words)?,
            "promiscuous" => filter.promiscuous = 1,
            "snap" => filter.snap = value(word, &mut words)?,
            _ => {
                let named = PROTOCOLS.iter().find(|(name, _)| *name == word);
                filter.protocol = named.ok_or(Unknown(word))?.1;
            }
        }
    }
    filter.address = addr::to_words(SocketAddr::new(host, port));
    Ok(filter)
}

fn value<'a, T: FromStr>(
    word: &'a str,
    words: &mut SplitAsciiWhitespace<'a>,
) -> Result<T, Unknown<'a>> {
    let value = words.next().ok_or(Unknown(word))?;
    value.parse().map_err(|_| Unknown(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_order() {
        let filter = parse(" snap 96 udp port 53\thost fd00::2\r\n").unwrap();
        assert_eq!((filter.protocol, filter.snap), (17, 96));
        let address = addr::from_words(filter.address).unwrap();
        assert_eq!(address, Some("[fd00::2]:53".parse().unwrap()));
        assert_eq!(parse("\n").unwrap().protocol, 0);
        assert_eq!(parse("arp").unwrap().protocol, 0x0806);
    }

    #[test]
    fn others_are_named() {
        assert_eq!(parse("udp or tcp"), Err(Unknown("or")));
        assert_eq!(parse("port 65536"), Err(Unknown("65536")));
        assert_eq!(parse("host"), Err(Unknown("host")));
    }
}
