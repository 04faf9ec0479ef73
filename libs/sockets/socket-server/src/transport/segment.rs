// SPDX-License-Identifier: BSD-2-Clause

//! TCP segments that the core reads and writes itself: those that begin and end connections, and
//! answers to segments that belong to none (RFC 9293 section 3.10.7).

use core::net::Ipv4Addr;

use smoltcp::phy::ChecksumCapabilities;
pub(crate) use smoltcp::wire::TcpControl as Control;
use smoltcp::wire::{
    IpAddress, IpProtocol, Ipv4Packet, Ipv4Repr, TcpPacket, TcpRepr, TcpSeqNumber,
};

use crate::ip::address::Address;
use crate::ip::checksum::checksum;
use crate::ip::output::HEADER;
use crate::ip::packet::{Packet, Tuple};
use crate::ip::paths::LINK_MTU;
use crate::transport::numbers::PeerOptions;

/// Length of a packet with a segment that has no data, and of the options only those of a SYN.
const LONGEST: usize = HEADER + 60;
/// The maximum segment size with IPv4, which is the larger one.
pub(crate) const MSS: u16 = (LINK_MTU - 40) as u16;

/// Bytes of the headers of IP and TCP without options in packets to a host.
pub(crate) fn headers(to: Address) -> usize {
    to.header() + 20
}

/// The maximum segment size that a host is told: what the link has room for.
pub(crate) fn mss(to: Address) -> u16 {
    (LINK_MTU - headers(to)) as u16
}

/// Where addresses are not looked at, because there is no checksum.
const NOBODY: IpAddress = IpAddress::v4(0, 0, 0, 0);

/// The addresses that smoltcp knows the two ends of a connection by, ours first. To it all are of
/// IPv4, as it would be slower with IPv6. Nobody else sees the addresses that stand for others (RFC
/// 5737).
pub(crate) fn stand_ins(tuple: &Tuple) -> (Ipv4Addr, Ipv4Addr) {
    const OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
    match (tuple.local.0.to_v4(), tuple.remote.0.to_v4()) {
        (Some(own), Some(peer)) => (own, peer),
        _ => (OWN, PEER),
    }
}

/// Whether `a` comes before `b` in sequence space (RFC 9293 section 3.4).
pub(crate) fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// A TCP segment, without its data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub control: Control,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number, if it has one.
    pub ack: Option<u32>,
    /// Window, not scaled.
    pub window: u16,
    /// What a SYN says of its sender.
    pub options: PeerOptions,
    /// Bytes of data.
    pub data: usize,
}

/// Looks at the header of a packet's TCP segment. Its checksum and its options are not looked at.
pub(crate) fn glance(packet: &Packet) -> Option<Segment> {
    let tcp = TcpPacket::new_checked(packet.payload).ok()?;
    Some(Segment {
        control: match (tcp.rst(), tcp.syn(), tcp.fin()) {
            (true, ..) => Control::Rst,
            (_, true, _) => Control::Syn,
            (.., true) => Control::Fin,
            _ => Control::None,
        },
        seq: number(tcp.seq_number()),
        ack: tcp.ack().then(|| number(tcp.ack_number())),
        window: tcp.window_len(),
        options: PeerOptions::NONE,
        data: tcp.payload().len(),
    })
}

/// Reads a packet's TCP segment, whose checksum has been looked at. `None` if it is malformed.
pub(crate) fn parse(packet: &Packet) -> Option<Segment> {
    let tcp = TcpPacket::new_checked(packet.payload).ok()?;
    let checksums = ChecksumCapabilities::ignored();
    let repr = TcpRepr::parse(&tcp, &NOBODY, &NOBODY, &checksums).ok()?;
    let mss = repr.max_seg_size.filter(|&mss| mss != 0);
    Some(Segment {
        options: PeerOptions {
            mss: mss.unwrap_or(PeerOptions::NONE.mss),
            scale: repr.window_scale,
            sack: repr.sack_permitted,
        },
        ..glance(packet)?
    })
}

impl Segment {
    /// A SYN without an acknowledgement.
    pub(crate) fn syn(seq: u32, window: u16, options: PeerOptions) -> Segment {
        Segment {
            control: Control::Syn,
            seq,
            ack: None,
            window,
            options,
            data: 0,
        }
    }

    /// An acknowledgement.
    pub(crate) fn ack(seq: u32, ack: u32, window: u16) -> Segment {
        Segment {
            control: Control::None,
            ack: Some(ack),
            ..Segment::syn(seq, window, PeerOptions::NONE)
        }
    }

    /// Whether it begins or ends a connection at once.
    pub(crate) fn is_sudden(&self) -> bool {
        matches!(self.control, Control::Syn | Control::Rst)
    }

    /// Whether it asks for a new connection.
    pub(crate) fn opens(&self) -> bool {
        self.control == Control::Syn && self.ack.is_none()
    }

    /// The answer to a segment that belongs to no connection (RFC 9293 section 3.10.7.1): the reset
    /// has the number that makes it acceptable to the sender of the segment.
    pub(crate) fn reset(to: &Segment) -> Segment {
        // SYN and FIN count as one each.
        let end = to.seq.wrapping_add((to.data + to.control.len()) as u32);
        let (seq, ack) = match to.ack {
            Some(ack) => (ack, None),
            None => (0, Some(end)),
        };
        Segment {
            control: Control::Rst,
            ack,
            ..Segment::syn(seq, 0, PeerOptions::NONE)
        }
    }

    fn repr<'a>(&self, from: u16, to: u16, data: &'a [u8]) -> TcpRepr<'a> {
        let options = (self.control == Control::Syn).then_some(self.options);
        TcpRepr {
            src_port: from,
            dst_port: to,
            control: self.control,
            seq_number: TcpSeqNumber(self.seq as i32),
            ack_number: self.ack.map(|ack| TcpSeqNumber(ack as i32)),
            window_len: self.window,
            window_scale: options.and_then(|options| options.scale),
            max_seg_size: options.map(|options| options.mss),
            sack_permitted: options.is_some_and(|options| options.sack),
            sack_ranges: [None; 3],
            timestamp: None,
            payload: data,
        }
    }

    /// Its length in bytes.
    pub(crate) fn length(&self) -> usize {
        self.repr(0, 0, &[]).header_len()
    }

    /// Writes it as this machine sends it.
    pub(crate) fn emit(&self, tuple: &Tuple, segment: &mut [u8]) {
        let repr = self.repr(tuple.local.1, tuple.remote.1, &[]);
        let checksums = ChecksumCapabilities::ignored();
        let mut packet = TcpPacket::new_unchecked(&mut *segment);
        repr.emit(&mut packet, &NOBODY, &NOBODY, &checksums);
        let sum = checksum(tuple.addresses(), IpProtocol::Tcp.into(), segment);
        TcpPacket::new_unchecked(segment).set_checksum(sum);
    }

    /// Writes a packet in which the connection's peer sends it along with this data, for smoltcp to
    /// read.
    pub(crate) fn emit_as_peer<'a>(
        &self,
        tuple: &Tuple,
        data: &[u8],
        buffer: &'a mut [u8],
    ) -> &'a [u8] {
        let checksums = ChecksumCapabilities::ignored();
        let repr = self.repr(tuple.remote.1, tuple.local.1, data);
        let bytes = &mut buffer[..HEADER + repr.buffer_len()];
        let mut segment = TcpPacket::new_unchecked(&mut bytes[HEADER..]);
        repr.emit(&mut segment, &NOBODY, &NOBODY, &checksums);
        wrap(tuple, bytes);
        bytes
    }

    /// A buffer for [`Self::emit_as_peer`] without data.
    pub(crate) fn buffer() -> [u8; LONGEST] {
        [0; LONGEST]
    }
}

/// Writes the header for smoltcp around a segment of a connection's peer, which is there.
pub(crate) fn wrap(tuple: &Tuple, bytes: &mut [u8]) {
    let (own, peer) = stand_ins(tuple);
    let ip = Ipv4Repr {
        src_addr: peer,
        dst_addr: own,
        next_header: IpProtocol::Tcp,
        payload_len: bytes.len() - HEADER,
        hop_limit: 64,
    };
    let mut packet = Ipv4Packet::new_unchecked(bytes);
    ip.emit(&mut packet, &ChecksumCapabilities::ignored());
}

/// A sequence number of smoltcp's as a plain number.
pub(crate) fn number(number: TcpSeqNumber) -> u32 {
    number.0 as u32
}
