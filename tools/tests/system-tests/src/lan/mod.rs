// SPDX-License-Identifier: BSD-2-Clause
//! The guest on a network with Linux's own stack, and with as many other hosts as a test plays.
//!
//! A test runs inside a network namespace, so its sockets are those of a host beside the guest:
//! nothing stands between the two but a cable that can be made bad.

pub mod connection;
pub mod packets;
pub mod station;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use qemu_harness::{Guest, Netdev};
use smoltcp::wire::EthernetAddress;
use testnet::{Listener, Namespace, RawPort, Switch};

use crate::boot::{Boots, C_ECHO, C_GET, CLOSED, ECHO, HOSTILE, HTTP, LOOKUP, await_services};
use crate::link::{GATEWAY_IP, GUEST_IP};
use crate::runner::World;
use crate::world::Sockets;

pub use station::Station;

/// Length of the network's prefix, as the test image has it.
const PREFIX: u8 = 16;

/// The guest, Linux and the test on one network.
#[derive(Debug)]
pub struct Lan {
    /// the guest's services, for sockets of Linux
    pub sockets: Sockets,
    /// the cable between Linux and the guest
    pub switch: Switch,
    /// frames of the test's own
    pub raw: RawPort,
    /// the guest's Ethernet address
    pub guest_mac: EthernetAddress,
    namespace: Namespace,
}

impl World for Lan {
    fn boot(boots: &Boots, name: &str) -> Result<Self> {
        let (namespace, tap) = Namespace::with_tap(GATEWAY_IP, PREFIX)?;
        let listener = Listener::bind(boots.logs.path().join(socket_name()))?;
        let netdev = Netdev::Stream(listener.path().to_owned());
        let guest = boots.boot(&netdev, name)?;
        let far = listener.accept(|| guest.is_running())?;
        let (switch, raw) = Switch::start(tap, far)?;
        let at = |port| SocketAddr::from((GUEST_IP, port));
        let sockets = Sockets {
            echo: at(ECHO),
            http: at(HTTP),
            closed: at(CLOSED),
            hostile: at(HOSTILE),
            lookup: at(LOOKUP),
            c_echo: at(C_ECHO),
            c_get: at(C_GET),
            guest: Some(Arc::clone(&guest)),
        };
        namespace
            .run(|| await_services(&guest, &sockets))
            .with_context(|| {
                format!("the guest did not come up; log: {}", guest.log().display())
            })?;
        let guest_mac = station::ask_for_guest(&raw)?;
        Ok(Self {
            sockets,
            switch,
            raw,
            guest_mac,
            namespace,
        })
    }

    fn guest(&self) -> Option<Arc<Guest>> {
        self.sockets.guest.clone()
    }

    fn enter(&self) -> Result<()> {
        // What an earlier test left is nobody's answer.
        self.raw.drain();
        self.namespace.enter()
    }
}

/// A path that no other boot of this run has.
fn socket_name() -> String {
    static BOOTS: AtomicUsize = AtomicUsize::new(0);
    format!("net-{}.sock", BOOTS.fetch_add(1, Ordering::Relaxed))
}
