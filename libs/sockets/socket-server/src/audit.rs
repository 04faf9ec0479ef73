// SPDX-License-Identifier: BSD-2-Clause

//! Whether the tables agree with one another.

use smoltcp::socket::tcp::State;
use socket_proto::{Handle, PollBits, SocketKind};

use crate::accounts::client::{Kind, Role};
use crate::accounts::ports::SocketRef;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::transport::connection::Owner;

fn ensure(holds: bool, what: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(what) }
}

impl<W: Window> Server<W> {
    /// Checks that all tables agree with one another, and every readiness page with its sockets. It
    /// walks everything: meant for tests, which do so after each step.
    ///
    /// # Errors
    /// What does not hold.
    pub fn audit(&self) -> Result<(), &'static str> {
        self.audit_connections()?;
        let mut bound = 0;
        let mut datagrams = 0;
        for (number, client) in self.clients.iter().enumerate() {
            let Some(client) = client else {
                continue;
            };
            let mut streams = 0;
            let mut own_datagrams = 0;
            for (slot, entry) in client.slots.iter().enumerate() {
                let owner = SocketRef {
                    client: number as u8,
                    slot: slot as u16,
                };
                let shown = client
                    .ready
                    .reader()
                    .bits(Handle::new(owner.slot, entry.generation));
                let (kind, local) = match &entry.kind {
                    Kind::Free => {
                        ensure(shown == PollBits::NVAL, "the page knows no closed sockets")?;
                        continue;
                    }
                    Kind::Stream(stream) => {
                        streams += 1;
                        streams += self.audit_role(owner, &stream.role)?;
                        (SocketKind::Stream, stream.local)
                    }
                    Kind::Datagram(datagram) => {
                        own_datagrams += 1;
                        (SocketKind::Datagram, datagram.local)
                    }
                };
                if let Some(local) = local {
                    bound += 1;
                    let known = self.ports.get(kind, local.port);
                    ensure(known == Some(owner), "a bound socket has its port")?;
                }
                let bits = Self::bits(client, slot, &self.tcp, &self.udp);
                ensure(shown == bits, "the page is up to date")?;
            }
            datagrams += own_datagrams;
            ensure(client.streams == streams, "stream sockets are counted")?;
            let quotas = streams <= client.limits.stream_sockets
                && own_datagrams <= client.limits.datagram_sockets;
            ensure(quotas, "quotas hold")?;
            let closing = self.count(
                |owner| matches!(owner, Owner::Closing { client, .. } if usize::from(client) == number),
            );
            ensure(
                client.closing.len() + client.drained.len() == closing,
                "closing connections are listed",
            )?;
        }
        let held = self.stack.neighbours.held();
        ensure(self.pending.used() == held, "places in use are listed")?;
        ensure(self.ports.len() == bound, "every port has its socket")?;
        ensure(self.udp.used() == datagrams, "UDP sockets are all owned")
    }

    fn count(&self, which: impl Fn(Owner) -> bool) -> usize {
        let all = 0..self.tcp.len();
        all.filter(|&index| which(self.tcp.get(index).owner))
            .count()
    }

    fn audit_connections(&self) -> Result<(), &'static str> {
        let mut known = 0;
        for index in 0..self.tcp.len() {
            let connection = self.tcp.get(index);
            if let Some(client) = connection.owner.client() {
                let own = self.dirty.account(index) == usize::from(client);
                ensure(own, "what is sent is booked for the client")?;
            }
            let free = connection.owner == Owner::Free;
            ensure(
                !free || !self.stack.neighbours.waits(index),
                "who is free waits for nobody",
            )?;
            ensure(
                free == connection.tuple.is_none(),
                "who is in use has a name",
            )?;
            ensure(
                !free || self.timers.get(index).is_none(),
                "who is free has no timer",
            )?;
            let Some(tuple) = connection.tuple else {
                continue;
            };
            if self.tuples.get(&tuple) == Some(index as u32) {
                known += 1;
            } else {
                let ended = connection.is_over() || connection.seen == State::TimeWait;
                ensure(ended, "who is alive is found")?;
            }
            if let Owner::Client(owner) = connection.owner {
                let role = self.clients[usize::from(owner.client)]
                    .as_ref()
                    .and_then(|client| client.slots.get(usize::from(owner.slot)));
                let back = matches!(
                    role.map(|slot| &slot.kind),
                    Some(Kind::Stream(stream))
                        if matches!(stream.role, Role::Connection(back) if back == index)
                );
                ensure(back, "an owned connection is known to its owner")?;
            }
        }
        ensure(self.tuples.len() == known, "every name has its connection")?;
        let used = self.count(|owner| owner != Owner::Free);
        ensure(self.tcp.used() == used, "connections in use are counted")
    }

    /// Returns how many connections wait at a socket.
    fn audit_role(&self, socket: SocketRef, role: &Role) -> Result<usize, &'static str> {
        match role {
            Role::Idle => Ok(0),
            Role::Connection(index) => {
                let mine = self.tcp.get(*index).owner == Owner::Client(socket);
                ensure(mine, "a connection is its socket's")?;
                Ok(0)
            }
            Role::Listening(listener) => {
                let ready = self.count(
                    |owner| matches!(owner, Owner::Pending { listener } if listener == socket),
                );
                ensure(
                    listener.ready.len() == ready,
                    "what can be accepted is listed",
                )?;
                Ok(ready)
            }
        }
    }
}
