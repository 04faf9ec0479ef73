// SPDX-License-Identifier: BSD-2-Clause
//! Any protection domain faults at any time, many times, while all services are in use.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use host_peer::contents::{self, Mismatch};

use super::echoing::{echo, join};
use super::faulting::{RESTARTABLE, crash, serves_again};
use super::http_resources::get_bytes;
use crate::suite::{Test, test_list};
use crate::world::Sockets;

pub const TESTS: &[Test] = test_list![Faults: faults_of_random_pds_under_load];

const FAULTS: usize = 40;
/// Clients of each kind.
const CLIENTS: u64 = 3;
/// A client that has got nothing for this time tries another connection. It cannot wait for a
/// reset: if its bytes had been acknowledged by a server that has forgotten them, none will come.
const PATIENCE: Duration = Duration::from_secs(3);

/// Connections may end; bytes may not differ, and in the end everything serves.
fn faults_of_random_pds_under_load(world: &mut Sockets) -> Result<()> {
    let seed = fastrand::u64(..);
    run(world, &mut fastrand::Rng::with_seed(seed)).with_context(|| format!("seed {seed:#x}"))
}

/// What the clients and the one that makes faults tell each other.
#[derive(Default)]
struct Progress {
    over: AtomicBool,
    echoes: AtomicU64,
    downloads: AtomicU64,
}

impl Progress {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

fn run(world: &Sockets, random: &mut fastrand::Rng) -> Result<()> {
    let progress = Progress::default();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .flat_map(|seed| {
                let progress = &progress;
                let echoing = move || echo_until_over(world, progress, seed);
                let loading = move || download_until_over(world, progress);
                [
                    scope.spawn(move || again_until_over(progress, echoing)),
                    scope.spawn(move || again_until_over(progress, loading)),
                ]
            })
            .collect();
        let crashed = (1..=FAULTS).try_for_each(|number| {
            thread::sleep(Duration::from_millis(random.u64(50..300)));
            let pd = random
                .choice(RESTARTABLE)
                .context("nothing to choose from")?;
            crash(world, pd).with_context(|| format!("fault {number}, of {pd}"))
        });
        progress.over.store(true, Ordering::Relaxed);
        crashed?;
        clients.into_iter().try_for_each(join)
    })?;
    ensure!(progress.echoes.into_inner() > 0, "no echo in all the time");
    ensure!(
        progress.downloads.into_inner() > 0,
        "no download in all the time"
    );
    serves_again(world)
}

/// Uses one connection after the other. What ends a connection is no error, wrong contents are.
fn again_until_over(progress: &Progress, use_one: impl Fn() -> Result<()>) -> Result<()> {
    while !progress.is_over() {
        match use_one() {
            Err(error) if error.is::<Mismatch>() => return Err(error),
            _ => thread::sleep(Duration::from_millis(20)),
        }
    }
    Ok(())
}

fn echo_until_over(world: &Sockets, progress: &Progress, seed: u64) -> Result<()> {
    let data = contents::random(seed, 30_000);
    let stream = world.connect_echo()?;
    stream.set_read_timeout(Some(PATIENCE))?;
    while !progress.is_over() {
        echo(&stream, &data)?;
        progress.echoes.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn download_until_over(world: &Sockets, progress: &Progress) -> Result<()> {
    let mut connection = world.connect_http()?;
    connection.stream().set_read_timeout(Some(PATIENCE))?;
    while !progress.is_over() {
        get_bytes(&mut connection, 50_000)?;
        progress.downloads.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
