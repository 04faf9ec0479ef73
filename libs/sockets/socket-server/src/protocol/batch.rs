// SPDX-License-Identifier: BSD-2-Clause

//! `batch`: several requests in one call. Each of them is served, counted and refused as if it had
//! come alone.

use socket_proto::layouts::Layout;
use socket_proto::{Batched, Errno, Half, MAX_BATCH, Message, Operation, Record, Reply, Span, op};

use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::tables::id::ClientId;

/// After so many bytes have been copied the rest is left to another call: others wait.
const BYTES: u64 = 256 << 10;

impl<W: Window> Server<W> {
    /// Carries out a batch of a client that is attached.
    pub(super) fn batch<T: TxQueue>(
        &mut self,
        client: ClientId,
        asked: op::Batch,
        sharers: u64,
        tx: &mut T,
    ) -> Reply {
        let most = asked.count.min(MAX_BATCH as u64);
        let length = most * Message::SIZE as u64;
        let span = |offset| Span { offset, length };
        let sizes = self.accounts.get(client).window.sizes();
        let requests = sizes.check(span(asked.requests))?;
        let replies = sizes.check_writable(span(asked.replies))?;
        if requests.half() != Half::ClientToServer {
            return Err(Errno::EFAULT.into());
        }
        let start = self.copied();
        let mut count = 0;
        while count < most && self.copied().wrapping_sub(start) < BYTES {
            let at = count as usize * Message::SIZE;
            // One copy of each request is looked at: the client may change it meanwhile.
            let mut request = Message::default();
            let window = &self.accounts.get(client).window;
            let read = window.read(requests.half(), requests.start() + at, request.bytes_mut());
            read.map_err(Errno::from)?;
            let Message { label, words } = request;
            let (label, words) = match Operation::from_raw(label) {
                Some(Operation::Attach | Operation::Batch) => {
                    self.net.stats.inc(Counter::ClientViolations);
                    (Errno::EINVAL.raw().into(), [0; 4])
                }
                _ => self.answer(Some(client), label, words, sharers, tx),
            };
            let reply = Message { label, words };
            let window = &mut self.accounts.get_mut(client).window;
            let written = window.write(replies.start() + at, reply.bytes());
            written.map_err(Errno::from)?;
            count += 1;
        }
        Ok(Batched { count }.encode())
    }

    fn copied(&self) -> u64 {
        let stats = self.net.stats;
        stats
            .count(Counter::CopiedFromClient)
            .get()
            .wrapping_add(stats.count(Counter::CopiedToClient).get())
    }
}
