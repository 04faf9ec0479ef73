// SPDX-License-Identifier: BSD-2-Clause

//! One packet in, any number out: the device that smoltcp sees during one call. It carries IPv4
//! packets; the Ethernet header around them is written here.

use smoltcp::phy::{self, DeviceCapabilities};
use smoltcp::wire::{Ipv4Packet, TcpPacket};

use crate::counters::Counters;
use crate::ethernet::{self, Hop};
use crate::frames::{FRAME_MAX, TxQueue};
use crate::ip::paths::LINK_MTU;
use crate::time::Instant;

/// What left during one call of the stack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    /// Number of IPv4 packets.
    pub packets: u32,
    /// Nothing left, because the Ethernet address of this host is not known.
    pub unresolved: Option<core::net::Ipv4Addr>,
    /// Of the last TCP segment: sequence number behind its last byte, if it had any data.
    pub data_end: Option<u32>,
}

/// The device for one call.
pub(crate) struct Wire<'a, T> {
    pub packet: Option<&'a [u8]>,
    pub tx: &'a mut T,
    pub hop: Hop,
    /// If routers may cut the packet up: its number.
    pub ident: Option<u16>,
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

/// Holds no buffer yet: one is taken when there is something to put into it, so that dropping the
/// token loses nothing.
pub(crate) struct TxToken<'a, T> {
    tx: &'a mut T,
    hop: Hop,
    ident: Option<u16>,
    counters: &'a mut Counters,
    sent: &'a mut Sent,
}

impl<T: TxQueue> phy::TxToken for TxToken<'_, T> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut fill = Some(f);
        let counters = self.counters;
        let sent = self.sent;
        let mut result = None;
        self.tx.send(ethernet::HEADER + length, |frame| {
            ethernet::emit_ipv4(frame, self.hop);
            let packet = &mut frame[ethernet::HEADER..];
            result = fill.take().map(|f| f(&mut *packet));
            if let Some(ident) = self.ident {
                let mut packet = Ipv4Packet::new_unchecked(&mut *packet);
                packet.set_ident(ident);
                packet.set_dont_frag(false);
                packet.fill_checksum();
            }
            note(packet, sent);
            counters.tx_frames += 1;
            counters.tx_bytes += frame.len() as u64;
        });
        match (result, fill) {
            (Some(result), _) => result,
            // Callers look for a free buffer first. Should there be none all the same, this is a
            // frame lost on the way, which every protocol above can bear.
            (None, Some(f)) => {
                counters.drops_no_tx_buffer += 1;
                f(&mut [0; LINK_MTU][..length.min(LINK_MTU)])
            }
            (None, None) => unreachable!("the closure is gone only if its result is here"),
        }
    }
}

/// Looks at a packet that has just been written by the stack.
fn note(packet: &[u8], sent: &mut Sent) {
    sent.packets += 1;
    sent.data_end = None;
    // What the stack writes has no IP options.
    if let Some(&[a, b, c, d]) = packet.get(24..28)
        && let Some(&offset) = packet.get(32)
    {
        let sequence = u32::from_be_bytes([a, b, c, d]);
        let data = packet
            .len()
            .saturating_sub(20 + usize::from(offset >> 4) * 4);
        if data > 0 {
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
        let packet = self.packet.take()?;
        let token = TxToken {
            tx: self.tx,
            hop: self.hop,
            ident: self.ident,
            counters: self.counters,
            sent: &mut self.sent,
        };
        Some((RxToken(packet), token))
    }

    fn transmit(&mut self, _: Instant) -> Option<Self::TxToken<'_>> {
        (self.tx.free() > 0).then_some(TxToken {
            tx: self.tx,
            hop: self.hop,
            ident: self.ident,
            counters: self.counters,
            sent: &mut self.sent,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

/// Takes frames and forgets them.
pub(crate) struct Nowhere;

impl TxQueue for Nowhere {
    fn free(&mut self) -> usize {
        1
    }

    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        Some(fill(&mut [0; FRAME_MAX][..length.min(FRAME_MAX)]))
    }
}

/// Keeps the sequence number of a TCP segment that is sent.
pub(super) struct Number(pub u32);

impl TxQueue for Number {
    fn free(&mut self) -> usize {
        1
    }

    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        let mut frame = [0; FRAME_MAX];
        let filled = fill(&mut frame[..length.min(FRAME_MAX)]);
        if let Ok(packet) = Ipv4Packet::new_checked(&frame[ethernet::HEADER..])
            && let Ok(segment) = TcpPacket::new_checked(packet.payload())
        {
            self.0 = segment.seq_number().0 as u32;
        }
        Some(filled)
    }
}
