// SPDX-License-Identifier: BSD-2-Clause

//! The core, with one client, on the simulated link.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use smoltcp::iface::SocketHandle;
use socket_proto::{
    Errno, Family, Flag, Flags, Handle, Protocol, Shutdown, SocketKind, SocketOption, op,
};

use crate::script::{How, Kind, Machine, Name, Place, Seen, Step, group, message, numbered};
use test_world::{PEER_IP, SERVER_IP, World};

/// Long enough for a connection to be made and for a delayed acknowledgement.
const REST: u64 = 50_000_000;
/// Ports by number.
const PORTS: u16 = 5_000;
const BROADCAST: std::net::Ipv4Addr = std::net::Ipv4Addr::new(10, 0, 2, 255);
const SILENT: &str = "192.0.2.1";

pub struct Core {
    world: World,
    sockets: BTreeMap<char, (Handle, Kind)>,
    /// Those of IPv6.
    six: BTreeSet<char>,
    connection: Option<SocketHandle>,
    datagrams: Option<SocketHandle>,
    /// Bytes that the peer has sent: each is one more than the one before it.
    sent: u8,
}

fn port(number: u16) -> u16 {
    if number == 0 { 0 } else { PORTS + number }
}

fn address((place, number): Name) -> String {
    let host = match place {
        Place::Any => "0.0.0.0",
        Place::Own => "10.0.2.15",
        Place::Loopback => "127.0.0.1",
        Place::Peer => "10.0.2.2",
        Place::Silent => SILENT,
        Place::Foreign => "198.51.100.7",
        Place::Broadcast => "10.0.2.255",
        Place::Group => "239.7.7.0",
        Place::V6 => "[::1]",
        Place::Any6 => "[::]",
        Place::Foreign6 => "[2001:db8::7]",
        Place::Link6 => "[fe80::7]",
        Place::MappedAny => "[::ffff:0.0.0.0]",
        Place::Mapped => "[::ffff:127.0.0.1]",
        Place::MappedForeign => "[::ffff:198.51.100.7]",
    };
    format!("{host}:{}", port(number))
}

fn name(address: SocketAddr) -> Seen {
    let place = match address.ip() {
        IpAddr::V6(any) if any.is_unspecified() => Place::Any6,
        IpAddr::V6(own) if own.is_loopback() => Place::V6,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(any) if any.is_unspecified() => Place::MappedAny,
            Some(own) if own.is_loopback() => Place::Mapped,
            _ => panic!("an unexpected address: {v6}"),
        },
        any if any.is_unspecified() => Place::Any,
        own if own == SERVER_IP || own == Ipv4Addr::LOCALHOST => Place::Own,
        peer if peer == PEER_IP => Place::Peer,
        all if all == BROADCAST => Place::Broadcast,
        group if group.is_multicast() => Place::Group,
        silent if silent.to_string() == SILENT => Place::Silent,
        other => panic!("an unexpected address: {other}"),
    };
    let number = match address.port() {
        0 => Some(0),
        port => port.checked_sub(PORTS).filter(|&number| number < 8),
    };
    Seen::Name(place, number)
}

fn done(_: impl Sized) -> Seen {
    Seen::Done
}

impl Core {
    pub fn new() -> Self {
        Core {
            world: World::simple(),
            sockets: BTreeMap::new(),
            six: BTreeSet::new(),
            connection: None,
            datagrams: None,
            sent: 0,
        }
    }

    fn socket(&self, a: char) -> Handle {
        self.sockets[&a].0
    }

    fn open(&mut self, a: char, family: Family, kind: Kind) -> Result<(), Errno> {
        let (sort, protocol) = match (kind, family) {
            (Kind::Stream, _) => (SocketKind::Stream, Protocol::Usual),
            (Kind::Datagram, _) => (SocketKind::Datagram, Protocol::Usual),
            (Kind::Echo, Family::Inet) => (SocketKind::Datagram, Protocol::Icmp),
            (Kind::Echo, Family::Inet6) => (SocketKind::Datagram, Protocol::Icmpv6),
        };
        let opened = self.world.ask(op::Socket {
            family,
            kind: sort,
            protocol,
        })?;
        self.sockets.insert(a, (opened.socket, kind));
        Ok(())
    }

    fn connection(&mut self) -> &mut smoltcp::socket::tcp::Socket<'static> {
        let connection = self.connection.expect("the peer has a connection");
        self.world.peer.tcp(connection)
    }

    fn send(&mut self, a: char, to: Option<Name>, n: usize) -> Result<Seen, Errno> {
        let v6 = self.six.contains(&a);
        let data = message(self.sockets[&a].1, v6, n);
        match self.sockets[&a] {
            (socket, Kind::Stream) => Ok(Seen::Count(self.world.send(socket, &data)?.0)),
            (socket, Kind::Datagram | Kind::Echo) => {
                let to = to.map(address);
                let sent = self
                    .world
                    .send_datagrams(socket, &[(to.as_deref(), &data)])?;
                assert_eq!(sent, 1);
                Ok(Seen::Count(n))
            }
        }
    }

    fn recv(&mut self, a: char, n: usize, flags: Flags) -> Result<Seen, Errno> {
        let truncates = flags.has(Flag::Truncate);
        let (count, bytes) = match self.sockets[&a] {
            (socket, Kind::Stream) => {
                let bytes = self.world.recv_with(socket, n, flags)?;
                let written = if truncates { &[][..] } else { &bytes };
                (bytes.len(), written.first().copied())
            }
            (socket, Kind::Datagram | Kind::Echo) => {
                // Room for one, so that a call takes one.
                let most = socket_proto::datagram::HEADER_SIZE + n;
                let received = self.world.recv_datagrams_with(socket, most, flags)?;
                let Some((header, payload)) = received.first() else {
                    return Ok(Seen::Bytes(0, None));
                };
                let whole = usize::from(header.wire_length);
                let count = if truncates { whole } else { payload.len() };
                (count, payload.first().copied())
            }
        };
        Ok(Seen::Bytes(count, bytes))
    }

    fn perform(&mut self, step: Step) -> Result<Seen, Errno> {
        Ok(match step {
            Step::Socket(a, kind) => {
                self.open(a, Family::Inet, kind)?;
                Seen::Done
            }
            Step::Socket6(a, kind) => {
                self.open(a, Family::Inet6, kind)?;
                self.six.insert(a);
                Seen::Done
            }
            Step::Bind(a, to) => {
                let socket = self.socket(a);
                self.world.bind(socket, &address(to)).map(done)?
            }
            Step::Listen(a, backlog) => {
                let listen = op::Listen {
                    socket: self.socket(a),
                    backlog: backlog as u64,
                };
                self.world.ask(listen).map(done)?
            }
            Step::Accept(a, b) => {
                let (handle, peer) = self.world.accept(self.socket(a))?;
                self.sockets.insert(b, (handle, Kind::Stream));
                name(peer)
            }
            Step::Connect(a, to) => {
                let socket = self.socket(a);
                self.world.connect(socket, &address(to)).map(done)?
            }
            Step::ConnectToPeerOf(a, b) => {
                let peer = self.world.peer_name(self.socket(b))?;
                let socket = self.socket(a);
                self.world.connect(socket, &peer.to_string()).map(done)?
            }
            Step::Reuse(_) => Seen::Done,
            Step::Dissolve(a) => {
                let dissolve = op::Connect {
                    socket: self.socket(a),
                    addr: None,
                };
                self.world.ask(dissolve).map(done)?
            }
            Step::Send(a, n) => self.send(a, None, n)?,
            Step::SendTo(a, to, n) => self.send(a, Some(to), n)?,
            Step::Recv(a, n, flags) => self.recv(a, n, flags)?,
            Step::Shutdown(a, how) => {
                let how = match how {
                    How::Read => Shutdown::Read,
                    How::Write => Shutdown::Write,
                    How::Both => Shutdown::Both,
                };
                self.world.shutdown(self.socket(a), how).map(done)?
            }
            Step::Close(a) => {
                let (handle, _) = self.sockets.remove(&a).expect("an open socket");
                self.world.close(handle);
                Seen::Done
            }
            Step::SockName(a) => name(self.world.name(self.socket(a))),
            Step::PeerName(a) => name(self.world.peer_name(self.socket(a))?),
            Step::Set(a, option, value) => {
                let (value, second) = match (option, value) {
                    (SocketOption::Linger, -1) => (0, 0),
                    (SocketOption::Linger, seconds) => (1, seconds as u64),
                    _ => (value as u64, 0),
                };
                let set = op::SetOption {
                    socket: self.socket(a),
                    option,
                    value,
                    second,
                };
                self.world.ask(set).map(done)?
            }
            Step::Get(a, option) => {
                let socket = self.socket(a);
                let got = self.world.ask(op::GetOption { socket, option })?;
                Seen::Value(got.value)
            }
            Step::Error(a) => match self.world.so_error(self.socket(a)) {
                None => Seen::Done,
                Some(errno) => return Err(errno),
            },
            Step::Join(a, number) => {
                let (socket, group) = (self.socket(a), (group(number), 0).into());
                self.world.ask(op::Join { socket, group }).map(done)?
            }
            Step::Leave(a, number) => {
                let (socket, group) = (self.socket(a), (group(number), 0).into());
                self.world.ask(op::Leave { socket, group }).map(done)?
            }
            Step::SendGroup(a, number, to, n) => {
                let socket = self.socket(a);
                let to = format!("{}:{}", group(number), port(to));
                let data = vec![7; n];
                self.world.send_datagrams(socket, &[(Some(&to), &data)])?;
                Seen::Count(n)
            }
            Step::BindGroup(a, number, at) => {
                let socket = self.socket(a);
                let at = format!("{}:{}", group(number), port(at));
                self.world.bind(socket, &at).map(done)?
            }
            Step::PeerListen(number) => {
                self.connection = Some(self.world.peer.listen(port(number)));
                Seen::Done
            }
            Step::PeerConnect(number) => {
                self.connection = Some(self.world.peer.connect(port(number)));
                Seen::Done
            }
            Step::PeerSend(n) => {
                let data = numbered(&mut self.sent, n);
                let sent = self.connection().send_slice(&data);
                assert_eq!(sent, Ok(n));
                Seen::Done
            }
            Step::PeerFin => {
                self.connection().close();
                Seen::Done
            }
            Step::PeerReset => {
                self.connection().abort();
                Seen::Done
            }
            Step::PeerBind(number) => {
                self.datagrams = Some(self.world.peer.bind(port(number)));
                Seen::Done
            }
            Step::PeerBroadcast(number, n) => {
                let data = numbered(&mut self.sent, n);
                let socket = self.datagrams.expect("the peer has a socket");
                let to = (BROADCAST, port(number));
                let sent = self.world.peer.udp(socket).send_slice(&data, to);
                assert_eq!(sent, Ok(()));
                Seen::Done
            }
            Step::PeerSendTo(a, n) => {
                let to = self.world.name(self.socket(a)).port();
                let socket = self.datagrams.expect("the peer has a socket");
                let data = numbered(&mut self.sent, n);
                self.world.peer.send_to(socket, to, &data);
                Seen::Done
            }
        })
    }
}

impl Machine for Core {
    fn step(&mut self, step: Step) -> Seen {
        let result = self.perform(step);
        self.world.run_for(REST);
        result.unwrap_or_else(|errno| Seen::Errno(errno.raw().into()))
    }

    fn bits(&mut self, socket: char) -> u16 {
        self.world.bits(self.socket(socket)).bits()
    }
}
