// SPDX-License-Identifier: BSD-2-Clause

//! The library against the socket core that ships.

mod calls;
mod options;
mod tasks;

use std::net::{Ipv4Addr, SocketAddr};

use test_world::PEER_IP;

/// A port of this machine.
fn addr(port: u16) -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, port).into()
}

/// A port of the test peer.
fn peer_addr(port: u16) -> SocketAddr {
    (PEER_IP, port).into()
}
