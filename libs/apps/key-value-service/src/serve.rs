// SPDX-License-Identifier: BSD-2-Clause

//! A connection: commands in, replies out.

use socket_client::{Errno, Guest, Transport};
use stats::KeyValue;

use crate::{Full, ProtocolError, REQUEST_LEN, Reply, Service, parse};

/// Memory of a connection.
pub struct Buffers {
    request: [u8; REQUEST_LEN],
    reply: Reply,
}

impl Buffers {
    /// They are empty.
    #[expect(clippy::new_without_default, reason = "it is const")]
    pub const fn new() -> Self {
        Buffers {
            request: [0; REQUEST_LEN],
            reply: Reply::new(),
        }
    }
}

/// Serves a connection until its peer ends it, sends `QUIT` or what is no command. All commands
/// that have come are done before their replies are sent.
///
/// # Errors
/// Those of the connection.
pub async fn serve<T: Transport, const WORKERS: usize>(
    service: &Service,
    guest: &Guest<'_, '_, T, WORKERS>,
    buffers: &mut Buffers,
) -> Result<(), Errno> {
    let Buffers { request, reply } = buffers;
    reply.clear();
    let mut filled = 0;
    loop {
        let count = guest.read(&mut request[filled..]).await?;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        let mut used = 0;
        let goes_on = loop {
            let (command, length) = match parse(&request[used..filled]) {
                Ok(Some(parsed)) => parsed,
                Ok(None) => break true,
                Err(error) => {
                    refuse(service, guest, reply, error).await?;
                    break false;
                }
            };
            used += length;
            let now = guest.stream().net().now();
            while service.answer(&command, now, reply) == Err(Full) {
                send(guest, reply).await?;
            }
            if command
                .first()
                .is_some_and(|name| name.eq_ignore_ascii_case(b"QUIT"))
            {
                break false;
            }
        };
        if used > 0 {
            // It keeps its place. That others wait ends no connection which has work to do.
            let _ = guest.requested();
        }
        send(guest, reply).await?;
        if !goes_on {
            return Ok(());
        }
        request.copy_within(used..filled, 0);
        filled -= used;
    }
}

async fn refuse<T: Transport, const WORKERS: usize>(
    service: &Service,
    guest: &Guest<'_, '_, T, WORKERS>,
    reply: &mut Reply,
    error: ProtocolError,
) -> Result<(), Errno> {
    service.stats.inc(KeyValue::Errors);
    if reply.error(error.message()).is_err() {
        send(guest, reply).await?;
        // Alone it fits.
        let _ = reply.error(error.message());
    }
    Ok(())
}

async fn send<T: Transport, const WORKERS: usize>(
    guest: &Guest<'_, '_, T, WORKERS>,
    reply: &mut Reply,
) -> Result<(), Errno> {
    guest.write_all(reply.bytes()).await?;
    reply.clear();
    Ok(())
}
