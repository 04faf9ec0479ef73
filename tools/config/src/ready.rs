// SPDX-License-Identifier: BSD-2-Clause
//! Whether the supervisor watches every PD that counts on it, and hears from each that it is ready.
//! A report that is lost, or taken for another child's, is missed by no other check.

use supervision::MAX_CHILDREN;

use crate::{
    Diagnostic, Source,
    logs::{LOG_SYMBOL, STATS_SYMBOL},
    system::{Pd, System},
};

/// Name of the PD that restarts its children.
pub const SUPERVISOR: &str = "supervisor";
/// Symbol of a child through which it finds the channel (`pd_support::Pd::run`).
const CHANNEL_SYMBOL: &str = "parent_channel";
/// Child n reports on this channel of the supervisor plus n (`READY_CHANNELS` there).
const READY_CHANNELS: usize = 10;

/// Reports every child that the supervisor does not watch or know, and every child whose report
/// would be lost. Only those that have a log ring or counters make one; they are also those that
/// expect to be restarted.
pub fn check(source: &Source, system: &System, errors: &mut Vec<Diagnostic>) {
    if !system.pds.contains_key(SUPERVISOR) {
        return;
    }
    for (name, pd) in &system.pds {
        let reports = pd.map_at(LOG_SYMBOL).or(pd.map_at(STATS_SYMBOL)).is_some();
        if pd.parent.as_deref() == Some(SUPERVISOR) {
            let unknown = check_known(source, name, pd);
            if unknown.is_none() && reports {
                errors.extend(check_child(source, system, name, pd));
            }
            errors.extend(unknown);
        } else if reports && pd.parent.is_none() && name != SUPERVISOR {
            errors.push(source.at(
                pd.offset,
                format!("nobody restarts {name}: it is no child of {SUPERVISOR}"),
                format!("move it into the protection domain {SUPERVISOR}, with the next free id"),
            ));
        }
    }
}

/// The supervisor watches the child, under its name.
fn check_known(source: &Source, name: &str, pd: &Pd) -> Option<Diagnostic> {
    let child = pd.child_id?;
    if child >= MAX_CHILDREN {
        return Some(source.at(
            pd.offset,
            format!("{SUPERVISOR} does not watch {name}: its child {child} is beyond the last"),
            format!("choose an id from 0 to {}", MAX_CHILDREN - 1),
        ));
    }
    let symbol = format!("{name}_child");
    (pd.setvar_id.as_ref() != Some(&symbol)).then(|| {
        source.at(
            pd.offset,
            format!("{SUPERVISOR} does not know {name}, its child {child}, by name"),
            format!("set setvar_id=\"{symbol}\""),
        )
    })
}

fn check_child(source: &Source, system: &System, name: &str, pd: &Pd) -> Option<Diagnostic> {
    let child = pd.child_id?;
    let id = (READY_CHANNELS + child).to_string();
    let named = |symbol: &Option<String>| symbol.as_deref() == Some(CHANNEL_SYMBOL);
    let Some((from, to)) = system
        .channels_between(name, SUPERVISOR)
        .find(|(from, to)| named(&from.setvar_id) || to.id == id)
    else {
        return Some(source.at(
            pd.offset,
            format!("no channel on which {name} tells {SUPERVISOR} that it is ready"),
            format!(
                "add <channel><end pd=\"{name}\" id=\"9\" setvar_id=\"{CHANNEL_SYMBOL}\" /><end pd=\"{SUPERVISOR}\" id=\"{id}\" notify=\"false\" /></channel>"
            ),
        ));
    };
    if !named(&from.setvar_id) {
        return Some(source.at(
            from.offset,
            format!("{name} does not find its channel to {SUPERVISOR}"),
            format!("set setvar_id=\"{CHANNEL_SYMBOL}\""),
        ));
    }
    if !from.notify {
        return Some(source.at(
            from.offset,
            format!("{name} cannot tell {SUPERVISOR} that it is ready"),
            "move notify=\"false\" to the other end",
        ));
    }
    (to.id != id).then(|| {
        source.at(
            to.offset,
            format!(
                "{SUPERVISOR} does not take channel {} for that of {name}, its child {child}",
                to.id
            ),
            format!("set id=\"{id}\""),
        )
    })
}
