// SPDX-License-Identifier: BSD-2-Clause
//! A router in the middle whose next link takes only small packets.

use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, EthernetRepr, Icmpv4Message, Icmpv4Packet, Icmpv6Message,
    Icmpv6Packet, IpProtocol, Ipv4Packet, Ipv4Repr, Ipv6Packet, Ipv6Repr,
};

const ETHERNET: usize = 14;
/// Of the packet that is quoted: its header and 8 bytes (RFC 792).
const QUOTED_PAYLOAD: usize = 8;
const ICMP_HEADER: usize = 8;
/// Of an IPv6 packet: what leaves the answer short enough for every link.
const QUOTED6: usize = 1232;
/// "Fragmentation needed and DF set" (RFC 792).
const FRAGMENTATION_NEEDED: u8 = 4;

/// What becomes of a frame that came to a link with this MTU.
pub enum Narrow {
    /// It passes.
    Passes,
    /// It is dropped, and this frame goes back to its sender, if one must.
    Dropped(Option<Vec<u8>>),
}

/// Judges a frame. The answer comes from its destination's address, as if that were the router.
pub fn judge(frame: &[u8], mtu: u16) -> Narrow {
    let Ok(frame) = EthernetFrame::new_checked(frame) else {
        return Narrow::Passes;
    };
    match frame.ethertype() {
        EthernetProtocol::Ipv4 => {}
        EthernetProtocol::Ipv6 => return judge6(&frame, mtu),
        _ => return Narrow::Passes,
    }
    match Ipv4Packet::new_checked(frame.payload()) {
        Ok(packet) if packet.total_len() > mtu => {
            let answer = packet
                .dont_frag()
                .then(|| fragmentation_needed(&frame, &packet, mtu));
            Narrow::Dropped(answer.flatten())
        }
        _ => Narrow::Passes,
    }
}

fn judge6(frame: &EthernetFrame<&[u8]>, mtu: u16) -> Narrow {
    match Ipv6Packet::new_checked(frame.payload()) {
        Ok(packet) if packet.total_len() > usize::from(mtu) => {
            Narrow::Dropped(too_big(frame, &packet, mtu))
        }
        _ => Narrow::Passes,
    }
}

/// "Packet too big" (RFC 4443 section 3.2).
fn too_big(frame: &EthernetFrame<&[u8]>, packet: &Ipv6Packet<&[u8]>, mtu: u16) -> Option<Vec<u8>> {
    let quoted = frame.payload().get(..packet.total_len().min(QUOTED6))?;
    let ip = Ipv6Repr {
        src_addr: packet.dst_addr(),
        dst_addr: packet.src_addr(),
        next_header: IpProtocol::Icmpv6,
        payload_len: ICMP_HEADER + quoted.len(),
        hop_limit: 64,
    };
    let mut bytes = vec![0; ETHERNET + ip.buffer_len() + ip.payload_len];
    let mut answer = EthernetFrame::new_unchecked(&mut bytes);
    EthernetRepr {
        src_addr: frame.dst_addr(),
        dst_addr: frame.src_addr(),
        ethertype: EthernetProtocol::Ipv6,
    }
    .emit(&mut answer);
    let mut answer = Ipv6Packet::new_unchecked(answer.payload_mut());
    ip.emit(&mut answer);
    let icmp = answer.payload_mut();
    icmp.get_mut(ICMP_HEADER..)?.copy_from_slice(quoted);
    let mut icmp = Icmpv6Packet::new_unchecked(icmp);
    icmp.set_msg_type(Icmpv6Message::PktTooBig);
    icmp.set_msg_code(0);
    icmp.set_pkt_too_big_mtu(mtu.into());
    icmp.fill_checksum(&ip.src_addr, &ip.dst_addr);
    Some(bytes)
}

fn fragmentation_needed(
    frame: &EthernetFrame<&[u8]>,
    packet: &Ipv4Packet<&[u8]>,
    mtu: u16,
) -> Option<Vec<u8>> {
    let quoted = frame
        .payload()
        .get(..usize::from(packet.header_len()) + QUOTED_PAYLOAD)?;
    let ip = Ipv4Repr {
        src_addr: packet.dst_addr(),
        dst_addr: packet.src_addr(),
        next_header: IpProtocol::Icmp,
        payload_len: ICMP_HEADER + quoted.len(),
        hop_limit: 64,
    };
    let mut bytes = vec![0; ETHERNET + ip.buffer_len() + ip.payload_len];
    let mut answer = EthernetFrame::new_unchecked(&mut bytes);
    EthernetRepr {
        src_addr: frame.dst_addr(),
        dst_addr: frame.src_addr(),
        ethertype: EthernetProtocol::Ipv4,
    }
    .emit(&mut answer);
    let mut answer = Ipv4Packet::new_unchecked(answer.payload_mut());
    ip.emit(&mut answer, &Default::default());
    let icmp = answer.payload_mut();
    // RFC 1191 section 4: the MTU of the next hop stands in the last half of the second word.
    icmp.get_mut(6..8)?.copy_from_slice(&mtu.to_be_bytes());
    icmp.get_mut(ICMP_HEADER..)?.copy_from_slice(quoted);
    let mut icmp = Icmpv4Packet::new_unchecked(icmp);
    icmp.set_msg_type(Icmpv4Message::DstUnreachable);
    icmp.set_msg_code(FRAGMENTATION_NEEDED);
    icmp.fill_checksum();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smoltcp::wire::{EthernetAddress, Ipv4Address};

    fn frame(payload_len: usize) -> Vec<u8> {
        let ip = Ipv4Repr {
            src_addr: Ipv4Address::new(10, 0, 2, 15),
            dst_addr: Ipv4Address::new(10, 0, 2, 2),
            next_header: IpProtocol::Tcp,
            payload_len,
            hop_limit: 64,
        };
        let mut bytes = vec![0; ETHERNET + 20 + payload_len];
        let mut frame = EthernetFrame::new_unchecked(&mut bytes);
        EthernetRepr {
            src_addr: EthernetAddress([2, 0, 0, 0, 0, 15]),
            dst_addr: EthernetAddress([2, 0, 0, 0, 0, 2]),
            ethertype: EthernetProtocol::Ipv4,
        }
        .emit(&mut frame);
        ip.emit(
            &mut Ipv4Packet::new_unchecked(frame.payload_mut()),
            &Default::default(),
        );
        bytes
    }

    #[test]
    fn only_larger_packets_are_dropped_and_their_sender_is_told() {
        assert!(matches!(judge(&frame(580), 600), Narrow::Passes));
        assert!(matches!(judge(b"no frame", 600), Narrow::Passes));
        let Narrow::Dropped(Some(answer)) = judge(&frame(581), 600) else {
            panic!("601 bytes passed, or nobody was told");
        };
        let answer = EthernetFrame::new_checked(&answer[..]).unwrap();
        assert_eq!(answer.dst_addr(), EthernetAddress([2, 0, 0, 0, 0, 15]));
        let packet = Ipv4Packet::new_checked(answer.payload()).unwrap();
        assert!(packet.verify_checksum());
        assert_eq!(packet.dst_addr(), Ipv4Address::new(10, 0, 2, 15));
        let icmp = Icmpv4Packet::new_checked(packet.payload()).unwrap();
        assert!(icmp.verify_checksum());
        assert_eq!(packet.payload().get(6..8), Some(&600u16.to_be_bytes()[..]));
        assert_eq!(packet.payload().get(8..), frame(581).get(14..42));
    }

    #[test]
    fn a_packet_that_may_be_cut_is_dropped_in_silence() {
        let mut frame = frame(1000);
        let mut packet = Ipv4Packet::new_unchecked(&mut frame[ETHERNET..]);
        packet.set_dont_frag(false);
        packet.fill_checksum();
        assert!(matches!(judge(&frame, 600), Narrow::Dropped(None)));
    }
}
