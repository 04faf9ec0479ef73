// SPDX-License-Identifier: BSD-2-Clause

//! Ids that nobody can predict, without a random number generator: net_server has one, and shows
//! some of its bits in the ports that it chooses.

use core::cell::Cell;
use core::hash::Hasher;

use siphasher::sip::SipHasher24;
use socket_client::{Client, Errno, SocketKind, Transport};

/// Ports drawn for a key. Each has 14 unpredictable bits (RFC 6335 section 6, RFC 6056 algorithm
/// 1), and a key 128.
const DRAWN: usize = 10;

/// A source of ids: a keyed hash of a counter.
pub(crate) struct Ids {
    hasher: SipHasher24,
    count: Cell<u64>,
}

impl Ids {
    /// Draws a key. Takes one datagram socket for as long as the call lasts.
    ///
    /// # Errors
    /// Those of a socket.
    pub(crate) fn draw<T: Transport>(client: &Client<T>) -> Result<Self, Errno> {
        let mut halves = [0; 2];
        for half in &mut halves {
            let mut ports = SipHasher24::new();
            for _ in 0..DRAWN / 2 {
                ports.write_u16(port(client)?);
            }
            *half = ports.finish();
        }
        Ok(Ids {
            hasher: SipHasher24::new_with_keys(halves[0], halves[1]),
            count: Cell::new(0),
        })
    }

    /// Returns the next id.
    pub(crate) fn next(&self) -> u16 {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        let mut hasher = self.hasher;
        hasher.write_u64(count);
        hasher.finish() as u16
    }
}

/// Returns a port that net_server chooses.
fn port<T: Transport>(client: &Client<T>) -> Result<u16, Errno> {
    let socket = client.socket(SocketKind::Datagram)?;
    let bound = client.bind(socket, ([0; 4], 0).into());
    let port = bound.and_then(|()| client.getsockname(socket));
    client.close(socket)?;
    Ok(port?.port())
}
