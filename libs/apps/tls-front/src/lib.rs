// SPDX-License-Identifier: BSD-2-Clause

//! The front of a server that does not speak TLS: takes connections by TLS and passes on what they
//! carry. `docs/apps/https_server.md` shows it.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use core::net::SocketAddr;
use core::time::Duration;

use embassy_futures::select::{Either, select};
use embedded_io_async::{Read, Write};
use socket_client::{Errno, Guest, Net, TcpStream, Transport};
use stats::{HttpsServer as Counter, Writer};
use tls::{Identity, TlsError, TlsStream};

/// How long a client may take until the connection is made.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that are passed on at once, in each direction.
const PART_LEN: usize = 2048;

/// What all connections share.
pub struct Front<'n, T: Transport> {
    /// Where its sockets come from.
    pub net: &'n Net<T>,
    /// The server that it passes decrypted bytes to.
    pub server: SocketAddr,
    /// Certificate and key.
    pub identity: Identity,
    /// Where connections are counted.
    pub stats: Writer<Counter>,
}

impl<T: Transport> Front<'_, T> {
    /// Serves a connection to its end.
    ///
    /// # Errors
    /// Those of the connection to the client.
    pub async fn serve<const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
    ) -> Result<(), Errno> {
        let _ = guest.requested();
        let accepted = TlsStream::accept(guest, &self.identity);
        let client = match self.net.timeout(PATIENCE, accepted).await {
            Ok(Ok(client)) => client,
            Ok(Err(_)) | Err(_) => {
                self.stats.inc(Counter::Failed);
                return Ok(());
            }
        };
        self.stats.inc(Counter::Connections);
        match self.pass_on(guest, client).await {
            Ok(()) | Err(TlsError::CutOff | TlsError::BadName) => Ok(()),
            Err(TlsError::Stream(errno)) => Err(errno),
            Err(TlsError::Tls(_)) => {
                self.stats.inc(Counter::Failed);
                Ok(())
            }
        }
    }

    async fn pass_on<G: Read<Error = Errno> + Write, const WORKERS: usize>(
        &self,
        guest: &Guest<'_, '_, T, WORKERS>,
        mut client: TlsStream<G>,
    ) -> Result<(), TlsError<Errno>> {
        let Ok(server) = TcpStream::connect(self.net, self.server).await else {
            self.stats.inc(Counter::NoServer);
            return client.close().await;
        };
        let (mut request, mut response) = ([0; PART_LEN], [0; PART_LEN]);
        loop {
            // Neither loses anything when it is dropped.
            let both = select(client.read(&mut request), server.read(&mut response));
            match both.await {
                Either::First(Ok(count @ 1..)) => {
                    self.stats.add(Counter::BytesIn, count as u64);
                    let may_go_on = guest.requested();
                    if server.write_all(&request[..count]).await.is_err() || !may_go_on {
                        break;
                    }
                }
                Either::Second(Ok(count @ 1..)) => {
                    self.stats.add(Counter::BytesOut, count as u64);
                    client.write_all(&response[..count]).await?;
                }
                Either::First(Err(error)) => return Err(error),
                Either::First(Ok(_)) | Either::Second(_) => break,
            }
        }
        client.close().await
    }
}
