// SPDX-License-Identifier: BSD-2-Clause
//! A thousand connections that are made and then say nothing, from a hundred hosts.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use smoltcp::wire::{ArpOperation, TcpControl, TcpSeqNumber};

use super::echoing::echo;
use super::http_resources::get_bytes;
use crate::boot::{ECHO, HTTP};
use crate::lan::Lan;
use crate::lan::connection::segment;
use crate::lan::packets::{Host, Packet, arp_request};
use crate::suite::{Test, test_list};

pub const TESTS: &[Test] = test_list![Lan:
    lan_thousand_silent_connections_keep_nobody_waiting,
];

const CONNECTIONS: u16 = 1000;
const HOSTS: u16 = 100;
const FIRST_HOST: u16 = 4000;
const FIRST_PORT: u16 = 10_000;
/// A server that takes no more says nothing to a SYN; it is sent so often.
const ATTEMPTS: usize = 10;
/// More than either service works on at once.
const AT_LEAST: usize = 136;

fn host_of(number: u16) -> Host {
    Host::numbered(FIRST_HOST + number % HOSTS)
}

/// Connects from all hosts to one port of the guest; how many handshakes were completed.
fn connect_and_say_nothing(world: &Lan, to: u16) -> Result<usize> {
    let seq = TcpSeqNumber(1);
    let mut open = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        for number in (0..CONNECTIONS)
            .filter(|number| !open.contains(number))
            .collect::<Vec<_>>()
        {
            let ports = (FIRST_PORT + number, to);
            let syn = segment(ports, TcpControl::Syn, seq, None, &[]);
            world
                .raw
                .send(&host_of(number).tcp(world.guest_mac, &syn))?;
            if number % 10 == 9 {
                complete(world, to, Duration::from_millis(5), &mut open)?;
            }
        }
        if open.len() == usize::from(CONNECTIONS) {
            break;
        }
        complete(world, to, Duration::from_secs(1), &mut open)?;
    }
    Ok(open.len())
}

/// Does what hosts do, for a while: answers ARP, and acknowledges SYNs.
fn complete(world: &Lan, to: u16, time: Duration, open: &mut BTreeSet<u16>) -> Result<()> {
    let until = Instant::now() + time;
    while let Some(frame) = world.raw.receive(until)? {
        if let Some((asker, target)) = arp_request(&frame) {
            let host = (0..HOSTS).map(host_of).find(|host| host.ip == target);
            if let Some(host) = host {
                world.raw.send(&host.arp(ArpOperation::Reply, asker))?;
            }
        } else if let Some(packet) = Packet::read(&frame)
            && let Some(reply) = packet.tcp()
            && (reply.from, reply.control) == (to, TcpControl::Syn)
            && let Some(number) = reply.to.checked_sub(FIRST_PORT)
        {
            let ack = segment(
                (reply.to, to),
                TcpControl::None,
                TcpSeqNumber(2),
                Some(reply.seq + 1),
                &[],
            );
            world
                .raw
                .send(&host_of(number).tcp(world.guest_mac, &ack))?;
            open.insert(number);
        }
    }
    Ok(())
}

fn lan_thousand_silent_connections_keep_nobody_waiting(world: &mut Lan) -> Result<()> {
    for to in [HTTP, ECHO] {
        let open = connect_and_say_nothing(world, to)?;
        for _ in 0..5 {
            get_bytes(&mut world.sockets.connect_http()?, 2000)
                .and_then(|()| echo(&world.sockets.connect_echo()?, b"not silent"))
                .with_context(|| format!("beside {open} silent connections to port {to}"))?;
        }
        ensure!(open > AT_LEAST, "only {open} connections were made");
    }
    Ok(())
}
