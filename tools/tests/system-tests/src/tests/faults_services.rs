// SPDX-License-Identifier: BSD-2-Clause
//! The server, the timer driver and the console fault.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use host_peer::contents;

use super::echoing::{echo, expect_gone, join};
use super::faulting::{RESTARTABLE, crash, crash_repeatedly, only_faults_of, serves_again};
use super::http_resources::{get_bytes, stats};
use crate::suite::{Test, test_list};
use crate::world::Sockets;

pub const TESTS: &[Test] = test_list![Faults:
    fault_of_net_server_ends_connections_and_serves_again,
    fault_of_net_server_in_the_middle_of_its_work,
    fault_of_timer_driver_is_not_noticed,
    fault_of_console_is_not_noticed,
    fault_of_every_pd_one_after_the_other,
];

/// Its connections are lost with it, but both clients live on and open their ports again.
fn fault_of_net_server_ends_connections_and_serves_again(world: &mut Sockets) -> Result<()> {
    for round in 0..3 {
        let old = world.connect_echo()?;
        echo(&old, b"before")?;
        crash_repeatedly(world, "net_server", 1)?;
        // The first segment for a connection that the new server does not know is answered by a
        // reset; and a client that was calling the server is not left hanging.
        let _ = std::io::Write::write_all(&mut &old, b"anybody?");
        expect_gone(&old).with_context(|| format!("old connection, round {round}"))?;
        serves_again(world).with_context(|| format!("round {round}"))?;
    }
    only_faults_of(world, "net_server")
}

/// Under load the server dies with a packet or a client's call in its hands. Either way both
/// clients serve again.
fn fault_of_net_server_in_the_middle_of_its_work(world: &mut Sockets) -> Result<()> {
    let data = contents::random(5, 1 << 20);
    for round in 0..6 {
        let done = AtomicBool::new(false);
        let (shared, data, done) = (&*world, &data, &done);
        // What becomes of these connections does not matter, only that they keep the server busy.
        let echoing = || {
            let stream = shared.connect_echo()?;
            be_impatient(&stream)?;
            echo(&stream, data)
        };
        let loading = || {
            let mut http = shared.connect_http()?;
            be_impatient(http.stream())?;
            get_bytes(&mut http, 4 << 20)
        };
        let busy = |exchange: &dyn Fn() -> Result<()>| {
            while !done.load(Ordering::Relaxed) {
                let _ = exchange();
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| busy(&echoing));
            scope.spawn(|| busy(&echoing));
            scope.spawn(|| busy(&loading));
            let crashed = crash_repeatedly(shared, "net_server", 1);
            done.store(true, Ordering::Relaxed);
            crashed
        })?;
        serves_again(world).with_context(|| format!("round {round}"))?;
    }
    only_faults_of(world, "net_server")
}

/// A peer that only waits does not learn that its connection is gone.
fn be_impatient(stream: &TcpStream) -> Result<()> {
    let patience = Some(Duration::from_millis(500));
    stream.set_read_timeout(patience)?;
    stream.set_write_timeout(patience)?;
    Ok(())
}

fn fault_of_timer_driver_is_not_noticed(world: &mut Sockets) -> Result<()> {
    let stream = world.connect_echo()?;
    let data = contents::random(3, 4 << 20);
    let shared = &*world;
    thread::scope(|scope| {
        let echoing = scope.spawn(|| echo(&stream, &data));
        let crashed = crash_repeatedly(shared, "timer_driver", 3);
        join(echoing).context("the echo while timer_driver faults")?;
        crashed
    })?;
    // Timers still run out: the server of HTTP gives up on half a request.
    let mut half = world.connect_http()?;
    half.send(b"GET / HT")?;
    expect_gone(half.stream()).context("a timeout after the fault")?;
    serves_again(world)?;
    only_faults_of(world, "timer_driver")
}

fn fault_of_console_is_not_noticed(world: &mut Sockets) -> Result<()> {
    let mut http = world.connect_http()?;
    get_bytes(&mut http, 1000)?;
    crash_repeatedly(world, "console", 2)?;
    get_bytes(&mut http, 1000).context("after the fault of the console")?;
    // It prints and listens again: the next fault is commanded and reported through it.
    crash(world, "echo_server")?;
    serves_again(world)
}

/// The counters of restarts show each.
fn fault_of_every_pd_one_after_the_other(world: &mut Sockets) -> Result<()> {
    for pd in RESTARTABLE {
        crash_repeatedly(world, pd, 1)?;
        serves_again(world).with_context(|| format!("after the fault of {pd}"))?;
    }
    let stats = stats(world)?;
    for pd in [
        "timer_driver",
        "net_driver",
        "net_server",
        "echo_server",
        "console",
        "rng_driver",
    ] {
        let starts = stats
            .iter()
            .find(|(path, _)| path.contains(pd) && path.ends_with("/starts"))
            .map(|(_, n)| *n);
        ensure!(
            starts == Some(2.0),
            "{pd} says that it was started {starts:?} times"
        );
    }
    Ok(())
}
