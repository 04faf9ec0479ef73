// SPDX-License-Identifier: BSD-2-Clause
//! The random number generator: with its device net_server has a key that nobody can guess, also
//! after faults; without it everything runs, and the log says what is weaker.

use std::thread;

use anyhow::{Context, Result, ensure};

use super::echoing::echo;
use super::faulting::{PAUSE, crash, crash_repeatedly, serves_again};
use super::http_resources::stats;
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT, WithoutRng};

pub const WITH_DEVICE: &[Test] = test_list![Faults:
    key_comes_from_the_device,
    fault_of_rng_driver_is_followed_by_another_seed,
    fault_of_rng_driver_and_net_server_at_once,
];
pub const WITHOUT_DEVICE: &[Test] = test_list![FaultsWithoutRng:
    without_rng_everything_runs_and_the_log_warns,
];

/// Where net_server's key is from, in its log.
const STRONG: &str = "net_server: key from rng_driver";
const WEAK: &str = "can be guessed";

/// Lines of net_server about its key so far: strong and weak ones.
fn keys(world: &Sockets) -> Result<(usize, usize)> {
    let lines = world.console()?.lines_since(Default::default());
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    Ok((count(STRONG), count(WEAK)))
}

fn counter(world: &Sockets, name: &str) -> Result<f64> {
    let stats = stats(world)?;
    stats
        .iter()
        .find(|(path, _)| path.contains("rng_driver") && path.ends_with(name))
        .map(|(_, n)| *n)
        .with_context(|| format!("/stats.json has no {name} of rng_driver"))
}

fn key_comes_from_the_device(world: &mut Sockets) -> Result<()> {
    ensure!(keys(world)? == (1, 0), "keys: {:?}", keys(world)?);
    ensure!(counter(world, "/seeds")? == 1.0, "there was no seed");
    ensure!(counter(world, "/device_errors")? == 0.0, "device errors");
    // Another life of net_server has another key, of the same seed.
    crash_repeatedly(world, "net_server", 1)?;
    serves_again(world)?;
    ensure!(keys(world)? == (2, 0), "keys: {:?}", keys(world)?);
    ensure!(counter(world, "/bytes_out")? == 64.0, "not two keys");
    ensure!(counter(world, "/seeds")? == 1.0, "more than one seed");
    Ok(())
}

/// Nobody notices the fault, and the next one who asks gets bytes of another seed.
fn fault_of_rng_driver_is_followed_by_another_seed(world: &mut Sockets) -> Result<()> {
    for round in 1..=3 {
        let stream = world.connect_echo()?;
        crash_repeatedly(world, "rng_driver", 1)?;
        echo(&stream, b"still there?").context("a connection of before")?;
        ensure!(
            keys(world)? == (round, 0),
            "before the fault: {:?}",
            keys(world)?
        );
        crash_repeatedly(world, "net_server", 1)?;
        serves_again(world).with_context(|| format!("round {round}"))?;
        ensure!(
            keys(world)? == (round + 1, 0),
            "after it: {:?}",
            keys(world)?
        );
        let seeds = counter(world, "/seeds")?;
        ensure!(seeds == (round + 1) as f64, "{seeds} seeds, round {round}");
    }
    Ok(())
}

/// net_server asks while its neighbour is being restarted, and has the patience to ask again.
fn fault_of_rng_driver_and_net_server_at_once(world: &mut Sockets) -> Result<()> {
    for round in 1..=5 {
        thread::sleep(PAUSE);
        let mark = world.console()?.mark();
        let order = match round % 2 {
            0 => ["net_server", "rng_driver"],
            _ => ["rng_driver", "net_server"],
        };
        world
            .guest()?
            .type_line(&order.map(|pd| format!("crash {pd}")).join("\n"))?;
        for pd in order {
            let fault = format!("fault: {pd}:");
            world
                .console()?
                .wait_for(mark, &[&fault, "ready after"], TIMEOUT)?;
        }
        serves_again(world).with_context(|| format!("round {round}"))?;
        ensure!(
            keys(world)? == (round + 1, 0),
            "round {round}: {:?}",
            keys(world)?
        );
    }
    Ok(())
}

fn without_rng_everything_runs_and_the_log_warns(world: &mut WithoutRng) -> Result<()> {
    let world = &world.0;
    let driver = "rng_driver: warning: no random number generator";
    world
        .console()?
        .wait_for(Default::default(), &[driver], TIMEOUT)?;
    ensure!(keys(world)? == (0, 1), "keys: {:?}", keys(world)?);
    serves_again(world)?;
    ensure!(counter(world, "/bytes_out")? == 0.0, "bytes from nowhere");
    // Neither waits for the device for ever, and both go on after faults.
    crash(world, "rng_driver")?;
    crash(world, "net_server")?;
    serves_again(world)?;
    ensure!(keys(world)? == (0, 2), "keys: {:?}", keys(world)?);
    Ok(())
}
