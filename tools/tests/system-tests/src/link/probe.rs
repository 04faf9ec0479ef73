// SPDX-License-Identifier: BSD-2-Clause
//! The first thing that the guest says: an ARP request for its gateway.

use anyhow::{Context, Result};
use smoltcp::wire::EthernetAddress;

use super::{GATEWAY_IP, GUEST_IP, Link, frames};
use crate::world::TIMEOUT;

/// Waits for the probe, answers it and gives the guest's Ethernet address.
///
/// # Errors
/// If no probe comes from the address that the guest should have.
pub fn await_and_answer(link: &Link) -> Result<EthernetAddress> {
    let asker = link
        .wait_for(None, TIMEOUT, |frame| {
            frames::arp_request_for(frame, GATEWAY_IP).filter(|asker| asker.ip == GUEST_IP)
        })
        .context("no ARP probe of the gateway")?;
    link.send(&frames::arp_reply(asker))?;
    Ok(asker.mac)
}
