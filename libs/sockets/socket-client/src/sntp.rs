// SPDX-License-Identifier: BSD-2-Clause

//! The trait of `sntpc`.

use core::net::SocketAddr;

use sntpc::{Error, NtpUdpSocket};

use crate::{Transport, UdpSocket};

impl<T: Transport> NtpUdpSocket for UdpSocket<'_, T> {
    async fn send_to(&self, buf: &[u8], addr: SocketAddr) -> sntpc::Result<usize> {
        let sent = UdpSocket::send_to(self, buf, addr).await;
        sent.map(|()| buf.len()).map_err(|_| Error::Network)
    }

    async fn recv_from(&self, buf: &mut [u8]) -> sntpc::Result<(usize, SocketAddr)> {
        let received = UdpSocket::recv_from(self, buf).await;
        let received = received.map_err(|_| Error::Network)?;
        Ok((received.len, received.from))
    }
}
