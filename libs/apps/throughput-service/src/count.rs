// SPDX-License-Identifier: BSD-2-Clause

//! What is counted of a stream.

use crate::protocol::Header;

/// What has gone over a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// Bytes of payload.
    pub bytes: u64,
    /// The highest number of a datagram, received or sent.
    pub packets: u64,
    /// Datagrams that have not come (yet).
    pub lost: u64,
    /// How much the time on the way varies, in seconds (RFC 1889, appendix A.8).
    pub jitter: f32,
    /// Time on the way of the datagram before, plus the difference of the clocks.
    transit: Option<i64>,
}

impl Count {
    /// A datagram has come at `now`, in nanoseconds.
    pub fn datagram(&mut self, header: Header, bytes: u64, now: u64) {
        self.bytes += bytes;
        if header.number > self.packets {
            self.lost += header.number - self.packets - 1;
            self.packets = header.number;
        } else {
            // It counted as lost.
            self.lost = self.lost.saturating_sub(1);
        }
        let transit = now.wrapping_sub(header.sent) as i64;
        if let Some(before) = self.transit.replace(transit) {
            let difference = transit.wrapping_sub(before).unsigned_abs() as f32 / 1e9;
            self.jitter += (difference - self.jitter) / 16.0;
        }
    }

    /// Begins anew: what was before does not count.
    pub fn omit(&mut self) {
        self.bytes = 0;
        self.lost = 0;
    }
}
