// SPDX-License-Identifier: BSD-2-Clause

//! Single TCP segments, written and read by hand.

use std::net::Ipv4Addr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpProtocol, Ipv4Packet,
    Ipv4Repr, TcpPacket,
};

use crate::{PEER_IP, PEER_MAC, SERVER, SERVER_IP, SERVER_MAC, World};

/// Flag of a TCP header (RFC 9293, section 3.1): no more data.
pub const FIN: u8 = 1;
/// Flag of a TCP header: synchronize sequence numbers.
pub const SYN: u8 = 2;
/// Flag of a TCP header: reset the connection.
pub const RST: u8 = 4;
/// Flag of a TCP header: push.
pub const PSH: u8 = 8;
/// Flag of a TCP header: the acknowledgement number counts.
pub const ACK: u8 = 16;

/// A segment between the peer's network and the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The end that is not the server.
    pub address: Ipv4Addr,
    /// Port of that end.
    pub port: u16,
    /// Port of the server's end.
    pub server_port: u16,
    /// Flags, as in the header.
    pub flags: u8,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Window, as in the header: not scaled.
    pub window: u16,
    /// The data that it carries.
    pub payload: Vec<u8>,
}

impl Raw {
    /// From the peer's address.
    pub fn new(port: u16, server_port: u16, flags: u8, seq: u32, ack: u32) -> Raw {
        Raw {
            address: PEER_IP,
            port,
            server_port,
            flags,
            seq,
            ack,
            window: 60_000,
            payload: Vec::new(),
        }
    }

    /// As a frame to the server.
    pub fn frame(&self) -> Vec<u8> {
        let checksums = ChecksumCapabilities::default();
        let length = 20 + self.payload.len();
        let mut frame = vec![0; 14 + 20 + length];
        let ethernet = EthernetRepr {
            src_addr: EthernetAddress(PEER_MAC),
            dst_addr: EthernetAddress(SERVER_MAC),
            ethertype: EthernetProtocol::Ipv4,
        };
        ethernet.emit(&mut EthernetFrame::new_unchecked(&mut frame));
        let ip = Ipv4Repr {
            src_addr: self.address,
            dst_addr: SERVER_IP,
            next_header: IpProtocol::Tcp,
            payload_len: length,
            hop_limit: 64,
        };
        ip.emit(&mut Ipv4Packet::new_unchecked(&mut frame[14..]), &checksums);
        let tcp = &mut frame[34..];
        tcp[0..2].copy_from_slice(&self.port.to_be_bytes());
        tcp[2..4].copy_from_slice(&self.server_port.to_be_bytes());
        tcp[4..8].copy_from_slice(&self.seq.to_be_bytes());
        tcp[8..12].copy_from_slice(&self.ack.to_be_bytes());
        tcp[12] = 5 << 4;
        tcp[13] = self.flags;
        tcp[14..16].copy_from_slice(&self.window.to_be_bytes());
        tcp[20..].copy_from_slice(&self.payload);
        TcpPacket::new_unchecked(tcp).fill_checksum(&self.address.into(), &SERVER_IP.into());
        frame
    }

    /// Reads a frame of the server. `None` if it is not TCP.
    pub fn of(frame: &[u8]) -> Option<Raw> {
        let ethernet = EthernetFrame::new_checked(frame).ok()?;
        if ethernet.ethertype() != EthernetProtocol::Ipv4 {
            return None;
        }
        let ip = Ipv4Packet::new_checked(ethernet.payload()).ok()?;
        if ip.next_header() != IpProtocol::Tcp {
            return None;
        }
        let tcp = TcpPacket::new_checked(ip.payload()).ok()?;
        let whole = tcp.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into());
        assert!(
            ip.verify_checksum() && whole,
            "a wrong checksum left the server"
        );
        Some(Raw {
            address: ip.dst_addr(),
            port: tcp.dst_port(),
            server_port: tcp.src_port(),
            flags: ip.payload()[13],
            seq: tcp.seq_number().0 as u32,
            ack: tcp.ack_number().0 as u32,
            window: tcp.window_len(),
            payload: tcp.payload().to_vec(),
        })
    }
}

impl World {
    /// Gives a segment to the server and returns what it sends within a millisecond to that end.
    pub fn exchange(&mut self, raw: &Raw) -> Vec<Raw> {
        self.medium.start_tap();
        self.medium.inject(SERVER, raw.frame());
        self.run_for(1_000_000);
        let to = (raw.address, raw.port);
        let frames = self.medium.take_tap();
        let segments = frames.iter().filter_map(|frame| Raw::of(frame));
        segments
            .filter(|sent| (sent.address, sent.port) == to)
            .collect()
    }
}
