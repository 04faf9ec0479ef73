// SPDX-License-Identifier: BSD-2-Clause

//! What the declaration says about the network, as a client sees it.

use pd_support::wiring;
use wiring::{Limits, Network};

/// Returns the network's addresses and the sizes of sockets' buffers.
///
/// # Panics
/// If this PD is no client of net_server in the declaration.
pub fn network() -> &'static Network {
    match wiring().network() {
        Some(network) => network,
        None => panic!("no network in the wiring table"),
    }
}

/// Returns what the declaration lets this PD do.
///
/// # Panics
/// As [`network`].
pub fn limits() -> &'static Limits {
    match wiring().limits(wiring().own().name) {
        Some(limits) => limits,
        None => panic!("no limits of its own in the wiring table"),
    }
}

/// Returns the first TCP port that the declaration lets this PD listen on.
///
/// # Panics
/// As [`network`].
pub fn tcp_port() -> Option<u16> {
    Some(limits().tcp_listen().next()?.first())
}
