// SPDX-License-Identifier: BSD-2-Clause
//! The driver faults under load: no connection notices.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use host_peer::contents;

use super::echoing::{echo, join};
use super::faulting::{crash_repeatedly, only_faults_of, serves_again};
use super::http_resources::get_bytes;
use crate::suite::{Test, test_list};
use crate::world::Sockets;

pub const TESTS: &[Test] = test_list![Faults:
    fault_of_net_driver_loses_no_byte_of_an_echo,
    fault_of_net_driver_keeps_idle_connections,
    fault_of_net_driver_during_a_download,
];

const FAULTS: usize = 5;
const MIB: usize = 1 << 20;

/// Echo streams run from before the first fault until after the last; every byte is compared.
fn fault_of_net_driver_loses_no_byte_of_an_echo(world: &mut Sockets) -> Result<()> {
    let data = contents::random(1, 2 * MIB);
    let streams = [
        world.connect_echo()?,
        world.connect_echo()?,
        world.connect_echo()?,
    ];
    let done = AtomicBool::new(false);
    let world = &*world;
    thread::scope(|scope| {
        let echoing: Vec<_> = streams
            .iter()
            .map(|stream| {
                let (data, done) = (&data, &done);
                scope.spawn(move || {
                    let mut rounds = 0;
                    while !done.load(Ordering::Relaxed) {
                        echo(stream, data).with_context(|| format!("round {rounds}"))?;
                        rounds += 1;
                    }
                    // And once more with the driver left in peace.
                    echo(stream, data).context("after the last fault")
                })
            })
            .collect();
        let crashed = crash_repeatedly(world, "net_driver", FAULTS);
        done.store(true, Ordering::Relaxed);
        crashed?;
        echoing.into_iter().try_for_each(join)
    })?;
    only_faults_of(world, "net_driver")
}

fn fault_of_net_driver_keeps_idle_connections(world: &mut Sockets) -> Result<()> {
    let streams = (0..16)
        .map(|_| world.connect_echo())
        .collect::<Result<Vec<_>>>()?;
    for stream in &streams {
        echo(stream, b"before")?;
    }
    let mut http = world.connect_http()?;
    get_bytes(&mut http, 1000)?;
    crash_repeatedly(world, "net_driver", 2)?;
    for (number, stream) in streams.iter().enumerate() {
        echo(stream, b"after").with_context(|| format!("connection {number}"))?;
    }
    get_bytes(&mut http, 1000).context("HTTP connection")?;
    serves_again(world)
}

fn fault_of_net_driver_during_a_download(world: &mut Sockets) -> Result<()> {
    let mut http = world.connect_http()?;
    let done = AtomicBool::new(false);
    let world = &*world;
    thread::scope(|scope| {
        let loading = scope.spawn(|| {
            let mut rounds = 0;
            while !done.load(Ordering::Relaxed) || rounds == 0 {
                get_bytes(&mut http, 8 << 20).with_context(|| format!("download {rounds}"))?;
                rounds += 1;
            }
            Ok(rounds)
        });
        let crashed = crash_repeatedly(world, "net_driver", FAULTS);
        done.store(true, Ordering::Relaxed);
        crashed?;
        let rounds = join(loading)?;
        ensure!(rounds > 0, "no download came to its end");
        Ok(())
    })
}
