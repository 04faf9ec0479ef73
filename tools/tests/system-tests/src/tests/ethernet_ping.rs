// SPDX-License-Identifier: BSD-2-Clause
//! ICMP echo (RFC 792): every request gets an answer with its own contents.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use host_peer::contents;

use crate::link::frames::{self, Echo};
use crate::suite::{Test, test_list};
use crate::world::{Ethernet, TIMEOUT};

pub const TESTS: &[Test] = test_list![Ethernet:
    ethernet_ping_of_all_sizes,
    ethernet_pings_in_a_burst,
];

/// What fits a frame: MTU 1500 less IPv4 header 20 and ICMP header 8.
const LARGEST: usize = 1472;

/// Pings once and compares the answer.
pub fn ping(world: &Ethernet, echo: &Echo) -> Result<()> {
    let request = frames::ping(world.guest_mac, echo);
    let answer = world.link.wait_for(Some(&request), TIMEOUT, |frame| {
        frames::read_pong(frame)
            .filter(|pong| (pong.ident, pong.sequence) == (echo.ident, echo.sequence))
    })?;
    Ok(contents::compare(&echo.data, &answer.data)?)
}

fn ethernet_ping_of_all_sizes(world: &mut Ethernet) -> Result<()> {
    for (sequence, size) in (0..).zip([0, 1, 2, 18, 19, 56, 512, 1024, LARGEST - 1, LARGEST]) {
        let data = contents::random(u64::from(sequence), size);
        ping(
            world,
            &Echo {
                ident: 0x1234,
                sequence,
                data,
            },
        )
        .with_context(|| format!("ping with {size} bytes"))?;
    }
    Ok(())
}

/// 64 requests before the first answer is read. Those lost on the way are sent again.
fn ethernet_pings_in_a_burst(world: &mut Ethernet) -> Result<()> {
    let mut missing: BTreeMap<u16, Echo> = (0..64)
        .map(|sequence| {
            let data = contents::random(sequence.into(), 100 + usize::from(sequence) * 20);
            (
                sequence,
                Echo {
                    ident: 0x4321,
                    sequence,
                    data,
                },
            )
        })
        .collect();
    let deadline = Instant::now() + TIMEOUT;
    while !missing.is_empty() {
        ensure!(
            Instant::now() < deadline,
            "{} pings without an answer",
            missing.len()
        );
        for echo in missing.values() {
            world.link.send(&frames::ping(world.guest_mac, echo))?;
        }
        let round = deadline.min(Instant::now() + Duration::from_secs(2));
        while let Some(frame) = world.link.receive(round)? {
            let pong = frames::read_pong(&frame).filter(|pong| pong.ident == 0x4321);
            if let Some(pong) = pong
                && let Some(echo) = missing.remove(&pong.sequence)
            {
                ensure!(pong == echo, "ping {} came back changed", pong.sequence);
            }
            if missing.is_empty() {
                break;
            }
        }
    }
    Ok(())
}
