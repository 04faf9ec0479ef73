// SPDX-License-Identifier: BSD-2-Clause
//! Segments that an attacker makes up: RFC 5961, and what RFC 9293 section 3.10.7 says of strays.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use smoltcp::wire::{TcpControl, TcpSeqNumber};

use crate::boot::{CLOSED, ECHO, HTTP};
use crate::lan::connection::{Connection, segment};
use crate::lan::packets::{Host, Segment};
use crate::lan::{Lan, Station};
use crate::suite::{Test, test_list};
use crate::world::TIMEOUT;

pub const TESTS: &[Test] = test_list![Lan:
    lan_reset_at_the_expected_number_ends_a_connection,
    lan_reset_within_the_window_is_challenged,
    lan_syn_on_a_connection_is_challenged,
    lan_blind_segments_do_not_end_connections,
    lan_repeated_fin_in_time_wait_is_acknowledged,
    lan_time_wait_is_not_ended_by_an_old_syn,
    lan_strays_to_a_closed_port_are_reset_with_the_right_numbers,
    lan_strays_to_a_listener_are_treated_as_the_standard_says,
    lan_initial_sequence_numbers_follow_the_clock_for_one_address,
    lan_initial_sequence_numbers_of_others_tell_nothing,
];

/// A challenge: the present numbers, acknowledged, and nothing else (RFC 5961 section 3.2).
fn is_challenge(connection: &Connection<'_>, reply: &Segment) -> bool {
    reply.control == TcpControl::None
        && reply.payload.is_empty()
        && reply.seq == connection.expected
        && reply.ack == Some(connection.next)
}

/// Sends a segment that must be challenged, with pauses in which a limited number of challenges may
/// be allowed again.
fn expect_challenge(
    connection: &Connection<'_>,
    control: TcpControl,
    seq: TcpSeqNumber,
) -> Result<()> {
    let request = connection.segment(control, seq, &[]);
    connection
        .station
        .exchange(&request, TIMEOUT, |reply| {
            if reply.control == TcpControl::Rst {
                return Some(Err(anyhow::anyhow!("reset instead of a challenge")));
            }
            is_challenge(connection, reply).then_some(Ok(()))
        })
        .context("no challenge")?
}

/// Without it the tests below would pass for a guest that ignores resets.
fn lan_reset_at_the_expected_number_ends_a_connection(world: &mut Lan) -> Result<()> {
    let mut connection = Connection::open(world.station(1), 5000, ECHO)?;
    connection.echo(b"before")?;
    connection.send(TcpControl::Rst, connection.next, &[])?;
    let late = connection.segment(TcpControl::Psh, connection.next, b"anybody?");
    connection.station.exchange(&late, TIMEOUT, |reply| {
        (reply.control == TcpControl::Rst).then_some(())
    })
}

fn lan_reset_within_the_window_is_challenged(world: &mut Lan) -> Result<()> {
    let mut connection = Connection::open(world.station(1), 5001, ECHO)?;
    connection.echo(b"before")?;
    for distance in [1, 100, 5000] {
        expect_challenge(&connection, TcpControl::Rst, connection.next + distance)
            .with_context(|| format!("RST {distance} bytes into the window"))?;
        connection.echo(b"alive")?;
    }
    connection.abort()
}

fn lan_syn_on_a_connection_is_challenged(world: &mut Lan) -> Result<()> {
    let mut connection = Connection::open(world.station(1), 5002, ECHO)?;
    connection.echo(b"before")?;
    for distance in [0, 100, 1_000_000] {
        expect_challenge(&connection, TcpControl::Syn, connection.next + distance)
            .with_context(|| format!("SYN {distance} bytes on"))?;
        connection.echo(b"alive")?;
    }
    connection.abort()
}

/// All over the space of sequence numbers, with every control flag.
fn lan_blind_segments_do_not_end_connections(world: &mut Lan) -> Result<()> {
    let mut connection = Connection::open(world.station(1), 5003, ECHO)?;
    connection.echo(b"before")?;
    for control in [TcpControl::Rst, TcpControl::Syn, TcpControl::Fin] {
        for step in 1..200usize {
            // Twice the largest window apart: as a guesser does it who skips none.
            let seq = connection.next + step * 131_072;
            connection.send(control, seq, b"")?;
        }
        connection
            .echo(b"alive")
            .with_context(|| format!("after {control:?}"))?;
    }
    connection.abort()
}

/// The HTTP server closes first, so the guest keeps the connection for a while.
fn in_time_wait(station: Station<'_>, port: u16) -> Result<Connection<'_>> {
    let mut connection = Connection::open(station, port, HTTP)?;
    let request = b"GET /bytes/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    connection.send(TcpControl::Psh, connection.next, request)?;
    connection.next += request.len();
    loop {
        // What was lost comes again.
        let expected = connection.expected;
        let (len, fin) = connection
            .wait_for(TIMEOUT, |reply, _| {
                let fin = reply.control == TcpControl::Fin;
                let news = reply.seq == expected && (fin || !reply.payload.is_empty());
                news.then_some((reply.payload.len(), fin))
            })
            .context("no end of the response")?;
        connection.expected += len;
        if fin {
            connection.expected += 1;
            break;
        }
        connection.send(TcpControl::None, connection.next, &[])?;
    }
    connection.send(TcpControl::None, connection.next, &[])?;
    connection.send(TcpControl::Fin, connection.next, &[])?;
    connection.next += 1;
    connection
        .wait_for(TIMEOUT, |reply, _| {
            is_challenge(&connection, reply).then_some(())
        })
        .context("our FIN is not acknowledged")?;
    Ok(connection)
}

/// RFC 9293 section 3.10.7.4, TIME-WAIT: a FIN again says that the acknowledgement was lost.
fn lan_repeated_fin_in_time_wait_is_acknowledged(world: &mut Lan) -> Result<()> {
    let connection = in_time_wait(world.station(2), 5010)?;
    for time in 1..=5 {
        // Sent once each: nothing is lost on the way.
        let fin = TcpSeqNumber(connection.next.0 - 1);
        connection.send(TcpControl::Fin, fin, &[])?;
        connection
            .wait_for(TIMEOUT, |reply, _| {
                is_challenge(&connection, reply).then_some(())
            })
            .with_context(|| format!("FIN again, time {time}"))?;
    }
    Ok(())
}

/// A SYN may begin a new connection only with a number above the last one (RFC 9293 section
/// 3.10.7.4), and of course only with a right checksum.
fn lan_time_wait_is_not_ended_by_an_old_syn(world: &mut Lan) -> Result<()> {
    let connection = in_time_wait(world.station(2), 5011)?;
    let ports = (connection.port, connection.to);
    let new = segment(
        ports,
        TcpControl::Syn,
        connection.next + 1_000_000,
        None,
        &[],
    );
    let mut wrong = connection
        .station
        .host
        .tcp(connection.station.guest(), &new);
    let checksum = crate::link::frames::ETHERNET + crate::link::frames::IPV4 + 16;
    if let Some(byte) = wrong.get_mut(checksum) {
        *byte ^= 0x55;
    }
    connection.station.send_frame(&wrong)?;
    let old = TcpSeqNumber(connection.next.0 - 50_000);
    connection
        .station
        .send_segment(&segment(ports, TcpControl::Syn, old, None, &[]))?;
    // The connection is still there: it acknowledges its FIN once more.
    expect_challenge(
        &connection,
        TcpControl::Fin,
        TcpSeqNumber(connection.next.0 - 1),
    )
    .context("TIME-WAIT was ended")?;
    let acked = connection.station.exchange(&new, TIMEOUT, |reply| {
        (reply.control == TcpControl::Syn).then_some(reply.ack)
    })?;
    ensure!(
        acked == Some(new.seq_number + 1),
        "the new connection acknowledges {acked:?}"
    );
    Ok(())
}

/// What comes back for a segment, the first that is a reset.
fn reset_for(
    station: Station<'_>,
    ports: (u16, u16),
    control: TcpControl,
    ack: Option<TcpSeqNumber>,
    payload: &[u8],
) -> Result<(TcpSeqNumber, Option<TcpSeqNumber>)> {
    let request = segment(ports, control, SEQ, ack, payload);
    station.exchange(&request, TIMEOUT, |reply| {
        (reply.control == TcpControl::Rst).then_some((reply.seq, reply.ack))
    })
}

const SEQ: TcpSeqNumber = TcpSeqNumber(1_000_000);
const ACK: TcpSeqNumber = TcpSeqNumber(77_777);

/// RFC 9293 section 3.10.7.1.
fn lan_strays_to_a_closed_port_are_reset_with_the_right_numbers(world: &mut Lan) -> Result<()> {
    let station = world.station(3);
    // Without ACK: SEQ 0, and everything of the segment is acknowledged; SYN and FIN count as one.
    let without_ack: [(TcpControl, &[u8], usize); 5] = [
        (TcpControl::Syn, b"", 1),
        (TcpControl::Syn, b"early", 6),
        (TcpControl::Fin, b"", 1),
        (TcpControl::Fin, b"data", 5),
        (TcpControl::None, b"data", 4),
    ];
    for (port, (control, payload, length)) in (5020..).zip(without_ack) {
        let (seq, ack) = reset_for(station, (port, CLOSED), control, None, payload)
            .with_context(|| format!("{control:?} with {} bytes", payload.len()))?;
        ensure!(
            seq == TcpSeqNumber(0) && ack == Some(SEQ + length),
            "{control:?} with {} bytes: the reset has SEQ {seq} and ACK {ack:?}",
            payload.len()
        );
    }
    // With ACK: the reset has its number, and acknowledges nothing.
    for (port, control) in (5030..).zip([TcpControl::None, TcpControl::Syn, TcpControl::Fin]) {
        let (seq, ack) = reset_for(station, (port, CLOSED), control, Some(ACK), b"x")?;
        ensure!(
            seq == ACK && ack.is_none(),
            "{control:?} with ACK: the reset has SEQ {seq} and ACK {ack:?}"
        );
    }
    // A reset is never answered.
    let mut wrong = Vec::new();
    station.send_segment(&segment((5040, CLOSED), TcpControl::Rst, SEQ, None, &[]))?;
    station.send_segment(&segment(
        (5040, CLOSED),
        TcpControl::Rst,
        SEQ,
        Some(ACK),
        &[],
    ))?;
    station.ping(1, |frame| wrong.extend(to_port(frame, station.host, 5040)))?;
    ensure!(wrong.is_empty(), "a reset was answered: {wrong:?}");
    Ok(())
}

/// The segment, if the frame is one for this port of the host.
fn to_port(frame: &[u8], host: Host, port: u16) -> Option<Segment> {
    let packet = crate::lan::packets::Packet::read(frame)?;
    let segment = packet.tcp()?;
    (packet.to.ip == host.ip && segment.to == port).then_some(segment)
}

/// RFC 9293 section 3.10.7.2.
fn lan_strays_to_a_listener_are_treated_as_the_standard_says(world: &mut Lan) -> Result<()> {
    let station = world.station(4);
    // Second: any acknowledgement is bad.
    for (port, control) in (5050..).zip([TcpControl::None, TcpControl::Syn, TcpControl::Fin]) {
        let (seq, ack) = reset_for(station, (port, ECHO), control, Some(ACK), &[])
            .with_context(|| format!("{control:?} with ACK"))?;
        ensure!(
            seq == ACK && ack.is_none(),
            "{control:?} with ACK: the reset has SEQ {seq} and ACK {ack:?}"
        );
    }
    // First and fourth: a reset, and what is neither SYN nor ACK, are dropped.
    let mut wrong = Vec::new();
    for (control, ack) in [
        (TcpControl::Rst, None),
        (TcpControl::Rst, Some(ACK)),
        (TcpControl::None, None),
        (TcpControl::Fin, None),
    ] {
        station.send_segment(&segment((5060, ECHO), control, SEQ, ack, b""))?;
    }
    station.ping(2, |frame| wrong.extend(to_port(frame, station.host, 5060)))?;
    ensure!(
        wrong.is_empty(),
        "answered what is to be dropped: {wrong:?}"
    );
    Ok(())
}

/// The initial number of a connection that is ended at once.
fn initial(world: &Lan, number: u16, port: u16) -> Result<TcpSeqNumber> {
    let connection = Connection::open(world.station(number), port, ECHO)?;
    connection.abort()?;
    Ok(connection.initial)
}

/// RFC 6528 section 3: one address and port gets numbers that grow with a clock.
fn lan_initial_sequence_numbers_follow_the_clock_for_one_address(world: &mut Lan) -> Result<()> {
    // A minute of a clock that counts in units of 4 µs (RFC 9293 section 3.4.1).
    const MINUTE: u32 = 60 * 250_000;
    let mut last = initial(world, 5, 5070)?;
    for time in 1..=6 {
        std::thread::sleep(Duration::from_millis(100));
        let next = initial(world, 5, 5070)?;
        let step = (next.0 as u32).wrapping_sub(last.0 as u32);
        ensure!(
            (1..MINUTE).contains(&step),
            "connection {time} begins {step} after the one before it"
        );
        last = next;
    }
    Ok(())
}

/// A host that knows the numbers of its own connections knows nothing of others'.
fn lan_initial_sequence_numbers_of_others_tell_nothing(world: &mut Lan) -> Result<()> {
    let mut numbers = Vec::new();
    for port in 5080..5096 {
        numbers.push(initial(world, 6, port)?.0 as u32);
    }
    // Sixteen numbers at one time: by chance no two steps are equal, and no two are close.
    let mut steps: Vec<u32> = numbers
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    let close = steps
        .iter()
        .find(|step| step.min(&&step.wrapping_neg()) < &&5000);
    if let Some(close) = close {
        bail!("two neighbours begin {close} apart: {numbers:?}");
    }
    steps.sort_unstable();
    let count = steps.len();
    steps.dedup();
    ensure!(steps.len() == count, "steps repeat: {numbers:?}");
    Ok(())
}
