// SPDX-License-Identifier: BSD-2-Clause
//! The ends of TCP connections: orderly, half, by a reset, and before they began.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use anyhow::{Context, Result, bail};
use host_peer::{contents, socket};

use super::echoing::{echo, expect, expect_end, is_disconnection, join};
use crate::suite::{Test, test_list};
use crate::world::{Sockets, connect};

pub const TESTS: &[Test] = test_list![Sockets:
    tcp_half_close_gets_the_rest,
    tcp_half_close_of_a_long_stream,
    tcp_close_without_a_byte,
    tcp_reset_disturbs_nobody,
    tcp_closed_port_refuses,
];

const KIB: usize = 1024;

/// Everything sent, then the end of sending, and only then reading: the rest and the end come.
fn tcp_half_close_gets_the_rest(world: &mut Sockets) -> Result<()> {
    for (seed, size) in (0..).zip([1, 1000, 16 * KIB, 60 * KIB]) {
        let data = contents::random(seed, size);
        let mut stream = world.connect_echo()?;
        stream.write_all(&data)?;
        stream.shutdown(Shutdown::Write)?;
        expect(&stream, &data)
            .and_then(|()| expect_end(&stream))
            .with_context(|| format!("{size} bytes"))?;
    }
    Ok(())
}

fn tcp_half_close_of_a_long_stream(world: &mut Sockets) -> Result<()> {
    let data = contents::random(5, 4096 * KIB);
    let stream = world.connect_echo()?;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (&stream).write_all(&data).context("cannot send")?;
            stream
                .shutdown(Shutdown::Write)
                .context("cannot end sending")
        });
        let read = expect(&stream, &data).and_then(|()| expect_end(&stream));
        if read.is_err() {
            // The writer may wait for room that nobody will make.
            let _ = stream.shutdown(Shutdown::Both);
        }
        let written = join(writer);
        read.and(written)
    })
}

fn tcp_close_without_a_byte(world: &mut Sockets) -> Result<()> {
    let stream = world.connect_echo()?;
    stream.shutdown(Shutdown::Write)?;
    expect_end(&stream)
}

/// Connections are reset in the middle of their streams while another one goes on.
fn tcp_reset_disturbs_nobody(world: &mut Sockets) -> Result<()> {
    let bystander = world.connect_echo()?;
    let data = contents::random(1, 2048 * KIB);
    thread::scope(|scope| {
        let bystander = scope.spawn(|| echo(&bystander, &data).context("the bystander"));
        for seed in 0..30 {
            let stream = world.connect_echo()?;
            reset_in_the_middle(stream, seed).with_context(|| format!("reset {seed}"))?;
        }
        join(bystander)
    })?;
    echo(&world.connect_echo()?, b"after the resets")
}

fn reset_in_the_middle(mut stream: TcpStream, seed: u64) -> Result<()> {
    let data = contents::random(seed, 20 * KIB);
    stream.write_all(&data)?;
    // Odd ones have read a part, even ones nothing.
    if seed % 2 == 1 {
        stream.read_exact(&mut [0; 1000])?;
    }
    Ok(socket::abort(stream)?)
}

/// QEMU takes the connection on the host before it asks the guest: the refusal shows as the end
/// of the connection without a byte.
fn tcp_closed_port_refuses(world: &mut Sockets) -> Result<()> {
    for _ in 0..5 {
        let mut stream = match connect(world.closed) {
            Ok(stream) => stream,
            Err(e) => match e.downcast_ref::<std::io::Error>() {
                Some(e) if is_disconnection(e.kind()) => continue,
                _ => return Err(e),
            },
        };
        match stream.read(&mut [0; 16]) {
            Ok(0) => {}
            Ok(n) => bail!("{n} bytes came from a port that nobody listens on"),
            Err(e) if is_disconnection(e.kind()) => {}
            Err(e) => return Err(e).context("the connection is not refused"),
        }
    }
    echo(&world.connect_echo()?, b"after the refusals")
}
