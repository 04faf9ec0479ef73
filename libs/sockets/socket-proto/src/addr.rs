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

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

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
pub const fn to_words(addr: SocketAddr) -> [u64; 3] {
    match addr {
        SocketAddr::V4(v4) => [
            AF_INET as u64 | (v4.port() as u64) << 16,
            0,
            v4.ip().to_bits() as u64,
        ],
        SocketAddr::V6(v6) => {
            let bits = v6.ip().to_bits();
            [
                AF_INET6 as u64 | (v6.port() as u64) << 16 | (v6.scope_id() as u64) << 32,
                (bits >> 64) as u64,
                bits as u64,
            ]
        }
    }
}

/// Reads three words; `None` is [`NO_ADDRESS`].
///
/// # Errors
/// `EAFNOSUPPORT` for an unknown family, `EINVAL` if a bit is set that the family does not use.
pub const fn from_words(words: [u64; 3]) -> Result<Option<SocketAddr>, Errno> {
    let [head, high, low] = words;
    let family = head as u16;
    let port = (head >> 16) as u16;
    let scope = (head >> 32) as u32;
    match family {
        AF_UNSPEC => {
            if head | high | low == 0 {
                Ok(None)
            } else {
                Err(Errno::EINVAL)
            }
        }
        AF_INET => {
            if scope != 0 || high != 0 || low >> 32 != 0 {
                return Err(Errno::EINVAL);
            }
            let ip = Ipv4Addr::from_bits(low as u32);
            Ok(Some(SocketAddr::V4(SocketAddrV4::new(ip, port))))
        }
        AF_INET6 => {
            let ip = Ipv6Addr::from_bits((high as u128) << 64 | low as u128);
            Ok(Some(SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope))))
        }
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

/// Reads three words that must hold an address.
///
/// # Errors
/// As [`from_words`], and `EINVAL` if there is none.
pub const fn require(words: [u64; 3]) -> Result<SocketAddr, Errno> {
    match from_words(words) {
        Ok(Some(addr)) => Ok(addr),
        Ok(None) => Err(Errno::EINVAL),
        Err(errno) => Err(errno),
    }
}
