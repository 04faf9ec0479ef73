// SPDX-License-Identifier: BSD-2-Clause

//! What there is, a line each.

use core::fmt::{self, Display, Formatter};
use core::net::SocketAddr;

use socket_client::layouts;
use socket_proto::addr;

/// An address as layouts have it. One that makes no sense is shown as none.
fn address(words: [u64; 3]) -> Option<SocketAddr> {
    addr::from_words(words).ok().flatten()
}

/// An address without its port.
struct Host([u64; 3]);

impl Display for Host {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match address(self.0) {
            Some(address) => address.ip().fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// An address with its port.
struct End([u64; 3]);

impl Display for End {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match address(self.0) {
            Some(address) => address.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// An Ethernet address.
struct Card<'a>(&'a [u8; 8]);

impl Display for Card<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (n, byte) in self.0[..6].iter().enumerate() {
            let colon = if n > 0 { ":" } else { "" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

/// Text with zeros behind it.
struct Text<'a>(&'a [u8]);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0.split(|&byte| byte == 0).next().unwrap_or_default();
        f.write_str(str::from_utf8(text).unwrap_or("?"))
    }
}

pub struct Interface<'a>(pub &'a layouts::Interface);

impl Display for Interface<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let it = self.0;
        write!(
            f,
            "{} {} {}, link {}, mtu {}, received {} frames {} bytes, sent {} frames {} bytes",
            Text(&it.name),
            Card(&it.mac),
            if it.up == 1 { "up" } else { "down" },
            if it.link_up == 1 { "up" } else { "down" },
            it.mtu,
            it.rx_frames,
            it.rx_bytes,
            it.tx_frames,
            it.tx_bytes,
        )
    }
}

pub struct Address<'a>(pub &'a layouts::AddressState);

impl Display for Address<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let state = match self.0.state {
            0 => " tentative",
            1 => "",
            2 => " deprecated",
            _ => " duplicate",
        };
        write!(f, "{}/{}{state}", Host(self.0.address), self.0.prefix)
    }
}

pub struct Route<'a>(pub &'a layouts::Route);

impl Display for Route<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Host(self.0.network), self.0.prefix)?;
        match address(self.0.router) {
            Some(router) => write!(f, " via {}", router.ip()),
            None => f.write_str(" on the link"),
        }
    }
}

pub struct Neighbour<'a>(pub &'a layouts::Neighbour);

impl Display for Neighbour<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let state = match self.0.state {
            0 => "asked for",
            1 => "heard",
            2 => "known",
            _ => "fixed",
        };
        let (host, card) = (Host(self.0.address), Card(&self.0.mac));
        write!(f, "{host} {card} {state} {} s", self.0.age)
    }
}

/// The states of a connection by their numbers, from 1.
const STATES: [&str; 11] = [
    "established",
    "syn-sent",
    "syn-received",
    "fin-wait-1",
    "fin-wait-2",
    "time-wait",
    "closed",
    "close-wait",
    "last-ack",
    "listening",
    "closing",
];

pub struct Socket<'a>(pub &'a layouts::SocketState);

impl Display for Socket<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let it = self.0;
        let state = usize::try_from(it.state).unwrap_or_default();
        let kind = if it.kind == 1 { "tcp" } else { "udp" };
        write!(
            f,
            "{} {kind} {} {} {} {} unread {} unacknowledged {} resent {}",
            it.socket,
            STATES.get(state.wrapping_sub(1)).unwrap_or(&"?"),
            End(it.local),
            End(it.remote),
            Text(&it.owner),
            it.unread,
            it.unacknowledged,
            it.retransmissions,
        )
    }
}
