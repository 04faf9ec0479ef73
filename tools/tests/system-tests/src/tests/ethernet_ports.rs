// SPDX-License-Identifier: BSD-2-Clause
//! TCP and UDP segment by segment: what the host's own stack would hide.

use anyhow::{Context, Result, ensure};
use smoltcp::wire::{TcpControl, TcpRepr, TcpSeqNumber};

use crate::link::frames;
use crate::suite::{Test, test_list};
use crate::world::{Ethernet, TIMEOUT};

pub const TESTS: &[Test] = test_list![Ethernet:
    ethernet_udp_echo,
    ethernet_udp_closed_port_is_unreachable,
    ethernet_tcp_closed_port_resets,
    ethernet_tcp_conversation_and_reset,
    ethernet_tcp_segment_without_connection_is_reset,
];

/// The port of the echo service.
pub const ECHO: u16 = 7;
const CLOSED: u16 = 9;
const ISS: i32 = 1000;

/// A segment without options or data.
pub fn segment(
    from: u16,
    to: u16,
    control: TcpControl,
    seq: i32,
    ack: Option<TcpSeqNumber>,
) -> TcpRepr<'static> {
    TcpRepr {
        src_port: from,
        dst_port: to,
        control,
        seq_number: TcpSeqNumber(seq),
        ack_number: ack,
        window_len: 8192,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload: &[],
    }
}

/// Sends a segment until one comes back that `wanted` takes.
fn exchange<T>(
    world: &Ethernet,
    request: &TcpRepr<'_>,
    mut wanted: impl FnMut(&TcpRepr<'_>) -> Option<T>,
) -> Result<T> {
    let frame = frames::tcp(world.guest_mac, request);
    world.link.wait_for(Some(&frame), TIMEOUT, |frame| {
        frames::read_tcp(frame, request.dst_port, request.src_port, &mut wanted)
    })
}

fn ethernet_udp_echo(world: &mut Ethernet) -> Result<()> {
    let request = frames::udp(world.guest_mac, 4000, ECHO, b"datagram");
    let answer = world.link.wait_for(Some(&request), TIMEOUT, |frame| {
        frames::read_udp(frame, ECHO, 4000)
    })?;
    ensure!(answer == b"datagram", "{answer:?} came back");
    Ok(())
}

/// RFC 1122 section 4.1.3.1: a datagram for a port that nobody has is answered by ICMP.
fn ethernet_udp_closed_port_is_unreachable(world: &mut Ethernet) -> Result<()> {
    let request = frames::udp(world.guest_mac, 4001, CLOSED, b"anybody?");
    world.link.wait_for(Some(&request), TIMEOUT, |frame| {
        frames::is_port_unreachable(frame).then_some(())
    })
}

/// RFC 9293 section 3.10.7.1: SYN to a port that nobody listens on is answered by RST and ACK of
/// the SYN.
fn ethernet_tcp_closed_port_resets(world: &mut Ethernet) -> Result<()> {
    let syn = segment(4002, CLOSED, TcpControl::Syn, ISS, None);
    let ack = exchange(world, &syn, |reply| {
        (reply.control == TcpControl::Rst).then_some(reply.ack_number)
    })?;
    ensure!(
        ack == Some(TcpSeqNumber(ISS + 1)),
        "the reset acknowledges {ack:?}"
    );
    Ok(())
}

/// RFC 9293 section 3.10.7.1: a segment with ACK and no connection is answered by RST with its
/// ACK's number.
fn ethernet_tcp_segment_without_connection_is_reset(world: &mut Ethernet) -> Result<()> {
    let ack = TcpSeqNumber(77_777);
    let stray = segment(4003, ECHO, TcpControl::None, ISS, Some(ack));
    let seq = exchange(world, &stray, |reply| {
        (reply.control == TcpControl::Rst).then_some(reply.seq_number)
    })?;
    ensure!(
        seq == ack,
        "the reset has sequence number {seq} instead of {ack}"
    );
    Ok(())
}

/// Handshake, one piece of data and its echo, then a reset; the port takes the next one.
fn ethernet_tcp_conversation_and_reset(world: &mut Ethernet) -> Result<()> {
    for port in 4010..4014 {
        converse(world, port).with_context(|| format!("connection from port {port}"))?;
    }
    Ok(())
}

/// One short connection from the given port.
pub fn converse(world: &Ethernet, port: u16) -> Result<()> {
    let mut syn = segment(port, ECHO, TcpControl::Syn, ISS, None);
    syn.max_seg_size = Some(1460);
    let (theirs, acked) = exchange(world, &syn, |reply| {
        (reply.control == TcpControl::Syn).then_some((reply.seq_number, reply.ack_number))
    })
    .context("no SYN and ACK")?;
    ensure!(
        acked == Some(TcpSeqNumber(ISS + 1)),
        "our SYN is acknowledged by {acked:?}"
    );
    let mut data = segment(port, ECHO, TcpControl::Psh, ISS + 1, Some(theirs + 1));
    data.payload = b"by hand";
    let (seq, echoed) = exchange(world, &data, |reply| {
        (!reply.payload.is_empty()).then(|| (reply.seq_number, reply.payload.to_vec()))
    })
    .context("no echo")?;
    ensure!(
        seq == theirs + 1,
        "the echo has sequence number {seq} instead of {}",
        theirs + 1
    );
    ensure!(echoed == b"by hand", "{echoed:?} came back");
    let reset = segment(port, ECHO, TcpControl::Rst, ISS + 8, None);
    world.link.send(&frames::tcp(world.guest_mac, &reset))
}
