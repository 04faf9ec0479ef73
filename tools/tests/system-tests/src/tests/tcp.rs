// SPDX-License-Identifier: BSD-2-Clause
//! TCP echo: sizes, many connections, readers that take their time.

use std::io::Write;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use host_peer::{contents, socket};

use super::echoing::{echo, expect, join};
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT};

pub const TESTS: &[Test] = test_list![Sockets:
    tcp_echo_small_sizes,
    tcp_echo_16_mib,
    tcp_echo_byte_by_byte,
    tcp_64_connections_at_once,
    tcp_300_connections_one_after_the_other,
    tcp_slow_reader_keeps_its_bytes,
];

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Round a segment (1460 bytes), the smallest window without scaling (65535) and buffers.
const SIZES: [usize; 16] = [
    1, 2, 3, 7, 63, 64, 512, 1459, 1460, 1461, 2921, 4096, 65_535, 65_536, 65_537, MIB,
];

fn tcp_echo_small_sizes(world: &mut Sockets) -> Result<()> {
    let stream = world.connect_echo()?;
    for (seed, size) in (0..).zip(SIZES) {
        echo(&stream, &contents::random(seed, size)).with_context(|| format!("{size} bytes"))?;
    }
    Ok(())
}

fn tcp_echo_16_mib(world: &mut Sockets) -> Result<()> {
    echo(&world.connect_echo()?, &contents::random(16, 16 * MIB))
}

fn tcp_echo_byte_by_byte(world: &mut Sockets) -> Result<()> {
    let stream = world.connect_echo()?;
    contents::random(8, 200)
        .chunks(1)
        .try_for_each(|byte| echo(&stream, byte))
}

fn tcp_64_connections_at_once(world: &mut Sockets) -> Result<()> {
    const SIZE: usize = 96 * KIB;
    // QEMU's user network listens with a backlog of 1: open them one by one, use them at once.
    let mut streams = Vec::new();
    for number in 0..64u64 {
        let stream = world.connect_echo()?;
        echo(&stream, &number.to_le_bytes()).with_context(|| format!("connection {number}"))?;
        streams.push(stream);
    }
    thread::scope(|scope| {
        let threads: Vec<_> = streams
            .iter()
            .zip(1000..)
            .map(|(stream, seed)| scope.spawn(move || echo(stream, &contents::random(seed, SIZE))))
            .collect();
        (0..)
            .zip(threads)
            .try_for_each(|(i, thread)| join(thread).with_context(|| format!("connection {i}")))
    })
}

/// More than any table of sockets has room for: closed ones must be given back.
fn tcp_300_connections_one_after_the_other(world: &mut Sockets) -> Result<()> {
    for number in 0..300u64 {
        world
            .connect_echo()
            .and_then(|stream| echo(&stream, &number.to_le_bytes()))
            .with_context(|| format!("connection {number}"))?;
    }
    Ok(())
}

/// The sender is held back while nobody reads; nothing is lost, and others go on meanwhile.
fn tcp_slow_reader_keeps_its_bytes(world: &mut Sockets) -> Result<()> {
    let data = contents::random(77, 3 * MIB);
    let slow = socket::connect_with_buffers(world.echo, 16 * KIB, TIMEOUT)?;
    slow.set_read_timeout(Some(TIMEOUT))?;
    slow.set_write_timeout(Some(TIMEOUT))?;
    thread::scope(|scope| {
        let writer = scope.spawn(|| (&slow).write_all(&data).context("cannot send slowly"));
        thread::sleep(Duration::from_secs(1));
        let other = world.connect_echo()?;
        for seed in 0..10 {
            echo(&other, &contents::random(seed, 50 * KIB))
                .context("another connection while one does not read")?;
        }
        for piece in data.chunks(64 * KIB) {
            thread::sleep(Duration::from_millis(10));
            expect(&slow, piece).context("the slow reader")?;
        }
        join(writer)
    })
}
