// SPDX-License-Identifier: BSD-2-Clause

//! Names to addresses and back: what `getaddrinfo` and `getnameinfo` find.

use core::future::Future;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use resolver::{Answer, HostName, Kind, ResolveError, Resolver};
use socket_client::{Errno, Transport};

use crate::{CACHE, Error, Posix, Wait};

/// Why there is no address: `EAI_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// `EAI_NONAME`.
    NoName,
    /// `EAI_NODATA`.
    NoData,
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
    /// `AI_PASSIVE`: without a name the address to listen on, otherwise that of this machine.
    pub passive: bool,
    /// `AI_NUMERICHOST`: nobody is asked.
    pub numeric: bool,
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

    /// Calls `found` for each IPv4 address of a host, with the name that it really has.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn addresses(
        &self,
        host: Option<&str>,
        hints: Hints,
        mut found: impl FnMut(IpAddr, &str),
    ) -> Result<(), NameError> {
        let literal = match host {
            None if hints.passive => Some(Ipv4Addr::UNSPECIFIED.into()),
            None => Some(Ipv4Addr::LOCALHOST.into()),
            Some(host) => host.parse::<IpAddr>().ok(),
        };
        if let Some(address) = literal {
            found(address, host.unwrap_or_default());
            return Ok(());
        }
        if hints.numeric {
            return Err(NameError::NoName);
        }
        let question = self.resolver()?.resolve(host.unwrap_or_default(), Kind::A);
        let answer: Answer = self.finish(question).map_err(NameError::System)??;
        for &address in answer.addresses() {
            found(address, answer.name());
        }
        Ok(())
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
