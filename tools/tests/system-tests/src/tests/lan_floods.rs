// SPDX-License-Identifier: BSD-2-Clause
//! Floods, and an honest client that is served all the same.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use host_peer::contents;
use smoltcp::wire::{ArpOperation, IpProtocol, TcpControl, TcpSeqNumber};

use super::echoing::{echo, join};
use super::http_resources::get_bytes;
use super::udp::Peer;
use crate::boot::{ECHO, HTTP};
use crate::lan::Lan;
use crate::lan::connection::segment;
use crate::lan::packets::{Host, Packet, arp_request};
use crate::suite::{Test, test_list};
use crate::world::TIMEOUT;

pub const TESTS: &[Test] = test_list![Lan:
    lan_flood_of_syns_keeps_no_honest_client_out,
    lan_flood_of_first_fragments_keeps_no_honest_datagram_out,
    lan_thousand_hosts_get_their_answers,
    lan_flood_of_arp_makes_nobody_unreachable,
];

/// Between two batches of a flood: the guest is emulated, and shall be loaded, not drowned.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs `honest` while `flood` is called with 0, 1, 2, … again and again.
fn during<T: Send>(
    flood: impl Fn(u32) -> Result<()> + Sync,
    honest: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let over = AtomicBool::new(false);
    let batches = AtomicU32::new(0);
    thread::scope(|scope| {
        let flooding = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                flood(batches.load(Ordering::Relaxed))?;
                batches.fetch_add(1, Ordering::Relaxed);
                thread::sleep(PAUSE);
            }
            Ok(())
        });
        while batches.load(Ordering::Relaxed) < 10 && !flooding.is_finished() {
            thread::sleep(PAUSE);
        }
        let result = honest();
        over.store(true, Ordering::Relaxed);
        join(flooding)?;
        result
    })
}

/// 500 SYNs a second from addresses that never answer, to both services, for longer than half-open
/// connections are kept.
fn lan_flood_of_syns_keeps_no_honest_client_out(world: &mut Lan) -> Result<()> {
    const AT_LEAST: Duration = Duration::from_secs(20);
    const EXCHANGES: usize = 40;
    let world = &*world;
    let flood = |number: u32| {
        for i in 0..10 {
            let random = fastrand::u32(..);
            let [a, b, c, d] = random.to_be_bytes();
            // Half of them neighbours that answer no ARP, half far away, behind Linux, which is no
            // router.
            let source = if i % 2 == 0 {
                Host::numbered(10_000 + u16::from_be_bytes([a, b]) % 10_000)
            } else {
                Host {
                    ip: smoltcp::wire::Ipv4Address::new(11, b, c, d),
                    ..Host::numbered(1)
                }
            };
            let port = 1024 + u16::from_be_bytes([c, d]) % 60_000;
            let to = if number.is_multiple_of(2) { ECHO } else { HTTP };
            let seq = TcpSeqNumber(random as i32);
            let syn = segment((port, to), TcpControl::Syn, seq, None, &[]);
            world.raw.send(&source.tcp(world.guest_mac, &syn))?;
        }
        Ok(())
    };
    during(flood, || {
        let start = Instant::now();
        let mut exchanges = 0;
        while exchanges < EXCHANGES || start.elapsed() < AT_LEAST {
            echo(&world.sockets.connect_echo()?, b"honest")
                .and_then(|()| get_bytes(&mut world.sockets.connect_http()?, 10_000))
                .with_context(|| {
                    format!("exchange {exchanges}, after {:?} of flood", start.elapsed())
                })?;
            exchanges += 1;
            thread::sleep(PAUSE);
        }
        Ok(())
    })
}

/// Beginnings of packets that never go on, from many hosts and from few.
fn lan_flood_of_first_fragments_keeps_no_honest_datagram_out(world: &mut Lan) -> Result<()> {
    let piece = contents::random(1, 1480);
    let shared = &*world;
    let flood = |number: u32| {
        for i in 0..4 {
            let ident = (number * 4 + i) as u16;
            let source = Host::numbered(if i % 2 == 0 { ident % 5000 } else { 20 });
            let protocol = if i < 2 {
                IpProtocol::Udp
            } else {
                IpProtocol::Icmp
            };
            let frame = source.fragment(shared.guest_mac, protocol, ident, (0, true), &piece);
            shared.raw.send(&frame)?;
        }
        Ok(())
    };
    during(flood, || {
        let mut peer = Peer::new(shared.sockets.echo)?;
        for (seed, size) in (1..).zip([2000, 4000, 8000, 2000, 4000, 8000, 1473, 30_000]) {
            peer.exchange(&[contents::random(seed, size)])
                .with_context(|| format!("datagram {seed} of {size} bytes"))?;
        }
        Ok(())
    })
}

/// A thousand neighbours ask at once, and each must be found by ARP to be answered.
fn lan_thousand_hosts_get_their_answers(world: &mut Lan) -> Result<()> {
    const HOSTS: u16 = 1000;
    const FIRST: u16 = 2000;
    let data = |number: u16| format!("host {number}").into_bytes();
    let mut missing: BTreeSet<u16> = (FIRST..FIRST + HOSTS).collect();
    let deadline = Instant::now() + TIMEOUT;
    while !missing.is_empty() {
        ensure!(
            Instant::now() < deadline,
            "{} of {HOSTS} hosts have no answer",
            missing.len()
        );
        for batch in missing.iter().copied().collect::<Vec<_>>().chunks(20) {
            for number in batch {
                let question =
                    Host::numbered(*number).udp(world.guest_mac, (4000, ECHO), &data(*number));
                world.raw.send(&question)?;
            }
            hear(world, Instant::now() + PAUSE, &data, &mut missing)?;
        }
        // Late answers, before those that are still missing ask again.
        let patience = deadline.min(Instant::now() + Duration::from_millis(500));
        hear(world, patience, &data, &mut missing)?;
    }
    Ok(())
}

/// Answers ARP for all hosts, and strikes out those whose datagram came back.
fn hear(
    world: &Lan,
    until: Instant,
    data: &impl Fn(u16) -> Vec<u8>,
    missing: &mut BTreeSet<u16>,
) -> Result<()> {
    while let Some(frame) = world.raw.receive(until)? {
        if let Some((asker, target)) = arp_request(&frame) {
            let host = missing
                .iter()
                .map(|number| Host::numbered(*number))
                .find(|host| host.ip == target);
            if let Some(host) = host {
                world.raw.send(&host.arp(ArpOperation::Reply, asker))?;
            }
        } else if let Some(packet) = Packet::read(&frame)
            && let Some(((ECHO, 4000), echoed)) = packet.udp()
        {
            let number = missing
                .iter()
                .copied()
                .find(|number| Host::numbered(*number).ip == packet.to.ip);
            if let Some(number) = number {
                let host = Host::numbered(number);
                ensure!(
                    packet.to == host && echoed == data(number),
                    "host {number} was answered {echoed:?} at {}",
                    packet.to.mac
                );
                missing.remove(&number);
            }
        }
    }
    Ok(())
}

/// Thousands of hosts tell the guest their addresses; those that it speaks with stay reachable.
fn lan_flood_of_arp_makes_nobody_unreachable(world: &mut Lan) -> Result<()> {
    let shared = &*world;
    let guest = Host {
        mac: shared.guest_mac,
        ip: crate::link::GUEST_IP,
    };
    let flood = |number: u32| {
        for i in 0..20 {
            let host = Host::numbered(10_000 + ((number * 20 + i) % 20_000) as u16);
            let operation = if i % 2 == 0 {
                ArpOperation::Request
            } else {
                ArpOperation::Reply
            };
            shared.raw.send(&host.arp(operation, guest))?;
        }
        Ok(())
    };
    let station = shared.station(30);
    let stream = shared.sockets.connect_echo()?;
    during(flood, || {
        for sequence in 0..100 {
            echo(&stream, &contents::random(sequence, 5000)).context("an old connection")?;
            station.ping(sequence as u16, |_| {})?;
        }
        Ok(())
    })
}
