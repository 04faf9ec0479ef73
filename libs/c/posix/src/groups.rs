// SPDX-License-Identifier: BSD-2-Clause

//! Options about groups whose values are structs of addresses: `struct ip_mreq`, `ip_mreqn`,
//! `in_addr`, `ipv6_mreq`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use socket_client::{Errno, Socket, SocketOption, Transport};

use crate::{Error, Posix, Wait};

const IPPROTO_IP: i32 = 0;
const IPPROTO_IPV6: i32 = 41;
const IP_MULTICAST_IF: i32 = 32;
const IP_ADD_MEMBERSHIP: i32 = 35;
const IP_DROP_MEMBERSHIP: i32 = 36;
const IPV6_JOIN_GROUP: i32 = 20;
const IPV6_LEAVE_GROUP: i32 = 21;

fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Error> {
    let field = bytes
        .get(at..at + N)
        .and_then(|field| field.try_into().ok());
    field.ok_or(Error::EINVAL)
}

impl<T: Transport, W: Wait> Posix<'_, T, W> {
    /// Sets an option if it is one of these; otherwise `None`.
    pub(crate) fn set_group_option(
        &self,
        socket: Socket,
        level: i32,
        name: i32,
        bytes: &[u8],
    ) -> Option<Result<(), Error>> {
        let join = match (level, name) {
            (IPPROTO_IP, IP_MULTICAST_IF) => return Some(self.set_interface(socket, bytes)),
            (IPPROTO_IP, IP_ADD_MEMBERSHIP) | (IPPROTO_IPV6, IPV6_JOIN_GROUP) => true,
            (IPPROTO_IP, IP_DROP_MEMBERSHIP) | (IPPROTO_IPV6, IPV6_LEAVE_GROUP) => false,
            _ => return None,
        };
        let group = match level {
            IPPROTO_IP => self.group(bytes),
            _ => group6(bytes),
        };
        Some(group.and_then(|group| match join {
            true => Ok(self.client().join(socket, group)?),
            false => Ok(self.client().leave(socket, group)?),
        }))
    }

    fn group(&self, bytes: &[u8]) -> Result<IpAddr, Error> {
        let group = Ipv4Addr::from(field::<4>(bytes, 0)?);
        match self.interface(bytes, 4, Errno::ENODEV)? {
            0 | 1 => Ok(group.into()),
            _ => Err(Errno::ENODEV.into()),
        }
    }

    fn set_interface(&self, socket: Socket, bytes: &[u8]) -> Result<(), Error> {
        // Alone, or behind the address of a group.
        let at = if bytes.len() < 8 { 0 } else { 4 };
        let number = self.interface(bytes, at, Errno::EADDRNOTAVAIL)?;
        let option = SocketOption::MulticastInterface;
        Ok(self.client().setsockopt(socket, option, number)?)
    }

    /// The number of the interface that is named by its address at a place, or by its number behind
    /// that.
    fn interface(&self, bytes: &[u8], at: usize, none: Errno) -> Result<u64, Error> {
        let address = Ipv4Addr::from(field::<4>(bytes, at)?);
        if let Ok(number) = field(bytes, at + 4)
            && number != [0; 4]
        {
            return Ok(u32::from_ne_bytes(number).into());
        }
        match address {
            Ipv4Addr::UNSPECIFIED => Ok(0),
            own if own == self.own_address()? => Ok(1),
            _ => Err(none.into()),
        }
    }

    fn own_address(&self) -> Result<Ipv4Addr, Error> {
        let [_, _, low] = self.client().interface(0)?.address;
        Ok(Ipv4Addr::from_bits(low as u32))
    }

    /// The address of the interface with this number, as `IP_MULTICAST_IF` shows it.
    pub(crate) fn interface_address(&self, number: u64) -> Result<[u8; 4], Error> {
        match number {
            0 => Ok([0; 4]),
            _ => Ok(self.own_address()?.octets()),
        }
    }
}

fn group6(bytes: &[u8]) -> Result<IpAddr, Error> {
    let group = Ipv6Addr::from(field::<16>(bytes, 0)?);
    match u32::from_ne_bytes(field(bytes, 16)?) {
        0 | 1 => Ok(group.into()),
        _ => Err(Errno::ENODEV.into()),
    }
}
