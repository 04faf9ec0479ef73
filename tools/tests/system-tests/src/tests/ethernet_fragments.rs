// SPDX-License-Identifier: BSD-2-Clause
//! Packets larger than a frame: the guest puts them together and cuts its answers.

use anyhow::{Context, Result, ensure};
use host_peer::contents;
use smoltcp::wire::IpProtocol;

use super::ethernet_ping::ping;
use crate::link::fragments::{Assembly, cut, one, with_checksum};
use crate::link::frames::{self, Echo};
use crate::suite::{Test, test_list};
use crate::world::{Ethernet, TIMEOUT};

pub const TESTS: &[Test] = test_list![Ethernet:
    ethernet_ping_in_fragments,
    ethernet_udp_echo_in_fragments,
    ethernet_nonsense_fragments_are_survived,
];

/// Length of an ICMP echo's header and of a UDP header.
const HEADER: usize = 8;

/// Sends the fragments, again each second, until an answer is whole.
fn exchange(world: &Ethernet, protocol: IpProtocol, fragments: &[Vec<u8>]) -> Result<Vec<u8>> {
    let (last, first) = fragments.split_last().context("no fragments")?;
    let mut assembly = Assembly::default();
    for _ in 0..TIMEOUT.as_secs() {
        for frame in first {
            world.link.send(frame)?;
        }
        let second = std::time::Duration::from_millis(1100);
        let answer = world
            .link
            .wait_for(Some(last), second, |frame| assembly.add(frame, protocol));
        if answer.is_ok() {
            return answer;
        }
    }
    anyhow::bail!("no whole answer")
}

fn ethernet_ping_in_fragments(world: &mut Ethernet) -> Result<()> {
    for (ident, size) in (100..).zip([1473, 2000, 2953, 8000, 20_000, 60_000]) {
        let data = contents::random(u64::from(ident), size);
        let request = frames::icmp_echo_request(&Echo {
            ident,
            sequence: 1,
            data: data.clone(),
        });
        let mut fragments = cut(world.guest_mac, IpProtocol::Icmp, ident, &request);
        if ident % 2 == 1 {
            fragments.reverse();
        }
        let answer = exchange(world, IpProtocol::Icmp, &fragments)
            .with_context(|| format!("ping with {size} bytes"))?;
        ensure!(answer.first() == Some(&0), "not an echo reply");
        contents::compare(&data, answer.get(HEADER..).unwrap_or_default())
            .with_context(|| format!("{size} bytes"))?;
    }
    Ok(())
}

fn ethernet_udp_echo_in_fragments(world: &mut Ethernet) -> Result<()> {
    const PORTS: [u8; 4] = [0x10, 0x20, 0, 7];
    for (ident, size) in (200..).zip([1473usize, 3000, 9000]) {
        let data = contents::random(u64::from(ident), size);
        let length = u16::try_from(size + HEADER)?.to_be_bytes();
        let datagram = [&PORTS[..], &length, &[0, 0], &data].concat();
        let datagram = with_checksum(world.guest_mac, IpProtocol::Udp, &datagram);
        let fragments = cut(world.guest_mac, IpProtocol::Udp, ident, &datagram);
        let answer = exchange(world, IpProtocol::Udp, &fragments)
            .with_context(|| format!("datagram of {size} bytes"))?;
        ensure!(answer.get(..4) == Some(&[0, 7, 0x10, 0x20]), "wrong ports");
        contents::compare(&data, answer.get(HEADER..).unwrap_or_default())
            .with_context(|| format!("{size} bytes"))?;
    }
    Ok(())
}

/// Fragments that overlap, leave holes, end beyond the largest packet or never end.
fn ethernet_nonsense_fragments_are_survived(world: &mut Ethernet) -> Result<()> {
    let piece = contents::random(6, 1480);
    for ident in 1000..1100u16 {
        let send = |offset, more, len| {
            let piece = piece.get(..len).unwrap_or_default();
            world.link.send(&one(
                world.guest_mac,
                IpProtocol::Icmp,
                ident,
                offset,
                more,
                piece,
            ))
        };
        send(0, true, 1480)?;
        send(8, true, 1480)?;
        send(65_528, false, 1480)?;
        send(65_520, true, 8)?;
        send(24, true, 0)?;
        send(800, false, 13)?;
        let echo = Echo {
            ident,
            sequence: 2,
            data: vec![1; 30],
        };
        ping(world, &echo).with_context(|| format!("after packet {ident}"))?;
    }
    Ok(())
}
