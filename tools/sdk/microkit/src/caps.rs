// SPDX-License-Identifier: BSD-2-Clause
//! The capabilities of each PD: what the description says, and nothing more.
//!
//! | slot | capability | rights |
//! | --- | --- | --- |
//! | input | own endpoint, or own notification if nobody calls and there are no children | receive |
//! | fault | endpoint of the parent or the monitor | send, grant: the kernel delivers no fault without both |
//! | notify + id | notification of the peer | send |
//! | call + id | endpoint of the peer | send, grant: this kernel makes no reply capability without |
//! | irq + id | interrupt handler | – |
//! | child + id | TCB of the child | – |
//!
//! The official tool also gives the PD's own VSpace, for cache maintenance. In this kernel a cache
//! invalidate on a page that is not writable is fatal to the kernel, so it would let any PD stop
//! the machine; it is left out.

use sdk_spec::abi::{badges, slots};
use sdk_spec::{Cap, CapKind, Irq, Rights};

use crate::sdf::model::{Channel, System};

const SEND: Rights = Rights::WRITE;
const CALL: Rights = Rights::WRITE.and(Rights::GRANT);
const RECEIVE: Rights = Rights::READ;

/// Interrupts of all PDs, in order of the PDs.
#[must_use]
pub fn irqs(system: &System) -> Vec<Irq> {
    let pds = system.pds.iter().enumerate();
    pds.flat_map(|(index, pd)| pd.irqs.iter().map(move |irq| (index, irq)))
        .map(|(index, irq)| Irq {
            badge: badges::NOTIFICATION | 1 << irq.id,
            // Both are small: the parser allows 63 PDs and interrupts up to 255.
            number: irq.number as u32,
            pd: index as u32,
        })
        .collect()
}

/// Content of the CNode of PD `index`.
#[must_use]
pub fn of_pd(system: &System, index: usize) -> Vec<Cap> {
    let pd = &system.pds[index];
    let mut caps = Vec::new();
    let input = if system.has_endpoint(index) {
        CapKind::Endpoint
    } else {
        CapKind::Notification
    };
    caps.push(cap(slots::INPUT, input, index, RECEIVE, 0));
    caps.push(match pd.parent {
        Some(parent) => {
            let badge = badges::FAULT | parent.id;
            cap(slots::FAULT, CapKind::Endpoint, parent.pd, CALL, badge)
        }
        None => {
            let badge = badges::MONITOR_BASE + index as u64;
            cap(slots::FAULT, CapKind::MonitorEndpoint, 0, CALL, badge)
        }
    });
    for (own, peer) in system.channels.iter().flat_map(Channel::directions) {
        if own.pd != index {
            continue;
        }
        if own.notify {
            let badge = badges::NOTIFICATION | 1 << peer.id;
            let slot = slots::NOTIFY + own.id as u32;
            caps.push(cap(slot, CapKind::Notification, peer.pd, SEND, badge));
        }
        if own.pp {
            let slot = slots::CALL + own.id as u32;
            caps.push(cap(
                slot,
                CapKind::Endpoint,
                peer.pd,
                CALL,
                badges::CALL | peer.id,
            ));
        }
    }
    let before: usize = system.pds[..index].iter().map(|pd| pd.irqs.len()).sum();
    for (offset, irq) in pd.irqs.iter().enumerate() {
        let slot = slots::IRQ + irq.id as u32;
        caps.push(cap(
            slot,
            CapKind::IrqHandler,
            before + offset,
            Rights::default(),
            0,
        ));
    }
    for (child, other) in system.pds.iter().enumerate() {
        if let Some(parent) = other.parent.filter(|parent| parent.pd == index) {
            let slot = slots::CHILD_TCB + parent.id as u32;
            caps.push(cap(slot, CapKind::Tcb, child, Rights::default(), 0));
        }
    }
    caps.sort_by_key(|cap| cap.slot);
    caps
}

fn cap(slot: u32, kind: CapKind, object: usize, rights: Rights, badge: u64) -> Cap {
    Cap {
        badge,
        slot,
        object: object as u32,
        kind,
        rights,
        reserved: [0; 6],
    }
}
