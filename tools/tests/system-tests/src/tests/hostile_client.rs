// SPDX-License-Identifier: BSD-2-Clause
//! A client that was taken over: the others are served all the same, and what it did is counted.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use host_peer::contents;

use super::echoing::{echo, expect_gone};
use super::faulting::{crash, serves_again};
use super::http_resources::{get_bytes, stats};
use super::udp::Peer;
use testnet::Conditions;

use crate::lan::Lan;
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT};

pub const TESTS: &[Test] = test_list![Faults:
    hostile_client_floods_with_datagrams,
    hostile_client_calls_without_pause,
    hostile_client_sends_nonsense,
    hostile_client_scribbles_in_its_window,
    hostile_client_ruins_its_log,
    hostile_client_overflows_its_stack,
    hostile_client_spins,
    hostile_client_talks_over_loopback,
];

pub const ON_A_LAN: &[Test] = test_list![Lan:
    lan_hostile_client_floods_a_slow_link,
];

/// How often the services are used while the client does its worst.
const EXCHANGES: u64 = 8;

/// The way to the hostile client.
pub struct Command(UdpSocket);

impl Command {
    /// Opens it.
    pub fn open(world: &Sockets) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(world.hostile)?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        Ok(Self(socket))
    }

    /// Gives a command, again each second, until it is said back.
    pub fn give(&self, command: &str) -> Result<()> {
        let deadline = Instant::now() + TIMEOUT;
        let mut buffer = [0; 2048];
        while Instant::now() < deadline {
            self.0.send(command.as_bytes())?;
            loop {
                match self.0.recv(&mut buffer) {
                    Ok(n) if &buffer[..n] == command.as_bytes() => return Ok(()),
                    Ok(_) => {}
                    Err(e) if is_silence(e.kind()) => break,
                    Err(e) => return Err(e).context("no answer of the hostile client"),
                }
            }
        }
        bail!("the hostile client does not answer to {command:?}");
    }

    /// Receives what it has to say about a command, which is not the command.
    fn hear(&self) -> Result<Vec<u8>> {
        let mut buffer = [0; 2048];
        loop {
            let count = self.0.recv(&mut buffer)?;
            if &buffer[..count] != b"talk" {
                return Ok(buffer[..count].to_vec());
            }
        }
    }
}

/// Nothing has come, or the last datagram found nobody.
fn is_silence(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused
    )
}

/// Old and new connections and datagrams, all with the right bytes.
pub fn others_are_served(world: &Sockets) -> Result<()> {
    let old = world.connect_echo()?;
    let mut datagrams = Peer::new(world.echo)?;
    for seed in 0..EXCHANGES {
        let data = contents::random(seed, 20_000);
        let one = || -> Result<()> {
            echo(&old, &data).context("an old connection")?;
            echo(&world.connect_echo()?, &data).context("a new connection")?;
            get_bytes(&mut world.connect_http()?, 50_000)
        };
        one().with_context(|| format!("exchange {seed}"))?;
        datagrams
            .exchange(&[contents::random(seed, 500)])
            .with_context(|| format!("datagram {seed}"))?;
    }
    Ok(())
}

/// Lets the client do something without end, and uses the services meanwhile and afterwards.
fn during(world: &Sockets, command: &str) -> Result<()> {
    let hostile = Command::open(world)?;
    let before = calls(world)?;
    hostile.give(command)?;
    others_are_served(world).with_context(|| format!("during {command:?}"))?;
    let after = calls(world)?;
    ensure!(
        after > before + 1000.0,
        "{command:?} was done {} times only",
        after - before
    );
    hostile.give("stop")?;
    serves_again(world)?;
    no_other_fault(world)
}

/// All calls to net_server that anybody has made.
fn calls(world: &Sockets) -> Result<f64> {
    counter(world, "net_server", "ppcs_served")
}

/// A counter of a protection domain.
pub fn counter(world: &Sockets, pd: &str, name: &str) -> Result<f64> {
    let end = format!("/{name}");
    stats(world)?
        .into_iter()
        .find(|(path, _)| path.contains(pd) && path.ends_with(&end))
        .map(|(_, value)| value)
        .with_context(|| format!("{pd} has no counter {name}"))
}

/// No protection domain of the normal image has faulted.
fn no_other_fault(world: &Sockets) -> Result<()> {
    let lines = world.console()?.lines_since(Default::default());
    let fault = lines
        .iter()
        .find(|line| line.contains("fault:") && line.contains("_server"));
    ensure!(fault.is_none(), "{}", fault.map_or("", String::as_str));
    Ok(())
}

fn hostile_client_floods_with_datagrams(world: &mut Sockets) -> Result<()> {
    during(world, "flood")
}

/// The line that is logged names the overflow, and `make symbols` the function.
fn hostile_client_overflows_its_stack(world: &mut Sockets) -> Result<()> {
    let console = world.console()?;
    let mark = console.mark();
    Command::open(world)?.give("overflow")?;
    let fault = [
        "fault: hostile: stack overflow, stack_size=0x",
        "ready after",
    ];
    console.wait_for(mark, &fault, TIMEOUT)?;
    let shown = world.guest()?.epitaph();
    ensure!(
        shown.contains("    pc hostile::deeds::use_up_the_stack at "),
        "no source line: {shown}"
    );
    no_other_fault(world)
}

/// Its last line is printed while it spins, and not only when it is restarted, after three seconds.
fn hostile_client_spins(world: &mut Sockets) -> Result<()> {
    const BEFORE_THE_RESTART: Duration = Duration::from_millis(2500);
    let console = world.console()?;
    let mark = console.mark();
    Command::open(world)?.give("spin")?;
    console.wait_for(mark, &["hostile: spins"], BEFORE_THE_RESTART)?;
    let fault = ["fault: hostile: turns without end", "ready after"];
    console.wait_for(mark, &fault, TIMEOUT)?;
    no_other_fault(world)
}

/// It asks the echo service of the same machine, and not a frame of that leaves.
fn hostile_client_talks_over_loopback(world: &mut Sockets) -> Result<()> {
    let hostile = Command::open(world)?;
    for _ in 0..EXCHANGES {
        let before = counter(world, "net_server", "loopback_frames")?;
        hostile.give("talk")?;
        let said = hostile.hear().context("no answer over loopback")?;
        let said = String::from_utf8_lossy(&said).into_owned();
        ensure!(said.starts_with("over loopback"), "the answer is {said}");
        let after = counter(world, "net_server", "loopback_frames")?;
        ensure!(after >= before + 5.0, "{} frames", after - before);
    }
    no_other_fault(world)
}

/// Where the link is the bottleneck, every transmit buffer is the flood's unless others get their
/// share.
fn lan_hostile_client_floods_a_slow_link(world: &mut Lan) -> Result<()> {
    let slow = Conditions {
        rate: Some(2_000_000),
        ..Conditions::default()
    };
    let sockets = &world.sockets;
    let hostile = Command::open(sockets)?;
    world.switch.under(slow, || {
        hostile.give("flood")?;
        let used = || {
            for seed in 0..5 {
                let data = contents::random(seed, 5_000);
                echo(&sockets.connect_echo()?, &data)?;
                get_bytes(&mut sockets.connect_http()?, 20_000)?;
            }
            Ok(())
        };
        let used = used();
        // Also if it failed: else the flood would go on for the next test.
        hostile.give("stop").and(used)
    })
}

fn hostile_client_calls_without_pause(world: &mut Sockets) -> Result<()> {
    during(world, "calls")
}

fn hostile_client_sends_nonsense(world: &mut Sockets) -> Result<()> {
    let before = counter(world, "net_server", "client_violations")?;
    during(world, "nonsense")?;
    let after = counter(world, "net_server", "client_violations")?;
    ensure!(
        after > before + 100.0,
        "only {} violations were counted",
        after - before
    );
    Ok(())
}

fn hostile_client_scribbles_in_its_window(world: &mut Sockets) -> Result<()> {
    let before = counter(world, "net_server", "calls_failed")?;
    during(world, "window")?;
    let after = counter(world, "net_server", "calls_failed")?;
    ensure!(
        after > before + 100.0,
        "only {} calls have failed",
        after - before
    );
    Ok(())
}

/// The console reads on, counts it, and prints others' lines.
fn hostile_client_ruins_its_log(world: &mut Sockets) -> Result<()> {
    let hostile = Command::open(world)?;
    for _ in 0..5 {
        hostile.give("log")?;
        others_are_served(world)?;
    }
    // What is printed of a fault comes through the console, and so does the command.
    crash(world, "echo_server").context("the console neither hears nor prints")?;
    serves_again(world)?;
    let garbled = counter(world, "console", "garbled_rings")?;
    ensure!(garbled > 0.0, "the console has not noticed");
    // Timers still run out, too: half a request is given up.
    let mut half = world.connect_http()?;
    half.send(b"GET / HT")?;
    expect_gone(half.stream())?;
    no_fault_but(world, "echo_server")
}

fn no_fault_but(world: &Sockets, pd: &str) -> Result<()> {
    super::faulting::only_faults_of(world, pd)
}
