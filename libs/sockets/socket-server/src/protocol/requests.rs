// SPDX-License-Identifier: BSD-2-Clause

//! From a message to the operation, and from its result to the reply.

use socket_proto::{
    Attached, Errno, Failure, Handle, Operation, PollBits, Ready, Record, Reply, Request,
    SocketKind, VERSION, op, reply,
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
                Err(Errno::EAGAIN.into())
            }
            Ok(request) => self.perform(client, request, tx),
            Err(errno) => {
                self.counters.client_violations += 1;
                Err(errno.into())
            }
        };
        match reply {
            Ok(_) | Err(Failure::Errno(Errno::EINPROGRESS)) => {}
            Err(Failure::Errno(Errno::EAGAIN)) => self.counters.calls_again += 1,
            Err(_) => self.counters.calls_failed += 1,
        }
        reply::encode(reply)
    }

    fn perform<T: TxQueue>(&mut self, client: usize, request: Request, tx: &mut T) -> Reply {
        let Ok(caller) = self.client_mut(client) else {
            return Err(Failure::NoPlace);
        };
        if !caller.attached && !matches!(request, Request::Attach(_)) {
            self.counters.client_violations += 1;
            return Err(Failure::Restarted);
        }
        match request {
            Request::Attach(asked) => words(self.attach(client, asked)),
            Request::Socket(asked) => words(self.socket(client, asked)),
            Request::Bind(asked) => {
                let owner = self.resolve(client, asked.socket)?;
                words(self.bind(owner, asked.addr))
            }
            Request::Listen(asked) => {
                let owner = self.resolve_stream(client, asked.socket)?;
                words(self.listen(owner, asked.backlog))
            }
            Request::Accept(asked) => {
                let owner = self.resolve_stream(client, asked.socket)?;
                words(self.accept(owner))
            }
            Request::Connect(asked) => {
                let owner = self.resolve(client, asked.socket)?;
                words(match (self.kind(owner)?, asked.addr) {
                    (SocketKind::Stream, Some(to)) => self.connect_stream(owner, to),
                    (SocketKind::Stream, None) => self.dissolve_stream(owner),
                    (SocketKind::Datagram, Some(to)) => self.connect_datagram(owner, to),
                    (SocketKind::Datagram, None) => self.dissolve_datagram(owner),
                })
            }
            Request::Send(asked) => {
                let owner = self.resolve(client, asked.socket)?;
                words(match self.kind(owner)? {
                    SocketKind::Stream => self.send_stream(owner, asked.span),
                    SocketKind::Datagram => self.send_datagrams(owner, asked.span, tx),
                })
            }
            Request::Recv(asked) => {
                let owner = self.resolve(client, asked.socket)?;
                words(match self.kind(owner)? {
                    SocketKind::Stream => self.recv_stream(owner, asked.span),
                    SocketKind::Datagram => self.recv_datagrams(owner, asked.span),
                })
            }
            Request::Shutdown(asked) => {
                let owner = self.resolve(client, asked.socket)?;
                words(match self.kind(owner)? {
                    SocketKind::Stream => self.shutdown_stream(owner, asked.how),
                    SocketKind::Datagram => self.shutdown_datagram(owner, asked.how),
                })
            }
            Request::Close(asked) => {
                let owner = self.resolve(client, asked.socket)?;
                self.close(owner, false);
                words(Ok(()))
            }
            Request::SockName(asked) => {
                let owner = self.resolve(client, asked.socket)?;
                words(self.sock_name(owner))
            }
            Request::PeerName(asked) => {
                let owner = self.resolve(client, asked.socket)?;
                words(self.peer_name(owner))
            }
            Request::GetOption(asked) => {
                let owner = self.resolve(client, asked.socket)?;
                words(self.get_option(owner, asked.option))
            }
            Request::Poll(asked) => words(self.ask_readiness(client, asked)),
        }
    }

    fn attach(&mut self, number: usize, asked: op::Attach) -> Result<Attached, Errno> {
        let epoch = self.epoch;
        let client = self.client_mut(number)?;
        if asked.version != VERSION {
            return Err(Errno::EPROTO);
        }
        let again = client.attached;
        let count = client.slots.len();
        self.drop_sockets(number);
        self.counters.client_restarts += u64::from(again);
        let client = self.client_mut(number)?;
        client.attached = true;
        client.notify = false;
        client.ready.set_epoch(epoch);
        Ok(Attached {
            version: VERSION,
            window: client.window.sizes(),
            sockets: count as u64,
            epoch,
        })
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

    fn ask_readiness(&mut self, client: usize, asked: op::Poll) -> Result<Ready, Errno> {
        let op::Poll { socket, deadline } = asked;
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
        Ok(Ready { bits })
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

fn words<R: Record>(result: Result<R, Errno>) -> Reply {
    Ok(result?.encode())
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
