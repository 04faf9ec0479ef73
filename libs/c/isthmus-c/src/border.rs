// SPDX-License-Identifier: BSD-2-Clause

//! From C's pointers to slices, and from results to what C functions return.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::net::SocketAddr;
use core::slice;

use posix::{Error, UNNAMED, read_address, write_address};

/// `socklen_t`.
pub type Length = u32;

// SAFETY: `c/errno.c` defines it so.
unsafe extern "C" {
    /// Sets `errno` to the C library's number of Linux's error, and returns -1.
    safe fn isthmus_fail(error: c_int) -> c_int;
    /// Returns the C library's number of Linux's error.
    pub safe fn isthmus_errno(error: c_int) -> c_int;
}

/// Sets `errno`; -1.
pub fn fail(error: Error) -> c_int {
    isthmus_fail(error.raw().into())
}

/// 0, or -1 with `errno`.
pub fn status(result: Result<(), Error>) -> c_int {
    number(result.map(|()| 0))
}

/// A descriptor or count that fits an `int`, or -1 with `errno`.
pub fn number(result: Result<c_int, Error>) -> c_int {
    result.unwrap_or_else(fail)
}

/// A `ssize_t`, or -1 with `errno`.
pub fn count(result: Result<usize, Error>) -> isize {
    match result {
        Ok(count) => count as isize,
        Err(error) => fail(error) as isize,
    }
}

/// No object is longer.
fn check(pointer: *const c_void, length: usize) -> Result<(), Error> {
    match length {
        0 => Ok(()),
        _ if pointer.is_null() || length > isize::MAX as usize => Err(Error::EFAULT),
        _ => Ok(()),
    }
}

/// Memory to read.
///
/// # Errors
/// `EFAULT`.
///
/// # Safety
/// Unless it is null, `length` bytes must be readable there and stay as they are.
pub unsafe fn bytes<'a>(pointer: *const c_void, length: usize) -> Result<&'a [u8], Error> {
    check(pointer, length)?;
    Ok(match length {
        0 => &[],
        // SAFETY: it is not null; the rest is the caller's promise.
        _ => unsafe { slice::from_raw_parts(pointer.cast(), length) },
    })
}

/// Memory to write.
///
/// # Errors
/// `EFAULT`.
///
/// # Safety
/// Unless it is null, `length` bytes must be writable there, and nobody else may use them.
pub unsafe fn room<'a>(pointer: *mut c_void, length: usize) -> Result<&'a mut [u8], Error> {
    check(pointer, length)?;
    Ok(match length {
        0 => &mut [],
        // SAFETY: it is not null; the rest is the caller's promise.
        _ => unsafe { slice::from_raw_parts_mut(pointer.cast(), length) },
    })
}

/// A value to read or to write, or `None` for null.
///
/// # Safety
/// Unless it is null, the pointer must be one of a value that nobody else uses.
pub unsafe fn value<'a, T>(pointer: *mut T) -> Option<&'a mut T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_mut() }
}

/// A string; `None` for null, and for what is not UTF-8.
///
/// # Safety
/// Unless it is null, the pointer must be one of a string.
pub unsafe fn text<'a>(pointer: *const c_char) -> Option<&'a str> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(pointer) }.to_str().ok()
}

/// Copies a string with its end, cut off where there is no more room. Returns its length without
/// the end.
pub fn store_text(text: &str, room: &mut [u8]) -> usize {
    if let Some(last) = room.len().checked_sub(1) {
        let length = text.len().min(last);
        room[..length].copy_from_slice(&text.as_bytes()[..length]);
        room[length] = 0;
    }
    text.len()
}

/// Reads a `struct sockaddr`.
///
/// # Errors
/// `EFAULT`, and those of [`read_address`].
///
/// # Safety
/// As [`bytes`].
pub unsafe fn address(pointer: *const c_void, length: Length) -> Result<Option<SocketAddr>, Error> {
    if pointer.is_null() {
        return Err(Error::EFAULT);
    }
    // SAFETY: the caller's promise.
    read_address(unsafe { bytes(pointer, length as usize) }?)
}

/// Stores an address where C wants it, cut off where there is no more room. `length` gets the real
/// one. With null for `pointer` nothing is stored.
///
/// # Errors
/// `EFAULT`.
///
/// # Safety
/// As [`value`], and as [`room`] with what `length` says.
pub unsafe fn store_address(
    address: SocketAddr,
    pointer: *mut c_void,
    length: *mut Length,
) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    unsafe { store_name(Some(address), pointer, length) }
}

/// As [`store_address`]; of a socket without addresses, its family alone.
///
/// # Errors
/// `EFAULT`.
///
/// # Safety
/// As [`store_address`].
pub unsafe fn store_name(
    address: Option<SocketAddr>,
    pointer: *mut c_void,
    length: *mut Length,
) -> Result<(), Error> {
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    let length = unsafe { value(length) }.ok_or(Error::EFAULT)?;
    // SAFETY: the caller's promise.
    let room = unsafe { room(pointer, *length as usize) }?;
    let (bytes, real) = match address {
        Some(address) => write_address(address),
        None => UNNAMED,
    };
    let stored = real.min(room.len());
    room[..stored].copy_from_slice(&bytes[..stored]);
    *length = real as Length;
    Ok(())
}
