// SPDX-License-Identifier: BSD-2-Clause

//! One frame in, any number out: the device that smoltcp sees during one call.

use smoltcp::phy::{self, DeviceCapabilities};
use smoltcp::time::Instant;

use crate::counters::Counters;
use crate::link::{FRAME_MAX, TxQueue};

const ETHERTYPE: usize = 12;
const IPV4: [u8; 2] = [0x08, 0x00];
const ARP: [u8; 2] = [0x08, 0x06];
const IP_HEADER: usize = 14;
const TCP: u8 = 6;

/// What left during one call of the stack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    /// Number of IPv4 packets.
    pub packets: u32,
    /// Whether the stack asked for a neighbour's Ethernet address.
    pub asked: bool,
    /// Of the last TCP segment: sequence number behind its last byte, if it had any data.
    pub data_end: Option<u32>,
}

/// The device for one call.
pub(crate) struct Wire<'a, T> {
    pub frame: Option<&'a [u8]>,
    pub tx: &'a mut T,
    pub capabilities: &'a DeviceCapabilities,
    pub counters: &'a mut Counters,
    pub sent: Sent,
}

pub(crate) struct RxToken<'a>(&'a [u8]);

impl phy::RxToken for RxToken<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Holds no buffer yet: one is taken when there is something to put into it, so that dropping the token loses nothing.
pub(crate) struct TxToken<'a, T> {
    tx: &'a mut T,
    counters: &'a mut Counters,
    sent: &'a mut Sent,
}

impl<T: TxQueue> phy::TxToken for TxToken<'_, T> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut fill = Some(f);
        let counters = self.counters;
        let sent = self.sent;
        let mut result = None;
        self.tx.send(length, |buffer| {
            result = fill.take().map(|f| f(buffer));
            counters.tx_frames += 1;
            counters.tx_bytes += buffer.len() as u64;
            note(buffer, sent);
        });
        match (result, fill) {
            (Some(result), _) => result,
            // Callers look for a free buffer first. Should there be none all the same, this is a frame lost on the way, which
            // every protocol above can bear.
            (None, Some(f)) => {
                counters.drops_no_tx_buffer += 1;
                f(&mut [0; FRAME_MAX][..length.min(FRAME_MAX)])
            }
            (None, None) => unreachable!("the closure is gone only if its result is here"),
        }
    }
}

/// Looks at a frame that has just been written by the stack.
fn note(frame: &[u8], sent: &mut Sent) {
    let ethertype = frame.get(ETHERTYPE..IP_HEADER);
    if ethertype != Some(&IPV4[..]) {
        sent.asked |= ethertype == Some(&ARP[..]);
        return;
    }
    sent.packets += 1;
    sent.data_end = None;
    let Some(ip) = frame.get(IP_HEADER..) else {
        return;
    };
    // What the stack writes has no IP options.
    if let Some(&[.., TCP]) = ip.get(..10)
        && let Some(&[a, b, c, d]) = ip.get(24..28)
        && let Some(&offset) = ip.get(32)
    {
        let data = ip.len().saturating_sub(20 + usize::from(offset >> 4) * 4);
        if data > 0 {
            let sequence = u32::from_be_bytes([a, b, c, d]);
            sent.data_end = Some(sequence.wrapping_add(data as u32));
        }
    }
}

impl<T: TxQueue> phy::Device for Wire<'_, T> {
    type RxToken<'b>
        = RxToken<'b>
    where
        Self: 'b;
    type TxToken<'b>
        = TxToken<'b, T>
    where
        Self: 'b;

    fn receive(&mut self, _: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let frame = self.frame.take()?;
        let token = TxToken {
            tx: self.tx,
            counters: self.counters,
            sent: &mut self.sent,
        };
        Some((RxToken(frame), token))
    }

    fn transmit(&mut self, _: Instant) -> Option<Self::TxToken<'_>> {
        (self.tx.free() > 0).then_some(TxToken {
            tx: self.tx,
            counters: self.counters,
            sent: &mut self.sent,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}
