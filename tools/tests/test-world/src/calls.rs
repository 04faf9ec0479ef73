// SPDX-License-Identifier: BSD-2-Clause

//! A client's requests in a form that tests can read.

use std::net::SocketAddr;

use smoltcp::iface::SocketHandle;
use socket_proto::datagram::{HEADER_SIZE, stride};
use socket_proto::layouts::Layout;
use socket_proto::{
    Accepted, Call, DatagramHeader, Errno, Failure, Family, Flags, Handle, PollBits, Received,
    Sent, Shutdown, SocketKind, SocketOption, Span, op,
};

use crate::{C2S, World};

fn result<R>(reply: Result<R, Failure>) -> Result<R, Errno> {
    reply.map_err(|failure| match failure {
        Failure::Errno(errno) => errno,
        other => panic!("{other:?}"),
    })
}

/// The calls, as client 0 unless it says otherwise.
impl World {
    /// Makes a request as client 0.
    #[track_caller]
    pub fn ask<C: Call>(&mut self, request: C) -> Result<C::Reply, Errno> {
        result(self.call(0, request))
    }

    /// Makes a request as that client.
    pub fn ask_as<C: Call>(&mut self, client: usize, request: C) -> Result<C::Reply, Errno> {
        result(self.call(client, request))
    }

    /// A new socket.
    pub fn socket(&mut self, kind: SocketKind) -> Handle {
        self.socket_as(0, kind).expect("socket")
    }

    /// A new socket of that client.
    pub fn socket_as(&mut self, client: usize, kind: SocketKind) -> Result<Handle, Errno> {
        self.ask_as(client, op::Socket::new(kind))
            .map(|opened| opened.socket)
    }

    /// A new socket of IPv6.
    pub fn socket6(&mut self, kind: SocketKind) -> Handle {
        let opened = self.ask(op::Socket {
            family: Family::Inet6,
            ..op::Socket::new(kind)
        });
        opened.expect("socket").socket
    }

    /// `bind`.
    pub fn bind(&mut self, socket: Handle, addr: &str) -> Result<(), Errno> {
        let addr = addr.parse().expect("an address");
        self.ask(op::Bind { socket, addr }).map(drop)
    }

    /// A new socket that listens on a port of every address.
    pub fn listen(&mut self, port: u16, backlog: u64) -> Handle {
        let socket = self.socket(SocketKind::Stream);
        self.listen_at(socket, &format!("0.0.0.0:{port}"), backlog)
    }

    /// As [`Self::listen`], for both families.
    pub fn listen6(&mut self, port: u16, backlog: u64) -> Handle {
        let socket = self.socket6(SocketKind::Stream);
        self.listen_at(socket, &format!("[::]:{port}"), backlog)
    }

    fn listen_at(&mut self, socket: Handle, at: &str, backlog: u64) -> Handle {
        self.bind(socket, at).expect("bind");
        self.ask(op::Listen { socket, backlog }).expect("listen");
        socket
    }

    /// `accept`.
    pub fn accept(&mut self, socket: Handle) -> Result<(Handle, SocketAddr), Errno> {
        let Accepted { socket, peer } = self.ask(op::Accept { socket })?;
        Ok((socket, peer))
    }

    /// `connect`.
    pub fn connect(&mut self, socket: Handle, addr: &str) -> Result<(), Errno> {
        let addr = addr.parse().expect("an address");
        let addr = Some(addr);
        self.ask(op::Connect { socket, addr }).map(drop)
    }

    /// Sends bytes; answers how many were taken and how many more would be.
    pub fn send(&mut self, socket: Handle, bytes: &[u8]) -> Result<(usize, usize), Errno> {
        self.clients[0].fill(bytes);
        let length = bytes.len() as u64;
        let span = Span { offset: 0, length };
        let Sent { count, room } = self.ask(op::Send::new(socket, span))?;
        Ok((count as usize, room as usize))
    }

    /// Receives at most so many bytes of a stream.
    pub fn recv(&mut self, socket: Handle, most: usize) -> Result<Vec<u8>, Errno> {
        self.recv_with(socket, most, Flags::NONE)
    }

    /// As [`Self::recv`], with flags.
    pub fn recv_with(
        &mut self,
        socket: Handle,
        most: usize,
        flags: Flags,
    ) -> Result<Vec<u8>, Errno> {
        let span = Span {
            offset: C2S.into(),
            length: most as u64,
        };
        let Received { bytes, datagrams } = self.ask(op::Recv {
            socket,
            span,
            flags,
        })?;
        assert_eq!(datagrams, 0);
        Ok(self.clients[0].read(0, bytes as usize))
    }

    /// Sends datagrams in one call; answers how many were taken.
    pub fn send_datagrams(
        &mut self,
        socket: Handle,
        datagrams: &[(Option<&str>, &[u8])],
    ) -> Result<u64, Errno> {
        let mut batch = Vec::new();
        for (to, payload) in datagrams {
            let to = to.map(|to| to.parse().expect("an address"));
            let start = batch.len();
            let header = DatagramHeader::new(payload.len() as u16, to);
            batch.extend_from_slice(header.bytes());
            batch.extend_from_slice(payload);
            batch.resize(start + stride(payload.len()), 0);
        }
        self.clients[0].fill(&batch);
        let length = batch.len() as u64;
        let span = Span { offset: 0, length };
        let Sent { count, room } = self.ask(op::Send::new(socket, span))?;
        assert_eq!(room, 0);
        Ok(count)
    }

    /// Receives datagrams in one call, with headers.
    pub fn recv_datagrams(
        &mut self,
        socket: Handle,
        most: usize,
    ) -> Result<Vec<(DatagramHeader, Vec<u8>)>, Errno> {
        self.recv_datagrams_with(socket, most, Flags::NONE)
    }

    /// As [`Self::recv_datagrams`], with flags.
    pub fn recv_datagrams_with(
        &mut self,
        socket: Handle,
        most: usize,
        flags: Flags,
    ) -> Result<Vec<(DatagramHeader, Vec<u8>)>, Errno> {
        let span = Span {
            offset: C2S.into(),
            length: most as u64,
        };
        let Received { bytes, datagrams } = self.ask(op::Recv {
            socket,
            span,
            flags,
        })?;
        let mut received = Vec::new();
        let mut at = 0;
        for _ in 0..datagrams {
            let mut header = DatagramHeader::default();
            let bytes = self.clients[0].read(at, HEADER_SIZE);
            header.bytes_mut().copy_from_slice(&bytes);
            let length = usize::from(header.length);
            received.push((header, self.clients[0].read(at + HEADER_SIZE, length)));
            at += stride(length);
        }
        assert!(bytes as usize <= at && bytes as usize <= most);
        Ok(received)
    }

    /// `shutdown`.
    pub fn shutdown(&mut self, socket: Handle, how: Shutdown) -> Result<(), Errno> {
        self.ask(op::Shutdown { socket, how }).map(drop)
    }

    /// `close`, which must succeed.
    #[track_caller]
    pub fn close(&mut self, socket: Handle) {
        self.ask(op::Close { socket }).expect("close");
    }

    /// The error that waits on a socket, which clears it (`SO_ERROR`).
    pub fn so_error(&mut self, socket: Handle) -> Option<Errno> {
        let option = SocketOption::Error;
        match self.ask(op::GetOption { socket, option }).unwrap().value {
            0 => None,
            value => Some(Errno::from_raw(value).expect("an errno")),
        }
    }

    /// The local address.
    pub fn name(&mut self, socket: Handle) -> SocketAddr {
        self.ask(op::SockName { socket }).unwrap().address
    }

    /// The remote address.
    pub fn peer_name(&mut self, socket: Handle) -> Result<SocketAddr, Errno> {
        Ok(self.ask(op::PeerName { socket })?.address)
    }

    /// What the page says.
    pub fn bits(&self, socket: Handle) -> PollBits {
        self.clients[0].page().bits(socket)
    }

    /// Waits until a socket shows any of these bits.
    #[track_caller]
    pub fn await_bits(&mut self, socket: Handle, bits: PollBits) {
        self.run_until("readiness", |world| world.bits(socket).intersects(bits));
    }

    /// A connection from the peer: the server's end and the peer's.
    pub fn connected(&mut self, listener: Handle, port: u16) -> (Handle, SocketHandle) {
        let peer = self.peer.connect(port);
        self.await_bits(listener, PollBits::IN);
        let (socket, _) = self.accept(listener).expect("accept");
        self.run_until("established", |world| world.peer.tcp(peer).may_send());
        (socket, peer)
    }
}
