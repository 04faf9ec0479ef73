// SPDX-License-Identifier: BSD-2-Clause

//! The Internet checksum (RFC 1071) of TCP and UDP, eight bytes at a time.

use zerocopy::FromBytes;

use super::address::Address;

/// The checksum of a TCP segment or UDP datagram between these addresses. It is 0 over one whose
/// own checksum is right.
pub fn checksum((from, to): (Address, Address), protocol: u8, payload: &[u8]) -> u16 {
    // What is mapped has 0xffff besides, which is 0 in this arithmetic.
    let pseudo = from.sum() + to.sum();
    let pseudo = pseudo + u64::from(protocol) + payload.len() as u64;
    !fold(pseudo + u64::from(sum(payload)))
}

/// The checksum of some bytes alone, as IPv4 headers and IGMP have it; likewise.
pub fn plain(bytes: &[u8]) -> u16 {
    !sum(bytes)
}

/// The sum of the 16-bit words of some bytes, the first byte of each highest. A last odd byte is
/// the first one of its word.
#[inline]
fn sum(bytes: &[u8]) -> u16 {
    let (head, rest) = bytes.split_at(bytes.as_ptr().align_offset(8).min(bytes.len()));
    let (middle, tail) = rest.split_at(rest.len() & !7);
    let words = match <[u64]>::ref_from_bytes(middle) {
        Ok(words) if head.len() % 2 == 0 => words,
        // The words would begin in the middle of those that count.
        _ => return u16::from_be(fold(pairs(bytes))),
    };
    let mut sum = pairs(head) + pairs(tail);
    for &word in words {
        let (added, carry) = sum.overflowing_add(word);
        // It is below the largest number if there was a carry.
        sum = added + u64::from(carry);
    }
    // Words in another byte order have the same sum in that order (RFC 1071 section 2).
    u16::from_be(fold(sum))
}

/// The sum of the 16-bit words as they lie in memory.
fn pairs(bytes: &[u8]) -> u64 {
    let (pairs, odd) = bytes.as_chunks();
    let last = odd.first().map_or(0, |&byte| u16::from_ne_bytes([byte, 0]));
    let sum: u64 = pairs
        .iter()
        .map(|&pair| u64::from(u16::from_ne_bytes(pair)))
        .sum();
    sum + u64::from(last)
}

/// Adds up the four halves of a sum, carries included.
fn fold(sum: u64) -> u16 {
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 32) + (sum & 0xffff_ffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    let sum = (sum >> 16) + (sum & 0xffff);
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{IpAddr, Ipv4Addr};
    use proptest::prelude::*;
    use smoltcp::wire::{IpAddress, UdpPacket};

    proptest! {
        /// At each alignment, with what smoltcp computes as the reference.
        #[test]
        fn it_is_that_of_smoltcp(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xff), Just(0)], 8..300),
            at in 0usize..9,
            ends in any::<(u128, u128)>(),
            v4: bool,
        ) {
            let mut bytes = bytes;
            let at = at.min(bytes.len() - 8);
            let datagram = &mut bytes[at..];
            let [from, to] = [ends.0, ends.1].map(|bits| match v4 {
                true => Address::v4(Ipv4Addr::from_bits(bits as u32)),
                false => Address::v6(bits.into()),
            });
            // Both of one family.
            prop_assume!(from.is_v4() == to.is_v4());
            let ends = (from, to);
            let length = datagram.len() as u16;
            let mut udp = UdpPacket::new_unchecked(&mut *datagram);
            udp.set_len(length);
            udp.set_checksum(0);
            let [from, to] = [from, to].map(|end| IpAddress::from(IpAddr::from(end)));
            udp.fill_checksum(&from, &to);
            let right = udp.checksum();
            prop_assert_eq!(checksum(ends, 17, datagram), 0);
            UdpPacket::new_unchecked(&mut *datagram).set_checksum(0);
            let ours = checksum(ends, 17, datagram);
            prop_assert_eq!(if ours == 0 { 0xffff } else { ours }, right);
            UdpPacket::new_unchecked(&mut *datagram).set_checksum(right ^ 0x40);
            prop_assert_ne!(checksum(ends, 17, datagram), 0);
        }
    }
}
