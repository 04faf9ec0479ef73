// SPDX-License-Identifier: BSD-2-Clause

//! Socket addresses in three words.
//!
//! | word | content |
//! | --- | --- |
//! | 0 | family (bits 0..16), port (16..32), IPv6 scope (32..64) |
//! | 1 | bytes 0..8 of the address, first byte highest; zero for IPv4 |
//! | 2 | bytes 8..16, first byte highest; for IPv4 the address in the low 32 bits |
//!
//! So 10.0.2.15:80 is `[0x0000_0000_0050_0002, 0, 0x0a00_020f]`. Every other bit must be zero. The
//! IPv6 flow label has no place: nothing in the stack uses it.

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::Errno;

/// `AF_UNSPEC`: no address.
pub const AF_UNSPEC: u16 = 0;
/// `AF_INET`.
pub const AF_INET: u16 = 2;
/// `AF_INET6`.
pub const AF_INET6: u16 = 10;

/// The three words that mean "no address".
pub const NO_ADDRESS: [u64; 3] = [0; 3];

/// Puts an address into three words.
#[must_use]
pub fn to_words(addr: SocketAddr) -> [u64; 3] {
    let (family, scope, bits) = match addr {
        SocketAddr::V4(v4) => (AF_INET, 0, v4.ip().to_bits().into()),
        SocketAddr::V6(v6) => (AF_INET6, v6.scope_id(), v6.ip().to_bits()),
    };
    let head = u64::from(family) | u64::from(addr.port()) << 16 | u64::from(scope) << 32;
    [head, (bits >> 64) as u64, bits as u64]
}

/// Reads three words; `None` is [`NO_ADDRESS`].
///
/// # Errors
/// `EAFNOSUPPORT` for an unknown family, `EINVAL` if a bit is set that the family does not use.
pub fn from_words(words: [u64; 3]) -> Result<Option<SocketAddr>, Errno> {
    let [head, high, low] = words;
    let (family, port, scope) = (head as u16, (head >> 16) as u16, (head >> 32) as u32);
    match family {
        AF_UNSPEC if words == NO_ADDRESS => Ok(None),
        AF_INET if scope == 0 && high == 0 && low >> 32 == 0 => {
            Ok(Some((Ipv4Addr::from_bits(low as u32), port).into()))
        }
        AF_INET6 => {
            let ip = Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low));
            Ok(Some(SocketAddrV6::new(ip, port, 0, scope).into()))
        }
        AF_UNSPEC | AF_INET => Err(Errno::EINVAL),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}
