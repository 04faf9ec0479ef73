// SPDX-License-Identifier: BSD-2-Clause
//! ARP, and what is not for the guest.

use anyhow::{Context, Result, ensure};
use smoltcp::wire::{EthernetAddress, EthernetProtocol, IpProtocol, Ipv4Address};

use crate::link::GUEST_IP;
use crate::link::frames::{self, Echo};
use crate::suite::{Test, test_list};
use crate::world::{Ethernet, TIMEOUT};

pub const TESTS: &[Test] = test_list![Ethernet:
    ethernet_gateway_is_probed_and_logged,
    ethernet_arp_request_is_answered,
    ethernet_frames_for_others_are_ignored,
];

/// The boot itself waited for the probe and answered it; here the guest says that it has seen it.
fn ethernet_gateway_is_probed_and_logged(world: &mut Ethernet) -> Result<()> {
    ensure!(
        world.guest_mac.is_unicast(),
        "the guest calls itself {}",
        world.guest_mac
    );
    let guest = world.guest.as_deref().context("this test needs a guest")?;
    guest
        .console()
        .wait_for(
            Default::default(),
            &["net_server", "gateway answered"],
            TIMEOUT,
        )
        .context("no line about the gateway")?;
    Ok(())
}

fn ethernet_arp_request_is_answered(world: &mut Ethernet) -> Result<()> {
    let mac = world
        .link
        .wait_for(Some(&frames::arp_request(GUEST_IP)), TIMEOUT, |frame| {
            frames::arp_reply_from(frame, GUEST_IP)
        })
        .context("no answer to an ARP request")?;
    ensure!(
        mac == world.guest_mac,
        "{mac} answers for {}",
        world.guest_mac
    );
    Ok(())
}

/// Requests that the guest must not answer, then one that it must: only that answer may come.
fn ethernet_frames_for_others_are_ignored(world: &mut Ethernet) -> Result<()> {
    let echo = |ident| Echo {
        ident,
        sequence: 1,
        data: b"for whom?".to_vec(),
    };
    let other_ip = Ipv4Address::new(10, 0, 2, 99);
    let other_mac = EthernetAddress([0x52, 0x54, 0, 0x99, 0x99, 0x99]);
    let link = &world.link;
    link.send(&frames::arp_request(other_ip))?;
    let request = frames::icmp_echo_request(&echo(1));
    link.send(&frames::ipv4_to(
        world.guest_mac,
        other_ip,
        IpProtocol::Icmp,
        &request,
    ))?;
    link.send(&frames::ping(other_mac, &echo(2)))?;
    let unknown = EthernetProtocol::from(0x88b5);
    link.send(&frames::ethernet(world.guest_mac, unknown, &[0; 100]))?;
    let mut wrong = Vec::new();
    link.wait_for(
        Some(&frames::ping(world.guest_mac, &echo(3))),
        TIMEOUT,
        |frame| {
            let pong = frames::read_pong(frame);
            if pong == Some(echo(3)) {
                return Some(());
            }
            if pong.is_some() || frames::arp_reply_from(frame, other_ip).is_some() {
                wrong.push(frames::describe(frame));
            }
            None
        },
    )?;
    ensure!(wrong.is_empty(), "answered what was for others: {wrong:?}");
    Ok(())
}
