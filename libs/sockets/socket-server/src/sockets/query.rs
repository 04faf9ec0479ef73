// SPDX-License-Identifier: BSD-2-Clause

//! `query`: what a client can learn of the interface, its account and its sockets.

use socket_proto::layouts::{AddressState, Interface, Layout, QueryKind, SocketState, TcpInfo};
use socket_proto::{Errno, Family, Handle, Span, Written, addr, op};

use super::Call;
use super::socket::{Role, show};
use crate::counters::Counter;
use crate::ip::interface::LOOPBACK;
use crate::ip::link6;
use crate::ip::paths::LINK_MTU;
use crate::protocol::window::Window;
use crate::tables::id::ConnectionId;
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
                let state = self.address(number).ok_or(Errno::ENODEV)?;
                self.put(asked.span, &state)
            }
            (QueryKind::Socket, handle) => {
                let socket = Handle::from_raw(handle).ok_or(Errno::EBADF)?;
                self.put(asked.span, &self.state(socket)?)
            }
            (QueryKind::Tcp, handle) => {
                let socket = Handle::from_raw(handle).ok_or(Errno::EBADF)?;
                self.put(asked.span, &self.tcp_info(socket)?)
            }
        }
    }

    fn put(&mut self, span: Span, layout: &impl Layout) -> Result<Written, Errno> {
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
            link_up: interface.link_up.into(),
            reserved: 0,
            rx_frames: stats.count(Counter::RxFrames).get(),
            rx_bytes: stats.count(Counter::RxBytes).get(),
            tx_frames: stats.count(Counter::TxFrames).get(),
            tx_bytes: stats.count(Counter::TxBytes).get(),
        }
    }

    fn address(&self, number: u64) -> Option<AddressState> {
        let own = self
            .net
            .link6
            .own
            .iter()
            .nth(usize::try_from(number).ok()?)?;
        Some(AddressState {
            address: addr::to_words(show(Family::Inet6, (own.address, 0))),
            prefix: own.prefix.into(),
            state: match own.state {
                link6::State::Tentative { .. } => 0,
                link6::State::Ready if own.preferred > self.net.now() => 1,
                link6::State::Ready => 2,
                link6::State::Duplicate => 3,
            },
        })
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
            reserved: 0,
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

    fn state(&self, handle: Handle) -> Result<SocketState, Errno> {
        let slot = self.account.resolve(handle)?;
        let remote = match self.peer_name(slot) {
            Ok(name) => addr::to_words(name.address),
            Err(_) => addr::NO_ADDRESS,
        };
        let local = addr::to_words(self.sock_name(slot)?.address);
        let socket = self.account.socket(slot).ok_or(Errno::EBADF)?;
        let mut state = SocketState {
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
