// SPDX-License-Identifier: BSD-2-Clause

//! From a message to the operation, and from its result to the reply.

use socket_proto::{
    Attached, Errno, Failure, Handle, Operation, QueryKind, Record, Reply, Request, SocketKind,
    VERSION, op, reply,
};

use crate::counters::{Counter, calls_of};
use crate::frames::TxQueue;
use crate::protocol::window::Window;
use crate::server::Server;
use crate::sockets::Call;
use crate::tables::id::{ClientId, Slot};

impl<W: Window> Server<W> {
    /// Replies to one message. `sharers` clients want the server's time.
    pub(crate) fn answer<T: TxQueue>(
        &mut self,
        client: Option<ClientId>,
        label: u64,
        words: [u64; 4],
        sharers: u64,
        tx: &mut T,
    ) -> (u64, [u64; 4]) {
        let stats = self.net.stats;
        match Operation::from_raw(label) {
            Some(operation) => stats.inc(calls_of(operation)),
            None => stats.inc(Counter::CallsUnknown),
        }
        let reply = match (Request::decode(label, words), client) {
            (Ok(request), Some(client)) => self.perform(client, request, sharers, tx),
            (Ok(_), None) => Err(Failure::NoPlace),
            (Err(errno), _) => {
                stats.inc(Counter::ClientViolations);
                Err(errno.into())
            }
        };
        match reply {
            Ok(_) | Err(Failure::Errno(Errno::EINPROGRESS)) => {}
            Err(Failure::Errno(Errno::EAGAIN)) => stats.inc(Counter::CallsAgain),
            Err(_) => stats.inc(Counter::CallsFailed),
        }
        reply::encode(reply)
    }

    fn perform<T: TxQueue>(
        &mut self,
        client: ClientId,
        request: Request,
        sharers: u64,
        tx: &mut T,
    ) -> Reply {
        // These may be answered so anyway.
        let may_wait = matches!(
            request,
            Request::Send(_) | Request::Recv(_) | Request::Accept(_)
        );
        let now = self.net.now();
        if may_wait && self.accounts.refuses(client, sharers, now) {
            self.net.stats.inc(Counter::CallsRefused);
            return Err(Errno::EAGAIN.into());
        }
        let epoch = self.epoch;
        if let Request::Attach(_) = request {
            self.end_capture(client);
        }
        let mut call = self.begin(client);
        match request {
            Request::Attach(asked) => words(call.attach(asked, epoch)),
            Request::Batch(asked) if call.account.attached => {
                self.batch(client, asked, sharers, tx)
            }
            Request::Capture(asked) if call.account.attached => words(self.capture(client, asked)),
            Request::Captured(asked) if call.account.attached => {
                words(self.captured(client, asked))
            }
            Request::Change(asked) if call.account.attached => {
                words(self.change(client, asked, tx))
            }
            Request::Query(asked)
                if call.account.attached && asked.what == QueryKind::AnySocket =>
            {
                words(self.query_any(client, asked))
            }
            _ if call.account.attached => call.perform(request, tx),
            _ => {
                call.net.stats.inc(Counter::ClientViolations);
                Err(Failure::Restarted)
            }
        }
    }
}

impl<W: Window> Call<'_, W> {
    fn attach(&mut self, asked: op::Attach, epoch: u32) -> Result<Attached, Errno> {
        if asked.version != VERSION {
            return Err(Errno::EPROTO);
        }
        self.close_all();
        let again = core::mem::replace(&mut self.account.attached, true);
        self.net
            .stats
            .add(Counter::ClientRestarts, u64::from(again));
        self.account.notify = false;
        self.account.ready.set_epoch(epoch);
        Ok(Attached {
            version: VERSION,
            window: self.account.window.sizes(),
            sockets: self.account.slots().count() as u64,
            epoch,
        })
    }

    fn perform<T: TxQueue>(&mut self, request: Request, tx: &mut T) -> Reply {
        match request {
            // Not of one account alone.
            Request::Attach(_)
            | Request::Batch(_)
            | Request::Capture(_)
            | Request::Captured(_)
            | Request::Change(_) => Err(Errno::EINVAL.into()),
            Request::Socket(asked) => words(self.socket(asked)),
            Request::Bind(asked) => {
                words(self.bind(self.account.resolve(asked.socket)?, asked.addr))
            }
            Request::Listen(asked) => {
                words(self.listen(self.resolve_stream(asked.socket)?, asked.backlog))
            }
            Request::Accept(asked) => words(self.accept(self.resolve_stream(asked.socket)?)),
            Request::Connect(asked) => words(match (self.resolve(asked.socket)?, asked.addr) {
                ((slot, SocketKind::Stream), Some(to)) => self.connect_stream(slot, to),
                ((slot, SocketKind::Stream), None) => self.dissolve_stream(slot),
                ((slot, SocketKind::Datagram), Some(to)) => self.connect_datagram(slot, to),
                ((slot, SocketKind::Datagram), None) => self.dissolve_datagram(slot),
            }),
            Request::Send(asked) => words(match self.resolve(asked.socket)? {
                (slot, SocketKind::Stream) => self.send_stream(slot, asked.span),
                (slot, SocketKind::Datagram) => self.send_datagrams(slot, asked.span, tx),
            }),
            Request::Recv(asked) => words(match self.resolve(asked.socket)? {
                (slot, SocketKind::Stream) => self.recv_stream(slot, asked.span, asked.flags),
                (slot, SocketKind::Datagram) => self.recv_datagrams(slot, asked.span, asked.flags),
            }),
            Request::Shutdown(asked) => words(match self.resolve(asked.socket)? {
                (slot, SocketKind::Stream) => self.shutdown_stream(slot, asked.how),
                (slot, SocketKind::Datagram) => self.shutdown_datagram(slot, asked.how),
            }),
            Request::Close(asked) => {
                self.close(self.account.resolve(asked.socket)?, false);
                words(Ok(()))
            }
            Request::SockName(asked) => words(self.sock_name(self.account.resolve(asked.socket)?)),
            Request::PeerName(asked) => words(self.peer_name(self.account.resolve(asked.socket)?)),
            Request::GetOption(asked) => {
                words(self.get_option(self.account.resolve(asked.socket)?, asked))
            }
            Request::SetOption(asked) => {
                words(self.set_option(self.account.resolve(asked.socket)?, asked))
            }
            Request::Join(asked) => {
                words(self.join(self.account.resolve(asked.socket)?, asked.group))
            }
            Request::Leave(asked) => {
                words(self.leave_group(self.account.resolve(asked.socket)?, asked.group))
            }
            Request::Query(asked) => words(self.query(asked)),
            Request::Poll(asked) => words(self.poll(asked)),
        }
    }

    fn resolve(&self, socket: Handle) -> Result<(Slot, SocketKind), Errno> {
        let slot = self.account.resolve(socket)?;
        let socket = self.account.socket(slot).ok_or(Errno::EBADF)?;
        Ok((slot, socket.kind()))
    }

    fn resolve_stream(&self, socket: Handle) -> Result<Slot, Errno> {
        match self.resolve(socket)? {
            (slot, SocketKind::Stream) => Ok(slot),
            (_, SocketKind::Datagram) => Err(Errno::EOPNOTSUPP),
        }
    }
}

fn words<R: Record>(result: Result<R, Errno>) -> Reply {
    Ok(result?.encode())
}
