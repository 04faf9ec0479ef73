// SPDX-License-Identifier: BSD-2-Clause

//! The way to net_server, and the memory shared with it.

use pd_support::{Peer, ReadOnly, ReadWrite, clock, peer, region, role};
use socket_client::{Client, Errno, Memory, Transport};
use time::{Clock, Instant};

/// Protected procedure calls to net_server, and the clock.
#[derive(Clone, Copy, Debug)]
pub struct NetServer {
    server: Peer,
    clock: Clock,
}

impl NetServer {
    /// Ticks of the counter as nanoseconds.
    pub fn clock(&self) -> Clock {
        self.clock
    }
}

impl Transport for NetServer {
    #[inline]
    fn call(&self, label: u64, words: [u64; 4]) -> (u64, [u64; 4]) {
        let answer = self.server.call(label, words);
        (answer.label, answer.words)
    }

    #[inline]
    fn now(&self) -> Instant {
        self.clock.instant(clock::now())
    }
}

/// Attaches to net_server with the memory that the declaration gives this PD. Once in the life of a
/// PD.
///
/// # Errors
/// Those of [`Client::attach`].
///
/// # Panics
/// If this PD is no client of net_server in the declaration, or at the second call.
pub fn attach() -> Result<Client<NetServer>, Errno> {
    let clock = Clock::new(clock::frequency()).ok_or(Errno::EINVAL)?;
    let server = peer(role::SOCKETS);
    let c2s = region::<ReadWrite>(role::CLIENT_TO_SERVER).into_region();
    let s2c = region::<ReadOnly>(role::SERVER_TO_CLIENT).into_region();
    let memory = Memory {
        // SAFETY: nobody else may write the client's half of the window; sysgen checks that.
        c2s: unsafe { c2s.into_exclusive_bytes() },
        s2c: s2c.into_read_window(),
        ready: region::<ReadOnly>(role::READINESS).slice(),
    };
    Client::attach(NetServer { server, clock }, memory)
}
