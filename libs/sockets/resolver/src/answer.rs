// SPDX-License-Identifier: BSD-2-Clause

//! What is asked for, and what comes back.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use heapless::Vec;

use crate::HostName;

/// The most addresses of an [`Answer`].
pub const MAX_ADDRESSES: usize = 8;

/// The kind of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 addresses (RFC 1035 section 3.4.1).
    A,
    /// IPv6 addresses (RFC 3596).
    Aaaa,
    /// The name of an address (RFC 1035 section 3.3.12); see
    /// [`Resolver::name_of`](crate::Resolver::name_of).
    Ptr,
}

/// A question: a name in full, and the kind of record that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub name: HostName,
    pub kind: Kind,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(crate) name: HostName,
    pub(crate) addresses: Vec<IpAddr, MAX_ADDRESSES>,
}

impl Answer {
    /// Returns the name that has the addresses, behind all aliases. Of a [`Kind::Ptr`] question it
    /// is the name that was asked for.
    pub fn name(&self) -> &HostName {
        &self.name
    }

    /// Returns the addresses in the order of the server, those of IPv4 first. There is one at least
    /// unless the question was of [`Kind::Ptr`].
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    pub(crate) fn new(name: HostName, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let mut answer = Answer {
            name,
            addresses: Vec::new(),
        };
        answer.extend(addresses);
        answer
    }

    /// Adds addresses as far as there is room.
    pub(crate) fn extend(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        for address in addresses {
            let _ = self.addresses.push(address);
        }
    }
}

impl Kind {
    /// Whether an address is of this kind.
    pub(crate) fn has(self, address: IpAddr) -> bool {
        match self {
            Kind::A => address.is_ipv4(),
            Kind::Aaaa => address.is_ipv6(),
            Kind::Ptr => false,
        }
    }

    /// Returns this machine's address to itself.
    pub(crate) fn loopback(self) -> Option<IpAddr> {
        match self {
            Kind::A => Some(Ipv4Addr::LOCALHOST.into()),
            Kind::Aaaa => Some(Ipv6Addr::LOCALHOST.into()),
            Kind::Ptr => None,
        }
    }
}
