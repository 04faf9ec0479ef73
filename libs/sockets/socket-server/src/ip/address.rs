// SPDX-License-Identifier: BSD-2-Clause

//! Addresses of both families in one type of two words, which are cheap to compare and to hash.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::tables::map::{Key, mix};

/// An IPv6 address; those of IPv4 are mapped (RFC 4291 section 2.5.5.2). On the wire there are no
/// mapped addresses, so that both cannot be taken for one another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address {
    high: u64,
    low: u64,
}

/// Bits 32 to 64 of a mapped address.
const MAPPED: u64 = 0xffff;

impl Address {
    /// The unspecified addresses of the two families.
    pub const ANY4: Address = Address::v4(Ipv4Addr::UNSPECIFIED);
    pub const ANY6: Address = Address::v6(Ipv6Addr::UNSPECIFIED);
    /// The usual addresses of loopback.
    pub const LOCALHOST4: Address = Address::v4(Ipv4Addr::LOCALHOST);
    pub const LOCALHOST6: Address = Address::v6(Ipv6Addr::LOCALHOST);

    /// One of IPv4.
    #[inline]
    pub const fn v4(address: Ipv4Addr) -> Address {
        Address {
            high: 0,
            low: MAPPED << 32 | address.to_bits() as u64,
        }
    }

    /// One of IPv6, or a mapped one.
    pub const fn v6(address: Ipv6Addr) -> Address {
        let bits = address.to_bits();
        Address {
            high: (bits >> 64) as u64,
            low: bits as u64,
        }
    }

    /// Whether it is one of IPv4.
    #[inline]
    pub const fn is_v4(self) -> bool {
        self.high == 0 && self.low >> 32 == MAPPED
    }

    /// As one of IPv4, if it is one.
    #[inline]
    pub const fn to_v4(self) -> Option<Ipv4Addr> {
        match self.is_v4() {
            true => Some(Ipv4Addr::from_bits(self.low as u32)),
            false => None,
        }
    }

    /// As one of IPv6, mapped if need be.
    pub const fn to_v6(self) -> Ipv6Addr {
        Ipv6Addr::from_bits((self.high as u128) << 64 | self.low as u128)
    }

    /// As one of IPv4, which it is.
    #[inline]
    pub const fn v4_bits(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.low as u32)
    }

    /// Its two halves, the first one first.
    #[inline]
    pub const fn words(self) -> [u64; 2] {
        [self.high, self.low]
    }

    /// Whether it means no address.
    pub fn is_unspecified(self) -> bool {
        self == Address::ANY4 || self == Address::ANY6
    }

    /// Whether it is one of loopback.
    pub fn is_loopback(self) -> bool {
        match self.to_v4() {
            Some(v4) => v4.is_loopback(),
            None => self == Address::LOCALHOST6,
        }
    }

    /// Whether it names a group.
    pub fn is_multicast(self) -> bool {
        match self.to_v4() {
            Some(v4) => v4.is_multicast(),
            None => self.high >> 56 == 0xff,
        }
    }

    /// Whether it means something on one link only, so that its link must be named, too (RFC 4007).
    pub fn is_link_local(self) -> bool {
        self.high >> 54 == 0xfe80 >> 6
    }

    /// Whether so many of its first bits are those of `network`; of an IPv4 address 96 more.
    pub fn is_in(self, network: Address, bits: u8) -> bool {
        self.common_bits(network) >= bits.into()
    }

    /// How many of its first bits are those of another.
    pub fn common_bits(self, other: Address) -> u32 {
        match self.high ^ other.high {
            0 => 64 + (self.low ^ other.low).leading_zeros(),
            high => high.leading_zeros(),
        }
    }

    /// The first address of the network that so many bits of it name.
    pub fn network(self, bits: u8) -> Address {
        let mask = !u128::MAX.checked_shr(bits.into()).unwrap_or(0);
        Address::v6(Ipv6Addr::from_bits(self.to_v6().to_bits() & mask))
    }

    /// What it adds to a checksum: its 32-bit words.
    #[inline]
    pub const fn sum(self) -> u64 {
        let (high, low) = (self.high, self.low);
        (high >> 32) + (high & 0xffff_ffff) + (low >> 32) + (low & 0xffff_ffff)
    }

    /// Headers that carry its packets, in bytes.
    #[inline]
    pub const fn header(self) -> usize {
        match self.is_v4() {
            true => super::output::HEADER,
            false => super::output::HEADER6,
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&IpAddr::from(*self), f)
    }
}

impl From<Ipv4Addr> for Address {
    #[inline]
    fn from(address: Ipv4Addr) -> Address {
        Address::v4(address)
    }
}

impl From<Ipv6Addr> for Address {
    fn from(address: Ipv6Addr) -> Address {
        Address::v6(address)
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> IpAddr {
        match address.to_v4() {
            Some(v4) => v4.into(),
            None => address.to_v6().into(),
        }
    }
}

impl Key for Address {
    #[inline]
    fn hash(&self, seed: u64) -> u64 {
        match self.high {
            0 => mix(seed, self.low),
            high => mix(mix(seed, high), self.low),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_what_it_was_made_of(v4: u32, v6: u128, bits in 0u8..=128) {
            let (v4, v6) = (Ipv4Addr::from_bits(v4), Ipv6Addr::from_bits(v6));
            prop_assert_eq!(Address::from(v4).to_v4(), Some(v4));
            prop_assert_eq!(Address::from(v4).to_v6(), v4.to_ipv6_mapped());
            prop_assert_eq!(Address::from(v4).is_multicast(), v4.is_multicast());
            prop_assert_eq!(Address::from(v4).is_loopback(), v4.is_loopback());
            let address = Address::from(v6);
            prop_assert_eq!(address.to_v4(), v6.to_ipv4_mapped());
            prop_assert_eq!(address.to_v6(), v6);
            prop_assert_eq!(address.is_multicast(), v6.is_multicast());
            prop_assert_eq!(address.is_link_local(), v6.is_unicast_link_local());
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            let network = Address::from(Ipv6Addr::from_bits(v6.to_bits() & mask));
            prop_assert!(address.is_in(network, bits));
            let other = Address::from(Ipv6Addr::from_bits(v6.to_bits() ^ 1 << 77));
            prop_assert_eq!(other.is_in(address, bits), bits <= 50);
        }
    }
}
