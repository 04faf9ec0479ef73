// SPDX-License-Identifier: BSD-2-Clause
//! A TCP connection made by hand, segment by segment.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use smoltcp::wire::{TcpControl, TcpRepr, TcpSeqNumber};

use super::Station;
use super::packets::{Packet, Segment};
use crate::world::TIMEOUT;

/// An established connection to the guest.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'l> {
    /// our host
    pub station: Station<'l>,
    /// our port
    pub port: u16,
    /// the guest's port
    pub to: u16,
    /// the next number that we send (SND.NXT)
    pub next: TcpSeqNumber,
    /// the next number that we expect (RCV.NXT)
    pub expected: TcpSeqNumber,
    /// the guest's initial sequence number
    pub initial: TcpSeqNumber,
}

/// A segment without options.
pub fn segment(
    (from, to): (u16, u16),
    control: TcpControl,
    seq: TcpSeqNumber,
    ack: Option<TcpSeqNumber>,
    payload: &[u8],
) -> TcpRepr<'_> {
    TcpRepr {
        src_port: from,
        dst_port: to,
        control,
        seq_number: seq,
        ack_number: ack,
        window_len: 32_000,
        window_scale: None,
        max_seg_size: (control == TcpControl::Syn).then_some(1460),
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload,
    }
}

impl Station<'_> {
    /// Sends a segment, again each second, until one comes back that `wanted` takes.
    ///
    /// # Errors
    /// If none comes.
    pub fn exchange<T>(
        &self,
        request: &TcpRepr<'_>,
        timeout: Duration,
        mut wanted: impl FnMut(&Segment) -> Option<T>,
    ) -> Result<T> {
        let frame = self.host.tcp(self.guest(), request);
        self.wait_for(Some(&frame), timeout, |packet| {
            let segment = packet.tcp()?;
            let ours = segment.from == request.dst_port && segment.to == request.src_port;
            ours.then(|| wanted(&segment))?
        })
    }

    /// Sends a segment.
    ///
    /// # Errors
    /// If the switch has ended.
    pub fn send_segment(&self, segment: &TcpRepr<'_>) -> Result<()> {
        self.send_frame(&self.host.tcp(self.guest(), segment))
    }
}

impl<'l> Connection<'l> {
    /// Makes a connection.
    ///
    /// # Errors
    /// If the guest does not complete the handshake as it should.
    pub fn open(station: Station<'l>, port: u16, to: u16) -> Result<Self> {
        let iss = TcpSeqNumber(100_000 + i32::from(port));
        let syn = segment((port, to), TcpControl::Syn, iss, None, &[]);
        let (theirs, acked) = station
            .exchange(&syn, TIMEOUT, |reply| {
                (reply.control == TcpControl::Syn).then_some((reply.seq, reply.ack))
            })
            .context("no SYN and ACK")?;
        ensure!(
            acked == Some(iss + 1),
            "our SYN is acknowledged by {acked:?}"
        );
        let connection = Self {
            station,
            port,
            to,
            next: iss + 1,
            expected: theirs + 1,
            initial: theirs,
        };
        connection.send(TcpControl::None, connection.next, &[])?;
        Ok(connection)
    }

    /// Sends a segment with any sequence number.
    ///
    /// # Errors
    /// If the switch has ended.
    pub fn send(&self, control: TcpControl, seq: TcpSeqNumber, payload: &[u8]) -> Result<()> {
        self.station
            .send_segment(&self.segment(control, seq, payload))
    }

    /// A segment of this connection.
    pub fn segment<'p>(
        &self,
        control: TcpControl,
        seq: TcpSeqNumber,
        payload: &'p [u8],
    ) -> TcpRepr<'p> {
        segment(
            (self.port, self.to),
            control,
            seq,
            Some(self.expected),
            payload,
        )
    }

    /// Waits for a segment of this connection.
    ///
    /// # Errors
    /// If none comes in time.
    pub fn wait_for<T>(
        &self,
        timeout: Duration,
        mut wanted: impl FnMut(&Segment, &Packet) -> Option<T>,
    ) -> Result<T> {
        self.station.wait_for(None, timeout, |packet| {
            let segment = packet.tcp()?;
            let ours = segment.from == self.to && segment.to == self.port;
            ours.then(|| wanted(&segment, packet))?
        })
    }

    /// Sends data and reads its echo, which shows that the connection lives.
    ///
    /// # Errors
    /// If the connection was reset or nothing comes back.
    pub fn echo(&mut self, data: &[u8]) -> Result<()> {
        let request = self.segment(TcpControl::Psh, self.next, data);
        let expected = self.expected;
        let (control, echoed) = self
            .station
            .exchange(&request, TIMEOUT, |reply| {
                let is_new = reply.seq == expected && !reply.payload.is_empty();
                (is_new || reply.control == TcpControl::Rst)
                    .then(|| (reply.control, reply.payload.clone()))
            })
            .context("no echo")?;
        ensure!(control != TcpControl::Rst, "the connection was reset");
        ensure!(echoed == data, "{echoed:?} came back instead of {data:?}");
        self.next += data.len();
        self.expected += data.len();
        self.send(TcpControl::None, self.next, &[])
    }

    /// Ends the connection at once.
    ///
    /// # Errors
    /// If the switch has ended.
    pub fn abort(&self) -> Result<()> {
        self.send(TcpControl::Rst, self.next, &[])
    }
}
