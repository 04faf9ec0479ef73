// SPDX-License-Identifier: BSD-2-Clause
//! The channels between the project's own PDs, whose ids their programs know.

use crate::{
    Diagnostic, Source,
    system::{End, System},
    wiring::SERVER,
};

/// What an end must be able to do.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Notify,
    Call,
}

/// One end: PD, channel id there, and what it must be able to do.
struct Required(&'static str, &'static str, Option<Does>);

/// Channels that must be there if both PDs are.
const CHANNELS: [[Required; 2]; 2] = [
    [
        Required("net_driver", "1", Some(Does::Notify)),
        Required(SERVER, "1", Some(Does::Notify)),
    ],
    [
        Required(SERVER, "3", Some(Does::Call)),
        Required("timer_driver", "1", Some(Does::Notify)),
    ],
];

/// Channels of the test image, there if the console has the symbol.
const TEST_SYMBOL: &str = "crash_request_vaddr";
const TEST_CHANNEL: [Required; 2] = [
    Required("console", "7", Some(Does::Notify)),
    Required("supervisor", "3", None),
];

/// Reports channels that are missing, or on which the wrong end may notify or call.
pub fn check(source: &Source, system: &System, errors: &mut Vec<Diagnostic>) {
    for ends in &CHANNELS {
        check_channel(source, system, ends, errors);
    }
    let console = system.pds.get(TEST_CHANNEL[0].0);
    if console.is_some_and(|console| console.map_at(TEST_SYMBOL).is_some()) {
        check_channel(source, system, &TEST_CHANNEL, errors);
    }
}

fn check_channel(
    source: &Source,
    system: &System,
    [first, second]: &[Required; 2],
    errors: &mut Vec<Diagnostic>,
) {
    let (Some(pd), true) = (system.pds.get(first.0), system.pds.contains_key(second.0)) else {
        return;
    };
    let found = system
        .channels_between(first.0, second.0)
        .find(|(one, other)| {
            // timer_driver takes any channel for a client's.
            one.id == first.1 && (other.id == second.1 || first.2 == Some(Does::Call))
        });
    let Some((one, other)) = found else {
        errors.push(source.at(
            pd.offset,
            format!(
                "no channel between {} (its channel {}) and {} (its channel {})",
                first.0, first.1, second.0, second.1
            ),
            format!(
                "add <channel>{}{}</channel>",
                first.element(),
                second.element()
            ),
        ));
        return;
    };
    for (end, required) in [(one, first), (other, second)] {
        errors.extend(check_end(source, end, required));
    }
}

fn check_end(source: &Source, end: &End, Required(pd, _, does): &Required) -> Option<Diagnostic> {
    match does {
        Some(Does::Notify) if !end.notify => Some(source.at(
            end.offset,
            format!("{pd} cannot notify the other end, which waits for that"),
            "remove notify=\"false\" from this end",
        )),
        Some(Does::Call) if !end.pp => Some(source.at(
            end.offset,
            format!("{pd} cannot call the other end"),
            "set pp=\"true\"",
        )),
        _ => None,
    }
}

impl Required {
    fn element(&self) -> String {
        let Self(pd, id, does) = self;
        let rights = match does {
            Some(Does::Notify) => "",
            Some(Does::Call) => " pp=\"true\" notify=\"false\"",
            None => " notify=\"false\"",
        };
        format!("<end pd=\"{pd}\" id=\"{id}\"{rights} />")
    }
}
