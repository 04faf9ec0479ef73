// SPDX-License-Identifier: BSD-2-Clause
//! A client of the network server faults: its own connections end, all others go on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use host_peer::contents;

use super::echoing::{echo, expect_gone, join};
use super::faulting::{crash, crash_repeatedly, only_faults_of, serves_again};
use super::http_resources::get_bytes;
use crate::boot::until;
use crate::suite::{Test, test_list};
use crate::world::Sockets;

pub const TESTS: &[Test] = test_list![Faults:
    fault_of_echo_server_leaves_http_alone,
    fault_of_http_server_leaves_echo_alone,
];

fn fault_of_echo_server_leaves_http_alone(world: &mut Sockets) -> Result<()> {
    let old = (0..8)
        .map(|_| world.connect_echo())
        .collect::<Result<Vec<_>>>()?;
    for stream in &old {
        echo(stream, b"before")?;
    }
    let mut http = world.connect_http()?;
    let done = AtomicBool::new(false);
    let shared = &*world;
    thread::scope(|scope| {
        let loading = scope.spawn(|| {
            let mut requests = 0;
            while !done.load(Ordering::Relaxed) || requests == 0 {
                get_bytes(&mut http, 300_000).with_context(|| format!("request {requests}"))?;
                requests += 1;
            }
            get_bytes(&mut http, 1 << 20).context("after the last fault")
        });
        let crashed = crash_repeatedly(shared, "echo_server", 3);
        done.store(true, Ordering::Relaxed);
        crashed?;
        join(loading).context("HTTP while echo_server faults")
    })?;
    for (number, stream) in old.iter().enumerate() {
        expect_gone(stream).with_context(|| format!("old echo connection {number}"))?;
    }
    serves_again(world)?;
    only_faults_of(world, "echo_server")
}

fn fault_of_http_server_leaves_echo_alone(world: &mut Sockets) -> Result<()> {
    let mut old = world.connect_http()?;
    get_bytes(&mut old, 1000)?;
    let stream = world.connect_echo()?;
    let data = contents::random(9, 1 << 20);
    let done = AtomicBool::new(false);
    let shared = &*world;
    thread::scope(|scope| {
        let echoing = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                echo(&stream, &data)?;
            }
            echo(&stream, &data).context("after the last fault")
        });
        let crashed = crash_repeatedly(shared, "http_server", 3);
        done.store(true, Ordering::Relaxed);
        crashed?;
        join(echoing).context("the echo while http_server faults")
    })?;
    expect_gone(old.stream()).context("the old HTTP connection")?;
    // A download that the fault cuts short ends; it does not hang.
    let mut cut = world.connect_http()?;
    cut.send(host_peer::http::get_request("/bytes/1073741824").as_bytes())?;
    ensure!(cut.head()?.status == 200, "the download did not begin");
    crash(world, "http_server")?;
    expect_gone(cut.stream()).context("the download that was cut short")?;
    until(world.guest()?, || {
        get_bytes(&mut world.connect_http()?, 5000)
    })?;
    echo(&stream, b"the echo goes on").context("the echo connection of all the time")?;
    serves_again(world)?;
    only_faults_of(world, "http_server")
}
