// SPDX-License-Identifier: BSD-2-Clause

//! Async echoes of ICMP: ping. Dropping a socket closes it.

use core::net::IpAddr;
use core::ops::Deref;
use core::time::Duration;

use socket_proto::{Errno, Family, Protocol, SocketKind};

use crate::wakers::Direction;
use crate::{Incoming, Net, NetSocket, Transport, UdpSocket};

/// Bytes of the header of a message: type, code, checksum, identifier, sequence number (RFC 792,
/// RFC 4443).
const HEADER: usize = 8;
/// The types of requests.
const REQUEST: u8 = 8;
const REQUEST6: u8 = 128;

/// A reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// From the request to the reply.
    pub time: Duration,
    /// Bytes that came back behind the header.
    pub len: usize,
}

/// A socket that sends requests for echoes and hears the replies, of IPv4 or IPv6. The declaration
/// must have `icmp = true`.
///
/// ```
/// # test_world::example(async |net, peer| {
/// use core::time::Duration;
/// use socket_client::{Family, IcmpSocket};
///
/// let socket = IcmpSocket::open(net, Family::Inet, 2048)?;
/// let echo = socket.ping([127, 0, 0, 1].into(), 1, b"hello", Duration::from_secs(1)).await?;
/// assert_eq!(echo.len, 5);
/// # Ok(())
/// # });
/// ```
pub struct IcmpSocket<'n, T: Transport> {
    socket: UdpSocket<'n, T>,
    family: Family,
}

impl<'n, T: Transport> Deref for IcmpSocket<'n, T> {
    type Target = NetSocket<'n, T>;

    fn deref(&self) -> &NetSocket<'n, T> {
        &self.socket
    }
}

impl<'n, T: Transport> IcmpSocket<'n, T> {
    /// A socket that receives up to `receive_len` bytes at once (32 bytes of header for each
    /// message included). The server chooses the identifier of its messages; `bind` of
    /// [`Client`](crate::Client) asks for one, which it takes for a port.
    ///
    /// # Errors
    /// `EACCES` if the declaration does not allow it, `EMFILE`; `ENOBUFS` if the window has no such
    /// area left.
    pub fn open(net: &'n Net<T>, family: Family, receive_len: usize) -> Result<Self, Errno> {
        let protocol = match family {
            Family::Inet => Protocol::Icmp,
            Family::Inet6 => Protocol::Icmpv6,
        };
        let client = net.client();
        let socket = client.socket_with(family, SocketKind::Datagram, protocol)?;
        let socket = UdpSocket::own(net.admit(socket)?, receive_len)?;
        Ok(IcmpSocket { socket, family })
    }

    /// Asks a host for an echo of `payload` and waits for it, for as long as `patience`. Connects
    /// the socket to that host, so that errors are heard. One call at a time: a second one takes
    /// the reply to the first for one that is late.
    ///
    /// # Errors
    /// `ETIMEDOUT` without a reply in time, `EHOSTUNREACH` and others that the network says,
    /// `EMSGSIZE`, `ENETUNREACH`.
    pub async fn ping(
        &self,
        host: IpAddr,
        sequence: u16,
        payload: &[u8],
        patience: Duration,
    ) -> Result<Echo, Errno> {
        // What has become of earlier ones is of no interest any more.
        let _ = self.client().take_error(self.socket());
        self.client().connect(self.socket(), (host, 0).into())?;
        let [high, low] = sequence.to_be_bytes();
        let request = match self.family {
            Family::Inet => REQUEST,
            Family::Inet6 => REQUEST6,
        };
        // The server writes the checksum and the identifier.
        let header = [request, 0, 0, 0, 0, 0, high, low];
        let start = self.net().now();
        let answered = async {
            self.operate(Direction::Write, |client, socket| {
                client.sendto_vectored(socket, &[&header, payload], None)
            })
            .await?;
            self.reply(host, sequence).await
        };
        let len = self.net().timeout(patience, answered).await??;
        let time = self.net().now() - start;
        Ok(Echo { time, len })
    }

    /// Waits for the reply to a request, and returns its length without the header.
    async fn reply(&self, host: IpAddr, sequence: u16) -> Result<usize, Errno> {
        let mut header = [0; HEADER];
        loop {
            let reply = self.recv_from(&mut header).await?;
            if reply.from.ip() == host && header[6..] == sequence.to_be_bytes() {
                return Ok(reply.wire_len.saturating_sub(HEADER));
            }
        }
    }

    /// Sends a message of one's own: a request for an echo with its header, of which the server
    /// writes checksum and identifier.
    ///
    /// # Errors
    /// `EINVAL` for another message, `EMSGSIZE`, `ENETUNREACH`.
    pub async fn send_to(&self, message: &[u8], host: IpAddr) -> Result<(), Errno> {
        self.socket.send_to(message, (host, 0).into()).await
    }

    /// Waits for a reply and copies it to `buf`, header included.
    ///
    /// # Errors
    /// As [`UdpSocket::recv_from`].
    pub async fn recv_from(&self, buf: &mut [u8]) -> Result<Incoming, Errno> {
        self.socket.recv_from(buf).await
    }
}
