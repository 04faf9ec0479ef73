// SPDX-License-Identifier: BSD-2-Clause
//! Making a protection domain of the test image fault, and what must be true afterwards.

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::echoing::echo;
use super::http_resources::{get_bytes, stats};
use crate::boot::until;
use crate::world::{Sockets, TIMEOUT};

/// Every protection domain but the supervisor, which watches the others.
pub const RESTARTABLE: [&str; 7] = [
    "timer_driver",
    "net_driver",
    "net_server",
    "echo_server",
    "http_server",
    "console",
    "rng_driver",
];
/// Between two faults of one protection domain: the supervisor parks one that faults too often.
pub const PAUSE: Duration = Duration::from_millis(300);

/// Makes a protection domain fault and waits until the supervisor says that it is ready again.
pub fn crash(world: &Sockets, pd: &str) -> Result<()> {
    let mark = world.console()?.mark();
    world.guest()?.type_line(&format!("crash {pd}"))?;
    let fault = format!("fault: {pd}:");
    let (line, _) = world
        .console()?
        .wait_for(mark, &[&fault], TIMEOUT)
        .with_context(|| format!("{pd} was told to crash"))?;
    ensure!(
        line.contains("ready after"),
        "{pd} did not come back: {line}"
    );
    Ok(())
}

/// Several faults one after the other.
pub fn crash_repeatedly(world: &Sockets, pd: &str, times: usize) -> Result<()> {
    for time in 1..=times {
        thread::sleep(PAUSE);
        crash(world, pd).with_context(|| format!("fault {time}"))?;
    }
    Ok(())
}

/// Datagrams are answered. To be waited for before there is a connection: the first segment of one
/// that comes while net_server starts is lost, and QEMU's user network repeats it after 6 s.
pub fn answers_again(world: &Sockets) -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(world.echo)?;
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    until(world.guest()?, || {
        socket.send(b"there?")?;
        socket.recv(&mut [0; 8])?;
        Ok(())
    })
    .context("the echo of datagrams is not back")
}

/// New connections are served, if need be after some attempts.
pub fn serves_again(world: &Sockets) -> Result<()> {
    let guest = world.guest()?;
    answers_again(world)?;
    until(guest, || echo(&world.connect_echo()?, b"still there?"))
        .context("the echo service is not back")?;
    until(guest, || get_bytes(&mut world.connect_http()?, 20_000))
        .context("the HTTP server is not back")
}

/// A counter of one protection domain, from `/stats.json`.
pub fn counter(world: &Sockets, pd: &str, name: &str) -> Result<f64> {
    let end = format!("/{name}");
    stats(world)?
        .iter()
        .find(|(path, _)| path.contains(pd) && path.ends_with(&end))
        .map(|(_, n)| *n)
        .with_context(|| format!("{pd} has no counter {name}"))
}

/// No fault was seen but those of one protection domain.
pub fn only_faults_of(world: &Sockets, pd: &str) -> Result<()> {
    let own = format!("fault: {pd}:");
    let lines = world.console()?.lines_since(Default::default());
    let other = lines
        .iter()
        .find(|line| line.contains("fault:") && !line.contains(&own));
    ensure!(
        other.is_none(),
        "another fault: {}",
        other.map_or("", String::as_str)
    );
    Ok(())
}
