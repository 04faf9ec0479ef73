// SPDX-License-Identifier: BSD-2-Clause
//! Many HTTP connections, and clients that leave early.

use std::io::Read;
use std::thread;

use anyhow::{Context, Result, ensure};
use host_peer::socket;

use super::echoing::{echo, join};
use super::http_resources::get_bytes;
use crate::suite::{Test, test_list};
use crate::world::{Sockets, connect};

pub const TESTS: &[Test] = test_list![Sockets:
    http_64_connections_at_once,
    http_clients_that_leave_early,
    http_and_echo_together,
];

fn http_64_connections_at_once(world: &mut Sockets) -> Result<()> {
    // QEMU's user network listens with a backlog of 1: open them one by one, use them at once.
    let mut connections = Vec::new();
    for number in 0..64 {
        let mut connection = world.connect_http()?;
        get_bytes(&mut connection, number).with_context(|| format!("connection {number}"))?;
        connections.push(connection);
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(&mut connections)
            .map(|(number, connection)| {
                scope.spawn(move || {
                    (0..10).try_for_each(|n| get_bytes(connection, 1000 * n + number))
                })
            })
            .collect();
        (0..)
            .zip(threads)
            .try_for_each(|(n, thread)| join(thread).with_context(|| format!("connection {n}")))
    })
}

/// Downloads that are given up, by a close and by a reset, leave nothing behind.
fn http_clients_that_leave_early(world: &mut Sockets) -> Result<()> {
    for number in 0..24 {
        let mut connection = world.connect_http()?;
        connection.send(host_peer::http::get_request("/bytes/1073741824").as_bytes())?;
        let head = connection
            .head()
            .with_context(|| format!("download {number}"))?;
        ensure!(head.status == 200, "status {}", head.status);
        let mut stream = connection.stream();
        ensure!(stream.read(&mut [0; 10_000])? > 0, "no contents");
        if number % 2 == 0 {
            socket::abort(connection.stream().try_clone()?)?;
        }
        drop(connection);
        get_bytes(&mut world.connect_http()?, 3000).context("after a client left")?;
    }
    Ok(())
}

/// A download and an echo stream at the same time: neither starves.
fn http_and_echo_together(world: &mut Sockets) -> Result<()> {
    let data = host_peer::contents::random(4, 4 << 20);
    let stream = world.connect_echo()?;
    let http = connect(world.http)?;
    thread::scope(|scope| {
        let echoing = scope.spawn(|| echo(&stream, &data).context("the echo"));
        let mut connection = host_peer::http::Connection::new(http);
        let loaded = get_bytes(&mut connection, 8 << 20).context("the download");
        join(echoing).and(loaded)
    })
}
