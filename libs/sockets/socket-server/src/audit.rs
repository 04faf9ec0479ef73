// SPDX-License-Identifier: BSD-2-Clause

//! Whether the tables agree with one another. Only tests are built with it.

use alloc::vec;
use alloc::vec::Vec;

use socket_proto::{PollBits, SocketKind};

use crate::counters::Counter;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::sockets::socket::Role;
use crate::tables::id::{ClientId, ConnectionId, Id, SocketId};
use crate::tables::list::List;
use crate::transport::connection::Owner;
use crate::transport::engine::State;

fn ensure(holds: bool, what: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(what) }
}

impl<W: Window> Server<W> {
    /// Checks that all tables agree with one another, and every readiness page with its sockets. It
    /// walks everything.
    ///
    /// # Errors
    /// What does not hold.
    pub fn audit(&self) -> Result<(), &'static str> {
        self.audit_connections()?;
        let (mut bound, mut datagrams, mut lent) = (0, 0, 0);
        for client in (0..).map_while(|number| self.accounts.find(number)) {
            let account = self.accounts.get(client);
            let (mut streams, mut own_datagrams, mut mail) = (0, 0, 0);
            for slot in account.slots() {
                let id = SocketId { client, slot };
                let handle = account.handle(slot);
                let shown = account.ready.reader().bits(handle);
                let Some(socket) = account.socket(slot) else {
                    ensure(shown == PollBits::NVAL, "the page knows no closed sockets")?;
                    continue;
                };
                match &socket.role {
                    Role::Datagram(datagram) => {
                        own_datagrams += 1;
                        mail += datagram.inbox.blocks();
                    }
                    role => streams += 1 + self.audit_role(id, role)?,
                }
                if let Some(local) = socket.local {
                    for address in local.places() {
                        let holder = self.ports.holder(socket.protocol(), address, local.port);
                        let has = holder == Some(id);
                        bound += usize::from(has);
                        ensure(has || self.ports.shares(id), "a bound socket has its port")?;
                    }
                }
                let bits = socket.bits(&self.tcp);
                ensure(shown == bits, "the page is up to date")?;
            }
            ensure(
                account.mail.used() == mail,
                "memory for datagrams is all owned",
            )?;
            datagrams += own_datagrams as u64;
            let (may_stream, may_datagram) = (
                account.may_add(SocketKind::Stream),
                account.may_add(SocketKind::Datagram),
            );
            let limits = &account.limits;
            ensure(
                may_stream == (streams < limits.stream_sockets) && streams <= limits.stream_sockets,
                "stream sockets are counted, and within the quota",
            )?;
            ensure(
                may_datagram == (own_datagrams < limits.datagram_sockets),
                "datagram sockets are counted",
            )?;
            lent += self.audit_buffers(client)?;
        }
        ensure(
            self.tcp.buffers.left.len() == lent,
            "who has large buffers has left small ones",
        )?;
        for member in self.net.groups.sockets() {
            let socket = self.accounts.get(member.client).socket(member.slot);
            ensure(socket.is_some(), "members of groups are sockets")?;
        }
        ensure(self.ports.bound.len() == bound, "every port has its socket")?;
        let counted = self.net.stats.count(Counter::DatagramSockets).get();
        ensure(counted == datagrams, "datagram sockets are counted")
    }

    /// What is in use of every pool, by name: the same before and after anything that leaves
    /// nothing behind.
    pub fn levels(&self) -> Vec<(&'static str, usize)> {
        let (tcp, net) = (&self.tcp, &self.net);
        let [half_open, half_open_entries] = tcp.half_open.used();
        let [waiting, waiting_entries] = tcp.time_wait.used();
        let [partial, partial_entries, blocks] = net.reassembly.used();
        let mut levels = vec![
            ("connections", tcp.connections.used()),
            ("connections by name", tcp.tuples.len()),
            ("half open, by name", half_open),
            ("half open", half_open_entries),
            ("time-wait, by name", waiting),
            ("time-wait", waiting_entries),
            ("small buffers that were left", tcp.buffers.left.len()),
            ("large buffers to spare", tcp.buffers.spare()),
            ("ports", self.ports.bound.len()),
            ("datagrams in parts, by name", partial),
            ("datagrams in parts", partial_entries),
            ("blocks of datagrams in parts", blocks),
            ("free places for datagrams that wait", net.pending.free()),
            ("spare frames of loopback", net.loopback.spare()),
        ];
        for client in (0..).map_while(|number| self.accounts.find(number)) {
            let account = self.accounts.get(client);
            levels.push(("blocks of received datagrams", account.mail.used()));
            levels.push(("free sockets", account.free()));
        }
        levels
    }

    fn owned(&self, which: impl Fn(Owner) -> bool) -> usize {
        let connections = self.tcp.connections.ids();
        connections
            .filter(|&id| which(self.tcp.connections[id].owner))
            .count()
    }

    /// Whether a list has just those connections whose owner is `which`.
    fn in_list(&self, list: &List<ConnectionId>, which: Owner) -> bool {
        let owner = |id| self.tcp.connections[id].owner;
        let listed = list.iter(&self.tcp.links).all(|id| owner(id) == which);
        listed && list.len() == self.owned(|owner| owner == which)
    }

    /// Returns how many connections of a client have large buffers.
    fn audit_buffers(&self, client: ClientId) -> Result<usize, &'static str> {
        let lent = &self.tcp.buffers.lent;
        let owner = |id| self.tcp.connections[id].owner.client();
        let own = |id| owner(id) == Some(client);
        ensure(
            lent.iter(client.index()).all(own),
            "large buffers are lent to connections of their client",
        )?;
        ensure(
            self.tcp.closing.held(client) == self.owned(|owner| owner.client() == Some(client)),
            "the connections of each client are counted",
        )?;
        Ok(lent[client.index()].len())
    }

    fn audit_connections(&self) -> Result<(), &'static str> {
        let mut known = 0;
        for id in self.tcp.connections.ids() {
            let connection = &self.tcp.connections[id];
            let Some(tuple) = connection.tuple else {
                ensure(connection.owner == Owner::Free, "who is in use has a name")?;
                let waiting = &self.net.neighbours.waiting;
                let lists = [&self.tcp.changed, &self.tcp.buffers.lent, waiting];
                let left = self.tcp.timers.get(id).is_none()
                    && self.tcp.queue.entries.of(id).is_none()
                    && self.tcp.loopback.entries.of(id).is_none()
                    && self.tcp.closing.of(id).is_none()
                    && lists.iter().all(|lists| lists.of(id).is_none());
                ensure(left, "who is free is in no list, and has no timer")?;
                continue;
            };
            ensure(connection.owner != Owner::Free, "who is free has no name")?;
            let closes = match connection.owner {
                Owner::Closing(client) => Some(client.index()),
                _ => None,
            };
            let listed = self.tcp.closing.of(id).map(|(client, _)| client);
            ensure(
                listed == closes,
                "who is closing is listed, and nobody else",
            )?;
            if self.tcp.tuples.get(&tuple) == Some(id) {
                known += 1;
            } else {
                let ended = matches!(connection.state(), State::Closed | State::TimeWait);
                ensure(ended, "who is alive is found")?;
            }
            if let Owner::Socket(owner) = connection.owner {
                let socket = self.accounts.get(owner.client).socket(owner.slot);
                let back = socket.and_then(|socket| socket.connection());
                ensure(
                    back == Some(id),
                    "an owned connection is known to its owner",
                )?;
            }
        }
        ensure(
            self.tcp.tuples.len() == known,
            "every name has its connection",
        )?;
        let used = self.owned(|owner| owner != Owner::Free);
        ensure(
            self.tcp.connections.used() == used,
            "connections in use are counted",
        )
    }

    /// Returns how many connections wait at a socket.
    fn audit_role(&self, socket: SocketId, role: &Role) -> Result<usize, &'static str> {
        match role {
            Role::Idle | Role::Datagram(_) => Ok(0),
            Role::Connection(id) => {
                let mine = self.tcp.connections[*id].owner == Owner::Socket(socket);
                ensure(mine, "a connection is its socket's")?;
                Ok(0)
            }
            Role::Listening(listener) => {
                let listed = self.in_list(&listener.ready, Owner::Pending(socket));
                ensure(listed, "what can be accepted is listed")?;
                Ok(listener.ready.len())
            }
        }
    }
}
