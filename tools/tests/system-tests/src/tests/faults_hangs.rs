// SPDX-License-Identifier: BSD-2-Clause
//! A protection domain turns without end, the timer is stopped behind the timer driver's back, and
//! lines are written without end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use host_peer::contents;
use qemu_harness::Mark;

use super::echoing::{echo, echo_during, expect_gone};
use super::faulting::{RESTARTABLE, counter, only_faults_of, serves_again};
use crate::boot::until;
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT};

pub const TESTS: &[Test] = test_list![Faults:
    hang_of_every_pd_in_its_start,
    hang_of_net_server_in_the_middle_of_its_work,
    hang_of_echo_server_in_the_middle_of_its_work,
    a_stopped_comparator_delays_timeouts_and_loses_none,
    signals_without_end_are_a_fault,
    lines_that_others_cause_are_limited_and_counted,
    a_host_that_takes_the_processor_away_is_no_fault,
];

const HANGS: &str = "turns without end";

/// Waits until somebody notices that a protection domain hangs, and it is ready again.
fn is_noticed(world: &Sockets, mark: Mark, pd: &str) -> Result<()> {
    let words = [&*format!("fault: {pd}: {HANGS}"), "ready after"];
    world
        .console()?
        .wait_for(mark, &words, TIMEOUT)
        .with_context(|| format!("nobody notices that {pd} hangs"))?;
    Ok(())
}

fn hang_of_every_pd_in_its_start(world: &mut Sockets) -> Result<()> {
    for pd in RESTARTABLE {
        let mark = world.console()?.mark();
        world.guest()?.type_line(&format!("stall {pd}"))?;
        is_noticed(world, mark, pd)?;
        serves_again(world).with_context(|| format!("after {pd} has hung"))?;
    }
    let hangs = counter(world, "supervisor", "hangs")?;
    ensure!(
        hangs == RESTARTABLE.len() as f64,
        "{hangs} hangs counted: others were taken to hang, too"
    );
    Ok(())
}

/// Makes a protection domain hang in the middle of a turn: it is tried until it is met in one.
fn hang_in_a_turn(world: &Sockets, pd: &str) -> Result<()> {
    let console = world.console()?;
    for _ in 0..1000 {
        let mark = console.mark();
        world.guest()?.type_line(&format!("hang {pd}"))?;
        let (line, mark) = console.wait_for(mark, &["supervisor:", pd, "hang"], TIMEOUT)?;
        if line.contains("is made to hang") {
            return is_noticed(world, mark, pd);
        }
        thread::sleep(Duration::from_millis(7));
    }
    bail!("{pd} was never met at work")
}

/// The clients wait in calls to it, and those below it do not get the processor: only the server is
/// restarted.
fn hang_of_net_server_in_the_middle_of_its_work(world: &mut Sockets) -> Result<()> {
    hang_under_load(world, "net_server")
}

/// One of those that share a priority.
fn hang_of_echo_server_in_the_middle_of_its_work(world: &mut Sockets) -> Result<()> {
    hang_under_load(world, "echo_server")
}

fn hang_under_load(world: &Sockets, pd: &str) -> Result<()> {
    let data = contents::random(11, 1 << 20);
    let (data, done) = (&data, &AtomicBool::new(false));
    let exchange = || {
        let stream = world.connect_echo()?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.set_write_timeout(Some(Duration::from_millis(500)))?;
        echo(&stream, data)
    };
    let busy = || {
        while !done.load(Ordering::Relaxed) {
            // What becomes of these connections does not matter, only that they make work.
            let _ = exchange();
        }
    };
    thread::scope(|scope| {
        scope.spawn(busy);
        scope.spawn(busy);
        let hung = hang_in_a_turn(world, pd);
        done.store(true, Ordering::Relaxed);
        hung
    })?;
    serves_again(world)?;
    only_faults_of(world, pd)
}

/// Any protection domain can do that where the kernel leaves the timer open; where not, the one
/// that tries faults.
fn a_stopped_comparator_delays_timeouts_and_loses_none(world: &mut Sockets) -> Result<()> {
    for round in 0..2 {
        let mut half = world.connect_http()?;
        half.send(b"GET / HT")?;
        // The timeout has been asked for, and nothing else happens until it is over.
        thread::sleep(Duration::from_millis(500));
        world.guest()?.type_line("stop timer")?;
        expect_gone(half.stream())
            .with_context(|| format!("the timeout is lost, round {round}"))?;
    }
    serves_again(world)
}

/// The supervisor has a priority above all, so a PD that wakes it without need takes time from all.
fn signals_without_end_are_a_fault(world: &mut Sockets) -> Result<()> {
    let console = world.console()?;
    let mark = console.mark();
    world.guest()?.type_line("flood supervisor")?;
    console.wait_for(
        mark,
        &["fault: console: signals without end", "ready after"],
        TIMEOUT,
    )?;
    serves_again(world)
}

fn lines_that_others_cause_are_limited_and_counted(world: &mut Sockets) -> Result<()> {
    const COMMANDS: usize = 200;
    let console = world.console()?;
    let mark = console.mark();
    for _ in 0..COMMANDS {
        world.guest()?.type_line("crash nobody")?;
    }
    console.wait_for(mark, &["supervisor: ", "log lines suppressed"], TIMEOUT)?;
    // The commands take their time through the serial port.
    until(world.guest()?, || {
        let written = console
            .lines_since(mark)
            .iter()
            .filter(|line| line.contains("no such protection domain"))
            .count();
        let counted = counter(world, "supervisor", "log_lines_suppressed")?;
        ensure!(
            written < COMMANDS && counted == (COMMANDS - written) as f64,
            "{written} of {COMMANDS} lines written, {counted} counted as suppressed"
        );
        Ok(())
    })
}

/// Clocks go on while QEMU stands still: every timer is late, all at once, and nobody has hung.
fn a_host_that_takes_the_processor_away_is_no_fault(world: &mut Sockets) -> Result<()> {
    let data = contents::random(5, 1 << 20);
    let streams: Vec<_> = (0..8)
        .map(|_| world.connect_echo())
        .collect::<Result<_>>()?;
    echo_during(&streams, &data, || {
        [0.3, 6.0, 1.5].into_iter().try_for_each(|seconds| {
            thread::sleep(Duration::from_millis(300));
            world.guest()?.stall(Duration::from_secs_f64(seconds))
        })
    })?;
    only_faults_of(world, "nobody")?;
    serves_again(world)
}
