// SPDX-License-Identifier: BSD-2-Clause

//! One packet in, any number out: the device that smoltcp sees during one call. It carries IP
//! packets; the Ethernet header around them is written here.

use smoltcp::phy::{self, DeviceCapabilities};
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket};

use super::told::Told;

use crate::ethernet::{self, Hop};
use crate::frames::{FRAME_MAX, TxQueue};
use crate::ip::address::Address;
use crate::ip::checksum::checksum;
use crate::ip::header6::Header;
use crate::ip::output::{HEADER, set_service};
use crate::ip::paths::LINK_MTU;
use crate::time::Instant;

/// What left during one call of the stack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    /// Number of packets.
    pub packets: u32,
    /// Bytes of their frames.
    pub bytes: u64,
    /// Packets for which there was no buffer.
    pub lost: u32,
    /// Nothing left, because the Ethernet address of this host is not known.
    pub unresolved: Option<Address>,
    /// Of the last TCP segment: the number up to which smoltcp takes data since, if the peer is
    /// told another.
    pub edge: Option<u32>,
    /// Of the last TCP segment: its sequence number.
    pub sequence: u32,
    /// Of the last TCP segment: the number behind its last byte, if it had any data.
    pub data_end: Option<u32>,
}

/// The device for one call.
pub(super) struct Wire<'a, T> {
    pub packet: Option<&'a [u8]>,
    pub out: Out<'a, T>,
    pub capabilities: &'a DeviceCapabilities,
}

/// The way out.
pub(super) struct Out<'a, T> {
    pub tx: &'a mut T,
    pub hop: &'a Hop,
    /// Source and destination of what leaves.
    pub ends: &'a (Address, Address),
    /// If routers may cut the packet up: its number.
    pub ident: Option<u16>,
    pub told: &'a Told,
    /// How far smoltcp shifts windows.
    pub scale: u8,
    /// The type of service.
    pub service: u8,
    /// Bytes that the peer may be shown, if that is not as smoltcp has it.
    pub window: Option<usize>,
    /// Whether segments get a checksum here.
    pub checksum: bool,
    pub sent: &'a mut Sent,
}

pub(super) struct RxToken<'a>(&'a [u8]);

impl phy::RxToken for RxToken<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Holds no buffer yet: one is taken when there is something to put into it, so that dropping the
/// token loses nothing.
pub(super) struct TxToken<'a, 'b, T>(&'b mut Out<'a, T>);

impl<T: TxQueue> phy::TxToken for TxToken<'_, '_, T> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let out = self.0;
        let mut fill = Some(f);
        let mut result = None;
        // smoltcp writes a header of IPv4; in front of it is room for what IPv6 has more.
        let more = out.ends.0.header() - HEADER;
        out.tx.send(ethernet::HEADER + more + length, |frame| {
            let packet = &mut frame[ethernet::HEADER + more..];
            result = fill.take().map(|f| f(&mut *packet));
            if let Some(ident) = out.ident {
                let mut packet = Ipv4Packet::new_unchecked(&mut *packet);
                packet.set_ident(ident);
                packet.set_dont_frag(false);
                packet.fill_checksum();
            }
            let (header, segment) = packet.split_at_mut(HEADER);
            if out.service != 0 {
                set_service(header, out.service);
                Ipv4Packet::new_unchecked(&mut *header).fill_checksum();
            }
            out.sent.edge = out.window.and_then(|_| edge(segment, out.scale));
            out.told.amend(segment, out.window, out.scale);
            if out.checksum {
                let checksum = checksum(*out.ends, IpProtocol::Tcp.into(), segment);
                TcpPacket::new_unchecked(&mut *segment).set_checksum(checksum);
            }
            note(segment, out.sent);
            if more > 0 {
                let hops = Ipv4Packet::new_unchecked(header).hop_limit();
                let length = segment.len() as u16;
                write6(frame, out.ends, (hops, out.service), length);
            }
            ethernet::emit_ip(frame, *out.hop, more == 0);
            out.sent.bytes += frame.len() as u64;
        });
        match (result, fill) {
            (Some(result), _) => result,
            // Callers look for a free buffer first. Should there be none all the same, this is a
            // frame lost on the way, which every protocol above can bear.
            (None, Some(f)) => {
                out.sent.lost += 1;
                f(&mut [0; LINK_MTU][..length.min(LINK_MTU)])
            }
            (None, None) => unreachable!("the closure is gone only if its result is here"),
        }
    }
}

/// Writes the header of IPv6 in front of a segment.
#[inline(never)]
fn write6(frame: &mut [u8], ends: &(Address, Address), (hops, class): (u8, u8), length: u16) {
    let header = Header {
        source: ends.0,
        destination: ends.1,
        next: IpProtocol::Tcp,
        hops,
        class,
        length,
    };
    header.write(&mut frame[ethernet::HEADER..]);
}

/// The number behind the window that a segment of smoltcp's offers.
fn edge(segment: &[u8], scale: u8) -> Option<u32> {
    let &[a, b, c, d, _, _, high, low] = segment.get(8..16)? else {
        return None;
    };
    let window = u32::from(u16::from_be_bytes([high, low])) << scale;
    Some(u32::from_be_bytes([a, b, c, d]).wrapping_add(window))
}

/// Looks at a TCP segment that has just been written by the stack.
fn note(segment: &[u8], sent: &mut Sent) {
    sent.packets += 1;
    sent.data_end = None;
    if let Some(&[a, b, c, d]) = segment.get(4..8)
        && let Some(&offset) = segment.get(12)
    {
        sent.sequence = u32::from_be_bytes([a, b, c, d]);
        let data = segment.len().saturating_sub(usize::from(offset >> 4) * 4);
        sent.data_end = (data > 0).then(|| sent.sequence.wrapping_add(data as u32));
    }
}

impl<'a, T: TxQueue> phy::Device for Wire<'a, T> {
    type RxToken<'b>
        = RxToken<'b>
    where
        Self: 'b;
    type TxToken<'b>
        = TxToken<'a, 'b, T>
    where
        Self: 'b;

    fn receive(&mut self, _: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let packet = self.packet.take()?;
        Some((RxToken(packet), TxToken(&mut self.out)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Self::TxToken<'_>> {
        (self.out.tx.free() > 0).then_some(TxToken(&mut self.out))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

/// Takes frames and forgets them.
pub(super) struct Nowhere;

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
