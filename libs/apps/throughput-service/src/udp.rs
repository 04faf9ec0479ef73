// SPDX-License-Identifier: BSD-2-Clause

//! Streams over UDP: one socket, streams told apart by the peer's port.

use core::cell::Cell;
use core::net::SocketAddr;

use heapless::Vec;
use socket_client::{Batch, Errno, Transport, UdpSocket};

use crate::protocol::{Header, Parameters, udp_welcome};
use crate::server::Pace;
use crate::{Count, MAX_STREAMS};

/// Bytes of the longest datagram that is sent.
pub const MAX_SENT: usize = 8192;
/// Datagrams to a stream before the next has its turn.
const BURST: usize = 4;

/// Who the streams go to.
pub type Peers = Vec<SocketAddr, MAX_STREAMS>;

/// Takes streams until there are so many.
///
/// # Errors
/// Those of [`UdpSocket::recv_from`] and [`UdpSocket::send_to`].
pub async fn greet<T: Transport>(
    socket: &UdpSocket<'_, T>,
    client: SocketAddr,
    streams: usize,
) -> Result<Peers, Errno> {
    let mut peers = Peers::new();
    while peers.len() < streams {
        let mut hello = [0; 4];
        let datagram = socket.recv_from(&mut hello).await?;
        let Some(welcome) = udp_welcome(hello) else {
            continue;
        };
        if datagram.wire_len != hello.len() || datagram.from.ip() != client.ip() {
            continue;
        }
        socket.send_to(&welcome, datagram.from).await?;
        // A client that has not heard us says hello again.
        if !peers.contains(&datagram.from) {
            let _ = peers.push(datagram.from);
        }
    }
    Ok(peers)
}

/// Receives, without end.
///
/// # Errors
/// Those of [`UdpSocket::recv_batch`].
pub async fn receive<T: Transport>(
    socket: &UdpSocket<'_, T>,
    peers: &Peers,
    counts: &[Cell<Count>],
    parameters: &Parameters,
) -> Result<(), Errno> {
    loop {
        let mut batch = match socket.recv_batch().await {
            Ok(batch) => batch,
            // A client's port that is closed already.
            Err(Errno::ECONNREFUSED) => continue,
            Err(errno) => return Err(errno),
        };
        take(socket, &mut batch, peers, counts, parameters)?;
    }
}

fn take<T: Transport>(
    socket: &UdpSocket<'_, T>,
    batch: &mut Batch,
    peers: &Peers,
    counts: &[Cell<Count>],
    parameters: &Parameters,
) -> Result<(), Errno> {
    let client = socket.net().client();
    let now = socket.net().now().as_nanos();
    while !batch.is_empty() {
        let datagram = batch.next(client)?;
        let stream = peers.iter().position(|peer| *peer == datagram.from);
        let Some(count) = stream.and_then(|stream| counts.get(stream)) else {
            continue;
        };
        let mut header = [0; Header::LEN];
        let length = header.len().min(datagram.payload.length as usize);
        client.copy_out(datagram.payload, 0, &mut header[..length])?;
        let wide = parameters.udp_counters_64bit > 0;
        if let Some(header) = Header::parse(&header[..length], wide) {
            let mut new = count.get();
            new.datagram(header, datagram.wire_len as u64, now);
            count.set(new);
        }
    }
    Ok(())
}

/// Sends at a pace, without end.
///
/// # Errors
/// Those of [`UdpSocket::send_to`].
pub async fn send<T: Transport>(
    socket: &UdpSocket<'_, T>,
    peers: &Peers,
    counts: &[Cell<Count>],
    parameters: &Parameters,
    pace: &Pace,
) -> Result<(), Errno> {
    let wide = parameters.udp_counters_64bit > 0;
    let length = (parameters.len as usize).clamp(Header::LEN, MAX_SENT);
    let mut payload = [0; MAX_SENT];
    let mut sent = 0;
    loop {
        // The same pace for each of them; the first one's counts.
        let most = pace
            .wait(socket.net(), sent, (BURST * length) as u64)
            .await?;
        let each = (most / length).clamp(1, BURST);
        for (peer, count) in peers.iter().zip(counts) {
            let before = count.get();
            let fill = |batch: &mut socket_client::BatchWriter<'_>| {
                for number in (1..=each as u64).map(|n| before.packets + n) {
                    let sent = socket.net().now().as_nanos();
                    let header = Header { sent, number };
                    payload[..Header::LEN].copy_from_slice(&header.encode(wide));
                    // What does not fit is not counted.
                    let _ = batch.push(Some(*peer), &payload[..length]);
                }
            };
            let taken = match socket.send_datagrams(fill) {
                Ok(taken) => taken as u64,
                Err(Errno::EAGAIN) => {
                    socket.writable().await?;
                    0
                }
                Err(Errno::ECONNREFUSED) => 0,
                Err(errno) => return Err(errno),
            };
            let mut new = count.get();
            new.packets += taken;
            new.bytes += taken * length as u64;
            count.set(new);
        }
        sent += (each * length) as u64;
        embassy_futures::yield_now().await;
    }
}
