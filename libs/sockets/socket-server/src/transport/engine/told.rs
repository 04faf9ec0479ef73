// SPDX-License-Identifier: BSD-2-Clause

//! What a connection's peer has been told that smoltcp does not know, or forgets.

use smoltcp::wire::{IpAddress, Ipv4Packet, TcpOption, TcpPacket, TcpSeqNumber};

use crate::transport::segment::{before, number};

/// It outlives the socket of smoltcp.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// How far windows are shifted in segments to the peer (RFC 7323 section 2); `None` if they are
    /// not. smoltcp goes by the size of its buffer, which is not the connection's for good.
    pub scale: Option<u8>,
    /// The largest segment in bytes, if the client has set one. It bounds both directions.
    pub mss: Option<u16>,
    /// The number behind the last byte that has been sent. smoltcp goes back to the first one that
    /// is not acknowledged when its timer has run out, and its acknowledgements with it: a peer
    /// that has received more drops those.
    pub highest: Option<u32>,
}

impl Told {
    /// Corrects a packet without IP options, in which windows are shifted by `scale`: the peer may
    /// send `most` bytes, if that is said. `checksum` says whether the segment has one; otherwise
    /// the device computes it.
    pub(super) fn amend(self, packet: &mut [u8], most: Option<usize>, scale: u8, checksum: bool) {
        let mut packet = Ipv4Packet::new_unchecked(packet);
        let ends: (IpAddress, IpAddress) = (packet.src_addr().into(), packet.dst_addr().into());
        let mut segment = TcpPacket::new_unchecked(packet.payload_mut());
        let mut sum = segment.checksum();
        let told = self.scale.unwrap_or(scale);
        let window = segment.window_len();
        if segment.syn() {
            let narrow = most.filter(|&most| most < usize::from(window));
            if let Some(most) = narrow {
                segment.set_window_len(most as u16);
            }
            if told != scale {
                set_scale(segment.options_mut(), told);
            }
            if checksum && (narrow.is_some() || told != scale) {
                segment.fill_checksum(&ends.0, &ends.1);
            }
            return;
        }
        if told != scale || most.is_some() {
            let bytes = usize::from(window) << scale;
            let shifted = bytes.min(most.unwrap_or(bytes)) >> told;
            let shifted = u16::try_from(shifted).unwrap_or(u16::MAX);
            segment.set_window_len(shifted);
            sum = replace(sum, window, shifted);
        }
        let seq = number(segment.seq_number());
        if let Some(highest) = self.highest
            && before(seq, highest)
            && segment.payload_mut().is_empty()
            && !(segment.fin() || segment.rst())
        {
            segment.set_seq_number(TcpSeqNumber(highest as i32));
            sum = replace(sum, (seq >> 16) as u16, (highest >> 16) as u16);
            sum = replace(sum, seq as u16, highest as u16);
        }
        if checksum {
            segment.set_checksum(sum);
        }
    }
}

/// The checksum of a segment in which one word stands in place of another (RFC 1624).
fn replace(checksum: u16, old: u16, new: u16) -> u16 {
    let sum = u32::from(!checksum) + u32::from(!old) + u32::from(new);
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

/// Writes the shift into the options of a SYN. The window of a SYN is not shifted.
fn set_scale(options: &mut [u8], told: u8) {
    let mut at = 0;
    while let Ok((rest, option)) = TcpOption::parse(&options[at..]) {
        match option {
            TcpOption::EndOfList => return,
            TcpOption::WindowScale(_) => {
                options[at + 2] = told;
                return;
            }
            _ => at = options.len() - rest.len(),
        }
    }
}
