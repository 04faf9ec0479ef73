// SPDX-License-Identifier: BSD-2-Clause

//! Several operations in one call of the server.

use core::marker::PhantomData;

use socket_proto::{Batched, Call, Errno, Failure, Handle, MAX_BATCH, Message, op, reply};

use crate::{Area, Client, Socket, Transport};

/// Operations to be made in one call: [`Client::calls`] makes it, [`Calls::make`] makes the call.
///
/// The requests and replies lie in the window, so the server sees each operation as it sees a call:
/// what it refuses alone it refuses here, and the others go on.
pub struct Calls<'c, T: Transport> {
    client: &'c Client<T>,
    requests: Option<Area>,
    replies: Option<Area>,
    room: usize,
    queued: usize,
    done: usize,
}

/// An operation among [`Calls`], for its result.
#[derive(Clone, Copy, Debug)]
pub struct Queued<C> {
    index: usize,
    call: PhantomData<C>,
}

impl<T: Transport> Client<T> {
    /// Room for so many operations, at most 64, that are made in one call.
    ///
    /// # Errors
    /// `ENOBUFS` if the window has no areas left for them, `EINVAL` if they are more than 64.
    pub fn calls(&self, room: usize) -> Result<Calls<'_, T>, Errno> {
        if room > MAX_BATCH {
            return Err(Errno::EINVAL);
        }
        let mut calls = Calls {
            client: self,
            requests: None,
            replies: None,
            room,
            queued: 0,
            done: 0,
        };
        // What has been taken is given back when `calls` is dropped.
        calls.requests = Some(self.c2s_areas.allocate(room * Message::SIZE)?);
        calls.replies = Some(self.s2c_areas.allocate(room * Message::SIZE)?);
        Ok(calls)
    }
}

impl<T: Transport> Calls<'_, T> {
    /// Adds an operation on a socket.
    ///
    /// # Errors
    /// `ENOBUFS` if there is no room left, `ECONNRESET` if the socket went with an earlier life of
    /// the server.
    pub fn add<C: Call>(
        &mut self,
        socket: Socket,
        request: impl FnOnce(Handle) -> C,
    ) -> Result<Queued<C>, Errno> {
        if !self.client.is_current(socket) {
            return Err(Errno::ECONNRESET);
        }
        let area = self.requests.as_ref().ok_or(Errno::ENOBUFS)?;
        if self.queued == self.room {
            return Err(Errno::ENOBUFS);
        }
        let index = self.queued;
        let message = Message {
            label: C::OPERATION.label(),
            words: request(socket.handle).encode(),
        };
        let at = index * Message::SIZE;
        self.client.write_area(area, at, &message.to_bytes())?;
        self.queued += 1;
        Ok(Queued {
            index,
            call: PhantomData,
        })
    }

    /// Makes the call. Returns how many operations the server has carried out, the first ones
    /// first: it does fewer than there are if they move much.
    ///
    /// # Errors
    /// `ECONNRESET` if the server has restarted, and with it every socket.
    pub fn make(&mut self) -> Result<usize, Errno> {
        self.done = 0;
        let requests = self.requests.as_ref().ok_or(Errno::ENOBUFS)?;
        let replies = self.replies.as_ref().ok_or(Errno::ENOBUFS)?;
        let Batched { count } = self.client.call(op::Batch {
            requests: requests.start() as u64,
            count: self.queued as u64,
            replies: self.client.sizes.s2c_offset() + replies.start() as u64,
        })?;
        // For a client its server is a peer too.
        if count > self.queued as u64 {
            return Err(Errno::EPROTO);
        }
        self.done = count as usize;
        Ok(self.done)
    }

    /// What has become of an operation.
    ///
    /// # Errors
    /// Those of the operation; `EAGAIN` also if the server has not come to it.
    pub fn result<C: Call>(&self, queued: Queued<C>) -> Result<C::Reply, Errno> {
        let area = self.replies.as_ref().ok_or(Errno::ENOBUFS)?;
        if queued.index >= self.done {
            return Err(Errno::EAGAIN);
        }
        let start = area.start() + queued.index * Message::SIZE;
        let mut bytes = [0; Message::SIZE];
        let read = self.client.s2c.read_at(start, &mut bytes);
        read.map_err(|_| Errno::EFAULT)?;
        let Message { label, words } = Message::from_bytes(bytes);
        reply::decode(label, words).map_err(|failure| match failure {
            Failure::Errno(errno) => errno,
            _ => Errno::EPROTO,
        })
    }

    /// How many operations have been added.
    pub fn len(&self) -> usize {
        self.queued
    }

    /// Whether none has been added.
    pub fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// Forgets the operations, to begin anew.
    pub fn clear(&mut self) {
        self.queued = 0;
        self.done = 0;
    }
}

impl<T: Transport> Drop for Calls<'_, T> {
    fn drop(&mut self) {
        if let Some(area) = self.requests.take() {
            self.client.c2s_areas.free(area);
        }
        if let Some(area) = self.replies.take() {
            self.client.s2c_areas.free(area);
        }
    }
}
