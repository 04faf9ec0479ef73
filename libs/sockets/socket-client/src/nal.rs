// SPDX-License-Identifier: BSD-2-Clause

//! The trait of `embedded-nal-async` for outgoing connections. `resolver` has that for names.

use core::net::SocketAddr;

use embedded_nal_async::TcpConnect;
use socket_proto::Errno;

use crate::{Net, TcpStream, Transport};

impl<T: Transport> TcpConnect for Net<T> {
    type Error = Errno;
    type Connection<'a>
        = TcpStream<'a, T>
    where
        T: 'a;

    async fn connect<'a>(&'a self, remote: SocketAddr) -> Result<TcpStream<'a, T>, Errno> {
        TcpStream::connect(self, remote).await
    }
}
