// SPDX-License-Identifier: BSD-2-Clause

//! What a client may see of the machine's place on the network, and what one with `administration`
//! in the declaration may change of it. Changes last until the server restarts.

use core::net::IpAddr;

use socket_proto::layouts::{AddressState, Layout, Neighbour, Route, SocketState};
use socket_proto::{ChangeKind, Errno, QueryKind, Span, addr, op};

use crate::{Client, Transport};

/// The state of a neighbour whose Ethernet address an administrator has said.
const FIXED: u32 = 3;

/// An address as layouts have it.
fn words(address: IpAddr) -> [u64; 3] {
    addr::to_words((address, 0).into())
}

impl<T: Transport> Client<T> {
    /// The addresses of the first interface, those of IPv4 first.
    pub fn addresses(&self) -> impl Iterator<Item = AddressState> {
        self.list(QueryKind::Address)
    }

    /// The routes that are in use, those of IPv4 first.
    pub fn routes(&self) -> impl Iterator<Item = Route> {
        self.list(QueryKind::Route)
    }

    /// The hosts on the link of which something is known. They come and go meanwhile, so that one
    /// can be missing or come twice.
    pub fn neighbours(&self) -> impl Iterator<Item = Neighbour> {
        self.list(QueryKind::Neighbour)
    }

    /// The sockets of all clients, as those are shown it that have `administration` or
    /// `reads_counters`.
    ///
    /// # Errors
    /// `EPERM` for other clients.
    pub fn all_sockets(&self) -> Result<impl Iterator<Item = SocketState>, Errno> {
        let kind = QueryKind::AnySocket;
        let mut next = match self.query(kind, 0) {
            Err(Errno::EPERM) => return Err(Errno::EPERM),
            first => first.ok(),
        };
        Ok(core::iter::from_fn(move || {
            let socket: SocketState = next.take()?;
            let after = socket.socket.checked_add(1)?;
            next = self.query(kind, after).ok();
            Some(socket)
        }))
    }

    fn list<L: Layout>(&self, what: QueryKind) -> impl Iterator<Item = L> {
        (0..).map_while(move |number| self.query(what, number).ok())
    }

    /// Adds an address; the first `prefix` bits name its network, which is on the link. One of IPv6
    /// is used when no other host has it.
    ///
    /// # Errors
    /// `EPERM`, `EINVAL` if no host can have it, `EEXIST`, `ENOBUFS` if there are too many.
    pub fn add_address(&self, address: IpAddr, prefix: u8) -> Result<(), Errno> {
        let (address, prefix) = (words(address), prefix.into());
        let state = AddressState {
            address,
            prefix,
            state: 0,
        };
        self.change(ChangeKind::AddAddress, &state)
    }

    /// Removes an address. Sockets that are bound to it, and connections, keep it: nothing comes
    /// for them, and what they send is `ENETUNREACH`, or lost. So do routes go whose routers are
    /// not on the link any more.
    ///
    /// # Errors
    /// `EPERM`, `EADDRNOTAVAIL` if it is not there.
    pub fn remove_address(&self, address: IpAddr) -> Result<(), Errno> {
        let address = words(address);
        let state = AddressState {
            address,
            ..AddressState::default()
        };
        self.change(ChangeKind::RemoveAddress, &state)
    }

    /// Adds a route: packets to addresses that begin with the first `prefix` bits of `network` go
    /// to `router`, unless a longer prefix says otherwise.
    ///
    /// # Errors
    /// `EPERM`, `EINVAL` if further bits of `network` are set, `EEXIST`, `ENETDOWN`, `ENETUNREACH`
    /// if the router is not on the link, `ENOBUFS` if there are too many.
    pub fn add_route(&self, network: IpAddr, prefix: u8, router: IpAddr) -> Result<(), Errno> {
        self.change(ChangeKind::AddRoute, &route(network, prefix, Some(router)))
    }

    /// Removes the route to a network; by this router, if one is named.
    ///
    /// # Errors
    /// `EPERM`, `ESRCH` if there is none.
    pub fn remove_route(
        &self,
        network: IpAddr,
        prefix: u8,
        router: Option<IpAddr>,
    ) -> Result<(), Errno> {
        self.change(ChangeKind::RemoveRoute, &route(network, prefix, router))
    }

    /// Says the Ethernet address of a host on the link. It is not asked for, and stays.
    ///
    /// # Errors
    /// `EPERM`, `EINVAL` if it is not that of one card, `ENETUNREACH` if the host is not on the
    /// link, `ENOBUFS` if there are too many.
    pub fn add_neighbour(&self, address: IpAddr, card: [u8; 6]) -> Result<(), Errno> {
        let mut mac = [0; 8];
        mac[..6].copy_from_slice(&card);
        let neighbour = Neighbour {
            address: words(address),
            mac,
            state: FIXED,
            age: 0,
        };
        self.change(ChangeKind::AddNeighbour, &neighbour)
    }

    /// Forgets a host on the link.
    ///
    /// # Errors
    /// `EPERM`, `ENOENT` if it is not known.
    pub fn remove_neighbour(&self, address: IpAddr) -> Result<(), Errno> {
        let address = words(address);
        let neighbour = Neighbour {
            address,
            ..Neighbour::default()
        };
        self.change(ChangeKind::RemoveNeighbour, &neighbour)
    }

    /// Shuts the interface down, or starts it. Meanwhile nothing is sent or received, and what
    /// would leave the machine is `ENETUNREACH`; connections go on afterwards, if they have not
    /// given up.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn set_interface_up(&self, up: bool) -> Result<(), Errno> {
        let what = match up {
            true => ChangeKind::InterfaceUp,
            false => ChangeKind::InterfaceDown,
        };
        self.change_by_number(what, 0)
    }

    /// Ends a socket of any client, named by [`SocketState::socket`]: a connection is reset, a
    /// listener stops, and the client reads `ECONNABORTED`.
    ///
    /// # Errors
    /// `EPERM`, `ENOENT` if there is none any more.
    pub fn end_socket(&self, socket: u64) -> Result<(), Errno> {
        self.change_by_number(ChangeKind::EndSocket, socket)
    }

    fn change_by_number(&self, what: ChangeKind, index: u64) -> Result<(), Errno> {
        let span = Span::default();
        self.call(op::Change { what, index, span })
    }

    fn change(&self, what: ChangeKind, layout: &impl Layout) -> Result<(), Errno> {
        let bytes = layout.bytes();
        self.with_c2s(0..bytes.len(), |window| window.copy_from_slice(bytes))?;
        let span = Span {
            offset: 0,
            length: bytes.len() as u64,
        };
        let index = 0;
        self.call(op::Change { what, index, span })
    }
}

fn route(network: IpAddr, prefix: u8, router: Option<IpAddr>) -> Route {
    Route {
        network: words(network),
        router: router.map_or(addr::NO_ADDRESS, words),
        prefix: prefix.into(),
        reserved: 0,
    }
}
