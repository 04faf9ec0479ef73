// SPDX-License-Identifier: BSD-2-Clause

//! Names to addresses and back: what `getaddrinfo` and `getnameinfo` find.

use core::future::Future;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use resolver::{Answer, HostName, Kind, ResolveError, Resolver};
use socket_client::{Errno, Family, Transport};

use crate::{CACHE, Error, Posix, Wait};

/// Why there is no address: `EAI_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// `EAI_NONAME`.
    NoName,
    /// `EAI_NODATA`.
    NoData,
    /// `EAI_ADDRFAMILY`: the text of an address of the other family.
    OtherFamily,
    /// `EAI_AGAIN`.
    Again,
    /// `EAI_FAIL`.
    Fail,
    /// `EAI_SYSTEM`: look at `errno`.
    System(Error),
}

impl From<ResolveError> for NameError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::BadName | ResolveError::NotFound => NameError::NoName,
            ResolveError::NoData => NameError::NoData,
            ResolveError::NoServer => NameError::Again,
            ResolveError::TooManyAliases => NameError::Fail,
            ResolveError::Socket(
                errno @ (Errno::EACCES | Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS),
            ) => NameError::System(errno.into()),
            error if error.is_temporary() => NameError::Again,
            _ => NameError::Fail,
        }
    }
}

/// What `getaddrinfo` is to look for, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints {
    /// Addresses of this family alone.
    pub family: Option<Family>,
    /// `AI_PASSIVE`: without a name the address to listen on, otherwise that of this machine.
    pub passive: bool,
    /// `AI_NUMERICHOST`: nobody is asked.
    pub numeric: bool,
    /// `AI_V4MAPPED`: with IPv6, addresses of IPv4 in that form if there is no other.
    pub mapped: bool,
    /// `AI_ALL`: these besides the others.
    pub all: bool,
}

impl Hints {
    /// Returns an address as it is wanted, if it is.
    fn fit(self, address: IpAddr) -> Option<IpAddr> {
        match (self.family, address) {
            (Some(Family::Inet), IpAddr::V6(_)) => None,
            (Some(Family::Inet6), IpAddr::V4(v4)) => {
                self.mapped.then(|| v4.to_ipv6_mapped().into())
            }
            _ => Some(address),
        }
    }
}

/// Services that go by a name (IANA's register); others are numbers.
const SERVICES: [(&str, u16); 16] = [
    ("echo", 7),
    ("discard", 9),
    ("daytime", 13),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("tftp", 69),
    ("http", 80),
    ("ntp", 123),
    ("https", 443),
    ("syslog", 514),
    ("mqtt", 1883),
    ("redis", 6379),
    ("irc", 6667),
];

/// Returns the port of a service.
#[must_use]
pub fn service_port(service: &str) -> Option<u16> {
    let known = SERVICES.iter().find(|(name, _)| *name == service);
    known.map_or_else(|| service.parse().ok(), |(_, port)| Some(*port))
}

/// Returns the name of the service at a port.
#[must_use]
pub fn service_name(port: u16) -> Option<&'static str> {
    let known = SERVICES.iter().find(|(_, known)| *known == port);
    known.map(|(name, _)| *name)
}

impl<'n, T: Transport, W: Wait> Posix<'n, T, W> {
    /// Runs a future of the client library to its end.
    fn finish<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        let mut future = pin!(future);
        loop {
            let seen = self.seen();
            let mut output = None;
            let mut context = Context::from_waker(Waker::noop());
            // A poll too many does no harm, so it need not be known whom an event has woken.
            self.net.run(|| {
                if output.is_none()
                    && let Poll::Ready(ready) = future.as_mut().poll(&mut context)
                {
                    output = Some(ready);
                }
                false
            });
            match output {
                Some(output) => return Ok(output),
                None if seen == self.seen() => self.wait.wait()?,
                None => {}
            }
        }
    }

    /// Says which servers are asked, and in which domain names are looked for besides. Only the
    /// first call counts.
    ///
    /// # Errors
    /// Those of [`Resolver::new`].
    pub fn use_servers(
        &self,
        servers: impl IntoIterator<Item = SocketAddr>,
        domain: &str,
    ) -> Result<(), Error> {
        if self.resolver.get().is_none() {
            let resolver = Resolver::new(self.net, servers, domain)?;
            let _ = self.resolver.set(resolver);
        }
        Ok(())
    }

    /// Says that net_server knows the servers to ask for names. Only the first call of this or of
    /// [`Self::use_servers`] counts.
    ///
    /// # Errors
    /// Those of [`Resolver::new`].
    pub fn follow_servers(&self) -> Result<(), Error> {
        if self.resolver.get().is_none() {
            let _ = self.resolver.set(Resolver::following(self.net)?);
        }
        Ok(())
    }

    fn resolver(&self) -> Result<&Resolver<'n, T, CACHE>, NameError> {
        self.resolver.get().ok_or(NameError::Again)
    }

    /// Calls `found` for each address of a host, those of IPv4 first, with the name that it really
    /// has.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn addresses(
        &self,
        host: Option<&str>,
        hints: Hints,
        mut found: impl FnMut(IpAddr, &str),
    ) -> Result<(), NameError> {
        let Some(host) = host else {
            let own: [IpAddr; 2] = match hints.passive {
                true => [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
                // In glibc's order.
                false => [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
            };
            let is_wanted = |ip: &IpAddr| match hints.family {
                Some(family) => ip.is_ipv6() == (family == Family::Inet6),
                None => true,
            };
            own.into_iter()
                .filter(is_wanted)
                .for_each(|ip| found(ip, ""));
            return Ok(());
        };
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = hints.fit(address).ok_or(NameError::OtherFamily)?;
            found(address, host);
            return Ok(());
        }
        if hints.numeric {
            return Err(NameError::NoName);
        }
        let mut each = |answer: &Answer| {
            let fitting = answer.addresses().iter().filter_map(|ip| hints.fit(*ip));
            fitting.for_each(|ip| found(ip, answer.name()));
        };
        let first = match hints.family {
            None => self.answer(host, None),
            Some(Family::Inet) => self.answer(host, Some(Kind::A)),
            Some(Family::Inet6) => self.answer(host, Some(Kind::Aaaa)),
        };
        if let Ok(answer) = &first {
            each(answer);
        }
        let mapped = hints.family == Some(Family::Inet6) && hints.mapped;
        if mapped && (hints.all || first == Err(NameError::NoData)) {
            match self.answer(host, Some(Kind::A)) {
                Ok(answer) => each(&answer),
                Err(error) => return first.map_err(|_| error).map(drop),
            }
            return Ok(());
        }
        first.map(drop)
    }

    /// Asks for addresses of one kind or of both.
    fn answer(&self, host: &str, kind: Option<Kind>) -> Result<Answer, NameError> {
        let resolver = self.resolver()?;
        let outcome = match kind {
            Some(kind) => self.finish(resolver.resolve(host, kind)),
            None => self.finish(resolver.addresses(host)),
        };
        Ok(outcome.map_err(NameError::System)??)
    }

    /// Returns the name of an address.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn name_of(&self, address: IpAddr) -> Result<HostName, NameError> {
        let question = self.resolver()?.name_of(address);
        Ok(self.finish(question).map_err(NameError::System)??)
    }
}
