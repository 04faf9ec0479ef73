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
    /// The number behind the last byte that has been sent. smoltcp goes back to the first one that
    /// is not acknowledged when its timer has run out, and its acknowledgements with it: a peer
    /// that has received more drops those.
    pub highest: Option<u32>,
}

impl Told {
    /// Corrects a packet without IP options, in which windows are shifted by `scale`. `checksum`
    /// says whether the segment has one; otherwise the device computes it.
    pub(super) fn amend(self, packet: &mut [u8], scale: u8, checksum: bool) {
        let mut packet = Ipv4Packet::new_unchecked(packet);
        let (from, to) = (packet.src_addr(), packet.dst_addr());
        let mut segment = TcpPacket::new_unchecked(packet.payload_mut());
        let mut amended = false;
        if let Some(told) = self.scale.filter(|&told| told != scale) {
            amended = true;
            if segment.syn() {
                set_scale(segment.options_mut(), told);
            } else {
                let window = (usize::from(segment.window_len()) << scale) >> told;
                segment.set_window_len(u16::try_from(window).unwrap_or(u16::MAX));
            }
        }
        if let Some(highest) = self.highest
            && segment.payload_mut().is_empty()
            && !(segment.syn() || segment.fin() || segment.rst())
            && before(number(segment.seq_number()), highest)
        {
            amended = true;
            segment.set_seq_number(TcpSeqNumber(highest as i32));
        }
        if amended && checksum {
            segment.fill_checksum(&IpAddress::Ipv4(from), &IpAddress::Ipv4(to));
        }
    }
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
