// SPDX-License-Identifier: BSD-2-Clause

//! Addresses in the layouts of Linux's `sockaddr_in` and `sockaddr_in6`.

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::Error;

const AF_UNSPEC: u16 = 0;
const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// Bytes of `sockaddr_in`.
const INET_LEN: usize = 16;
/// Bytes of `sockaddr_in6`.
const INET6_LEN: usize = 28;

/// Bytes of the longest address.
pub const ADDRESS_MAX: usize = INET6_LEN;

/// What a socket of a pair has for an address, as [`write_address`] would write it: its family
/// alone.
pub const UNNAMED: ([u8; ADDRESS_MAX], usize) = {
    let mut bytes = [0; ADDRESS_MAX];
    [bytes[0], bytes[1]] = AF_UNIX.to_ne_bytes();
    (bytes, 2)
};

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// Reads an address; `None` is `AF_UNSPEC`.
///
/// # Errors
/// `EINVAL` if it is too short, `EAFNOSUPPORT` if it is of another family.
pub fn read_address(bytes: &[u8]) -> Result<Option<SocketAddr>, Error> {
    let family = array(bytes, 0).map(u16::from_ne_bytes);
    let port = || array(bytes, 2).map(u16::from_be_bytes);
    let address = match family.ok_or(Error::EINVAL)? {
        AF_UNSPEC => return Ok(None),
        AF_INET if bytes.len() >= INET_LEN => array::<4>(bytes, 4)
            .zip(port())
            .map(|(ip, port)| (Ipv4Addr::from(ip), port).into()),
        AF_INET6 if bytes.len() >= INET6_LEN => {
            let ip = array::<16>(bytes, 8).map(Ipv6Addr::from);
            let scope = array(bytes, 24).map(u32::from_ne_bytes);
            ip.zip(port())
                .zip(scope)
                .map(|((ip, port), scope)| SocketAddrV6::new(ip, port, 0, scope).into())
        }
        AF_INET | AF_INET6 => None,
        _ => return Err(Error::EAFNOSUPPORT),
    };
    address.ok_or(Error::EINVAL).map(Some)
}

/// Writes an address and returns how many of the bytes it takes.
#[must_use]
pub fn write_address(address: SocketAddr) -> ([u8; ADDRESS_MAX], usize) {
    let mut bytes = [0; ADDRESS_MAX];
    bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    let (family, length) = match address {
        SocketAddr::V4(v4) => {
            bytes[4..8].copy_from_slice(&v4.ip().octets());
            (AF_INET, INET_LEN)
        }
        SocketAddr::V6(v6) => {
            bytes[8..24].copy_from_slice(&v6.ip().octets());
            bytes[24..].copy_from_slice(&v6.scope_id().to_ne_bytes());
            (AF_INET6, INET6_LEN)
        }
    };
    bytes[..2].copy_from_slice(&family.to_ne_bytes());
    (bytes, length)
}
