// SPDX-License-Identifier: BSD-2-Clause

//! Several operations in one call of the server.

use socket_proto::layouts::Layout;
use socket_proto::{Batched, Call, Errno, Handle, MAX_BATCH, Message, op};

use crate::{Client, Socket, Transport};

impl<T: Transport> Client<T> {
    /// An operation on a socket, for [`Self::batch`].
    ///
    /// # Errors
    /// `ECONNRESET` if the socket went with an earlier life of the server.
    pub fn message<C: Call>(
        &self,
        socket: Socket,
        request: impl FnOnce(Handle) -> C,
    ) -> Result<Message, Errno> {
        Ok(Message::new(request(self.handle(socket)?)))
    }

    /// Has the server carry out several operations, at most 64, in one call. It sees each of them
    /// as it sees a call: what it refuses alone it refuses here, and the others go on.
    ///
    /// Returns how many operations were carried out, the first ones first. Their replies stand in
    /// `replies`, to be read with [`Message::reply`]; the others' reply is `EAGAIN`.
    ///
    /// # Errors
    /// `EINVAL` if there are more than 64 or `replies` is shorter than `requests`, `ENOBUFS` if the
    /// window has no areas left for them, `ECONNRESET` if the server has restarted, and with it
    /// every socket.
    pub fn batch(&self, requests: &[Message], replies: &mut [Message]) -> Result<usize, Errno> {
        if requests.len() > MAX_BATCH || replies.len() < requests.len() {
            return Err(Errno::EINVAL);
        }
        let size = size_of_val(requests);
        let (from, to) = (self.reserve(size)?, self.s2c_areas.allocate(size)?);
        for (n, request) in requests.iter().enumerate() {
            self.write_area(&from, n * Message::SIZE, request.bytes())?;
        }
        let to = self.s2c_span(&to);
        let Batched { count } = self.call(op::Batch {
            requests: from.start() as u64,
            count: requests.len() as u64,
            replies: to.offset,
        })?;
        // For a client its server is a peer too.
        if count > requests.len() as u64 {
            return Err(Errno::EPROTO);
        }
        replies.fill(Message::failed(Errno::EAGAIN));
        for (n, reply) in replies[..count as usize].iter_mut().enumerate() {
            self.copy_out(to, n * Message::SIZE, reply.bytes_mut())?;
        }
        Ok(count as usize)
    }
}
