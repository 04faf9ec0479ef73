// SPDX-License-Identifier: BSD-2-Clause
//! A protection domain faults again and again: it is parked, its callers and peers are answered,
//! and it comes back.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use qemu_harness::Mark;

use super::echoing::{echo, expect_gone};
use super::faulting::{counter, crash, only_faults_of, serves_again};
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT};

pub const TESTS: &[Test] = test_list![Faults:
    sixty_faults_of_net_driver_at_twelve_a_second,
    sixty_faults_of_timer_driver_at_twelve_a_second,
    callers_of_a_parked_net_server_are_answered,
    a_parked_client_refuses_its_peers,
    starts_that_fail_are_tried_again_until_one_succeeds,
];

/// Twelve faults a second.
const PAUSE: Duration = Duration::from_millis(83);
const FAULTS: usize = 60;
/// What the supervisor says of a protection domain that it parks, and when it starts it again.
const PARKED: &str = "it faults too often";
const TRIED_AGAIN: &str = "is tried again";

/// Makes a protection domain fault until it is parked. Returns the place behind the line that says
/// so.
fn park(world: &Sockets, pd: &str) -> Result<Mark> {
    let console = world.console()?;
    let mark = console.mark();
    let fault = format!("fault: {pd}:");
    for _ in 0..FAULTS {
        world.guest()?.type_line(&format!("crash {pd}"))?;
        let wait = console.wait_for(mark, &[&fault, PARKED], PAUSE);
        if let Ok((_, mark)) = wait {
            return Ok(mark);
        }
    }
    let (_, mark) = console.wait_for(mark, &[&fault, PARKED], PAUSE)?;
    Ok(mark)
}

/// Waits until a parked protection domain is ready.
fn comes_back(world: &Sockets, mark: Mark, pd: &str) -> Result<()> {
    let fault = format!("fault: {pd}:");
    world
        .console()?
        .wait_for(mark, &[&fault, "ready after"], TIMEOUT)
        .with_context(|| format!("{pd} is not started again"))?;
    Ok(())
}

fn sixty_faults(world: &Sockets, pd: &str) -> Result<()> {
    let console = world.console()?;
    let mark = console.mark();
    for _ in 0..FAULTS {
        world.guest()?.type_line(&format!("crash {pd}"))?;
        thread::sleep(PAUSE);
    }
    let fault = format!("fault: {pd}:");
    let (_, parked) = console
        .wait_for(mark, &[&fault, PARKED], TIMEOUT)
        .context("nothing backs off")?;
    comes_back(world, parked, pd)?;
    serves_again(world)?;
    // It has its whole life before it: a single fault is dealt with at once again.
    thread::sleep(Duration::from_secs(5));
    crash(world, pd)?;
    serves_again(world)?;
    only_faults_of(world, pd)
}

fn sixty_faults_of_net_driver_at_twelve_a_second(world: &mut Sockets) -> Result<()> {
    sixty_faults(world, "net_driver")
}

/// Without it nothing times out, and nothing else is missed.
fn sixty_faults_of_timer_driver_at_twelve_a_second(world: &mut Sockets) -> Result<()> {
    let mark = park(world, "timer_driver")?;
    echo(&world.connect_echo()?, b"no timer").context("without a timer driver")?;
    let mut half = world.connect_http()?;
    half.send(b"GET / HT")?;
    comes_back(world, mark, "timer_driver")?;
    expect_gone(half.stream()).context("a timeout that was asked for meanwhile")?;
    sixty_faults(world, "timer_driver")
}

/// Both clients are started while the server is down: neither hangs in its first call.
fn callers_of_a_parked_net_server_are_answered(world: &mut Sockets) -> Result<()> {
    let mut mark = park(world, "net_server")?;
    let console = world.console()?;
    for pd in ["echo_server", "http_server"] {
        // The server may have come back in between.
        let again = console.lines_since(mark);
        if again.iter().any(|line| line.contains(TRIED_AGAIN)) {
            mark = park(world, "net_server")?;
        }
        world.guest()?.type_line(&format!("crash {pd}"))?;
        // It says something, or says that it is ready: it has got an answer.
        let (_, _) = console
            .wait_for(mark, &[&format!("fault: {pd}:")], TIMEOUT)
            .with_context(|| format!("{pd} hangs in a call to net_server"))?;
    }
    comes_back(world, mark, "net_server")?;
    serves_again(world)
}

/// Its ports are closed, its connections reset; no peer waits for somebody who is not there.
fn a_parked_client_refuses_its_peers(world: &mut Sockets) -> Result<()> {
    let old = world.connect_echo()?;
    echo(&old, b"before")?;
    let mark = park(world, "echo_server")?;
    expect_gone(&old).context("the connection from before")?;
    let new = world.connect_echo()?;
    expect_gone(&new).context("a connection while it is parked")?;
    comes_back(world, mark, "echo_server")?;
    serves_again(world)?;
    only_faults_of(world, "echo_server")
}

/// As long as net_server is parked a client cannot start, however often it is tried.
fn starts_that_fail_are_tried_again_until_one_succeeds(world: &mut Sockets) -> Result<()> {
    let console = world.console()?;
    let begin = console.mark();
    // Each time that it is tried again it faults at once.
    let mut mark = park(world, "net_server")?;
    world.guest()?.type_line("crash echo_server")?;
    for _ in 0..2 {
        mark = park(world, "net_server")?;
    }
    comes_back(world, mark, "net_server")?;
    serves_again(world)?;
    let tries = console
        .lines_since(begin)
        .iter()
        .filter(|line| line.contains("echo_server has faulted"))
        .count();
    // Some at once; the rest of the time, which is seconds, is not filled with tries.
    ensure!((1..40).contains(&tries), "{tries} starts at once");
    let parked = counter(world, "supervisor", "parked")?;
    ensure!(parked == 0.0, "{parked} protection domains are parked");
    Ok(())
}
