// SPDX-License-Identifier: BSD-2-Clause

//! The resolver.

use core::cell::{Cell, RefCell};
use core::fmt::{self, Debug, Formatter};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use heapless::Vec;
use socket_client::{Errno, Net, TcpStream, Transport, UdpSocket};

use crate::answer::Question;
use crate::cache::{Cache, Outcome};
use crate::message::{self, MAX_ALIASES, MAX_ANSWER, MAX_DATAGRAM, Query, Reading};
use crate::random::Ids;
use crate::{Answer, HostName, Kind, ResolveError};

/// The most servers that are asked.
pub const MAX_SERVERS: usize = 3;
/// How long each server is waited for: in the first round through all of them, then in the second.
pub const WAITS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(4)];
/// Bytes of the window for what a question's socket receives: an answer and its header, and more,
/// so that one that is too long is seen to be.
const AREA: usize = 1024;
/// The port of name servers (RFC 1035 section 4.2).
const PORT: u16 = 53;

/// Asks name servers, and keeps `CACHE` answers. An answer takes about 800 bytes.
pub struct Resolver<'n, T: Transport, const CACHE: usize = 16> {
    net: &'n Net<T>,
    servers: RefCell<Vec<SocketAddr, MAX_SERVERS>>,
    domain: RefCell<Option<HostName>>,
    /// Whether net_server says which servers and domain these are.
    follows: bool,
    /// The server that answered last: the first to be asked.
    first: Cell<usize>,
    ids: Ids,
    cache: RefCell<Cache<CACHE>>,
}

impl<T: Transport, const CACHE: usize> Debug for Resolver<'_, T, CACHE> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("servers", &self.servers)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

impl<'n, T: Transport, const CACHE: usize> Resolver<'n, T, CACHE> {
    /// Takes servers, of which the first [`MAX_SERVERS`] count, and a domain in which names are
    /// looked for besides; an empty one is none. A restart of net_server concerns only the
    /// questions that are under way.
    ///
    /// # Errors
    /// `EINVAL` if `domain` is no name; those of opening a datagram socket, which it does for
    /// random numbers.
    pub fn new(
        net: &'n Net<T>,
        servers: impl IntoIterator<Item = SocketAddr>,
        domain: &str,
    ) -> Result<Self, Errno> {
        let domain = match domain {
            "" => None,
            domain => Some(HostName::new(domain).ok_or(Errno::EINVAL)?),
        };
        let servers = servers.into_iter().take(MAX_SERVERS).collect();
        Ok(Resolver {
            net,
            servers: RefCell::new(servers),
            domain: RefCell::new(domain),
            follows: false,
            first: Cell::new(0),
            ids: Ids::draw(net.client())?,
            cache: RefCell::new(Cache::new()),
        })
    }

    /// Asks the servers that net_server names, which a DHCP server may change: before each name
    /// it is looked which they are.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn following(net: &'n Net<T>) -> Result<Self, Errno> {
        let follows = true;
        Ok(Resolver {
            follows,
            ..Resolver::new(net, [], "")?
        })
    }

    /// Looks which servers there are. If net_server does not say it, they stay.
    fn follow(&self) {
        let client = self.net.client();
        // Once more after a restart of net_server.
        if self.follows
            && let Ok(names) = client.names().or_else(|_| client.names())
        {
            let servers = names.servers().take(MAX_SERVERS);
            let servers = servers.map(|server| SocketAddr::new(server, PORT));
            *self.servers.borrow_mut() = servers.collect();
            *self.domain.borrow_mut() = HostName::new(names.domain());
        }
    }

    /// Returns the addresses of one kind that a name has.
    ///
    /// - The text of an address is its own answer, and `localhost` is this machine (RFC 6761
    ///   section 6.3); nobody is asked.
    /// - A name with a dot in it is asked for as it is, then within the search domain; one without
    ///   in the other order, as Linux does. A dot at its end keeps it from being searched.
    /// - Each server has two seconds to answer, and four in a second round. The one that
    ///   answered last is asked first.
    ///
    /// Dropping the future ends the question: [`Net::timeout`] sets a shorter limit.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn resolve(&self, name: &str, kind: Kind) -> Outcome {
        self.search(name, &[kind]).await
    }

    /// Returns the addresses of both kinds that a name has, as [`Self::resolve`] finds them. These
    /// are two questions, one after the other; if only the second fails, what is there counts.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn addresses(&self, name: &str) -> Outcome {
        self.search(name, &[Kind::A, Kind::Aaaa]).await
    }

    /// Returns the name that an address has.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub async fn name_of(&self, address: IpAddr) -> Result<HostName, ResolveError> {
        self.follow();
        let name = HostName::reverse(address);
        let kind = Kind::Ptr;
        let answer = self.look_up(Question { name, kind }).await?;
        Ok(answer.name)
    }

    async fn search(&self, name: &str, kinds: &[Kind]) -> Outcome {
        if let Ok(address) = name.parse() {
            return match kinds.iter().any(|kind| kind.has(address)) {
                true => Ok(Answer::new(HostName::reverse(address), [address])),
                false => Err(ResolveError::NoData),
            };
        }
        let host = HostName::new(name).ok_or(ResolveError::BadName)?;
        if host.is_localhost() {
            let addresses = kinds.iter().filter_map(|kind| kind.loopback());
            return Ok(Answer::new(host, addresses));
        }
        self.follow();
        let searched = match &*self.domain.borrow() {
            Some(domain) if !name.ends_with('.') => host.within(domain),
            _ => None,
        };
        let names = match host.contains('.') {
            true => [Some(host), searched],
            false => [searched, Some(host)],
        };
        let mut nothing = ResolveError::NotFound;
        for name in names.into_iter().flatten() {
            match self.look_up_all(&name, kinds).await {
                Err(ResolveError::NotFound) => {}
                Err(ResolveError::NoData) => nothing = ResolveError::NoData,
                outcome => return outcome,
            }
        }
        Err(nothing)
    }

    /// Joins what a name has of several kinds.
    async fn look_up_all(&self, name: &HostName, kinds: &[Kind]) -> Outcome {
        let mut joined: Outcome = Err(ResolveError::NoData);
        for &kind in kinds {
            let name = name.clone();
            match (self.look_up(Question { name, kind }).await, &mut joined) {
                (Ok(more), Ok(answer)) => answer.extend(more.addresses),
                (Ok(answer), Err(_)) => joined = Ok(answer),
                (Err(ResolveError::NoData), _) | (Err(_), Ok(_)) => {}
                (Err(error), Err(_)) => return Err(error),
            }
        }
        joined
    }

    /// Looks into the cache, or asks, also for names behind aliases.
    async fn look_up(&self, question: Question) -> Outcome {
        let now = self.net.now();
        if let Some(outcome) = self.cache.borrow().get(&question, now) {
            return outcome.clone();
        }
        let mut next = question.clone();
        let (mut aliases, mut ttl) = (0, u32::MAX);
        while aliases < MAX_ALIASES {
            match self.ask(&next).await? {
                Reading::Alias(name, more, seconds) => {
                    aliases += more;
                    ttl = ttl.min(seconds);
                    next.name = name;
                }
                Reading::Outcome(outcome, seconds) => {
                    let ttl = ttl.min(seconds);
                    let now = self.net.now();
                    self.cache.borrow_mut().put(question, &outcome, now, ttl);
                    return outcome;
                }
                Reading::Failed(code) => return Err(ResolveError::Server(code)),
                Reading::Truncated => return Err(ResolveError::Server(0)),
            }
        }
        Err(ResolveError::TooManyAliases)
    }

    /// Asks one server after the other until one answers.
    async fn ask(&self, question: &Question) -> Result<Reading, ResolveError> {
        let mut failure = ResolveError::NoServer;
        let first = self.first.get();
        for wait in WAITS {
            let count = self.servers.borrow().len();
            for turn in 0..count {
                let at = (first + turn) % count;
                // They may be others by now.
                let Some(server) = self.servers.borrow().get(at).copied() else {
                    break;
                };
                let exchange = self.exchange(server, question);
                match self.net.timeout(wait, exchange).await {
                    Ok(Ok(Reading::Failed(code))) => failure = ResolveError::Server(code),
                    Ok(Ok(reading)) => {
                        self.first.set(at);
                        return Ok(reading);
                    }
                    Ok(Err(errno)) | Err(errno) => failure = errno.into(),
                }
            }
        }
        Err(failure)
    }

    /// Asks one server, by TCP if a datagram is too short for its answer (RFC 7766 section 5).
    async fn exchange(&self, server: SocketAddr, question: &Question) -> Result<Reading, Errno> {
        let id = self.ids.next();
        let query = message::query(id, question)?;
        match self.by_udp(server, &query, id, question).await? {
            Reading::Truncated => self.by_tcp(server, &query, id, question).await,
            reading => Ok(reading),
        }
    }

    async fn by_udp(
        &self,
        server: SocketAddr,
        query: &Query,
        id: u16,
        question: &Question,
    ) -> Result<Reading, Errno> {
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind(self.net, (any, 0).into(), AREA)?;
        socket.connect(server)?;
        socket.send(query.as_dgram_slice()).await?;
        let mut buf = [0; MAX_DATAGRAM];
        loop {
            let datagram = socket.recv_from(&mut buf).await?;
            let from = (datagram.from.ip(), datagram.from.port());
            if from != (server.ip(), server.port()) || datagram.is_cut() {
                continue;
            }
            if let Some(reading) = message::read(&buf[..datagram.len], id, question) {
                return Ok(reading);
            }
        }
    }

    async fn by_tcp(
        &self,
        server: SocketAddr,
        query: &Query,
        id: u16,
        question: &Question,
    ) -> Result<Reading, Errno> {
        let stream = TcpStream::connect(self.net, server).await?;
        stream.write_all(query.as_stream_slice()).await?;
        let mut length = [0; 2];
        read_exact(&stream, &mut length).await?;
        let mut buf = [0; MAX_ANSWER];
        let answer = buf.get_mut(..usize::from(u16::from_be_bytes(length)));
        let answer = answer.ok_or(Errno::EMSGSIZE)?;
        read_exact(&stream, answer).await?;
        message::read(answer, id, question).ok_or(Errno::EPROTO)
    }
}

async fn read_exact<T: Transport>(
    stream: &TcpStream<'_, T>,
    mut buf: &mut [u8],
) -> Result<(), Errno> {
    while !buf.is_empty() {
        match stream.read(buf).await? {
            0 => return Err(Errno::ECONNRESET),
            count => buf = &mut buf[count..],
        }
    }
    Ok(())
}
