// SPDX-License-Identifier: BSD-2-Clause

//! `query`: what a client can learn of the interface, its account and its sockets.

use core::net::Ipv4Addr;

use socket_proto::layouts::{
    AddressState, Interface, Layout, Names, Neighbour, QueryKind, Route, SocketState, TcpInfo,
};
use socket_proto::{Errno, Handle, Span, Written, addr, op};

use super::Call;
use super::socket::Role;
use crate::administration::{name, shown};
use crate::config::network_mask;
use crate::counters::Counter;
use crate::ethernet::neighbours;
use crate::ip::address::Address;
use crate::ip::dhcp::{DOMAIN_MAX, Servers};
use crate::ip::interface::{Gate, LOOPBACK};
use crate::ip::link6;
use crate::ip::paths::LINK_MTU;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::tables::id::{ClientId, ConnectionId, Slot};
use crate::time::Instant;
use crate::transport::engine::State;
use crate::transport::segment::headers;

/// Linux's numbers of a connection's states; those without one.
const LISTENING: u32 = 10;
const CLOSED: u32 = 7;

impl<W> Call<'_, W> {
    /// Bytes of the largest segment that a connection sends.
    pub(super) fn send_mss(&self, id: ConnectionId) -> u16 {
        let connection = &self.tcp.connections[id];
        let room = |to| (self.net.path(to).mtu - headers(to)) as u16;
        let most = connection.send_mss();
        connection
            .tuple
            .map_or(most, |tuple| most.min(room(tuple.remote.0)))
    }
}

impl<W: Window> Call<'_, W> {
    /// `query`.
    pub(crate) fn query(&mut self, asked: op::Query) -> Result<Written, Errno> {
        match (asked.what, asked.index) {
            (QueryKind::Interface, 0) => self.put(asked.span, &self.interface()),
            (QueryKind::Interface, 1) => self.put(asked.span, &self.loopback()),
            (QueryKind::Interface, _) => Err(Errno::ENODEV),
            (QueryKind::Account, 0) => self.put(asked.span, &self.account.state()),
            (QueryKind::Account, _) => Err(Errno::EINVAL),
            (QueryKind::Address, number) => {
                let state = nth(self.addresses(), number)?;
                self.put(asked.span, &state)
            }
            (QueryKind::Route, number) => {
                let route = nth(self.routes(), number)?;
                self.put(asked.span, &route)
            }
            (QueryKind::Neighbour, number) => {
                let number = usize::try_from(number).map_err(|_| Errno::ENODEV)?;
                let known = self.net.neighbours.nth(number).ok_or(Errno::ENODEV)?;
                self.put(asked.span, &self.neighbour(known))
            }
            (QueryKind::Names, 0) => self.put(asked.span, &self.names()),
            (QueryKind::Names, _) => Err(Errno::EINVAL),
            // Not of one account alone.
            (QueryKind::AnySocket, _) => Err(Errno::EINVAL),
            (QueryKind::Socket, handle) => {
                let socket = Handle::from_raw(handle).ok_or(Errno::EBADF)?;
                let slot = self.account.resolve(socket)?;
                self.put(asked.span, &self.state(slot)?)
            }
            (QueryKind::Tcp, handle) => {
                let socket = Handle::from_raw(handle).ok_or(Errno::EBADF)?;
                self.put(asked.span, &self.tcp_info(socket)?)
            }
        }
    }

    pub(crate) fn put(&mut self, span: Span, layout: &impl Layout) -> Result<Written, Errno> {
        let span = self.account.window.sizes().check_writable(span)?;
        let bytes = layout.bytes();
        if span.length() < bytes.len() {
            return Err(Errno::EINVAL);
        }
        self.account.window.write(span.start(), bytes)?;
        Ok(Written {
            bytes: bytes.len() as u64,
        })
    }

    fn interface(&self) -> Interface {
        let interface = &self.net.interface;
        let mut name = [0; 16];
        name[..4].copy_from_slice(b"eth0");
        let mut mac = [0; 8];
        mac[..6].copy_from_slice(&interface.mac);
        let stats = self.net.stats;
        Interface {
            name,
            mac,
            address: addr::to_words((interface.address, 0).into()),
            prefix: interface.prefix.into(),
            mtu: LINK_MTU as u32,
            link_up: interface.carrier.into(),
            up: interface.up.into(),
            rx_frames: stats.count(Counter::RxFrames).get(),
            rx_bytes: stats.count(Counter::RxBytes).get(),
            tx_frames: stats.count(Counter::TxFrames).get(),
            tx_bytes: stats.count(Counter::TxBytes).get(),
        }
    }

    fn addresses(&self) -> impl Iterator<Item = AddressState> {
        let addresses = self.net.interface.addresses.iter();
        let v4 = addresses.map(|&(address, prefix)| AddressState {
            address: shown(address.into()),
            prefix: prefix.into(),
            state: 1,
        });
        let v6 = self.net.link6.own.iter().map(|own| AddressState {
            address: shown(own.address),
            prefix: own.prefix.into(),
            state: match own.state {
                link6::State::Tentative { .. } => 0,
                link6::State::Ready if own.preferred > self.net.now() => 1,
                link6::State::Ready => 2,
                link6::State::Duplicate => 3,
            },
        });
        v4.chain(v6)
    }

    /// The routes that are in use and leave this machine.
    fn routes(&self) -> impl Iterator<Item = Route> {
        let link = &self.net.link6;
        let v4 = self.net.routes.leaving().map(|route| {
            let network = route.network.to_bits() & network_mask(route.prefix);
            let router = match route.gate {
                Gate::Router(router) => Some(router.into()),
                Gate::Link | Gate::Loopback => None,
            };
            show_route((Ipv4Addr::from_bits(network).into(), route.prefix), router)
        });
        let on_link = link.on_link.iter();
        let on_link =
            on_link.map(|net| show_route((net.network.network(net.bits), net.bits), None));
        let far = link.by_router.iter();
        let far = far.map(|via| show_route(via.to, Some(via.router)));
        let everything = (Address::ANY6, 0);
        let routers = link.routers.iter();
        let routers = routers.map(move |router| show_route(everything, Some(router.address)));
        v4.chain(on_link).chain(far).chain(routers)
    }

    fn names(&self) -> Names {
        let (net, none) = (&self.net, Servers::default());
        let declared = net.names;
        let (servers, time_servers, domain, lease) = match net.dhcp.lease(net.now()) {
            Some(lease) => lease,
            None => (&none, &none, &[0; DOMAIN_MAX], 0),
        };
        let mut names = Names {
            servers: show_servers(match declared.servers[0] {
                Some(_) => &declared.servers,
                None => servers,
            }),
            time_servers: show_servers(time_servers),
            domain: *domain,
            lease,
            reserved: 0,
        };
        if let Some(room) = names.domain.get_mut(..declared.domain.len())
            && !room.is_empty()
        {
            room.copy_from_slice(declared.domain.as_bytes());
            names.domain[declared.domain.len()..].fill(0);
        }
        names
    }

    fn neighbour(&self, known: (Address, [u8; 6], neighbours::State, Instant)) -> Neighbour {
        let (address, card, state, since) = known;
        let mut mac = [0; 8];
        mac[..6].copy_from_slice(&card);
        Neighbour {
            address: shown(address),
            mac,
            state: match state {
                neighbours::State::Free | neighbours::State::Asking => 0,
                neighbours::State::Heard => 1,
                neighbours::State::Known => 2,
                neighbours::State::Fixed => 3,
            },
            age: (self.net.now() - since).secs() as u32,
        }
    }

    fn loopback(&self) -> Interface {
        let mut name = [0; 16];
        name[..2].copy_from_slice(b"lo");
        let (address, prefix) = LOOPBACK;
        let stats = self.net.stats;
        let frames = stats.count(Counter::LoopbackFrames).get();
        let bytes = stats.count(Counter::LoopbackBytes).get();
        Interface {
            name,
            mac: [0; 8],
            address: addr::to_words((address, 0).into()),
            prefix: prefix.into(),
            mtu: LINK_MTU as u32,
            link_up: 1,
            up: 1,
            rx_frames: frames,
            rx_bytes: bytes,
            tx_frames: frames,
            tx_bytes: bytes,
        }
    }

    fn tcp_info(&self, handle: Handle) -> Result<TcpInfo, Errno> {
        let slot = self.account.resolve(handle)?;
        let socket = self.account.socket(slot).ok_or(Errno::EBADF)?;
        let state = match socket.role {
            Role::Datagram(_) => return Err(Errno::EOPNOTSUPP),
            Role::Listening(_) => LISTENING,
            Role::Idle => CLOSED,
            Role::Connection(id) => {
                let connection = &self.tcp.connections[id];
                return Ok(TcpInfo {
                    state: number(connection.state()),
                    send_mss: self.send_mss(id).into(),
                    ..connection.info(self.net.now())
                });
            }
        };
        Ok(TcpInfo {
            state,
            ..TcpInfo::default()
        })
    }

    /// What is known of the socket at an index.
    pub(crate) fn state(&self, slot: Slot) -> Result<SocketState, Errno> {
        let remote = match self.peer_name(slot) {
            Ok(name) => addr::to_words(name.address),
            Err(_) => addr::NO_ADDRESS,
        };
        let local = addr::to_words(self.sock_name(slot)?.address);
        let socket = self.account.socket(slot).ok_or(Errno::EBADF)?;
        let generation = self.account.handle(slot).generation().get();
        let mut state = SocketState {
            socket: name(self.client, slot, generation),
            owner: self.account.limits.owner(),
            kind: socket.kind().raw() as u32,
            state: CLOSED,
            local,
            remote,
            ..SocketState::default()
        };
        match &socket.role {
            Role::Listening(listener) => {
                state.state = LISTENING;
                state.unread = listener.ready.len() as u64;
            }
            Role::Connection(id) => {
                let connection = &self.tcp.connections[*id];
                state.state = number(connection.state());
                (state.unread, state.unacknowledged) = connection.queues();
                state.retransmissions = connection.resent.into();
            }
            Role::Datagram(datagram) if datagram.remote.is_some() => {
                state.state = number(State::Established);
            }
            Role::Idle | Role::Datagram(_) => {}
        }
        Ok(state)
    }
}

impl<W: Window> Server<W> {
    /// `query` for the first socket of any client whose name is not lower than what is asked.
    pub(crate) fn query_any(
        &mut self,
        client: ClientId,
        asked: op::Query,
    ) -> Result<Written, Errno> {
        let limits = &self.accounts.get(client).limits;
        if !(limits.administration || limits.sees_sockets) {
            return Err(Errno::EPERM);
        }
        let first = usize::try_from(asked.index >> 32).map_err(|_| Errno::ENODEV)?;
        let clients = (first..).map_while(|number| self.accounts.find(number));
        let found = clients.flat_map(|client| {
            let account = self.accounts.get(client);
            let used = account
                .slots()
                .filter(|&slot| account.socket(slot).is_some());
            used.map(move |slot| (client, slot))
        });
        let mut found = found.filter(|&(client, slot)| {
            let generation = self.accounts.get(client).handle(slot).generation().get();
            name(client, slot, generation) >= asked.index
        });
        let (owner, slot) = found.next().ok_or(Errno::ENODEV)?;
        drop(found);
        let state = self.begin(owner).state(slot)?;
        self.begin(client).put(asked.span, &state)
    }
}

fn nth<T>(mut list: impl Iterator<Item = T>, number: u64) -> Result<T, Errno> {
    let number = usize::try_from(number).map_err(|_| Errno::ENODEV)?;
    list.nth(number).ok_or(Errno::ENODEV)
}

fn show_servers(servers: &Servers) -> [u64; 9] {
    let mut words = [0; 9];
    let servers = servers.iter().flatten();
    for (place, server) in words.chunks_exact_mut(3).zip(servers) {
        place.copy_from_slice(&shown((*server).into()));
    }
    words
}

fn show_route((network, bits): (Address, u8), router: Option<Address>) -> Route {
    Route {
        network: shown(network),
        router: router.map_or(addr::NO_ADDRESS, shown),
        prefix: bits.into(),
        reserved: 0,
    }
}

fn number(state: State) -> u32 {
    match state {
        State::Established => 1,
        State::SynSent => 2,
        State::SynReceived => 3,
        State::FinWait1 => 4,
        State::FinWait2 => 5,
        State::TimeWait => 6,
        State::Closed => CLOSED,
        State::CloseWait => 8,
        State::LastAck => 9,
        State::Listen => LISTENING,
        State::Closing => 11,
    }
}
