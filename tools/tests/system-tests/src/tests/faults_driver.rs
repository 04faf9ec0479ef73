// SPDX-License-Identifier: BSD-2-Clause
//! The driver faults under load: no connection notices.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use host_peer::contents;

use super::echoing::{echo, echo_during, join};
use super::faulting::{counter, crash, crash_repeatedly, only_faults_of, serves_again};
use super::http_resources::{get_bytes, stats};
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT};

pub const TESTS: &[Test] = test_list![Faults:
    fault_of_net_driver_loses_no_byte_of_an_echo,
    fault_of_net_driver_keeps_idle_connections,
    fault_of_net_driver_during_a_download,
    fault_of_net_driver_loses_no_frame,
    fault_of_either_leaves_the_devices_filter,
    pulled_cable_is_told_of,
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
    echo_during(&streams, &data, || {
        crash_repeatedly(world, "net_driver", FAULTS)
    })?;
    only_faults_of(world, "net_driver")
}

/// The device is told again which frames to receive, after a fault of the driver and after one of
/// the server.
fn fault_of_either_leaves_the_devices_filter(world: &mut Sockets) -> Result<()> {
    for pd in ["net_driver", "net_server"] {
        let before = counter(world, "net_driver", "filters_set")?;
        crash(world, pd)?;
        serves_again(world)?;
        let after = counter(world, "net_driver", "filters_set")?;
        ensure!(after > before, "{pd}: {before} filters, then {after}");
    }
    let groups = counter(world, "net_driver", "filter_groups")?;
    ensure!(groups >= 2.0, "{groups} groups");
    let refused = counter(world, "net_driver", "filters_refused")?;
    ensure!(refused == 0.0, "{refused} commands were refused");
    Ok(())
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

/// Faults in a row, and how many of them may cost datagrams. A driver that does not look for what
/// its earlier life had received loses some at nearly every fault. QEMU itself loses what arrives
/// between the reset of the device and its start, which is short.
const FAULTS_IN_A_ROW: usize = 20;
const MAY_LOSE: usize = 5;
/// Datagrams under way at once: fewer than any queue on the way holds.
const WINDOW: u64 = 16;
/// After this time without an answer one more datagram is sent: what is lost is seen by what comes
/// after it, not by the time.
const NUDGE: Duration = Duration::from_millis(500);

/// Numbered datagrams go back and forth all the time. Nothing on the way reorders them, so a number
/// that is passed over is lost: no retransmission hides it, as it would on a connection.
fn fault_of_net_driver_loses_no_frame(world: &mut Sockets) -> Result<()> {
    let done = AtomicBool::new(false);
    let world = &*world;
    let gaps = thread::scope(|scope| {
        let counting = scope.spawn(|| count_gaps(world.echo, &done));
        let crashed = crash_repeatedly(world, "net_driver", FAULTS_IN_A_ROW);
        done.store(true, Ordering::Relaxed);
        crashed?;
        join(counting)
    })?;
    ensure!(
        gaps <= MAY_LOSE,
        "{gaps} of {FAULTS_IN_A_ROW} faults cost datagrams"
    );
    let stats = stats(world)?;
    let recovered = stats
        .iter()
        .find(|(path, _)| path.ends_with("/rx_recovered"))
        .context("no counter rx_recovered")?;
    ensure!(*recovered.1 > 0.0, "no frame was found in the queues");
    only_faults_of(world, "net_driver")
}

/// Sends numbers and takes their echoes until `done`, and until one sent after that has come back.
/// Returns how often numbers were missing.
fn count_gaps(echo: SocketAddr, done: &AtomicBool) -> Result<usize> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(echo)?;
    socket.set_read_timeout(Some(NUDGE))?;
    let mut sent = 0u64;
    let mut send = || {
        sent += 1;
        socket.send(&sent.to_le_bytes()).map(|_| sent)
    };
    let mut next = 1;
    let mut newest = send()?;
    let mut gaps = 0;
    let mut last = u64::MAX;
    while next <= last {
        if last == u64::MAX && done.load(Ordering::Relaxed) {
            last = send()?;
            newest = last;
        }
        let mut answer = [0; 8];
        match socket.recv(&mut answer) {
            Ok(8) => {
                let number = u64::from_le_bytes(answer);
                ensure!(number <= newest, "number {number} was never sent");
                // A frame to be sent may go out twice; what was seen is no news.
                gaps += usize::from(number > next);
                next = next.max(number + 1);
            }
            Ok(n) => anyhow::bail!("{n} bytes came back that were never sent"),
            Err(error) if error.kind() == ErrorKind::WouldBlock => newest = send()?,
            Err(error) => return Err(error).context("cannot receive"),
        }
        while last == u64::MAX && newest < next + WINDOW {
            newest = send()?;
        }
    }
    Ok(gaps)
}

/// The device says that its link is down, and then up again: both PDs say so, and connections go
/// on.
fn pulled_cable_is_told_of(world: &mut Sockets) -> Result<()> {
    let stream = world.connect_echo()?;
    echo(&stream, b"before")?;
    let guest = world.guest()?;
    for (order, state) in [("off", "down"), ("on", "up")] {
        let mark = guest.console().mark();
        guest.command_monitor(&format!("set_link netdev0 {order}"))?;
        for line in [
            format!("net_driver: link {state}"),
            format!("link is {state}"),
        ] {
            guest.console().wait_for(mark, &[&line], TIMEOUT)?;
        }
    }
    echo(&stream, b"after").context("the old connection")?;
    serves_again(world)
}
