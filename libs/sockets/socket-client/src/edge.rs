// SPDX-License-Identifier: BSD-2-Clause

//! The traits of `edge-nal` for streams.

use edge_nal::{Close, Readable, TcpShutdown, TcpSplit};
use socket_proto::{Errno, Shutdown};

use crate::{NetSocket, TcpStream, Transport};

impl<T: Transport> Readable for TcpStream<'_, T> {
    async fn readable(&mut self) -> Result<(), Errno> {
        NetSocket::readable(self).await
    }
}

impl<T: Transport> Readable for &TcpStream<'_, T> {
    async fn readable(&mut self) -> Result<(), Errno> {
        NetSocket::readable(self).await
    }
}

impl<T: Transport> TcpSplit for TcpStream<'_, T> {
    type Read<'a>
        = &'a Self
    where
        Self: 'a;
    type Write<'a>
        = &'a Self
    where
        Self: 'a;

    fn split(&mut self) -> (&Self, &Self) {
        (self, self)
    }
}

impl<T: Transport> TcpShutdown for TcpStream<'_, T> {
    /// Does not wait for the peer: the server sends what was written, and the end.
    async fn close(&mut self, what: Close) -> Result<(), Errno> {
        self.shutdown(match what {
            Close::Read => Shutdown::Read,
            Close::Write => Shutdown::Write,
            Close::Both => Shutdown::Both,
        })
    }

    async fn abort(&mut self) -> Result<(), Errno> {
        self.reset();
        Ok(())
    }
}
