// SPDX-License-Identifier: BSD-2-Clause

//! From a line to what it asks for.

use core::net::IpAddr;
use core::str::SplitAsciiWhitespace;
use core::time::Duration;

/// The longest that the interface is shut down for a restart.
const LONGEST: u64 = 3600;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Nothing was written.
    Nothing,
    Help,
    Interfaces,
    Addresses,
    Routes,
    Neighbours,
    Names,
    Sockets,
    AddAddress(IpAddr, u8),
    RemoveAddress(IpAddr),
    /// The network, and the router.
    AddRoute((IpAddr, u8), IpAddr),
    RemoveRoute((IpAddr, u8)),
    AddNeighbour(IpAddr, [u8; 6]),
    RemoveNeighbour(IpAddr),
    Up,
    Down,
    /// Down, and up after so long.
    Restart(Duration),
    Kill(u64),
    Quit,
}

/// What the commands are.
pub const HELP: &str = "\
interfaces               Ethernet address, link, frames and bytes
addresses                of the interface
routes                   that are in use
neighbours               hosts on the link
names                    servers for names and time, search domain, lease
sockets                  of all clients
address add 10.0.2.16/24 | address remove 10.0.2.16
route add 10.7.0.0/16 10.0.2.7 | route remove 10.7.0.0/16
neighbour add 10.0.2.7 02:00:00:00:00:07 | neighbour remove 10.0.2.7
interface up | interface down | interface restart [seconds]
kill 4294967297          ends the socket of that number
help, quit
";

/// Reads a line. `None` if it is no command.
pub fn parse(line: &str) -> Option<Command> {
    let mut words = line.split_ascii_whitespace();
    let command = match words.next() {
        None => Command::Nothing,
        Some("help" | "?") => Command::Help,
        Some("interfaces") => Command::Interfaces,
        Some("addresses") => Command::Addresses,
        Some("routes") => Command::Routes,
        Some("neighbours") => Command::Neighbours,
        Some("names") => Command::Names,
        Some("sockets") => Command::Sockets,
        Some("kill") => Command::Kill(words.next()?.parse().ok()?),
        Some("quit" | "exit") => Command::Quit,
        Some(what) => change(what, &mut words)?,
    };
    words.next().is_none().then_some(command)
}

fn change(what: &str, words: &mut SplitAsciiWhitespace<'_>) -> Option<Command> {
    Some(match (what, words.next()?) {
        ("address", "add") => {
            let (address, bits) = network(words.next()?)?;
            Command::AddAddress(address, bits)
        }
        ("address", "remove") => Command::RemoveAddress(words.next()?.parse().ok()?),
        ("route", "add") => Command::AddRoute(network(words.next()?)?, words.next()?.parse().ok()?),
        ("route", "remove") => Command::RemoveRoute(network(words.next()?)?),
        ("neighbour", "add") => {
            Command::AddNeighbour(words.next()?.parse().ok()?, card(words.next()?)?)
        }
        ("neighbour", "remove") => Command::RemoveNeighbour(words.next()?.parse().ok()?),
        ("interface", "up") => Command::Up,
        ("interface", "down") => Command::Down,
        ("interface", "restart") => {
            let seconds = words.next().map_or(Some(1), |word| word.parse().ok())?;
            Command::Restart(Duration::from_secs(seconds).min(Duration::from_secs(LONGEST)))
        }
        _ => return None,
    })
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    Some((address.parse().ok()?, bits.parse().ok()?))
}

fn card(text: &str) -> Option<[u8; 6]> {
    let mut card = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut card {
        *byte = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    parts.next().is_none().then_some(card)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_strictly() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let expected = [
            ("", Command::Nothing),
            ("  routes ", Command::Routes),
            (
                "address add fd00::7/64",
                Command::AddAddress(ip("fd00::7"), 64),
            ),
            (
                "address remove 10.0.2.16",
                Command::RemoveAddress(ip("10.0.2.16")),
            ),
            (
                "route add 10.7.0.0/16 10.0.2.7",
                Command::AddRoute((ip("10.7.0.0"), 16), ip("10.0.2.7")),
            ),
            (
                "neighbour add 10.0.2.7 02:00:00:00:00:0a",
                Command::AddNeighbour(ip("10.0.2.7"), [2, 0, 0, 0, 0, 10]),
            ),
            (
                "interface restart",
                Command::Restart(Duration::from_secs(1)),
            ),
            (
                "interface restart 9999",
                Command::Restart(Duration::from_secs(LONGEST)),
            ),
            ("kill 7", Command::Kill(7)),
        ];
        for (line, command) in expected {
            assert_eq!(parse(line), Some(command), "{line}");
        }
        for line in [
            "routs",
            "routes all",
            "address add 10.0.2.16",
            "address add ten/8",
            "route add 10.7.0.0/16",
            "neighbour add 10.0.2.7 02:00:00:00:00",
            "neighbour add 10.0.2.7 02:00:00:00:00:00:00",
            "interface",
            "interface restart soon",
            "kill",
            "kill -1",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
