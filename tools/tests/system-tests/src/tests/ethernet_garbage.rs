// SPDX-License-Identifier: BSD-2-Clause
//! Frames that no sane peer sends. The guest may ignore them or complain, but must go on.

use anyhow::{Context, Result, ensure};
use host_peer::contents;
use smoltcp::wire::{EthernetAddress, EthernetProtocol, IpProtocol};

use super::ethernet_ping::ping;
use crate::link::GUEST_IP;
use crate::link::checksum::repair;
use crate::link::frames::{self, ETHERNET, Echo, IPV4};
use crate::suite::{Test, test_list};
use crate::world::{Ethernet, TIMEOUT};

pub const TESTS: &[Test] = test_list![Ethernet:
    ethernet_truncated_frames_are_survived,
    ethernet_wrong_checksums_are_not_answered,
    ethernet_wrong_lengths_are_survived,
    ethernet_random_frames_are_survived,
    ethernet_mutated_frames_are_survived,
];

fn echo(sequence: u16) -> Echo {
    Echo {
        ident: 0x6a6a,
        sequence,
        data: contents::random(sequence.into(), 64),
    }
}

/// The guest answers a ping. Garbage may have been a valid ARP packet with another address for the
/// gateway: so first it is told the right one again, as a gateway does when it asks.
pub fn answers(world: &Ethernet, sequence: u16) -> Result<()> {
    world.link.send(&frames::arp_request(GUEST_IP))?;
    ping(world, &echo(sequence))
}

/// The guest still answers, and no protection domain has faulted.
fn is_well(world: &Ethernet) -> Result<()> {
    answers(world, u16::MAX).context("after the garbage")?;
    if let Some(guest) = &world.guest {
        let lines = guest.console().lines_since(Default::default());
        let fault = lines.iter().find(|line| line.contains("fault:"));
        ensure!(fault.is_none(), "{}", fault.map_or("", String::as_str));
    }
    Ok(())
}

/// Sends frames with a ping now and then, so that none is lost because too many wait.
fn send_all(world: &Ethernet, garbage: impl IntoIterator<Item = Vec<u8>>) -> Result<()> {
    for (number, frame) in (0u16..).zip(garbage) {
        world.link.send(&frame)?;
        if number % 32 == 31 {
            answers(world, number)
                .with_context(|| format!("after frame {number}: {}", frames::describe(&frame)))?;
        }
    }
    is_well(world)
}

/// Valid frames of each protocol.
fn samples(mac: EthernetAddress) -> Vec<Vec<u8>> {
    // From port 4000 to 7, with the option of a maximum segment size of 1460 (RFC 9293 section
    // 3.1).
    let syn = [
        0x0f, 0xa0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 0x20, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4,
    ];
    let mut tcp = frames::ipv4(mac, IpProtocol::Tcp, &syn);
    repair(&mut tcp);
    vec![
        frames::arp_request(GUEST_IP),
        frames::ping(mac, &echo(1)),
        frames::udp(mac, 4100, 7, b"sample datagram"),
        tcp,
    ]
}

fn ethernet_truncated_frames_are_survived(world: &mut Ethernet) -> Result<()> {
    let cut = samples(world.guest_mac).into_iter().flat_map(|frame| {
        // Not 0: QEMU takes an empty datagram for the end of the cable.
        (1..frame.len()).map(move |len| frame.iter().copied().take(len).collect())
    });
    send_all(world, cut)
}

/// Frames with one wrong checksum each, then good ones: only the good ones' answers may come.
fn ethernet_wrong_checksums_are_not_answered(world: &mut Ethernet) -> Result<()> {
    let flip = |mut frame: Vec<u8>, at: usize| {
        if let Some(byte) = frame.get_mut(at) {
            *byte ^= 0x5a;
        }
        frame
    };
    let mac = world.guest_mac;
    let ip_checksum = ETHERNET + 10;
    let icmp_checksum = ETHERNET + IPV4 + 2;
    let udp_checksum = ETHERNET + IPV4 + 6;
    let bad = [
        flip(frames::ping(mac, &echo(1)), ip_checksum),
        flip(frames::ping(mac, &echo(2)), icmp_checksum),
        flip(frames::udp(mac, 4101, 7, b"bad checksum"), udp_checksum),
    ];
    for frame in &bad {
        world.link.send(frame)?;
    }
    let mut answered = Vec::new();
    let good = frames::udp(mac, 4101, 7, b"good checksum");
    world.link.wait_for(Some(&good), TIMEOUT, |frame| {
        let pong = frames::read_pong(frame).is_some_and(|pong| pong.sequence < 3);
        match frames::read_udp(frame, 7, 4101) {
            Some(data) if data == b"good checksum" => return Some(()),
            None if !pong => {}
            _ => answered.push(frames::describe(frame)),
        }
        None
    })?;
    ensure!(
        answered.is_empty(),
        "answered in spite of a wrong checksum: {answered:?}"
    );
    is_well(world)
}

/// Every value of the bytes that hold lengths and offsets, with the checksums made right again
/// so that the frame gets as far as it can.
fn ethernet_wrong_lengths_are_survived(world: &mut Ethernet) -> Result<()> {
    let version_and_length = ETHERNET;
    let total_length = ETHERNET + 2;
    let udp_length = ETHERNET + IPV4 + 4;
    let tcp_offset = ETHERNET + IPV4 + 12;
    let tcp_option_length = ETHERNET + IPV4 + 21;
    let positions = [
        version_and_length,
        total_length,
        total_length + 1,
        udp_length,
        udp_length + 1,
        tcp_offset,
        tcp_option_length,
    ];
    let samples = samples(world.guest_mac);
    let changed = samples.iter().skip(1).flat_map(|frame| {
        positions.iter().flat_map(move |&at| {
            (0..=255u8).step_by(5).map(move |value| {
                let mut frame = frame.clone();
                if let Some(byte) = frame.get_mut(at) {
                    *byte = value;
                }
                repair(&mut frame);
                frame
            })
        })
    });
    send_all(world, changed)
}

fn ethernet_random_frames_are_survived(world: &mut Ethernet) -> Result<()> {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let mac = world.guest_mac;
    let frames = (0..2000).map(|_| {
        let payload: Vec<u8> = (0..random.usize(1..1500)).map(|_| random.u8(..)).collect();
        let to = if random.bool() {
            mac
        } else {
            EthernetAddress::BROADCAST
        };
        match random.u8(0..4) {
            0 => payload,
            1 => frames::ethernet(to, EthernetProtocol::Arp, &payload),
            2 => frames::ethernet(to, EthernetProtocol::Ipv4, &payload),
            _ => {
                let protocol = IpProtocol::from(random.choice([1, 6, 17, 2, 0]).unwrap_or(1));
                let payload = &payload[..payload.len().min(1480)];
                frames::ipv4(to, protocol, payload)
            }
        }
    });
    send_all(world, frames).with_context(|| format!("seed {seed:#x}"))
}

fn ethernet_mutated_frames_are_survived(world: &mut Ethernet) -> Result<()> {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let samples = samples(world.guest_mac);
    let frames = (0..2000).map(|number: usize| {
        let mut frame = samples[number % samples.len()].clone();
        for _ in 0..random.usize(1..4) {
            // Behind the addresses: a frame for somebody else tests nothing.
            let at = random.usize(12..frame.len());
            frame[at] = random.u8(..);
        }
        repair(&mut frame);
        frame
    });
    send_all(world, frames).with_context(|| format!("seed {seed:#x}"))
}

#[cfg(test)]
mod self_tests {
    use super::*;

    #[test]
    fn repairing_right_checksums_changes_nothing() {
        for frame in samples(EthernetAddress([2, 0, 0, 0, 0, 1])) {
            let mut repaired = frame.clone();
            repair(&mut repaired);
            assert_eq!(repaired, frame);
        }
    }
}
