// SPDX-License-Identifier: BSD-2-Clause
//! Many connections that want everything, or nothing: others that come are served.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};

use super::echoing::{echo, join};
use super::http_resources::{expect_status, get_bytes, stats};
use crate::suite::{Test, test_list};
use crate::world::{Sockets, connect};

pub const TESTS: &[Test] = test_list![Sockets:
    crowd_that_pipelines_without_end,
    crowd_of_silent_http_connections,
    crowd_of_readers_that_do_not_read,
    crowd_of_silent_echo_connections,
];

/// More than there are workers, and than may wait for one.
const HTTP_CROWD: usize = 136;
/// More than the echo service has at once, and a few that wait.
const ECHO_CROWD: usize = 136;

/// Requests beside clients that are busy.
const REQUESTS: usize = 20;
/// Responses that the busy ones may have had on average when a request is answered: some round
/// trips' worth, and what lies in buffers.
const MEANWHILE: usize = 2000;

/// A counter of the HTTP server or the echo server.
fn counter(world: &Sockets, pd: &str, name: &str) -> Result<f64> {
    let path = format!("/pds/{pd}/counters/{name}");
    let stats = stats(world)?;
    stats
        .get(&path)
        .copied()
        .with_context(|| format!("no {path}"))
}

/// Sends requests as fast as they are taken and counts the responses, until `stop`.
fn pipeline(stream: &TcpStream, stop: &AtomicBool, answered: &AtomicUsize) -> Result<()> {
    const REQUEST: &[u8] = b"HEAD / HTTP/1.1\r\nHost: isthmus\r\n\r\n";
    const ANSWER: &[u8] = b"HTTP/1.1 200";
    thread::scope(|scope| {
        let sending = scope.spawn(|| -> Result<()> {
            let requests = REQUEST.repeat(1000);
            while !stop.load(Ordering::Relaxed) {
                let mut stream = stream;
                if let Err(error) = stream.write_all(&requests) {
                    // The other thread ends it while this one waits for room.
                    ensure!(stop.load(Ordering::Relaxed), "cannot send: {error}");
                }
            }
            Ok(())
        });
        let mut stream = stream;
        let mut buffer = vec![0; 1 << 16];
        while !stop.load(Ordering::Relaxed) {
            let count = stream.read(&mut buffer).context("cannot read")?;
            ensure!(count > 0, "the server ended a connection that is busy");
            let piece = buffer.get(..count).unwrap_or_default();
            let found = piece.windows(ANSWER.len()).filter(|w| *w == ANSWER).count();
            answered.fetch_add(found, Ordering::Relaxed);
        }
        stream.shutdown(Shutdown::Both)?;
        join(sending)
    })
}

/// Four clients that ask without waiting for answers do not keep others from theirs, and each of
/// them gets its share.
fn crowd_that_pipelines_without_end(world: &mut Sockets) -> Result<()> {
    let stop = AtomicBool::new(false);
    let answered: Vec<AtomicUsize> = (0..4).map(|_| AtomicUsize::new(0)).collect();
    let counts = || -> Vec<usize> { answered.iter().map(|n| n.load(Ordering::Relaxed)).collect() };
    let mut meanwhile = 0;
    // All are there before one begins: QEMU's user network may let a connection wait for a second.
    let pace = world.connect_echo()?;
    let streams = silent(world.http, answered.len(), || echo(&pace, b"."))?;
    thread::scope(|scope| {
        let busy: Vec<_> = answered
            .iter()
            .zip(streams)
            .map(|(answered, stream)| {
                let stop = &stop;
                scope.spawn(move || pipeline(&stream, stop, answered))
            })
            .collect();
        let result = (0..REQUESTS).try_for_each(|number| {
            let before = counts();
            get_bytes(&mut world.connect_http()?, 1000)
                .with_context(|| format!("request {number} beside the busy ones"))?;
            meanwhile += counts().iter().sum::<usize>() - before.iter().sum::<usize>();
            // The busy ones have gone on meanwhile, or do so soon.
            while counts()
                .iter()
                .zip(&before)
                .any(|(now, before)| now <= before)
            {
                ensure!(
                    busy.iter().all(|thread| !thread.is_finished()),
                    "a busy one has failed"
                );
                thread::yield_now();
            }
            Ok(())
        });
        stop.store(true, Ordering::Relaxed);
        result.and(busy.into_iter().try_for_each(join))
    })?;
    ensure!(
        meanwhile < REQUESTS * MEANWHILE,
        "{meanwhile} responses to the busy ones while {REQUESTS} requests waited"
    );
    let counts = counts();
    let (least, most) = (counts.iter().min(), counts.iter().max());
    ensure!(
        least
            .zip(most)
            .is_some_and(|(least, most)| least * 2 > *most),
        "unequal shares: {counts:?}"
    );
    Ok(())
}

/// Opens connections that say nothing. QEMU's user network listens with a backlog of 1, hence a
/// round trip between two of them.
fn silent(
    to: SocketAddr,
    count: usize,
    mut round_trip: impl FnMut() -> Result<()>,
) -> Result<Vec<TcpStream>> {
    (0..count)
        .map(|number| {
            let stream = connect(to).with_context(|| format!("connection {number}"))?;
            round_trip().context("on another connection")?;
            Ok(stream)
        })
        .collect()
}

fn crowd_of_silent_http_connections(world: &mut Sockets) -> Result<()> {
    let before = counter(world, "http_server", "connections_displaced")?;
    let pace = world.connect_echo()?;
    let silent = silent(world.http, HTTP_CROWD, || echo(&pace, b"."))?;
    for _ in 0..5 {
        get_bytes(&mut world.connect_http()?, 2000).context("beside silent connections")?;
    }
    let after = counter(world, "http_server", "connections_displaced")?;
    ensure!(
        after > before,
        "they were waited for, instead of one of them making room"
    );
    drop(silent);
    Ok(())
}

fn crowd_of_readers_that_do_not_read(world: &mut Sockets) -> Result<()> {
    let mut slow = Vec::new();
    for number in 0..70 {
        let mut connection = world.connect_http()?;
        connection.send(host_peer::http::get_request("/bytes/1073741824").as_bytes())?;
        let head = connection
            .head()
            .with_context(|| format!("download {number}"))?;
        expect_head(head.status)?;
        slow.push(connection);
    }
    for _ in 0..5 {
        expect_status(&world.connect_http()?.get("/")?, 200)?;
    }
    ensure!(
        counter(world, "http_server", "connections_displaced")? > 0.0,
        "nobody made room"
    );
    Ok(())
}

fn expect_head(status: u16) -> Result<()> {
    ensure!(status == 200, "status {status}");
    Ok(())
}

fn crowd_of_silent_echo_connections(world: &mut Sockets) -> Result<()> {
    let mut pace = world.connect_http()?;
    let silent = silent(world.echo, ECHO_CROWD, || get_bytes(&mut pace, 1))?;
    let data = host_peer::contents::random(9, 100_000);
    for _ in 0..5 {
        echo(&world.connect_echo()?, &data).context("beside silent connections")?;
    }
    ensure!(
        counter(world, "echo_server", "connections_displaced")? > 0.0,
        "nobody made room"
    );
    drop(silent);
    Ok(())
}
