// SPDX-License-Identifier: BSD-2-Clause

//! Who has which local port. One socket a protocol and port: the machine has one address, so that "any" and that address
//! always conflict. Connections do not hold their listener's port, as if `SO_REUSEADDR` were set: a restarted client can
//! listen again at once.

use core::net::Ipv4Addr;

use socket_proto::SocketKind;

use crate::map::{Full, Key, Map, mix};

/// First of the ports that the server chooses itself (RFC 6335 section 6).
pub const EPHEMERAL_FIRST: u16 = 49_152;
const EPHEMERAL_COUNT: u16 = u16::MAX - EPHEMERAL_FIRST + 1;

/// A socket of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketRef {
    /// The client.
    pub client: u8,
    /// Index in its table.
    pub slot: u16,
}

/// Where a socket is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// One of this machine's addresses, or any.
    pub address: Option<Ipv4Addr>,
    /// The port.
    pub port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct PortKey {
    kind: SocketKind,
    port: u16,
}

impl Key for PortKey {
    fn hash(&self, seed: u64) -> u64 {
        mix(seed, self.kind.raw() << 16 | u64::from(self.port))
    }
}

/// The table.
pub struct Ports {
    bound: Map<PortKey, SocketRef>,
    next: u16,
}

impl Ports {
    /// A table for at most `sockets` bound ports.
    #[must_use]
    pub fn new(sockets: usize, seed: u64) -> Self {
        Ports {
            bound: Map::new(sockets, seed),
            next: (mix(seed, 1) % u64::from(EPHEMERAL_COUNT)) as u16,
        }
    }

    /// Number of bound ports.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bound.len()
    }

    /// Who has a port.
    #[must_use]
    pub fn get(&self, kind: SocketKind, port: u16) -> Option<SocketRef> {
        self.bound.get(&PortKey { kind, port })
    }

    /// Gives a port to a socket.
    ///
    /// # Errors
    /// [`Full`] if it is taken. (The table has room for every socket.)
    pub fn bind(&mut self, kind: SocketKind, port: u16, owner: SocketRef) -> Result<(), Full> {
        let key = PortKey { kind, port };
        if self.bound.get(&key).is_some() {
            return Err(Full);
        }
        self.bound.insert(key, owner)
    }

    /// Takes a port back from its owner.
    pub fn release(&mut self, kind: SocketKind, port: u16, owner: SocketRef) {
        let key = PortKey { kind, port };
        if self.bound.get(&key) == Some(owner) {
            self.bound.remove(&key);
        }
    }

    /// Gives a free ephemeral port that `usable` agrees to. Goes on from the last one, so that a port rests before it comes
    /// again.
    pub fn bind_ephemeral(
        &mut self,
        kind: SocketKind,
        owner: SocketRef,
        usable: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        for _ in 0..EPHEMERAL_COUNT {
            let port = EPHEMERAL_FIRST + self.next;
            self.next = (self.next + 1) % EPHEMERAL_COUNT;
            if usable(port) && self.bind(kind, port, owner).is_ok() {
                return Some(port);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SocketRef = SocketRef { client: 0, slot: 1 };
    const B: SocketRef = SocketRef { client: 1, slot: 1 };

    #[test]
    fn a_port_has_one_owner_a_protocol() {
        let mut ports = Ports::new(4, 3);
        assert_eq!(ports.bind(SocketKind::Stream, 80, A), Ok(()));
        assert_eq!(ports.bind(SocketKind::Stream, 80, B), Err(Full));
        assert_eq!(ports.bind(SocketKind::Datagram, 80, B), Ok(()));
        ports.release(SocketKind::Stream, 80, B);
        assert_eq!(ports.get(SocketKind::Stream, 80), Some(A));
        ports.release(SocketKind::Stream, 80, A);
        assert_eq!(ports.get(SocketKind::Stream, 80), None);
        assert_eq!(ports.get(SocketKind::Datagram, 80), Some(B));
    }

    #[test]
    fn every_ephemeral_port_is_found_once() {
        let count = usize::from(EPHEMERAL_COUNT);
        let mut ports = Ports::new(count + 1, 5);
        let avoided = EPHEMERAL_FIRST + 7;
        let mut seen = std::collections::HashSet::new();
        while let Some(port) = ports.bind_ephemeral(SocketKind::Stream, A, |port| port != avoided) {
            assert!(port >= EPHEMERAL_FIRST && port != avoided);
            assert!(seen.insert(port));
        }
        assert_eq!(seen.len(), count - 1);
    }
}
