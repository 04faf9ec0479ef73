// SPDX-License-Identifier: BSD-2-Clause
//! Making checksums right again in frames that were changed, so that they get as far as they can.

use super::frames::{ETHERNET, IPV4};

/// The Internet checksum (RFC 1071) of some pieces, each of an even length but the last.
fn checksum(pieces: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for piece in pieces {
        for pair in piece.chunks(2) {
            let high = pair.first().copied().unwrap_or_default();
            let low = pair.get(1).copied().unwrap_or_default();
            sum += u32::from(u16::from_be_bytes([high, low]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

/// Makes the checksums of an IPv4 frame right as far as its headers make sense; other frames stay.
pub fn repair(frame: &mut [u8]) {
    // None says that a field lies outside the frame: then there is nothing to repair.
    let _ = repair_ipv4(frame);
}

fn repair_ipv4(frame: &mut [u8]) -> Option<()> {
    if frame.get(12..ETHERNET)? != [8, 0] {
        return None;
    }
    let packet = frame.get_mut(ETHERNET..)?;
    let header_len = usize::from(*packet.first()? & 15) * 4;
    if header_len < IPV4 {
        return None;
    }
    let header = packet.get_mut(..header_len)?;
    header.get_mut(10..12)?.fill(0);
    let sum = checksum(&[header]);
    header.get_mut(10..12)?.copy_from_slice(&sum.to_be_bytes());
    let protocol = *header.get(9)?;
    let addresses: Vec<u8> = header.get(12..20)?.to_vec();
    let total_len = usize::from(u16::from_be_bytes([*header.get(2)?, *header.get(3)?]));
    let transport = packet.get_mut(header_len..total_len)?;
    let len = u16::try_from(transport.len()).ok()?.to_be_bytes();
    let pseudo_header = [&addresses[..], &[0, protocol], &len].concat();
    let (place, pseudo_header) = match protocol {
        1 => (2..4, &[][..]),
        6 => (16..18, &pseudo_header[..]),
        17 => (6..8, &pseudo_header[..]),
        _ => return None,
    };
    transport.get_mut(place.clone())?.fill(0);
    let sum = checksum(&[pseudo_header, transport]);
    // UDP writes the sum 0 as all ones, because 0 means none (RFC 768).
    let sum = if protocol == 17 && sum == 0 {
        0xffff
    } else {
        sum
    };
    transport
        .get_mut(place)?
        .copy_from_slice(&sum.to_be_bytes());
    Some(())
}
