// SPDX-License-Identifier: BSD-2-Clause

//! What a filter asks about a frame. Nothing is checked: broken frames are to be seen, too.

use core::net::{Ipv4Addr, Ipv6Addr};

use smoltcp::wire::IpProtocol;

use crate::ethernet::HEADER;
use crate::ip::address::Address;

const ARP: u16 = 0x0806;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// Headers of IPv6 that are passed over.
const HEADERS_MAX: usize = 8;

/// What can be seen of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its EtherType.
    pub kind: u16,
    /// What its IP packet carries.
    pub protocol: Option<u8>,
    /// Source and destination; of ARP who asks, and who is asked.
    pub ends: [Option<Address>; 2],
    /// Source and destination port of TCP or UDP.
    pub ports: Option<[u16; 2]>,
}

impl Seen {
    /// Looks at a frame.
    pub fn new(frame: &[u8]) -> Self {
        let mut seen = Seen::default();
        let Some((header, packet)) = frame.split_first_chunk::<HEADER>() else {
            return seen;
        };
        seen.kind = u16::from_be_bytes([header[12], header[13]]);
        // What the frame is too short for stays unknown.
        let _ = match seen.kind {
            ARP => seen.arp(packet),
            IPV4 => seen.ipv4(packet),
            IPV6 => seen.ipv6(packet),
            _ => None,
        };
        seen
    }

    fn arp(&mut self, packet: &[u8]) -> Option<()> {
        self.ends = [v4(packet, 14), v4(packet, 24)];
        Some(())
    }

    fn ipv4(&mut self, packet: &[u8]) -> Option<()> {
        self.ends = [v4(packet, 12), v4(packet, 16)];
        self.protocol = Some(*packet.get(9)?);
        let length = usize::from(packet.first()? & 15) * 4;
        let is_first = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x1fff == 0;
        self.payload(packet.get(length..)?, is_first)
    }

    fn ipv6(&mut self, packet: &[u8]) -> Option<()> {
        self.ends = [v6(packet, 8), v6(packet, 24)];
        let mut next = *packet.get(6)?;
        let mut rest = packet.get(40..)?;
        let mut is_first = true;
        for _ in 0..HEADERS_MAX {
            let length = match IpProtocol::from(next) {
                IpProtocol::HopByHop | IpProtocol::Ipv6Route | IpProtocol::Ipv6Opts => {
                    8 + usize::from(*rest.get(1)?) * 8
                }
                IpProtocol::Ipv6Frag => {
                    is_first = u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]) & !7 == 0;
                    8
                }
                _ => break,
            };
            next = *rest.first()?;
            rest = rest.get(length..)?;
        }
        self.protocol = Some(next);
        self.payload(rest, is_first)
    }

    /// Only the first fragment has ports.
    fn payload(&mut self, payload: &[u8], is_first: bool) -> Option<()> {
        let protocol = IpProtocol::from(self.protocol?);
        if is_first && matches!(protocol, IpProtocol::Tcp | IpProtocol::Udp) {
            let [a, b, c, d] = *payload.first_chunk()?;
            self.ports = Some([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
        }
        Some(())
    }
}

fn v4(packet: &[u8], at: usize) -> Option<Address> {
    let octets: &[u8; 4] = packet.get(at..)?.first_chunk()?;
    Some(Address::v4(Ipv4Addr::from(*octets)))
}

fn v6(packet: &[u8], at: usize) -> Option<Address> {
    let octets: &[u8; 16] = packet.get(at..)?.first_chunk()?;
    Some(Address::v6(Ipv6Addr::from(*octets)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use test_world::frames;

    const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
    const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);

    fn frame(kind: u16, packet: &[u8]) -> Vec<u8> {
        frames::ethernet([2; 6], [4; 6], kind, packet)
    }

    #[test]
    fn both_families_and_arp() {
        let ends = [HOST, OWN].map(|host| Some(Address::v4(host)));
        let seen = Seen::new(&frame(IPV4, &frames::udp((HOST, 5), (OWN, 7), b"x")));
        let expected = Seen {
            kind: IPV4,
            protocol: Some(17),
            ends,
            ports: Some([5, 7]),
        };
        assert_eq!(seen, expected);
        let seen = Seen::new(&frame(ARP, &frames::arp(1, ([2; 6], HOST), ([0; 6], OWN))));
        assert_eq!((seen.kind, seen.ends, seen.protocol), (ARP, ends, None));
        // Behind a header of options.
        let [host, own] = [HOST, OWN].map(|host| host.to_ipv6_compatible());
        let datagram = frames::udp6((host, 5), (own, 7), b"x");
        let packet = frames::ipv6(
            host,
            own,
            60,
            9,
            &[&[17, 0, 1, 4, 0, 0, 0, 0], &datagram[..]].concat(),
        );
        let seen = Seen::new(&frame(IPV6, &packet));
        assert_eq!((seen.protocol, seen.ports), (Some(17), Some([5, 7])));
        assert_eq!(seen.ends, [host, own].map(|host| Some(Address::v6(host))));
    }

    #[test]
    fn later_fragments_have_no_ports() {
        let packet = frames::fragment(HOST, OWN, 17, 1, 3, &[0; 16]);
        let seen = Seen::new(&frame(IPV4, &packet));
        assert_eq!((seen.protocol, seen.ports), (Some(17), None));
    }

    proptest! {
        #[test]
        fn any_frame_can_be_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..90), kind in 0usize..4) {
            Seen::new(&bytes);
            Seen::new(&frame([ARP, IPV4, IPV6, 0][kind], &bytes));
        }
    }
}
