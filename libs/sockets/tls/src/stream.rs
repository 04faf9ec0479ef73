// SPDX-License-Identifier: BSD-2-Clause

//! The stream.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use embedded_io_async::{ErrorType, Read, Write};
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};

use crate::{Authorities, Identity, TlsError};

/// Bytes that have come and are not decrypted: a record has 16,645 at most (RFC 5246 section
/// 6.2.3), and the messages of a handshake must fit as a whole.
const INCOMING: usize = 20 * 1024;
/// Bytes that one record carries at most of those that are sent: what a call of net_server takes.
const CHUNK: usize = 8 * 1024;

enum Side {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

/// What a look at the connection has come to.
enum Turn {
    /// Look again.
    Again,
    /// Bytes for the peer wait in `Buffers::outgoing`.
    Flush,
    /// The handshake goes on when the peer has sent something.
    Handshake,
    /// The connection is made, and nothing else is to be done.
    Ready,
    /// The peer sends no more.
    Closed,
}

/// What is to be done once the connection is made.
enum Wish<'b> {
    None,
    Send(&'b [u8]),
    Close,
}

struct Buffers {
    incoming: Box<[u8]>,
    filled: usize,
    /// Decrypted and not yet read, from `read` on.
    plain: Vec<u8>,
    read: usize,
    /// Encrypted and not yet taken by the stream beneath.
    outgoing: Vec<u8>,
}

/// A stream that is encrypted on its way. It ends for the peer with [`Self::close`].
pub struct TlsStream<S> {
    stream: S,
    side: Side,
    buffers: Buffers,
    is_closed: bool,
    has_failed: bool,
}

impl<S: Read + Write> TlsStream<S> {
    /// Makes a connection to a server that a stream leads to. `name` is what its certificate must
    /// be for: a host's name or an address. `time` is the time since 1970, if it is known.
    ///
    /// # Errors
    /// See [`TlsError`]. Without a time: `rustls::Error::FailedToGetCurrentTime`.
    pub async fn connect(
        stream: S,
        name: &str,
        authorities: &Authorities,
        time: Option<Duration>,
    ) -> Result<Self, TlsError<S::Error>> {
        if time.is_none() {
            return Err(rustls::Error::FailedToGetCurrentTime.into());
        }
        let name = ServerName::try_from(name).map_err(|_| TlsError::BadName)?;
        let connection = authorities.connection(name.to_owned(), time)?;
        Self::handshake(stream, Side::Client(connection)).await
    }

    /// Takes a connection from a client that a stream has come from.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub async fn accept(stream: S, identity: &Identity) -> Result<Self, TlsError<S::Error>> {
        Self::handshake(stream, Side::Server(identity.connection()?)).await
    }

    async fn handshake(stream: S, side: Side) -> Result<Self, TlsError<S::Error>> {
        let mut tls = TlsStream {
            stream,
            side,
            buffers: Buffers {
                incoming: vec![0; INCOMING].into_boxed_slice(),
                filled: 0,
                plain: Vec::new(),
                read: 0,
                outgoing: Vec::new(),
            },
            is_closed: false,
            has_failed: false,
        };
        loop {
            match tls.turn(&Wish::None).await? {
                Turn::Again => {}
                Turn::Flush => tls.flush_outgoing().await?,
                Turn::Handshake => tls.fill().await?,
                Turn::Ready => {
                    tls.flush_outgoing().await?;
                    return Ok(tls);
                }
                Turn::Closed => return Err(TlsError::CutOff),
            }
        }
    }

    /// Looks at what has come. If it is wrong the peer is told why, as far as it listens.
    async fn turn(&mut self, wish: &Wish<'_>) -> Result<Turn, TlsError<S::Error>> {
        if self.has_failed {
            return Err(TlsError::CutOff);
        }
        let error = match self.look(wish) {
            Ok(turn) => return Ok(turn),
            Err(error) => error,
        };
        self.has_failed = true;
        // One alert waits, or none.
        let _ = self.look(&Wish::None);
        let _ = self.flush_outgoing().await;
        Err(error.into())
    }

    fn look(&mut self, wish: &Wish<'_>) -> Result<Turn, rustls::Error> {
        let Buffers {
            incoming,
            filled,
            plain,
            outgoing,
            ..
        } = &mut self.buffers;
        let (discard, turn) = match &mut self.side {
            Side::Client(connection) => {
                let status = connection.process_tls_records(&mut incoming[..*filled]);
                look_at(status, wish, plain, outgoing)
            }
            Side::Server(connection) => {
                let status = connection.process_tls_records(&mut incoming[..*filled]);
                look_at(status, wish, plain, outgoing)
            }
        };
        incoming.copy_within(discard..*filled, 0);
        *filled -= discard;
        turn
    }

    /// Waits for more bytes of the peer.
    async fn fill(&mut self) -> Result<(), TlsError<S::Error>> {
        let Buffers {
            incoming, filled, ..
        } = &mut self.buffers;
        let room = &mut incoming[*filled..];
        if room.is_empty() {
            return Err(rustls::Error::PeerSentOversizedRecord.into());
        }
        match self.stream.read(room).await.map_err(TlsError::Stream)? {
            0 => Err(TlsError::CutOff),
            count => {
                *filled += count;
                Ok(())
            }
        }
    }

    /// A future that is dropped has sent each byte once or not at all.
    async fn flush_outgoing(&mut self) -> Result<(), TlsError<S::Error>> {
        let outgoing = &mut self.buffers.outgoing;
        while !outgoing.is_empty() {
            let sent = self.stream.write(outgoing).await;
            match sent.map_err(TlsError::Stream)? {
                0 => return Err(TlsError::CutOff),
                count => drop(outgoing.drain(..count)),
            }
        }
        self.stream.flush().await.map_err(TlsError::Stream)
    }

    /// Tells the peer that nothing more comes. The stream beneath stays open.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub async fn close(&mut self) -> Result<(), TlsError<S::Error>> {
        while !matches!(self.turn(&Wish::Close).await?, Turn::Ready | Turn::Closed) {}
        self.flush_outgoing().await
    }
}

/// Does what a state wants, and says how many received bytes are done with.
fn look_at<D>(
    status: UnbufferedStatus<'_, '_, D>,
    wish: &Wish<'_>,
    plain: &mut Vec<u8>,
    outgoing: &mut Vec<u8>,
) -> (usize, Result<Turn, rustls::Error>) {
    let UnbufferedStatus { mut discard, state } = status;
    let turn = match state {
        Ok(ConnectionState::ReadTraffic(mut traffic)) => {
            let mut turn = Ok(Turn::Again);
            while let Some(record) = traffic.next_record() {
                match record {
                    Ok(record) => {
                        discard += record.discard;
                        plain.extend_from_slice(record.payload);
                    }
                    Err(error) => turn = Err(error),
                }
            }
            turn
        }
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            let encoded = append(outgoing, |room| match data.encode(room) {
                Ok(count) => Ok(Some(count)),
                Err(EncodeError::InsufficientSize(error)) => Err(error.required_size),
                Err(EncodeError::AlreadyEncoded) => Ok(None),
            });
            encoded.map(|()| Turn::Again)
        }
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Ok(Turn::Flush)
        }
        Ok(ConnectionState::BlockedHandshake) => Ok(Turn::Handshake),
        Ok(ConnectionState::WriteTraffic(mut traffic)) => {
            let written = append(outgoing, |room| {
                let written = match wish {
                    Wish::None => return Ok(Some(0)),
                    Wish::Send(bytes) => traffic.encrypt(bytes, room),
                    Wish::Close => traffic.queue_close_notify(room),
                };
                match written {
                    Ok(count) => Ok(Some(count)),
                    Err(EncryptError::InsufficientSize(error)) => Err(error.required_size),
                    Err(EncryptError::EncryptExhausted) => Ok(None),
                }
            });
            written.map(|()| Turn::Ready)
        }
        Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Ok(Turn::Closed),
        // Early data, which the configuration does not allow, and states to come.
        Ok(_) => Err(rustls::Error::General("unknown state".into())),
        Err(error) => Err(error),
    };
    (discard, turn)
}

/// Lets `write` put bytes behind those that wait; it says how much room it needs.
fn append(
    outgoing: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<Option<usize>, usize>,
) -> Result<(), rustls::Error> {
    let length = outgoing.len();
    for _ in 0..2 {
        match write(&mut outgoing[length..]) {
            Ok(Some(count)) => {
                outgoing.truncate(length + count);
                return Ok(());
            }
            Ok(None) => break,
            Err(needed) => outgoing.resize(length + needed, 0),
        }
    }
    outgoing.truncate(length);
    Err(rustls::Error::EncryptError)
}

impl<S: ErrorType> ErrorType for TlsStream<S>
where
    S::Error: embedded_io_async::Error,
{
    type Error = TlsError<S::Error>;
}

impl<S: Read + Write> Read for TlsStream<S> {
    /// A future that is dropped loses nothing.
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        loop {
            let Buffers { plain, read, .. } = &mut self.buffers;
            let rest = &plain[*read..];
            if !rest.is_empty() || buf.is_empty() {
                let count = rest.len().min(buf.len());
                buf[..count].copy_from_slice(&rest[..count]);
                *read += count;
                return Ok(count);
            }
            plain.clear();
            *read = 0;
            if self.is_closed {
                return Ok(0);
            }
            match self.turn(&Wish::None).await? {
                Turn::Again => {}
                Turn::Flush => self.flush_outgoing().await?,
                Turn::Ready | Turn::Handshake => {
                    if self.buffers.plain.is_empty() {
                        self.fill().await?;
                    }
                }
                Turn::Closed => self.is_closed = true,
            }
        }
    }
}

impl<S: Read + Write> Write for TlsStream<S> {
    /// Encrypts some of the bytes. The stream beneath has taken them when it returns.
    async fn write(&mut self, data: &[u8]) -> Result<usize, Self::Error> {
        let data = &data[..data.len().min(CHUNK)];
        self.flush_outgoing().await?;
        loop {
            match self.turn(&Wish::Send(data)).await? {
                Turn::Again => {}
                Turn::Flush => self.flush_outgoing().await?,
                Turn::Ready => {
                    self.flush_outgoing().await?;
                    return Ok(data.len());
                }
                Turn::Handshake => self.fill().await?,
                Turn::Closed => return Err(TlsError::CutOff),
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        self.flush_outgoing().await
    }
}
