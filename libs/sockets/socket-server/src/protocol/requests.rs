// SPDX-License-Identifier: BSD-2-Clause

//! From a message to the operation, and from its result to the reply.

use socket_proto::{
    Attached, Errno, Failure, Handle, Operation, PollBits, Reply, Request, SocketKind, Success,
    VERSION, reply,
};

use crate::accounts::client::Client;
use crate::accounts::ports::SocketRef;
use crate::frames::TxQueue;
use crate::protocol::window::Window;
use crate::server::{Server, instant};

impl<W: Window> Server<W> {
    /// Answers one message.
    pub(crate) fn answer<T: TxQueue>(
        &mut self,
        client: usize,
        label: u64,
        words: [u64; 4],
        sharers: u64,
        tx: &mut T,
    ) -> (u64, [u64; 4]) {
        match Operation::from_label(label) {
            Some(operation) => self.counters.calls[operation as usize - 1] += 1,
            None => self.counters.calls_unknown += 1,
        }
        let reply = match Request::decode(label, words) {
            Ok(request) if self.refuses(client, &request, sharers) => {
                self.counters.calls_refused += 1;
                Err(Failure::Errno(Errno::EAGAIN))
            }
            Ok(request) => self.perform(client, request, tx),
            Err(errno) => {
                self.counters.client_violations += 1;
                Err(Failure::Errno(errno))
            }
        };
        match reply {
            Ok(_) | Err(Failure::Errno(Errno::EINPROGRESS)) => {}
            Err(Failure::Errno(Errno::EAGAIN)) => self.counters.calls_again += 1,
            Err(_) => self.counters.calls_failed += 1,
        }
        reply::encode(&reply)
    }

    fn perform<T: TxQueue>(&mut self, client: usize, request: Request, tx: &mut T) -> Reply {
        if let Request::Attach { version } = request {
            return self.attach(client, version);
        }
        if !self.client_mut(client)?.attached {
            self.counters.client_violations += 1;
            return Err(Failure::Restarted);
        }
        match request {
            Request::Attach { version } => self.attach(client, version),
            Request::Socket { kind } => self.socket(client, kind),
            Request::Bind { socket, addr } => {
                let owner = self.resolve(client, socket)?;
                self.bind(owner, addr)
            }
            Request::Listen { socket, backlog } => {
                let owner = self.resolve_stream(client, socket)?;
                self.listen(owner, backlog)
            }
            Request::Accept { socket } => {
                let owner = self.resolve_stream(client, socket)?;
                self.accept(owner)
            }
            Request::Connect { socket, addr } => {
                let owner = self.resolve(client, socket)?;
                match (self.kind(owner)?, addr) {
                    (SocketKind::Stream, Some(to)) => self.connect_stream(owner, to),
                    (SocketKind::Stream, None) => self.dissolve_stream(owner),
                    (SocketKind::Datagram, Some(to)) => self.connect_datagram(owner, to),
                    (SocketKind::Datagram, None) => self.dissolve_datagram(owner),
                }
            }
            Request::Send { socket, span } => {
                let owner = self.resolve(client, socket)?;
                match self.kind(owner)? {
                    SocketKind::Stream => self.send_stream(owner, span),
                    SocketKind::Datagram => self.send_datagrams(owner, span, tx),
                }
            }
            Request::Recv { socket, span } => {
                let owner = self.resolve(client, socket)?;
                match self.kind(owner)? {
                    SocketKind::Stream => self.recv_stream(owner, span),
                    SocketKind::Datagram => self.recv_datagrams(owner, span),
                }
            }
            Request::Shutdown { socket, how } => {
                let owner = self.resolve(client, socket)?;
                match self.kind(owner)? {
                    SocketKind::Stream => self.shutdown_stream(owner, how),
                    SocketKind::Datagram => self.shutdown_datagram(owner, how),
                }
            }
            Request::Close { socket } => {
                let owner = self.resolve(client, socket)?;
                self.close(owner, false);
                Ok(Success::Done)
            }
            Request::SockName { socket } => {
                let owner = self.resolve(client, socket)?;
                self.sock_name(owner)
            }
            Request::PeerName { socket } => {
                let owner = self.resolve(client, socket)?;
                self.peer_name(owner)
            }
            Request::GetOption { socket, option } => {
                let owner = self.resolve(client, socket)?;
                self.get_option(owner, option)
            }
            Request::Poll { socket, deadline } => self.ask_readiness(client, socket, deadline),
        }
    }

    fn attach(&mut self, number: usize, version: u64) -> Reply {
        let epoch = self.epoch;
        let client = self.client_mut(number)?;
        if version != VERSION {
            return Err(Errno::EPROTO.into());
        }
        let again = client.attached;
        let count = client.slots.len();
        self.drop_sockets(number);
        self.counters.client_restarts += u64::from(again);
        let client = self.client_mut(number)?;
        client.attached = true;
        client.notify = false;
        client.ready.set_epoch(epoch);
        Ok(Success::Attached(Attached {
            version: VERSION,
            window: client.window.sizes(),
            sockets: count as u64,
            epoch,
        }))
    }

    /// Takes back everything that a client has: its connections are reset, those in its backlogs
    /// too.
    pub(crate) fn drop_sockets(&mut self, number: usize) {
        let count = self
            .client_mut(number)
            .map_or(0, |client| client.slots.len());
        for slot in 0..count {
            let owner = SocketRef {
                client: number as u8,
                slot: slot as u16,
            };
            self.close(owner, true);
        }
        if let Ok(client) = self.client_mut(number) {
            client.deadline = None;
            client.refill = None;
            self.timers.clear(self.client_timer(number));
        }
    }

    fn ask_readiness(&mut self, client: usize, socket: Option<Handle>, deadline: u64) -> Reply {
        let bits = match socket {
            Some(socket) => {
                let owner = self.resolve(client, socket)?;
                let client = self.client_mut(client)?;
                client.slots[usize::from(owner.slot)].published
            }
            None => PollBits::NONE,
        };
        if deadline != 0 {
            let timer = self.client_timer(client);
            // Rounded up, so that it has passed when the notification comes.
            let at = instant(deadline.saturating_add(999));
            let now = self.stack.now();
            let client = self.client_mut(client)?;
            if at <= now {
                client.notify = true;
            } else {
                client.deadline = Some(client.deadline.map_or(at, |set| set.min(at)));
                self.timers.set_if_earlier(timer, at);
            }
        }
        Ok(Success::Ready(bits))
    }

    pub(crate) fn client_mut(&mut self, client: usize) -> Result<&mut Client<W>, Errno> {
        client_in(&mut self.clients, client)
    }

    fn resolve(&mut self, number: usize, socket: Handle) -> Result<SocketRef, Errno> {
        let slot = self.client_mut(number)?.resolve(socket)?;
        Ok(SocketRef {
            client: number as u8,
            slot: slot as u16,
        })
    }

    fn kind(&mut self, owner: SocketRef) -> Result<SocketKind, Errno> {
        self.client_mut(owner.client.into())?
            .kind_of(owner.slot.into())
            .ok_or(Errno::EBADF)
    }

    fn resolve_stream(&mut self, client: usize, socket: Handle) -> Result<SocketRef, Errno> {
        let owner = self.resolve(client, socket)?;
        match self.kind(owner)? {
            SocketKind::Stream => Ok(owner),
            SocketKind::Datagram => Err(Errno::EOPNOTSUPP),
        }
    }
}

/// A client, with the rest of the server free to be used at the same time.
pub(crate) fn client_in<W>(
    clients: &mut [Option<Client<W>>],
    number: usize,
) -> Result<&mut Client<W>, Errno> {
    match clients.get_mut(number) {
        Some(Some(client)) => Ok(client),
        _ => Err(Errno::EACCES),
    }
}
