// SPDX-License-Identifier: BSD-2-Clause

//! A request from a peer, its way to the server, and the response.

use core::fmt::Write as _;
use core::pin::pin;
use core::time::Duration;

use embassy_futures::select::{Either, select};
use embedded_io_async::{Read, Write};
use embedded_nal_async::{AddrType, Dns};
use heapless::{String, Vec};
use reqwless::Error;
use reqwless::client::HttpConnection;
use reqwless::request::{Request, RequestBody, RequestBuilder};
use socket_client::{Errno, Guest, Net, TcpStream, Transport};
use stats::{HttpClient as Counter, Writer};

use tls::{Authorities, TlsStream};

use crate::head::{HEAD_LEN, Head, Refusal, Target, is_of_connection, refusal};

/// How long a server may take for a response's head, and again for each part of the body.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a peer that waits for a server is spoken for: it shall not lose its place to another
/// that waits ([`socket_client::Places`]), for the wait is not its fault.
const RENEWAL: Duration = Duration::from_millis(50);
/// Bytes of a body that are passed on at once.
const PART_LEN: usize = 2048;

/// Memory of a request.
pub struct Buffers {
    request: [u8; HEAD_LEN],
    response: [u8; HEAD_LEN],
    /// What is sent at once: reqwless writes a head in small pieces.
    sent: [u8; PART_LEN],
    part: [u8; PART_LEN],
}

impl Buffers {
    /// They are empty.
    #[expect(clippy::new_without_default, reason = "it is const")]
    pub const fn new() -> Self {
        Buffers {
            request: [0; HEAD_LEN],
            response: [0; HEAD_LEN],
            sent: [0; PART_LEN],
            part: [0; PART_LEN],
        }
    }
}

/// What all requests share.
pub struct Proxy<'n, T: Transport, D: Dns> {
    /// Sockets for outgoing connections.
    pub net: &'n Net<T>,
    /// Who finds addresses of names.
    pub dns: D,
    /// Where requests and failures are counted.
    pub stats: Writer<Counter>,
    /// What https takes; without it there is none.
    pub trust: Option<Trust<'n>>,
}

/// What https takes.
pub struct Trust<'n> {
    /// Who signs the certificates of servers.
    pub authorities: Authorities,
    /// Returns the time since 1970, if it is known.
    pub time: &'n dyn Fn() -> Option<Duration>,
}

/// Why a response has no end, or none has begun.
enum Failure {
    /// The peer is told.
    Refused(Refusal),
    /// The peer is gone, or has got a part.
    Cut,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<Errno> for Failure {
    fn from(_: Errno) -> Self {
        Failure::Cut
    }
}

/// What reqwless says, as a status.
fn failed(error: &Error) -> Refusal {
    match error {
        Error::Network(embedded_io_async::ErrorKind::TimedOut) => TIMED_OUT,
        Error::Network(_) | Error::ConnectionAborted => LOST,
        Error::IncorrectBodyWritten => refusal(400, "the body is too short"),
        _ => refusal(502, "the response makes no sense or has too long a head"),
    }
}

/// What an attempt to connect says.
fn not_connected(errno: Errno) -> Refusal {
    match errno {
        Errno::ETIMEDOUT => TIMED_OUT,
        Errno::ECONNREFUSED => refusal(502, "the server refuses the connection"),
        Errno::EACCES => refusal(403, "the declaration does not let this PD connect there"),
        _ => LOST,
    }
}

const TIMED_OUT: Refusal = refusal(504, "the server takes too long");
const LOST: Refusal = refusal(502, "the connection has failed");

impl<'n, T: Transport, D: Dns> Proxy<'n, T, D> {
    /// Serves a connection: one request.
    ///
    /// # Errors
    /// Those of the connection to the peer.
    pub async fn serve<const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
        buffers: &mut Buffers,
    ) -> Result<(), Errno> {
        let Err(failure) = self.request(guest, buffers).await else {
            return Ok(());
        };
        let Failure::Refused(Refusal { status, text }) = failure else {
            self.stats.inc(Counter::Failed);
            // The peer shall not take what it has for the whole.
            let stream = guest.stream();
            let _ = self.net.client().disconnect(stream.socket());
            return Ok(());
        };
        self.stats.inc(match status {
            502 => Counter::Failed,
            504 => Counter::TimedOut,
            _ => Counter::Refused,
        });
        let mut response = String::<256>::new();
        // It fits.
        let _ = write!(
            response,
            "HTTP/1.1 {status} \r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{text}\n",
            text.len() + 1
        );
        guest.write_all(response.as_bytes()).await
    }

    async fn request<const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
        buffers: &mut Buffers,
    ) -> Result<(), Failure> {
        let Buffers {
            request: bytes,
            response,
            sent,
            part,
        } = buffers;
        let mut filled = 0;
        let (head, length) = loop {
            if let Some(parsed) = Head::parse(&bytes[..filled])? {
                break parsed;
            }
            let count = guest.read(&mut bytes[filled..]).await?;
            if count == 0 {
                return if filled == 0 {
                    Ok(())
                } else {
                    Err(Failure::Cut)
                };
            }
            filled += count;
        };
        self.stats.inc(Counter::Requests);
        let _ = guest.requested();
        let first = &bytes[length..filled];
        let body = head.body.map(|length| Body {
            guest,
            first: &first[..first.len().min(length)],
            length,
        });
        let stream = self.connect(guest, &head.target).await?;
        if !head.target.is_secure {
            let connection = HttpConnection::Plain(stream).into_buffered(sent);
            return self
                .ask(guest, connection, &head, body, (response, part))
                .await;
        }
        let stream = self.secure(guest, stream, head.target.host).await?;
        let connection = HttpConnection::Plain(stream).into_buffered(sent);
        self.ask(guest, connection, &head, body, (response, part))
            .await
    }

    async fn connect<const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
        target: &Target<'_>,
    ) -> Result<TcpStream<'n, T>, Refusal> {
        let address = self.dns.get_host_by_name(target.host, AddrType::Either);
        let address = self.wait(guest, address).await.map_err(|_| TIMED_OUT)?;
        let address = address.map_err(|_| refusal(502, "the server's name is not found"))?;
        let stream = TcpStream::connect(self.net, (address, target.port).into());
        let stream = self.wait(guest, stream).await.map_err(|_| TIMED_OUT)?;
        stream.map_err(not_connected)
    }

    async fn secure<S: Read + Write, const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
        stream: S,
        host: &str,
    ) -> Result<TlsStream<S>, Refusal> {
        let trust = self.trust.as_ref();
        let trust = trust.ok_or(refusal(501, "there is no https: no authority is trusted"))?;
        let stream = TlsStream::connect(stream, host, &trust.authorities, (trust.time)());
        let stream = self.wait(guest, stream).await.map_err(|_| TIMED_OUT)?;
        self.stats.inc(match &stream {
            Ok(_) => Counter::Secured,
            Err(_) => Counter::Distrusted,
        });
        stream.map_err(|error| error.reason().map_or(LOST, |reason| refusal(502, reason)))
    }

    async fn ask<C: Read + Write, const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
        connection: HttpConnection<'_, C>,
        head: &Head<'_>,
        body: Option<Body<'_, '_, '_, T, WORKERS>>,
        (response, part): (&mut [u8], &mut [u8]),
    ) -> Result<(), Failure> {
        let bytes = head.body.unwrap_or(0) as u64;
        let request = Request::new(head.method, head.target.path)
            .host(head.target.authority)
            .headers(&head.headers);
        let responded = match body {
            None => {
                self.respond(guest, connection, request.build(), response, part)
                    .await
            }
            Some(body) => {
                let request = request.body(body).build();
                self.respond(guest, connection, request, response, part)
                    .await
            }
        };
        self.stats.add(Counter::BytesOut, bytes);
        responded
    }

    /// Waits for a server, but not longer than [`PATIENCE`].
    async fn wait<F: Future, const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
        server: F,
    ) -> Result<F::Output, Errno> {
        let mut server = pin!(server);
        let end = self.net.now() + PATIENCE;
        loop {
            let renewal = self.net.sleep(RENEWAL);
            match select(server.as_mut(), renewal).await {
                Either::First(output) => return Ok(output),
                Either::Second(slept) => slept?,
            }
            if self.net.now() >= end {
                return Err(Errno::ETIMEDOUT);
            }
            let _ = guest.requested();
        }
    }

    async fn respond<C: Read + Write, B: RequestBody, const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
        mut connection: HttpConnection<'_, C>,
        request: Request<'_, B>,
        buf: &mut [u8],
        part: &mut [u8],
    ) -> Result<(), Failure> {
        let start = self.net.now();
        let response = self.wait(guest, connection.send(request, buf)).await;
        let response = response.map_err(|_| TIMED_OUT)?;
        let response = response.map_err(|error| failed(&error))?;
        let took = (self.net.now() - start).as_nanos() as u64;
        self.stats.set(Counter::LastTime, took);
        self.stats.inc(match response.status.0 {
            ..400 => Counter::ResponsesGood,
            400.. => Counter::ResponsesBad,
        });
        let mut head = Vec::<u8, { HEAD_LEN + 64 }>::new();
        // The server's head has no more bytes than that.
        let _ = write!(head, "HTTP/1.1 {} \r\n", response.status.0);
        for (name, value) in response.headers().filter(|(name, _)| !name.is_empty()) {
            if !is_of_connection(name) || name.eq_ignore_ascii_case("content-length") {
                for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
                    let _ = head.extend_from_slice(piece);
                }
            }
        }
        let _ = head.extend_from_slice(b"Connection: close\r\n\r\n");
        guest.write_all(&head).await?;
        let mut reader = response.body().reader();
        loop {
            let read = self.wait(guest, reader.read(part)).await;
            match read.map_err(|_| Failure::Cut)? {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.stats.add(Counter::BytesIn, count as u64);
                    guest.write_all(&part[..count]).await?;
                }
                Err(_) => return Err(Failure::Cut),
            }
        }
    }
}

/// The body of a request, as it comes from the peer.
struct Body<'b, 's, 'g, T: Transport, const WORKERS: usize> {
    guest: &'b Guest<'s, 'g, T, WORKERS>,
    /// What has come with the head.
    first: &'b [u8],
    length: usize,
}

impl<T: Transport, const WORKERS: usize> RequestBody for Body<'_, '_, '_, T, WORKERS> {
    fn len(&self) -> Option<usize> {
        Some(self.length)
    }

    /// Ends early if the peer does, which reqwless notices.
    async fn write<W: Write>(&self, writer: &mut W) -> Result<(), W::Error> {
        writer.write_all(self.first).await?;
        let mut left = self.length - self.first.len();
        let mut part = [0; PART_LEN];
        while left > 0 {
            let most = part.len().min(left);
            let Ok(count @ 1..) = self.guest.read(&mut part[..most]).await else {
                return Ok(());
            };
            writer.write_all(&part[..count]).await?;
            left -= count;
        }
        Ok(())
    }
}
