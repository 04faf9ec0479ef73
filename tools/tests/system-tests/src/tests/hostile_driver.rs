// SPDX-License-Identifier: BSD-2-Clause
//! A driver that writes garbage into the page that net_server believes it, and faults or does not.

use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use host_peer::contents;
use qemu_harness::Mark;

use super::echoing::echo;
use super::faulting::{crash_repeatedly, only_faults_of, serves_again};
use super::hostile_client::{Command, counter, others_are_served};
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT};

pub const TESTS: &[Test] = test_list![Faults:
    hostile_driver_ruins_its_rings_and_faults,
    hostile_driver_scribbles_in_its_rings,
];

/// Garbage over all words, that of its epoch too, and then a restart: several times, because
/// garbage differs.
fn hostile_driver_ruins_its_rings_and_faults(world: &mut Sockets) -> Result<()> {
    let hostile = Command::open(world)?;
    let old = world.connect_echo()?;
    echo(&old, b"before")?;
    for round in 0..5u64 {
        let mark = world.console()?.mark();
        hostile.give("driver ruin")?;
        // The driver looks at its orders when there is something to do, such as the echo of the
        // order.
        world
            .console()?
            .wait_for(mark, &["fault: net_driver:", "ready after"], TIMEOUT)
            .with_context(|| format!("round {round}"))?;
        others_are_served(world).with_context(|| format!("after round {round}"))?;
        echo(&old, &contents::random(round, 10_000)).context("an old connection")?;
    }
    only_faults_of(world, "net_driver")
}

/// The driver scribbles in each of a number of turns: gives it these turns. Frames are lost,
/// delayed and sent twice meanwhile, and a TCP connection that waits longer each time would give it
/// few turns.
fn outlast(world: &Sockets, mark: Mark) -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let deadline = Instant::now() + TIMEOUT;
    let done = |line: &String| line.contains("net_driver: has scribbled");
    while !world.console()?.lines_since(mark).iter().any(done) {
        ensure!(Instant::now() < deadline, "the driver has no turns");
        socket.send_to(b"a turn", world.echo)?;
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// It goes on with whatever stands there; both sides must find their way back to a link without a
/// restart.
fn hostile_driver_scribbles_in_its_rings(world: &mut Sockets) -> Result<()> {
    let hostile = Command::open(world)?;
    for round in 0..5 {
        let mark = world.console()?.mark();
        hostile.give("driver scribble")?;
        outlast(world, mark).with_context(|| format!("round {round}"))?;
        serves_again(world).with_context(|| format!("round {round}"))?;
        others_are_served(world).with_context(|| format!("round {round}"))?;
    }
    let noticed = counter(world, "net_server", "driver_violations")?
        + counter(world, "net_server", "driver_restarts")?;
    ensure!(noticed > 0.0, "net_server has not noticed");
    crash_repeatedly(world, "net_driver", 2)?;
    others_are_served(world).context("after restarts of the driver")
}
