// SPDX-License-Identifier: BSD-2-Clause

//! `change`: what a client may do that has `administration` in the declaration.

use core::net::SocketAddr;

use socket_proto::layouts::{AddressState, Layout, Neighbour, Route};
use socket_proto::{ChangeKind, Errno, Family, Half, SocketKind, Span, addr, op};

use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::ip::address::Address;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::sockets::socket::{Role, SCOPE};
use crate::tables::id::{ClientId, Id, Slot};

/// The state of a neighbour that an administrator has said.
const FIXED: u32 = 3;

/// Names a socket among those of all clients. They are in the order of these numbers.
pub(crate) fn name(client: ClientId, slot: Slot, generation: u16) -> u64 {
    (client.index() as u64) << 32 | (slot.index() as u64) << 16 | u64::from(generation)
}

/// Reads an address that has no port.
fn address(words: [u64; 3]) -> Result<Address, Errno> {
    some_address(words)?.ok_or(Errno::EINVAL)
}

fn some_address(words: [u64; 3]) -> Result<Option<Address>, Errno> {
    let Some(address) = addr::from_words(words)? else {
        return Ok(None);
    };
    if address.port() != 0 {
        return Err(Errno::EINVAL);
    }
    match address {
        SocketAddr::V4(v4) => Ok(Some((*v4.ip()).into())),
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some() => Err(Errno::EINVAL),
        SocketAddr::V6(v6) if v6.scope_id() > SCOPE => Err(Errno::ENODEV),
        SocketAddr::V6(v6) => Ok(Some((*v6.ip()).into())),
    }
}

/// Reads how many bits of an address name its network.
fn bits(prefix: u32) -> Result<u8, Errno> {
    u8::try_from(prefix).map_err(|_| Errno::EINVAL)
}

impl<W: Window> Server<W> {
    /// `change`. Who waits for something that is gone is told.
    pub(crate) fn change<T: TxQueue>(
        &mut self,
        client: ClientId,
        asked: op::Change,
        tx: &mut T,
    ) -> Result<(), Errno> {
        if !self.accounts.get(client).limits.administration {
            return Err(Errno::EPERM);
        }
        let done = match asked.what {
            ChangeKind::EndSocket => self.end_socket(asked.index),
            _ if asked.index != 0 => Err(Errno::ENODEV),
            _ => self.change_network(client, asked, tx),
        };
        self.end_waits();
        done
    }

    fn change_network<T: TxQueue>(
        &mut self,
        client: ClientId,
        asked: op::Change,
        tx: &mut T,
    ) -> Result<(), Errno> {
        match asked.what {
            ChangeKind::AddAddress => {
                let said: AddressState = self.said(client, asked.span)?;
                match said.state {
                    0 => self
                        .net
                        .add_address(address(said.address)?, bits(said.prefix)?),
                    _ => Err(Errno::EINVAL),
                }
            }
            ChangeKind::RemoveAddress => {
                let said: AddressState = self.said(client, asked.span)?;
                self.net.remove_address(address(said.address)?)
            }
            ChangeKind::AddRoute => {
                let said: Route = self.said(client, asked.span)?;
                let to = (address(said.network)?, bits(said.prefix)?);
                self.net.add_route(to, address(said.router)?)
            }
            ChangeKind::RemoveRoute => {
                let said: Route = self.said(client, asked.span)?;
                let to = (address(said.network)?, bits(said.prefix)?);
                self.net.remove_route(to, some_address(said.router)?)
            }
            ChangeKind::AddNeighbour => {
                let said: Neighbour = self.said(client, asked.span)?;
                let [a, b, c, d, e, f, 0, 0] = said.mac else {
                    return Err(Errno::EINVAL);
                };
                if said.state != FIXED || said.age != 0 {
                    return Err(Errno::EINVAL);
                }
                let mac = [a, b, c, d, e, f];
                self.net.add_neighbour(address(said.address)?, mac, tx)
            }
            ChangeKind::RemoveNeighbour => {
                let said: Neighbour = self.said(client, asked.span)?;
                self.net.remove_neighbour(address(said.address)?)
            }
            ChangeKind::InterfaceDown => {
                self.net.set_up(false, tx);
                Ok(())
            }
            ChangeKind::InterfaceUp => {
                self.net.set_up(true, tx);
                Ok(())
            }
            ChangeKind::EndSocket => Err(Errno::EINVAL),
        }
    }

    /// Reads from the client's half of its window. The client may change it meanwhile, so it is
    /// read once.
    fn said<L: Layout>(&self, client: ClientId, span: Span) -> Result<L, Errno> {
        let window = &self.accounts.get(client).window;
        let span = window.sizes().check(span)?;
        let mut layout = L::default();
        if span.half() != Half::ClientToServer {
            return Err(Errno::EFAULT);
        }
        if span.length() != layout.bytes().len() {
            return Err(Errno::EINVAL);
        }
        window.read(span.half(), span.start(), layout.bytes_mut())?;
        Ok(layout)
    }

    /// Ends a socket of any client. Its handle stays, and its client reads `ECONNABORTED`.
    fn end_socket(&mut self, named: u64) -> Result<(), Errno> {
        let client = usize::try_from(named >> 32).ok();
        let client = client.and_then(|client| self.accounts.find(client));
        let client = client.ok_or(Errno::ENOENT)?;
        let slot = Slot::new(usize::from((named >> 16) as u16));
        let mut call = self.begin(client);
        let socket = call.account.socket(slot).ok_or(Errno::ENOENT)?;
        let generation = call.account.handle(slot).generation().get();
        if name(client, slot, generation) != named {
            return Err(Errno::ENOENT);
        }
        let connected = !matches!(socket.role, Role::Idle);
        match socket.kind() {
            SocketKind::Stream => call.dissolve_stream(slot)?,
            SocketKind::Datagram => call.dissolve_datagram(slot)?,
        }
        if connected && let Ok(socket) = call.account.socket_mut(slot) {
            socket.error = Some(Errno::ECONNABORTED);
        }
        call.net.stats.inc(Counter::SocketsEnded);
        let id = call.id(slot);
        self.refresh(id, None);
        Ok(())
    }
}

/// An address as everyone is shown it.
pub(crate) fn shown(address: Address) -> [u64; 3] {
    let family = match address.is_v4() {
        true => Family::Inet,
        false => Family::Inet6,
    };
    addr::to_words(crate::sockets::socket::show(family, (address, 0)))
}
