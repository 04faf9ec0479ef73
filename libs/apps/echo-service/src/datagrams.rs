// SPDX-License-Identifier: BSD-2-Clause

//! Datagrams, a batch at a time.

use socket_client::{Batch, Errno, PollBits, Socket, Transport};
use stats::EchoServer;

use crate::EchoService;

/// Batches that a socket may echo before the others get their turn.
const TURN: usize = 8;

impl<T: Transport> EchoService<T> {
    /// Echoes a batch of every socket that is ready. Returns whether any was.
    pub(crate) fn echo_datagrams(&mut self) -> bool {
        let mut progress = false;
        for index in 0..self.datagram_sockets.len() {
            let socket = self.datagram_sockets[index];
            for _ in 0..TURN {
                if !self
                    .client
                    .poll_bits(socket)
                    .intersects(PollBits::IN | PollBits::ERR)
                {
                    break;
                }
                match self.client.recv_batch(socket) {
                    Ok(batch) if batch.is_empty() => break,
                    Ok(batch) => self.send_back(socket, batch),
                    Err(Errno::EAGAIN) => break,
                    // Reading it has cleared it; it was about a datagram sent before, which is lost
                    // as datagrams may be.
                    Err(_) => {}
                }
                progress = true;
            }
        }
        progress
    }

    /// Sends every datagram of a batch back to where it came from.
    fn send_back(&mut self, socket: Socket, mut batch: Batch) {
        while !batch.is_empty() {
            let (taken, give_up) = match self.client.send_batch(socket, batch.span()) {
                Ok(0) | Err(Errno::EAGAIN) => (0, true),
                Ok(taken) => (taken, false),
                // The first one cannot be answered, such as one from port 0. The others shall not
                // suffer from it.
                Err(_) => (0, false),
            };
            for _ in 0..taken {
                let Ok(datagram) = batch.next(&self.client) else {
                    return;
                };
                self.stats.inc(EchoServer::Datagrams);
                self.stats
                    .add(EchoServer::UdpBytes, datagram.payload.length);
            }
            if give_up {
                self.stats
                    .add(EchoServer::DatagramsDropped, batch.len() as u64);
                return;
            }
            if taken == 0 {
                let _ = batch.next(&self.client);
                self.stats.inc(EchoServer::DatagramsDropped);
            }
        }
    }
}
