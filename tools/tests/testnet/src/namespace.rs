// SPDX-License-Identifier: BSD-2-Clause
//! A network namespace with one TAP.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::thread;

use anyhow::{Context, Result, anyhow};
use nix::sched::{CloneFlags, setns, unshare};
use tappers::{AddAddressV4, AddAddressV6, Interface, Netmask, Tap};

/// Every namespace has a TAP of this name; the names do not meet.
const TAP: &str = "tap0";

/// The network of IPv6 in which every TAP has the address 1, of 64 bits.
pub const NETWORK6: Ipv6Addr = Ipv6Addr::new(0xfd00, 6, 0, 0, 0, 0, 0, 0);

/// A network namespace. It goes when the last thread, file or socket in it has gone.
#[derive(Debug)]
pub struct Namespace {
    file: File,
}

impl Namespace {
    /// Makes a namespace with one TAP of this address, and gives the TAP's other end.
    ///
    /// # Errors
    /// If the machine has no `/dev/net/tun` or does not let this process make namespaces.
    pub fn with_tap(address: Ipv4Addr, prefix: u8) -> Result<(Self, Tap)> {
        // Only the thread that calls `unshare` moves.
        let maker = thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET)
                .context("cannot make a network namespace (needs root)")?;
            let tap = make_tap(address, prefix).context("cannot make a TAP (/dev/net/tun)")?;
            let file = File::open("/proc/thread-self/ns/net")
                .context("cannot open the namespace in /proc")?;
            anyhow::Ok((Self { file }, tap))
        });
        maker
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the thread that makes a namespace panicked")))
    }

    /// Moves the calling thread, and all threads and processes that it starts later, into the
    /// namespace.
    ///
    /// # Errors
    /// As `setns(2)`.
    pub fn enter(&self) -> Result<()> {
        setns(&self.file, CloneFlags::CLONE_NEWNET).context("cannot enter the namespace")
    }

    /// Runs a function in the namespace, in a thread of its own.
    ///
    /// # Errors
    /// As [`Namespace::enter`], and what the function gives.
    pub fn run<T: Send>(&self, function: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.enter()?;
                function()
            });
            thread
                .join()
                .unwrap_or_else(|_| Err(anyhow!("a thread in the namespace panicked")))
        })
    }
}

fn make_tap(address: Ipv4Addr, prefix: u8) -> io::Result<Tap> {
    let mut tap = Tap::new_named(Interface::new(TAP)?)?;
    tap.set_nonblocking(true)?;
    let mut add = AddAddressV4::new(address);
    add.set_netmask(Netmask::from(prefix));
    tap.add_addr(add)?;
    let mut add = AddAddressV6::new(Ipv6Addr::from_bits(NETWORK6.to_bits() | 1));
    add.set_netmask(Netmask::from(64));
    // Without IPv6 on this machine the tests of it fail, and the others do not.
    let _ = tap.add_addr(add);
    tap.set_up()?;
    Ok(tap)
}

/// Why this machine cannot have such a network; none if it can.
#[must_use]
pub fn unavailable() -> Option<String> {
    Namespace::with_tap(Ipv4Addr::new(10, 0, 0, 1), 24)
        .err()
        .map(|error| format!("{error:#}"))
}
