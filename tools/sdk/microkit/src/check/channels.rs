// SPDX-License-Identifier: BSD-2-Clause
//! Channels and interrupts: ids, priorities, ownership.

use crate::diagnostics::{Diagnostics, Position};
use crate::platform::Platform;
use crate::sdf::model::{Channel, System};

pub(super) fn check(system: &System, platform: &Platform, diagnostics: &Diagnostics) {
    ids(system, diagnostics);
    interrupts(system, platform, diagnostics);
    for channel in &system.channels {
        calls(system, channel, diagnostics);
    }
}

/// Channel ids and interrupt ids of a PD share one space, because they share the bits of its
/// notification.
fn ids(system: &System, diagnostics: &Diagnostics) {
    for (index, pd) in system.pds.iter().enumerate() {
        let irqs = pd.irqs.iter().map(|irq| (irq.id, irq.at));
        let ends = system.channels.iter().flat_map(|channel| &channel.ends);
        let ends = ends.filter(|end| end.pd == index).map(|e| (e.id, e.at));
        let mut taken: Vec<(u64, Position)> = Vec::new();
        for (id, at) in irqs.chain(ends) {
            if let Some((_, first)) = taken.iter().find(|(other, _)| *other == id) {
                diagnostics.error(
                    at,
                    format!("id {id} is used twice in '{}'", pd.name),
                    format!(
                        "line {} has it too; channels and interrupts of a protection domain share the ids",
                        first.line
                    ),
                );
            }
            taken.push((id, at));
        }
    }
}

fn interrupts(system: &System, platform: &Platform, diagnostics: &Diagnostics) {
    let mut taken: Vec<(u64, Position)> = Vec::new();
    for irq in system.pds.iter().flat_map(|pd| &pd.irqs) {
        let number = irq.number;
        if platform.kernel_irqs.contains(&number) {
            diagnostics.error(
                irq.at,
                format!("interrupt {number} is the kernel's own"),
                "choose another interrupt; the physical timer has 30",
            );
        }
        if let Some((_, first)) = taken.iter().find(|(other, _)| *other == number) {
            diagnostics.error(
                irq.at,
                format!("interrupt {number} has two owners"),
                format!(
                    "line {} has it too; leave it to one protection domain",
                    first.line
                ),
            );
        }
        taken.push((number, irq.at));
    }
}

/// A caller waits for the callee. If it could keep the callee from running, or each could wait for
/// the other, they would wait for ever; so calls go upwards only.
fn calls(system: &System, channel: &Channel, diagnostics: &Diagnostics) {
    let [a, b] = &channel.ends;
    if a.pp && b.pp {
        diagnostics.error(
            channel.at,
            "a channel cannot have pp=\"true\" at both ends",
            "leave it at the end with the lower priority, and notify in the other direction",
        );
        return;
    }
    for (from, to) in channel.directions() {
        if !from.pp {
            continue;
        }
        let (caller, callee) = (&system.pds[from.pd], &system.pds[to.pd]);
        if caller.priority >= callee.priority {
            diagnostics.error(
                from.at,
                format!(
                    "'{}' (priority {}) cannot call '{}' (priority {})",
                    caller.name, caller.priority, callee.name, callee.priority
                ),
                "protected calls go only to a strictly higher priority: change a priority, or notify",
            );
        }
    }
}
