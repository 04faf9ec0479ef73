// SPDX-License-Identifier: BSD-2-Clause
//! Socket options that std does not offer.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

/// Connects with send and receive buffers of a stated size, so that a slow reader is felt soon.
///
/// # Errors
/// As `connect(2)`.
pub fn connect_with_buffers(
    address: SocketAddr,
    bytes: usize,
    timeout: Duration,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(bytes)?;
    socket.set_send_buffer_size(bytes)?;
    socket.connect_timeout(&address.into(), timeout)?;
    Ok(socket.into())
}

/// Closes a connection by a reset instead of an orderly end.
///
/// # Errors
/// As `setsockopt(2)`.
pub fn abort(stream: TcpStream) -> io::Result<()> {
    // Linger on with time 0: close discards what is unsent and sends RST (RFC 9293 section 3.10.5).
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}
