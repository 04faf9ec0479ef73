// SPDX-License-Identifier: BSD-2-Clause
//! A peer that only begins: connections that are asked for and never completed.

use std::time::{Duration, Instant};

use anyhow::Result;
use smoltcp::wire::TcpControl;

use super::ethernet_garbage::answers;
use super::ethernet_ports::{ECHO, converse, segment};
use crate::link::frames;
use crate::suite::{Test, test_list};
use crate::world::{Ethernet, TIMEOUT};

pub const TESTS: &[Test] = test_list![Ethernet:
    ethernet_half_open_connections_go_away,
];

/// More than the backlog and the client's sockets together.
const CONNECTIONS: u16 = 1000;
/// Longer than the guest waits before it repeats a SYN|ACK.
const REPEATED: Duration = Duration::from_millis(1500);

/// After a flood of SYNs the port serves again: at once or when the half-open ones have gone.
fn ethernet_half_open_connections_go_away(world: &mut Ethernet) -> Result<()> {
    for number in 0..CONNECTIONS {
        let syn = segment(20_000 + number, ECHO, TcpControl::Syn, 1, None);
        world.link.send(&frames::tcp(world.guest_mac, &syn))?;
        // So that all of them come to the guest.
        if number % 32 == 31 {
            answers(world, number)?;
        }
    }
    // All SYN|ACKs are due again at once: more than there are transmit buffers.
    if let Some(guest) = &world.guest {
        guest.stall(REPEATED)?;
    }
    let deadline = Instant::now() + TIMEOUT;
    let mut port = 30_000;
    loop {
        match converse(world, port) {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(error.context("the port does not come back"));
            }
            Err(_) => port += 1,
        }
    }
}
