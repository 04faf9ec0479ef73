// SPDX-License-Identifier: BSD-2-Clause
//! The guest and Linux's own stack, on good cables and bad ones.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use host_peer::contents;
use socket2::{Domain, Protocol, Socket, Type};
use testnet::Conditions;

use super::echoing::echo;
use super::http_resources::get_bytes;
use super::udp::Peer;
use crate::lan::Lan;
use crate::link::frames::{Echo, icmp_echo_request};
use crate::suite::{Test, test_list};
use crate::world::TIMEOUT;

pub const TESTS: &[Test] = test_list![Lan:
    lan_linux_knows_the_guest_by_arp,
    lan_linux_pings_the_guest,
    lan_udp_echo_of_all_sizes,
    lan_tcp_echo_on_a_good_cable,
    lan_tcp_echo_on_a_bad_cable,
    lan_download_on_a_good_cable,
    lan_download_on_a_bad_cable,
    lan_many_connections_on_a_bad_cable,
    lan_download_through_a_narrow_link,
];

const MIB: usize = 1 << 20;

/// One frame in a hundred is lost, some are doubled or overtaken, and all take 2 ms.
pub fn bad(seed: u64) -> Conditions {
    Conditions {
        loss: 0.01,
        doubled: 0.01,
        late: 0.02,
        delay: Duration::from_millis(2),
        seed,
        ..Conditions::default()
    }
}

/// Runs a function on a bad cable, which must have been bad.
fn on_a_bad_cable(world: &Lan, seed: u64, function: impl FnOnce() -> Result<()>) -> Result<()> {
    let before = world.switch.counts();
    world
        .switch
        .under(bad(seed), function)
        .with_context(|| format!("seed {seed}"))?;
    let after = world.switch.counts();
    ensure!(after.lost() > before.lost(), "no frame was lost: {after:?}");
    ensure!(
        after.to_near.late > before.to_near.late && after.to_far.doubled > before.to_far.doubled,
        "the cable was too good: {after:?}"
    );
    Ok(())
}

/// The guest's address as Linux has learned it is the one that its frames come from.
fn lan_linux_knows_the_guest_by_arp(world: &mut Lan) -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.send_to(b"who has this address?", world.sockets.echo)?;
    let guest = crate::link::GUEST_IP.to_string();
    let mac = world.guest_mac.to_string().replace('-', ":");
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let table = std::fs::read_to_string("/proc/thread-self/net/arp")?;
        let line = table.lines().find(|line| line.starts_with(&guest));
        let known = line.is_some_and(|line| line.contains(&mac));
        if known {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "Linux's ARP table is\n{table}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn lan_linux_pings_the_guest(world: &mut Lan) -> Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let socket: UdpSocket = socket.into();
    let guest = SocketAddr::new(world.sockets.echo.ip(), 0);
    // The largest needs 41 fragments.
    for (sequence, size) in (1..).zip([0usize, 1, 56, 1472, 1473, 8000, 60_000]) {
        let echo = Echo {
            ident: 0x4c4e,
            sequence,
            data: contents::random(sequence.into(), size),
        };
        ping(&socket, guest, &echo).with_context(|| format!("ping with {size} bytes"))?;
    }
    Ok(())
}

/// Sends a ping, again each second, until its answer comes.
fn ping(socket: &UdpSocket, guest: SocketAddr, echo: &Echo) -> Result<()> {
    let request = icmp_echo_request(echo);
    // Type 0, a checksum of its own, and then the same.
    let expected = request.get(4..).unwrap_or_default();
    let deadline = Instant::now() + TIMEOUT;
    let mut buffer = vec![0; 65536];
    while Instant::now() < deadline {
        socket.send_to(&request, guest)?;
        while let Ok((n, from)) = socket.recv_from(&mut buffer) {
            // A raw socket also has the IPv4 header.
            let packet = buffer.get(..n).unwrap_or_default();
            let header = packet.first().map_or(0, |byte| usize::from(byte & 15) * 4);
            let icmp = packet.get(header..).unwrap_or_default();
            let same = icmp.get(4..8) == expected.get(..4);
            if from.ip() == guest.ip() && icmp.first() == Some(&0) && same {
                contents::compare(expected, icmp.get(4..).unwrap_or_default())?;
                return Ok(());
            }
        }
    }
    bail!("no answer")
}

/// Sizes of one frame, and those that both sides have to cut.
fn lan_udp_echo_of_all_sizes(world: &mut Lan) -> Result<()> {
    let mut peer = Peer::new(world.sockets.echo)?;
    for size in [0, 1, 18, 511, 1472, 1473, 2953, 9000, 40_000, 65_507] {
        peer.exchange(&[contents::random(size as u64 + 1, size)])
            .with_context(|| format!("{size} bytes"))?;
    }
    Ok(())
}

fn lan_tcp_echo_on_a_good_cable(world: &mut Lan) -> Result<()> {
    echo(
        &world.sockets.connect_echo()?,
        &contents::random(1, 16 * MIB),
    )
}

fn lan_tcp_echo_on_a_bad_cable(world: &mut Lan) -> Result<()> {
    on_a_bad_cable(world, 11, || {
        echo(&world.sockets.connect_echo()?, &contents::random(2, MIB))
    })
}

fn lan_download_on_a_good_cable(world: &mut Lan) -> Result<()> {
    get_bytes(&mut world.sockets.connect_http()?, 32 << 20)
}

fn lan_download_on_a_bad_cable(world: &mut Lan) -> Result<()> {
    on_a_bad_cable(world, 12, || {
        get_bytes(&mut world.sockets.connect_http()?, 2 << 20)
    })
}

/// Handshakes and ends of connections meet the faults, too.
fn lan_many_connections_on_a_bad_cable(world: &mut Lan) -> Result<()> {
    on_a_bad_cable(world, 13, || {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..32u64)
                .map(|number| {
                    let world = &*world;
                    scope.spawn(move || {
                        for round in 0..3 {
                            let stream = world.sockets.connect_echo()?;
                            let data = contents::random(number * 3 + round, 20_000);
                            echo(&stream, &data)
                                .with_context(|| format!("connection {number}, round {round}"))?;
                        }
                        Ok(())
                    })
                })
                .collect();
            threads.into_iter().try_for_each(super::echoing::join)
        })
    })
}

/// The guest has to learn that packets must be smaller than its own MTU (RFC 1191).
fn lan_download_through_a_narrow_link(world: &mut Lan) -> Result<()> {
    for mtu in [1400, 600] {
        let before = world.switch.counts().too_big;
        let narrow = Conditions {
            mtu: Some(mtu),
            ..Conditions::default()
        };
        world
            .switch
            .under(narrow, || {
                get_bytes(&mut world.sockets.connect_http()?, 200_000)
            })
            .with_context(|| format!("MTU {mtu}"))?;
        let dropped = world.switch.counts().too_big - before;
        // A window may be under way when the first of it is found too large.
        ensure!(
            dropped > 0 && dropped < 100,
            "{dropped} packets were too large for {mtu} bytes"
        );
    }
    Ok(())
}
