// SPDX-License-Identifier: BSD-2-Clause

//! The way to net_server, and the memory shared with it.

use pd_support::{Peer, clock, region};
use sel4_microkit::Channel;
use socket_client::{Client, Errno, Memory, Transport};
use time::{Clock, Instant};

/// The channel to net_server, the same in every client (`system.xml`).
pub const NET_SERVER: Channel = Channel::new(1);

/// Protected procedure calls to net_server, and the clock.
#[derive(Clone, Copy, Debug)]
pub struct NetServer {
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
        let answer = Peer::new(NET_SERVER).call(label, words);
        (answer.label, answer.words)
    }

    #[inline]
    fn now(&self) -> Instant {
        self.clock.instant(clock::now())
    }
}

/// Attaches to net_server with the regions that `system.xml` gives this PD. Once in the life of a
/// PD.
///
/// # Errors
/// Those of [`Client::attach`].
///
/// # Panics
/// If `system.xml` does not map one of the regions or one is too small, or at the second call.
pub fn attach() -> Result<Client<NetServer>, Errno> {
    let clock = Clock::new(clock::frequency()).ok_or(Errno::EINVAL)?;
    let c2s = region!(rw net_c2s).any_size();
    let s2c = region!(r net_s2c).any_size();
    let memory = Memory {
        // SAFETY: system.xml maps the client's half read-only into net_server and into nobody else;
        // config-tool checks that.
        c2s: unsafe { c2s.into_exclusive_bytes() },
        s2c: s2c.into_read_window(),
        ready: region!(r net_ready).slice(),
    };
    Client::attach(NetServer { clock }, memory)
}
