// SPDX-License-Identifier: BSD-2-Clause
//! The guest and Linux's own stack in a group: each hears what the other sends to it.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use socket2::SockRef;

use super::hostile_client::Command;
use crate::lan::Lan;
use crate::link::GATEWAY_IP;
use crate::suite::{Test, test_list};
use crate::world::TIMEOUT;

pub const TESTS: &[Test] = test_list![Lan: lan_a_group_with_members_on_both_sides];

/// The group of the client that does as it is told.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 1, 1);

fn lan_a_group_with_members_on_both_sides(world: &mut Lan) -> Result<()> {
    let hostile = world.sockets.hostile;
    let command = Command::open(&world.sockets)?;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    SockRef::from(&socket).set_multicast_if_v4(&GATEWAY_IP)?;
    socket.join_multicast_v4(&GROUP, &GATEWAY_IP)?;
    socket.set_multicast_loop_v4(false)?;
    let mut buffer = [0; 64];
    // Before it has joined it does not answer.
    socket.set_read_timeout(Some(Duration::from_millis(200)))?;
    socket.send_to(b"stop", (GROUP, hostile.port()))?;
    ensure!(
        socket.recv_from(&mut buffer).is_err(),
        "an answer of no member"
    );
    command.give("join")?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    // It says a command back, and this one in the group, too.
    socket.send_to(b"shout", (GROUP, hostile.port()))?;
    for _ in 0..2 {
        let (n, from) = socket.recv_from(&mut buffer).context("no answer")?;
        ensure!(&buffer[..n] == b"shout", "{n} other bytes");
        ensure!(from.ip() == hostile.ip(), "from {from}");
    }
    command.give("leave")?;
    socket.set_read_timeout(Some(Duration::from_millis(200)))?;
    socket.send_to(b"stop", (GROUP, hostile.port()))?;
    ensure!(
        socket.recv_from(&mut buffer).is_err(),
        "an answer of who has left"
    );
    Ok(())
}
