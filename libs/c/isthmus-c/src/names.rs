// SPDX-License-Identifier: BSD-2-Clause

//! What `c/netdb.c` builds `netdb.h` and `arpa/inet.h` on.

use core::ffi::{c_char, c_int, c_void};
use core::fmt::{self, Write};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use posix::{ADDRESS_MAX, Error, Hints, NameError, service_name, service_port, write_address};
use socket_client::Family;

use crate::border::{Length, address, fail, room, store_text, text};
use crate::network::{sockets, sockets_and_names};

/// As in `netdb.h`.
const EAI_NONAME: c_int = -2;
const EAI_AGAIN: c_int = -3;
const EAI_FAIL: c_int = -4;
const EAI_NODATA: c_int = -5;
const EAI_FAMILY: c_int = -6;
const EAI_ADDRFAMILY: c_int = -9;
const EAI_SYSTEM: c_int = -11;

const AI_PASSIVE: c_int = 0x1;
const AI_NUMERICHOST: c_int = 0x4;
const AI_V4MAPPED: c_int = 0x8;
const AI_ALL: c_int = 0x10;

const AF_INET: c_int = 2;
const AF_INET6: c_int = 10;

fn code(error: NameError) -> c_int {
    match error {
        NameError::NoName => EAI_NONAME,
        NameError::NoData => EAI_NODATA,
        NameError::OtherFamily => EAI_ADDRFAMILY,
        NameError::Again => EAI_AGAIN,
        NameError::Fail => EAI_FAIL,
        NameError::System(error) => {
            fail(error);
            EAI_SYSTEM
        }
    }
}

/// Finds the addresses of a host, at most `capacity`. Returns how many, or `EAI_…`. The name that
/// it really has is stored in `name`.
///
/// # Safety
/// `host` must be null or a string, `found` room for so many addresses, `name` for so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn isthmus_addresses(
    host: *const c_char,
    family: c_int,
    flags: c_int,
    found: *mut [u8; ADDRESS_MAX],
    capacity: usize,
    name: *mut c_void,
    name_length: usize,
) -> c_int {
    // SAFETY: the caller's promise.
    let (asked, found, name) = unsafe {
        let found = core::slice::from_raw_parts_mut(found, capacity);
        (
            text(host),
            found,
            room(name, name_length).unwrap_or_default(),
        )
    };
    if !host.is_null() && asked.is_none() {
        return EAI_NONAME;
    }
    let mut count = 0;
    let each = |address: IpAddr, known: &str| {
        if let Some(place) = found.get_mut(count) {
            *place = write_address((address, 0).into()).0;
            count += 1;
            store_text(known, name);
        }
    };
    let numeric = flags & AI_NUMERICHOST != 0;
    let hints = Hints {
        family: match family {
            AF_INET => Some(Family::Inet),
            AF_INET6 => Some(Family::Inet6),
            _ => None,
        },
        passive: flags & AI_PASSIVE != 0,
        numeric,
        mapped: flags & AI_V4MAPPED != 0,
        all: flags & AI_ALL != 0,
    };
    // Nobody has to be there for the text of an address.
    let is_literal = asked.is_none_or(|asked| asked.parse::<IpAddr>().is_ok());
    let sockets = match is_literal || numeric {
        true => sockets(),
        false => sockets_and_names(),
    };
    let outcome = sockets
        .map_err(NameError::System)
        .and_then(|sockets| sockets.addresses(asked, hints, each));
    match outcome {
        Ok(()) if count > 0 => count as c_int,
        // It has addresses of another family alone.
        Ok(()) => EAI_NODATA,
        Err(error) => code(error),
    }
}

/// Finds the name of an address. Returns 0 or `EAI_…`.
///
/// # Safety
/// `pointer` must be an address of so many bytes, `name` room for so many.
#[unsafe(no_mangle)]
unsafe extern "C" fn isthmus_name(
    pointer: *const c_void,
    address_length: Length,
    name: *mut c_void,
    length: usize,
) -> c_int {
    // SAFETY: the caller's promise.
    let Ok(Some(address)) = (unsafe { address(pointer, address_length) }) else {
        return EAI_FAMILY;
    };
    let found = sockets_and_names()
        .map_err(NameError::System)
        .and_then(|sockets| sockets.name_of(address.ip().to_canonical()));
    match found {
        Ok(found) => {
            // SAFETY: the caller's promise.
            store_text(&found, unsafe { room(name, length) }.unwrap_or_default());
            0
        }
        Err(error) => code(error),
    }
}

/// Returns the port of a service that goes by a name or number, or -1.
///
/// # Safety
/// `service` must be a string.
#[unsafe(no_mangle)]
unsafe extern "C" fn isthmus_port(service: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    let port = unsafe { text(service) }.and_then(service_port);
    port.map_or(-1, c_int::from)
}

/// Stores the name of the service at a port. Returns whether it has one.
///
/// # Safety
/// `name` must be room for so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn isthmus_service(port: u16, name: *mut c_void, length: usize) -> bool {
    // SAFETY: the caller's promise.
    let room = unsafe { room(name, length) }.unwrap_or_default();
    service_name(port).is_some_and(|known| store_text(known, room) < room.len())
}

/// # Safety
/// `name` must be room for so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn gethostname(name: *mut c_void, length: usize) -> c_int {
    if let Err(error) = sockets() {
        return fail(error);
    }
    // SAFETY: the caller's promise.
    let room = unsafe { room(name, length) }.unwrap_or_default();
    let stored = store_text(pd_net::network().hostname.as_str(), room);
    match stored < room.len() {
        true => 0,
        false => fail(Error::EINVAL),
    }
}

/// # Safety
/// `source` must be a string, `to` room for an address of that family.
#[unsafe(no_mangle)]
unsafe extern "C" fn inet_pton(family: c_int, source: *const c_char, to: *mut c_void) -> c_int {
    // SAFETY: the caller's promise, here and below.
    let source = unsafe { text(source) }.unwrap_or_default();
    let parsed = match family {
        AF_INET => source.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        AF_INET6 => source.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => return fail(Error::EAFNOSUPPORT),
    };
    let store = |octets: &[u8]| {
        // SAFETY: as above.
        unsafe { room(to, octets.len()) }.map_or_else(fail, |room| {
            room.copy_from_slice(octets);
            1
        })
    };
    match parsed {
        Some(IpAddr::V4(ip)) => store(&ip.octets()),
        Some(IpAddr::V6(ip)) => store(&ip.octets()),
        None => 0,
    }
}

/// Text that is cut off where there is no more room.
struct Cut<'a>(&'a mut [u8], usize);

impl Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.1 + text.len();
        let place = self.0.get_mut(self.1..end).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.1 = end;
        Ok(())
    }
}

/// # Safety
/// `source` must be an address of that family, `to` room for so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn inet_ntop(
    family: c_int,
    source: *const c_void,
    to: *mut c_char,
    length: u32,
) -> *const c_char {
    // SAFETY: the caller's promise.
    let (address, room) = unsafe {
        let address = match family {
            AF_INET => source
                .cast::<[u8; 4]>()
                .as_ref()
                .map(|&ip| IpAddr::from(ip)),
            AF_INET6 => source
                .cast::<[u8; 16]>()
                .as_ref()
                .map(|&ip| IpAddr::from(ip)),
            _ => {
                fail(Error::EAFNOSUPPORT);
                return core::ptr::null();
            }
        };
        (
            address.ok_or(Error::EFAULT),
            room(to.cast(), length as usize),
        )
    };
    let written = address.and_then(|address| {
        let mut cut = Cut(room?, 0);
        // ENOSPC, as POSIX has it.
        write!(cut, "{address}\0").map_err(|_| Error::ENOSPC)
    });
    match written {
        Ok(()) => to,
        Err(error) => {
            fail(error);
            core::ptr::null()
        }
    }
}
