// SPDX-License-Identifier: BSD-2-Clause

//! The calls with payload.

use core::ffi::{c_int, c_void};
use core::net::SocketAddr;
use core::ptr;

use posix::{Error, Received};
use socket_client::{Flag, Flags};

use crate::border::{Length, address, bytes, count, room, store_address, value};
use crate::network::sockets;

/// Flags of Linux that mean nothing here: `MSG_DONTROUTE`, `MSG_EOR`, `MSG_CONFIRM`, `MSG_MORE`.
const IGNORED: u64 = 0x4 | 0x80 | 0x800 | 0x8000;
/// Of `msg_flags`: the datagram was cut off.
const MSG_TRUNC: c_int = 0x20;
/// Pieces in one call; `IOV_MAX` of `sys/uio.h`.
const PIECES: usize = 64;

/// `struct iovec`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Piece {
    base: *mut c_void,
    length: usize,
}

/// `struct msghdr`.
#[repr(C)]
struct Header {
    name: *mut c_void,
    name_length: Length,
    pieces: *const Piece,
    count: usize,
    control: *mut c_void,
    control_length: usize,
    flags: c_int,
}

fn known(flags: c_int) -> Result<Flags, Error> {
    Flags::from_bits(u64::from(flags as u32) & !IGNORED).ok_or(Error::EOPNOTSUPP)
}

/// Where `pieces` are, unless there are too many.
///
/// # Safety
/// There must be so many.
unsafe fn list<'a>(pieces: *const Piece, count: usize) -> Result<&'a [Piece], Error> {
    match count {
        0 => Ok(&[]),
        _ if count > PIECES => Err(Error::EMSGSIZE),
        _ if pieces.is_null() => Err(Error::EFAULT),
        // SAFETY: it is not null; the rest is the caller's promise.
        _ => Ok(unsafe { core::slice::from_raw_parts(pieces, count) }),
    }
}

/// # Safety
/// Each piece must be memory to read.
unsafe fn send_pieces(
    fd: c_int,
    pieces: &[Piece],
    to: Option<SocketAddr>,
    flags: Flags,
) -> Result<usize, Error> {
    let mut slices: [&[u8]; PIECES] = [&[]; PIECES];
    for (slice, piece) in slices.iter_mut().zip(pieces) {
        // SAFETY: the caller's promise.
        *slice = unsafe { bytes(piece.base, piece.length) }?;
    }
    sockets()?.send(fd, &slices[..pieces.len()], to, flags)
}

/// # Safety
/// Each piece must be memory to write.
unsafe fn recv_pieces(fd: c_int, pieces: &[Piece], flags: Flags) -> Result<Received, Error> {
    let mut slices: [&mut [u8]; PIECES] = core::array::from_fn(|_| [].as_mut_slice());
    for (slice, piece) in slices.iter_mut().zip(pieces) {
        // SAFETY: the caller's promise.
        *slice = unsafe { room(piece.base, piece.length) }?;
    }
    sockets()?.recv(fd, &mut slices[..pieces.len()], flags)
}

/// # Safety
/// `pointer` must be so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn send(fd: c_int, pointer: *const c_void, length: usize, flags: c_int) -> isize {
    // SAFETY: the caller's promise.
    unsafe { sendto(fd, pointer, length, flags, ptr::null(), 0) }
}

/// # Safety
/// `pointer` must be so many bytes, `to` null or an address.
#[unsafe(no_mangle)]
unsafe extern "C" fn sendto(
    fd: c_int,
    pointer: *const c_void,
    length: usize,
    flags: c_int,
    to: *const c_void,
    to_length: Length,
) -> isize {
    let base = pointer.cast_mut();
    // SAFETY: the caller's promise.
    count(known(flags).and_then(|flags| unsafe {
        send_pieces(fd, &[Piece { base, length }], peer(to, to_length)?, flags)
    }))
}

/// # Safety
/// `to` must be null or an address of so many bytes.
unsafe fn peer(to: *const c_void, length: Length) -> Result<Option<SocketAddr>, Error> {
    match to.is_null() {
        true => Ok(None),
        // SAFETY: the caller's promise.
        false => unsafe { address(to, length) },
    }
}

/// # Safety
/// `header` must be one, with pieces to read.
#[unsafe(no_mangle)]
unsafe extern "C" fn sendmsg(fd: c_int, header: *mut Header, flags: c_int) -> isize {
    // SAFETY: the caller's promise, here and below.
    let header = unsafe { value(header) }.ok_or(Error::EFAULT);
    count(header.and_then(|header| {
        // SAFETY: as above.
        let (pieces, to) = unsafe {
            let to = peer(header.name, header.name_length)?;
            (list(header.pieces, header.count)?, to)
        };
        // SAFETY: as above.
        unsafe { send_pieces(fd, pieces, to, known(flags)?) }
    }))
}

/// # Safety
/// `pieces` must be so many, to read.
#[unsafe(no_mangle)]
unsafe extern "C" fn writev(fd: c_int, pieces: *const Piece, number: c_int) -> isize {
    let number = usize::try_from(number).map_err(|_| Error::EINVAL);
    // SAFETY: the caller's promise.
    count(number.and_then(|number| unsafe {
        let pieces = list(pieces, number).map_err(too_many)?;
        send_pieces(fd, pieces, None, Flags::NONE)
    }))
}

/// Of `readv` and `writev` too many pieces are `EINVAL`.
fn too_many(error: Error) -> Error {
    match error {
        Error::EMSGSIZE => Error::EINVAL,
        error => error,
    }
}

/// # Safety
/// `pointer` must be room for so many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recv(
    fd: c_int,
    pointer: *mut c_void,
    length: usize,
    flags: c_int,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { recvfrom(fd, pointer, length, flags, ptr::null_mut(), ptr::null_mut()) }
}

/// # Safety
/// `pointer` must be room for so many bytes, `from` null or room for `*from_length`.
#[unsafe(no_mangle)]
unsafe extern "C" fn recvfrom(
    fd: c_int,
    base: *mut c_void,
    length: usize,
    flags: c_int,
    from: *mut c_void,
    from_length: *mut Length,
) -> isize {
    count(known(flags).and_then(|flags| {
        // SAFETY: the caller's promise, here and below.
        let received = unsafe { recv_pieces(fd, &[Piece { base, length }], flags) }?;
        match received.from {
            // SAFETY: as above.
            Some(address) => unsafe { store_address(address, from, from_length) }?,
            None => {
                // SAFETY: as above.
                if let Some(length) = unsafe { value(from_length) } {
                    *length = 0;
                }
            }
        }
        Ok(received.count)
    }))
}

/// # Safety
/// `header` must be one, with pieces to write.
#[unsafe(no_mangle)]
unsafe extern "C" fn recvmsg(fd: c_int, header: *mut Header, flags: c_int) -> isize {
    // SAFETY: the caller's promise, here and below.
    let header = unsafe { value(header) }.ok_or(Error::EFAULT);
    count(header.and_then(|header| {
        // SAFETY: as above.
        let pieces = unsafe { list(header.pieces, header.count) }?;
        // SAFETY: as above.
        let received = unsafe { recv_pieces(fd, pieces, known(flags)?) }?;
        match received.from {
            Some(address) => {
                let length = &raw mut header.name_length;
                // SAFETY: as above.
                unsafe { store_address(address, header.name, length) }?;
            }
            None => header.name_length = 0,
        }
        header.control_length = 0;
        header.flags = MSG_TRUNC * c_int::from(received.is_cut);
        Ok(received.count)
    }))
}

/// # Safety
/// `pieces` must be so many, to write.
#[unsafe(no_mangle)]
unsafe extern "C" fn readv(fd: c_int, pieces: *const Piece, number: c_int) -> isize {
    let number = usize::try_from(number).map_err(|_| Error::EINVAL);
    // SAFETY: the caller's promise.
    count(number.and_then(|number| unsafe {
        let pieces = list(pieces, number).map_err(too_many)?;
        Ok(recv_pieces(fd, pieces, Flags::NONE)?.count)
    }))
}

const _: () = assert!(MSG_TRUNC as u32 == Flag::Truncate.raw());
