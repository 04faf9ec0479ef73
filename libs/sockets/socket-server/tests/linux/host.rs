// SPDX-License-Identifier: BSD-2-Clause

//! The Linux that the test runs on, over its loopback interface.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, accept_with,
    acceptfrom_with, bind, connect, connect_unspec, getpeername, getsockname, ipproto, listen,
    recv, send, sendto, shutdown, socket_with, sockopt,
};

use socket_proto::SocketOption;
use socket2::SockRef;

use crate::script::{How, Kind, Machine, Name, Place, Seen, Step, group, message, numbered};

/// Ports that have been used by earlier runs rest.
static NEXT_PORTS: AtomicU16 = AtomicU16::new(0);
const PORTS_A_RUN: u16 = 8;
const BROADCAST: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);

pub struct Host {
    sockets: BTreeMap<char, OwnedFd>,
    /// What those are that are not streams or UDP, and whether of IPv6.
    kinds: BTreeMap<char, (Kind, bool)>,
    ports: u16,
    /// How long the network gets to come to rest.
    rest: Duration,
    listener: Option<OwnedFd>,
    connection: Option<OwnedFd>,
    datagrams: Option<OwnedFd>,
    /// Listeners that are full, and what fills them.
    silent: Vec<OwnedFd>,
    /// Bytes that the peer has sent.
    sent: u8,
}

fn open(kind: SocketType) -> OwnedFd {
    open_in(AddressFamily::INET, kind)
}

fn open_in(family: AddressFamily, kind: SocketType) -> OwnedFd {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    socket_with(family, kind, flags, None).expect("a socket")
}

/// A socket of ICMP.
///
/// # Errors
/// `EACCES` if this machine does not let its users have any.
pub fn open_echo(v6: bool) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (family, protocol) = match v6 {
        false => (AddressFamily::INET, ipproto::ICMP),
        true => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    socket_with(family, SocketType::DGRAM, flags, Some(protocol))
}

fn v6(place: Place) -> Ipv6Addr {
    match place {
        Place::V6 => Ipv6Addr::LOCALHOST,
        Place::Any6 => Ipv6Addr::UNSPECIFIED,
        Place::Foreign6 => "2001:db8::7".parse().expect("an address"),
        Place::Link6 => "fe80::7".parse().expect("an address"),
        Place::MappedAny => Ipv4Addr::UNSPECIFIED.to_ipv6_mapped(),
        Place::Mapped => Ipv4Addr::LOCALHOST.to_ipv6_mapped(),
        Place::MappedForeign => Ipv4Addr::new(198, 51, 100, 7).to_ipv6_mapped(),
        other => panic!("not of IPv6: {other:?}"),
    }
}

/// Addresses of this process only, so that tests that run at the same time do not meet.
fn host(last: u8) -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, high | 0x80, low, last)
}

fn seen<T>(result: Result<T, Errno>, done: impl FnOnce(T) -> Seen) -> Seen {
    match result {
        Ok(value) => done(value),
        Err(errno) => Seen::Errno(errno.raw_os_error()),
    }
}

impl Host {
    pub fn new(rest: Duration) -> Self {
        // Sockets that are bound to any address meet those of an earlier process in TIME-WAIT, so
        // each process begins with other ports.
        let first = (std::process::id() as u16).wrapping_mul(389);
        let run = first.wrapping_add(NEXT_PORTS.fetch_add(1, Ordering::Relaxed));
        Host {
            sockets: BTreeMap::new(),
            kinds: BTreeMap::new(),
            ports: 10_000 + run % 2_800 * PORTS_A_RUN,
            rest,
            listener: None,
            connection: None,
            datagrams: None,
            silent: Vec::new(),
            sent: 0,
        }
    }

    fn port(&self, number: u16) -> u16 {
        assert!(number < PORTS_A_RUN);
        if number == 0 { 0 } else { self.ports + number }
    }

    fn address(&mut self, (place, port): Name) -> SocketAddr {
        let address = match place {
            Place::Any => Ipv4Addr::UNSPECIFIED,
            Place::Own => host(1),
            Place::Loopback => Ipv4Addr::LOCALHOST,
            Place::Peer => host(2),
            Place::Silent => {
                self.make_silent(port);
                host(3)
            }
            Place::Foreign => Ipv4Addr::new(198, 51, 100, 7),
            Place::Broadcast => BROADCAST,
            Place::Group => group(0),
            other => return (v6(other), self.port(port)).into(),
        };
        (address, self.port(port)).into()
    }

    /// A listener whose backlog is full ignores further requests.
    fn make_silent(&mut self, port: u16) {
        let at = SocketAddrV4::new(host(3), self.port(port));
        let listener = open(SocketType::STREAM);
        if bind(&listener, &at).is_err() {
            return;
        }
        listen(&listener, 0).expect("listen");
        self.silent.push(listener);
        for _ in 0..4 {
            let filler = open(SocketType::STREAM);
            let _ = connect(&filler, &at);
            self.silent.push(filler);
        }
        std::thread::sleep(self.rest);
    }

    fn name(&self, address: Option<SocketAddr>) -> Seen {
        let address = address.expect("an address");
        let ip = match address.ip() {
            IpAddr::V4(v4) => v4,
            IpAddr::V6(v6) => return self.name6(v6, address.port()),
        };
        let place = match ip {
            Ipv4Addr::UNSPECIFIED => Place::Any,
            // What Linux sends from to any loopback address.
            own if own == host(1) || own == Ipv4Addr::LOCALHOST => Place::Own,
            peer if peer == host(2) => Place::Peer,
            BROADCAST => Place::Broadcast,
            group if group.is_multicast() => Place::Group,
            silent if silent == host(3) => Place::Silent,
            other => panic!("an unexpected address: {other}"),
        };
        self.numbered(place, address.port())
    }

    fn name6(&self, address: Ipv6Addr, port: u16) -> Seen {
        let known = [Place::V6, Place::Any6, Place::MappedAny, Place::Mapped];
        let place = known.into_iter().find(|&place| v6(place) == address);
        let place = place.unwrap_or_else(|| panic!("an unexpected address: {address}"));
        self.numbered(place, port)
    }

    fn numbered(&self, place: Place, port: u16) -> Seen {
        let number = port.checked_sub(self.ports);
        let number = number.filter(|&number| number < PORTS_A_RUN);
        Seen::Name(place, if port == 0 { Some(0) } else { number })
    }

    fn connection(&mut self) -> &OwnedFd {
        if let Some(listener) = &self.listener
            && let Ok(connection) = accept_with(listener, SocketFlags::CLOEXEC)
        {
            self.connection = Some(connection);
        }
        self.connection.as_ref().expect("the peer has a connection")
    }

    /// A socket of the script. There is none if Linux needed longer than the rest to accept it.
    fn socket(&self, name: char) -> Result<&OwnedFd, Errno> {
        self.sockets.get(&name).ok_or(Errno::BADF)
    }

    fn message(&self, a: char, n: usize) -> Vec<u8> {
        let (kind, v6) = *self.kinds.get(&a).unwrap_or(&(Kind::Datagram, false));
        message(kind, v6, n)
    }

    fn perform(&mut self, step: Step) -> Result<Seen, Errno> {
        let done = |()| Seen::Done;
        let stream = |kind| match kind {
            Kind::Stream => SocketType::STREAM,
            Kind::Datagram | Kind::Echo => SocketType::DGRAM,
        };
        Ok(match step {
            Step::Socket(a, Kind::Echo) | Step::Socket6(a, Kind::Echo) => {
                let v6 = matches!(step, Step::Socket6(..));
                self.sockets.insert(a, open_echo(v6)?);
                self.kinds.insert(a, (Kind::Echo, v6));
                Seen::Done
            }
            Step::Socket(a, kind) => {
                let socket = open(stream(kind));
                // The core's sockets hear the groups that they have joined themselves.
                SockRef::from(&socket)
                    .set_multicast_all_v4(false)
                    .expect("an option");
                self.sockets.insert(a, socket);
                Seen::Done
            }
            Step::Socket6(a, kind) => {
                let socket = open_in(AddressFamily::INET6, stream(kind));
                self.sockets.insert(a, socket);
                Seen::Done
            }
            Step::Bind(a, name) => {
                let address = self.address(name);
                bind(self.socket(a)?, &address).map(done)?
            }
            Step::Listen(a, backlog) => listen(self.socket(a)?, backlog).map(done)?,
            Step::Accept(a, b) => {
                let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
                let (socket, peer) = acceptfrom_with(self.socket(a)?, flags)?;
                self.sockets.insert(b, socket);
                self.name(peer.map(|peer| peer.try_into().expect("an address")))
            }
            Step::Connect(a, name) => {
                let address = self.address(name);
                connect(self.socket(a)?, &address).map(done)?
            }
            Step::ConnectToPeerOf(a, b) => {
                let peer = getpeername(self.socket(b)?)?.expect("an address");
                connect(self.socket(a)?, &peer).map(done)?
            }
            Step::Reuse(a) => sockopt::set_socket_reuseaddr(self.socket(a)?, true).map(done)?,
            Step::Dissolve(a) => connect_unspec(self.socket(a)?).map(done)?,
            Step::Send(a, n) => {
                let flags = SendFlags::NOSIGNAL;
                Seen::Count(send(self.socket(a)?, &self.message(a, n), flags)?)
            }
            Step::SendTo(a, name, n) => {
                let address = self.address(name);
                let flags = SendFlags::NOSIGNAL;
                Seen::Count(sendto(
                    self.socket(a)?,
                    &self.message(a, n),
                    flags,
                    &address,
                )?)
            }
            Step::Recv(a, n, flags) => {
                let mut buffer = vec![0xff; n];
                let flags = RecvFlags::from_bits_retain(flags.bits());
                let (_, count) = recv(self.socket(a)?, &mut buffer[..], flags)?;
                let first = buffer.first().filter(|&&first| first != 0xff);
                Seen::Bytes(count, first.copied())
            }
            Step::Shutdown(a, how) => {
                let how = match how {
                    How::Read => Shutdown::Read,
                    How::Write => Shutdown::Write,
                    How::Both => Shutdown::Both,
                };
                shutdown(self.socket(a)?, how).map(done)?
            }
            Step::Close(a) => {
                self.sockets.remove(&a).ok_or(Errno::BADF)?;
                Seen::Done
            }
            Step::SockName(a) => {
                let name = getsockname(self.socket(a)?)?;
                self.name(Some(name.try_into().expect("an address")))
            }
            Step::PeerName(a) => {
                let name = getpeername(self.socket(a)?)?;
                self.name(name.map(|name| name.try_into().expect("an address")))
            }
            Step::Set(a, option, value) => set(self.socket(a)?, option, value).map(done)?,
            Step::Get(a, option) => Seen::Value(get(self.socket(a)?, option)?),
            Step::Error(a) => match sockopt::socket_error(self.socket(a)?)? {
                Ok(()) => Seen::Done,
                Err(errno) => Seen::Errno(errno.raw_os_error()),
            },
            Step::Join(a, number) => {
                let socket = self.socket(a)?;
                let any = Ipv4Addr::UNSPECIFIED;
                sockopt::set_ip_add_membership(socket, &group(number), &any).map(done)?
            }
            Step::Leave(a, number) => {
                let socket = self.socket(a)?;
                let any = Ipv4Addr::UNSPECIFIED;
                sockopt::set_ip_drop_membership(socket, &group(number), &any).map(done)?
            }
            Step::SendGroup(a, number, port, n) => {
                let to = SocketAddrV4::new(group(number), self.port(port));
                let flags = SendFlags::NOSIGNAL;
                Seen::Count(sendto(self.socket(a)?, &vec![7; n], flags, &to)?)
            }
            Step::BindGroup(a, number, port) => {
                let at = SocketAddrV4::new(group(number), self.port(port));
                bind(self.socket(a)?, &at).map(done)?
            }
            Step::PeerListen(port) => {
                let listener = open(SocketType::STREAM);
                bind(&listener, &SocketAddrV4::new(host(2), self.port(port)))?;
                listen(&listener, 4)?;
                self.listener = Some(listener);
                Seen::Done
            }
            Step::PeerConnect(port) => {
                let connection = open(SocketType::STREAM);
                bind(&connection, &SocketAddrV4::new(host(2), 0))?;
                let _ = connect(&connection, &SocketAddrV4::new(host(1), self.port(port)));
                // The one before stays open.
                self.silent.extend(self.connection.replace(connection));
                Seen::Done
            }
            Step::PeerSend(n) => {
                let data = numbered(&mut self.sent, n);
                send(self.connection(), &data, SendFlags::NOSIGNAL)?;
                Seen::Done
            }
            Step::PeerFin => shutdown(self.connection(), Shutdown::Write).map(done)?,
            Step::PeerReset => {
                sockopt::set_socket_linger(self.connection(), Some(Duration::ZERO))?;
                self.connection = None;
                Seen::Done
            }
            Step::PeerBind(port) => {
                let socket = open(SocketType::DGRAM);
                bind(&socket, &SocketAddrV4::new(host(2), self.port(port)))?;
                self.datagrams = Some(socket);
                Seen::Done
            }
            Step::PeerBroadcast(port, n) => {
                let data = numbered(&mut self.sent, n);
                let to = SocketAddrV4::new(BROADCAST, self.port(port));
                let socket = self.datagrams.as_ref().expect("the peer has a socket");
                sockopt::set_socket_broadcast(socket, true)?;
                sendto(socket, &data, SendFlags::NOSIGNAL, &to)?;
                Seen::Done
            }
            Step::PeerSendTo(a, n) => {
                let name = getsockname(self.socket(a)?)?;
                let name: SocketAddr = name.try_into().expect("an address");
                let to = SocketAddrV4::new(host(1), name.port());
                let to = match name {
                    SocketAddr::V4(name) if !name.ip().is_unspecified() => name,
                    _ => to,
                };
                let data = numbered(&mut self.sent, n);
                let socket = self.datagrams.as_ref().expect("the peer has a socket");
                sendto(socket, &data, SendFlags::NOSIGNAL, &to)?;
                Seen::Done
            }
        })
    }
}

/// Of options that are seconds, microseconds are not set.
fn seconds(value: i64) -> Result<Duration, Errno> {
    u64::try_from(value)
        .map(Duration::from_secs)
        .map_err(|_| Errno::INVAL)
}

fn which(option: SocketOption) -> sockopt::Timeout {
    match option {
        SocketOption::ReceiveTimeout => sockopt::Timeout::Recv,
        _ => sockopt::Timeout::Send,
    }
}

fn set(socket: &OwnedFd, option: SocketOption, value: i64) -> Result<(), Errno> {
    let word = value as u32;
    match option {
        SocketOption::ReuseAddress => sockopt::set_socket_reuseaddr(socket, value != 0),
        SocketOption::Broadcast => sockopt::set_socket_broadcast(socket, value != 0),
        SocketOption::SendBuffer => sockopt::set_socket_send_buffer_size(socket, word as usize),
        SocketOption::ReceiveBuffer => sockopt::set_socket_recv_buffer_size(socket, word as usize),
        SocketOption::ReceiveTimeout | SocketOption::SendTimeout => {
            let time = Some(seconds(value)?).filter(|time| !time.is_zero());
            sockopt::set_socket_timeout(socket, which(option), time)
        }
        SocketOption::Linger => {
            let time = u64::try_from(value).ok().map(Duration::from_secs);
            sockopt::set_socket_linger(socket, time)
        }
        SocketOption::KeepAlive => sockopt::set_socket_keepalive(socket, value != 0),
        SocketOption::MulticastTtl => sockopt::set_ip_multicast_ttl(socket, word),
        SocketOption::MulticastLoop => sockopt::set_ip_multicast_loop(socket, value != 0),
        SocketOption::MulticastHops => sockopt::set_ipv6_multicast_hops(socket, word),
        SocketOption::MulticastLoop6 => sockopt::set_ipv6_multicast_loop(socket, value != 0),
        SocketOption::NoDelay => sockopt::set_tcp_nodelay(socket, value != 0),
        SocketOption::TypeOfService => sockopt::set_ip_tos(socket, value as u8),
        SocketOption::TimeToLive => sockopt::set_ip_ttl(socket, word),
        SocketOption::OnlyV6 => sockopt::set_ipv6_v6only(socket, value != 0),
        SocketOption::UnicastHops => {
            let set = SockRef::from(socket).set_unicast_hops_v6(word);
            set.map_err(|error| Errno::from_io_error(&error).expect("an error number"))
        }
        SocketOption::TrafficClass => {
            let set = SockRef::from(socket).set_tclass_v6(word);
            set.map_err(|error| Errno::from_io_error(&error).expect("an error number"))
        }
        SocketOption::MaxSegment => {
            let set = SockRef::from(socket).set_tcp_mss(word);
            set.map_err(|error| Errno::from_io_error(&error).expect("an error number"))
        }
        SocketOption::KeepIdle => sockopt::set_tcp_keepidle(socket, seconds(value)?),
        SocketOption::KeepInterval => sockopt::set_tcp_keepintvl(socket, seconds(value)?),
        SocketOption::KeepCount => sockopt::set_tcp_keepcnt(socket, word),
        SocketOption::UserTimeout => sockopt::set_tcp_user_timeout(socket, word),
        other => panic!("{} cannot be set here", other.name()),
    }
}

fn get(socket: &OwnedFd, option: SocketOption) -> Result<u64, Errno> {
    Ok(match option {
        SocketOption::ReuseAddress => sockopt::socket_reuseaddr(socket)?.into(),
        SocketOption::Type => sockopt::socket_type(socket)?.as_raw().into(),
        SocketOption::Broadcast => sockopt::socket_broadcast(socket)?.into(),
        SocketOption::SendBuffer => sockopt::socket_send_buffer_size(socket)? as u64,
        SocketOption::ReceiveBuffer => sockopt::socket_recv_buffer_size(socket)? as u64,
        SocketOption::ReceiveTimeout | SocketOption::SendTimeout => {
            let time = sockopt::socket_timeout(socket, which(option))?;
            time.map_or(0, |time| time.as_secs())
        }
        SocketOption::Linger => sockopt::socket_linger(socket)?.is_some().into(),
        SocketOption::KeepAlive => sockopt::socket_keepalive(socket)?.into(),
        SocketOption::AcceptConnections => sockopt::socket_acceptconn(socket)?.into(),
        SocketOption::Protocol => {
            let protocol = sockopt::socket_protocol(socket)?;
            protocol.map_or(0, |protocol| protocol.as_raw().get().into())
        }
        SocketOption::Domain => sockopt::socket_domain(socket)?.as_raw().into(),
        SocketOption::MulticastTtl => sockopt::ip_multicast_ttl(socket)?.into(),
        SocketOption::MulticastLoop => sockopt::ip_multicast_loop(socket)?.into(),
        SocketOption::MulticastHops => sockopt::ipv6_multicast_hops(socket)?.into(),
        SocketOption::MulticastLoop6 => sockopt::ipv6_multicast_loop(socket)?.into(),
        SocketOption::NoDelay => sockopt::tcp_nodelay(socket)?.into(),
        SocketOption::TypeOfService => sockopt::ip_tos(socket)?.into(),
        SocketOption::TimeToLive => sockopt::ip_ttl(socket)?.into(),
        SocketOption::OnlyV6 => sockopt::ipv6_v6only(socket)?.into(),
        SocketOption::UnicastHops => sockopt::ipv6_unicast_hops(socket)?.into(),
        SocketOption::TrafficClass => {
            let class = SockRef::from(socket).tclass_v6();
            class
                .map_err(|error| Errno::from_io_error(&error).expect("an error number"))?
                .into()
        }
        SocketOption::MaxSegment => {
            let mss = SockRef::from(socket).tcp_mss();
            mss.map_err(|error| Errno::from_io_error(&error).expect("an error number"))?
                .into()
        }
        SocketOption::KeepIdle => sockopt::tcp_keepidle(socket)?.as_secs(),
        SocketOption::KeepInterval => sockopt::tcp_keepintvl(socket)?.as_secs(),
        SocketOption::KeepCount => sockopt::tcp_keepcnt(socket)?.into(),
        SocketOption::UserTimeout => sockopt::tcp_user_timeout(socket)?.into(),
        other => panic!("{} cannot be read here", other.name()),
    })
}

impl Machine for Host {
    fn step(&mut self, step: Step) -> Seen {
        let result = self.perform(step);
        std::thread::sleep(self.rest);
        seen(result, |seen| seen)
    }

    fn bits(&mut self, socket: char) -> u16 {
        let wanted = PollFlags::IN | PollFlags::OUT | PollFlags::RDHUP;
        let Ok(socket) = self.socket(socket) else {
            return PollFlags::NVAL.bits();
        };
        let mut fds = [PollFd::new(socket, wanted)];
        poll(&mut fds, Some(&Timespec::default())).expect("poll");
        fds[0].revents().bits()
    }
}
