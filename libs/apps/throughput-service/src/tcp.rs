// SPDX-License-Identifier: BSD-2-Clause

//! Streams over TCP. Nothing is copied here: what is received stays in the window, what is sent is
//! whatever lies there.

use core::cell::Cell;

use embassy_futures::yield_now;
use socket_client::{Errno, TcpStream, Transport};

use crate::Count;
use crate::server::Pace;

/// Calls after which other streams have their turn.
const TURN: usize = 16;
/// The most that is sent at once when there is a limit.
const PIECE: u64 = 16 * 1024;

/// Receives until the peer ends the stream.
///
/// # Errors
/// Those of [`TcpStream::read`].
pub async fn receive<T: Transport>(
    stream: &TcpStream<'_, T>,
    count: &Cell<Count>,
) -> Result<(), Errno> {
    let client = stream.net().client();
    let mut turn = 0;
    loop {
        match client.recv_in_place(stream.socket(), usize::MAX) {
            Ok(span) if span.length == 0 => return Ok(()),
            Ok(span) => add(count, span.length),
            Err(Errno::EAGAIN) => {
                stream.readable().await?;
                turn = 0;
            }
            Err(errno) => return Err(errno),
        }
        turn += 1;
        if turn % TURN == 0 {
            yield_now().await;
        }
    }
}

/// Sends at a pace, without end.
///
/// # Errors
/// Those of [`TcpStream::write`].
pub async fn send<T: Transport>(
    stream: &TcpStream<'_, T>,
    count: &Cell<Count>,
    pace: &Pace,
) -> Result<(), Errno> {
    let mut sent = 0;
    loop {
        let most = pace.wait(stream.net(), sent, PIECE).await?;
        let piece = stream.write_with(most, |window| window.len()).await?;
        sent += piece.count as u64;
        add(count, piece.count as u64);
    }
}

fn add(count: &Cell<Count>, bytes: u64) {
    let mut new = count.get();
    new.bytes += bytes;
    count.set(new);
}
