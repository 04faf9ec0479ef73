// SPDX-License-Identifier: BSD-2-Clause

//! `sys/socket.h` but for the calls with payload, and `poll`.

use core::ffi::{c_int, c_long, c_void};
use core::slice;
use core::time::Duration;

use posix::{Error, PollEntry};

use crate::border::{
    Length, address, bytes, fail, isthmus_errno, number, room, status, store_address, store_name,
    value,
};
use crate::network::{FILES, sockets};

/// As in `sys/socket.h`.
pub const SOCK_NONBLOCK: c_int = 0x800;
pub const SOCK_CLOEXEC: c_int = 0x8_0000;
/// `SO_ERROR`: its value is an error number.
const SO_ERROR: (c_int, c_int) = (1, 4);

#[unsafe(no_mangle)]
extern "C" fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int {
    let nonblocking = kind & SOCK_NONBLOCK != 0;
    let kind = kind & !(SOCK_NONBLOCK | SOCK_CLOEXEC);
    number(sockets().and_then(|sockets| sockets.socket(family, kind, protocol, nonblocking)))
}

/// # Safety
/// `pointer` must be an address of so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn bind(fd: c_int, pointer: *const c_void, length: Length) -> c_int {
    // SAFETY: the caller's promise.
    let address = unsafe { address(pointer, length) };
    status(sockets().and_then(|sockets| {
        sockets.file(fd)?;
        sockets.bind(fd, address?.ok_or(Error::EAFNOSUPPORT)?)
    }))
}

/// # Safety
/// `pointer` must be an address of so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn connect(fd: c_int, pointer: *const c_void, length: Length) -> c_int {
    // SAFETY: the caller's promise.
    let address = unsafe { address(pointer, length) };
    status(sockets().and_then(|sockets| {
        sockets.file(fd)?;
        sockets.connect(fd, address?)
    }))
}

#[unsafe(no_mangle)]
extern "C" fn listen(fd: c_int, backlog: c_int) -> c_int {
    status(sockets().and_then(|sockets| sockets.listen(fd, backlog)))
}

/// # Safety
/// `pointer` must be null or room of `*length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn accept(fd: c_int, pointer: *mut c_void, length: *mut Length) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { accept4(fd, pointer, length, 0) }
}

/// # Safety
/// As [`accept`].
#[unsafe(no_mangle)]
unsafe extern "C" fn accept4(
    fd: c_int,
    pointer: *mut c_void,
    length: *mut Length,
    flags: c_int,
) -> c_int {
    if flags & !(SOCK_NONBLOCK | SOCK_CLOEXEC) != 0 {
        return fail(Error::EINVAL);
    }
    number(sockets().and_then(|sockets| {
        let (accepted, peer) = sockets.accept(fd, flags & SOCK_NONBLOCK != 0)?;
        // SAFETY: the caller's promise.
        let stored = unsafe { store_address(peer, pointer, length) };
        if stored.is_err() {
            let _ = sockets.close(accepted);
        }
        stored.map(|()| accepted)
    }))
}

#[unsafe(no_mangle)]
extern "C" fn shutdown(fd: c_int, how: c_int) -> c_int {
    status(sockets().and_then(|sockets| sockets.shutdown(fd, how)))
}

/// # Safety
/// `pointer` must be room of `*length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getsockname(fd: c_int, pointer: *mut c_void, length: *mut Length) -> c_int {
    let address = sockets().and_then(|sockets| sockets.local(fd));
    // SAFETY: the caller's promise.
    status(address.and_then(|address| unsafe { store_name(address, pointer, length) }))
}

/// # Safety
/// `pointer` must be room of `*length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getpeername(fd: c_int, pointer: *mut c_void, length: *mut Length) -> c_int {
    let address = sockets().and_then(|sockets| sockets.peer(fd));
    // SAFETY: the caller's promise.
    status(address.and_then(|address| unsafe { store_name(address, pointer, length) }))
}

/// # Safety
/// `pointer` must be a value of so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn setsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    pointer: *const c_void,
    length: Length,
) -> c_int {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(pointer, length as usize) };
    status(sockets().and_then(|sockets| sockets.set_option(fd, level, name, bytes?)))
}

/// # Safety
/// `pointer` must be room of `*length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    pointer: *mut c_void,
    length: *mut Length,
) -> c_int {
    status(sockets().and_then(|sockets| {
        let (mut bytes, real) = sockets.option(fd, level, name)?;
        if (level, name) == SO_ERROR {
            let linux = c_int::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            bytes[..4].copy_from_slice(&isthmus_errno(linux).to_ne_bytes());
        }
        // SAFETY: the caller's promise.
        let length = unsafe { value(length) }.ok_or(Error::EFAULT)?;
        // SAFETY: the caller's promise.
        let room = unsafe { room(pointer, *length as usize) }?;
        let stored = real.min(room.len());
        room[..stored].copy_from_slice(&bytes[..stored]);
        *length = stored as Length;
        Ok(())
    }))
}

fn poll_for(entries: &mut [PollEntry], time: Option<Duration>) -> c_int {
    number(sockets().and_then(|sockets| Ok(sockets.poll(entries, time)? as c_int)))
}

/// # Safety
/// `entries` must be so many.
unsafe fn poll_entries<'a>(
    entries: *mut PollEntry,
    length: usize,
) -> Result<&'a mut [PollEntry], Error> {
    match length {
        0 => Ok(&mut []),
        _ if entries.is_null() => Err(Error::EFAULT),
        // There are no more descriptors than that, and 0 to 2.
        _ if length > FILES + 3 => Err(Error::EINVAL),
        // SAFETY: it is not null; the rest is the caller's promise.
        _ => Ok(unsafe { slice::from_raw_parts_mut(entries, length) }),
    }
}

/// # Safety
/// `entries` must be so many.
#[unsafe(no_mangle)]
unsafe extern "C" fn poll(entries: *mut PollEntry, length: usize, milliseconds: c_int) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { poll_entries(entries, length) } {
        Ok(entries) => {
            let time = u64::try_from(milliseconds).ok();
            poll_for(entries, time.map(Duration::from_millis))
        }
        Err(error) => fail(error),
    }
}

/// `struct timespec`.
#[repr(C)]
pub struct TimeSpec {
    seconds: i64,
    nanoseconds: c_long,
}

impl TimeSpec {
    /// Makes it of a duration.
    pub fn new(time: Duration) -> Self {
        TimeSpec {
            seconds: time.as_secs() as i64,
            nanoseconds: time.subsec_nanos().into(),
        }
    }

    /// Returns the duration.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn duration(&self) -> Result<Duration, Error> {
        match (u64::try_from(self.seconds), u32::try_from(self.nanoseconds)) {
            (Ok(seconds), Ok(nanoseconds)) if nanoseconds < 1_000_000_000 => {
                Ok(Duration::new(seconds, nanoseconds))
            }
            _ => Err(Error::EINVAL),
        }
    }
}

/// There are no signals: the mask changes nothing.
///
/// # Safety
/// `entries` must be so many, `time` null or a time.
#[unsafe(no_mangle)]
unsafe extern "C" fn ppoll(
    entries: *mut PollEntry,
    length: usize,
    time: *mut TimeSpec,
    _mask: *const c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    let (entries, time) = unsafe { (poll_entries(entries, length), value(time)) };
    match (entries, time.map(|time| time.duration()).transpose()) {
        (Ok(entries), Ok(time)) => poll_for(entries, time),
        (Err(error), _) | (_, Err(error)) => fail(error),
    }
}
