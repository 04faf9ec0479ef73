// SPDX-License-Identifier: BSD-2-Clause

//! What a connection's peer has been told that smoltcp does not know, or forgets.

use smoltcp::wire::{TcpOption, TcpPacket, TcpSeqNumber};

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
    /// Corrects a segment in which windows are shifted by `scale`: the peer may send `most` bytes,
    /// if that is said. It has no checksum yet.
    pub(super) fn amend(self, segment: &mut [u8], most: Option<usize>, scale: u8) {
        let mut segment = TcpPacket::new_unchecked(segment);
        let told = self.scale.unwrap_or(scale);
        let window = segment.window_len();
        if segment.syn() {
            if let Some(most) = most.filter(|&most| most < usize::from(window)) {
                segment.set_window_len(most as u16);
            }
            if told != scale {
                set_scale(segment.options_mut(), told);
            }
            return;
        }
        if told != scale || most.is_some() {
            let bytes = usize::from(window) << scale;
            let shifted = bytes.min(most.unwrap_or(bytes)) >> told;
            segment.set_window_len(u16::try_from(shifted).unwrap_or(u16::MAX));
        }
        if let Some(highest) = self.highest
            && before(number(segment.seq_number()), highest)
            && segment.payload_mut().is_empty()
            && !(segment.fin() || segment.rst())
        {
            segment.set_seq_number(TcpSeqNumber(highest as i32));
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
