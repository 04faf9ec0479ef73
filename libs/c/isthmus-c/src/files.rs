// SPDX-License-Identifier: BSD-2-Clause

//! `unistd.h` and `fcntl.h` for sockets and the console. There are no files.

use core::cell::RefCell;
use core::ffi::{c_int, c_long, c_ulong, c_void};

use pd_support::{info, warn};
use posix::{Error, FIRST};
use socket_client::Flags;

use crate::border::{bytes, count, fail, number, status, value};
use crate::network::sockets;
use crate::{pair, transfer};

/// As picolibc's `fcntl.h` has them; `c/errno.c` checks that.
const F_GETFD: c_int = 1;
const F_SETFD: c_int = 2;
const F_GETFL: c_int = 3;
const F_SETFL: c_int = 4;
const O_RDWR: c_int = 2;
const O_NONBLOCK: c_int = 0x4000;
/// As Linux's, and our `sys/ioctl.h`, has them.
const FIONREAD: c_ulong = 0x541b;
const FIONBIO: c_ulong = 0x5421;

/// Bytes of a line; a longer one is cut into several.
const LINE: usize = 240;

/// What has been written to the console and has no end of line yet.
struct Line {
    bytes: [u8; LINE],
    length: usize,
}

impl Line {
    const EMPTY: Line = Line {
        bytes: [0; LINE],
        length: 0,
    };

    fn text(&self) -> &str {
        let bytes = &self.bytes[..self.length];
        str::from_utf8(bytes).unwrap_or("(a line that is not UTF-8)")
    }
}

struct Lines(RefCell<[Line; 2]>);

// SAFETY: a PD has one thread.
unsafe impl Sync for Lines {}

/// Standard output and standard error.
static LINES: Lines = Lines(RefCell::new([Line::EMPTY; 2]));

/// Writes to the log: to standard output (1) or standard error (2), which are lines of the levels
/// "info" and "warn".
pub fn put(fd: c_int, text: &[u8]) {
    let is_error = fd == 2;
    let mut lines = LINES.0.borrow_mut();
    let line = &mut lines[usize::from(is_error)];
    for &byte in text {
        if byte != b'\n' {
            line.bytes[line.length] = byte;
            line.length += 1;
        }
        if byte == b'\n' || line.length == LINE {
            match is_error {
                true => warn!("{}", line.text()),
                false => info!("{}", line.text()),
            }
            line.length = 0;
        }
    }
}

fn is_console(fd: c_int) -> bool {
    (0..FIRST).contains(&fd)
}

/// # Safety
/// `pointer` must be room for so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn read(fd: c_int, pointer: *mut c_void, length: usize) -> isize {
    if is_console(fd) {
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe { transfer::recv(fd, pointer, length, 0) }
}

/// # Safety
/// `pointer` must be so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, pointer: *const c_void, length: usize) -> isize {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(pointer, length) };
    count(bytes.and_then(|bytes| {
        if is_console(fd) {
            put(fd, bytes);
            return Ok(length);
        }
        sockets()?.send(fd, &[bytes], None, Flags::NONE)
    }))
}

#[unsafe(no_mangle)]
extern "C" fn close(fd: c_int) -> c_int {
    if is_console(fd) {
        return 0;
    }
    status(sockets().and_then(|sockets| {
        if let Some(memory) = sockets.close(fd)? {
            pair::give_back(memory);
        }
        Ok(())
    }))
}

/// It is variadic in C; on AArch64 an integer is passed in the same place.
#[unsafe(no_mangle)]
extern "C" fn fcntl(fd: c_int, command: c_int, argument: c_long) -> c_int {
    number(sockets().and_then(|sockets| {
        let nonblocking = match is_console(fd) {
            true => false,
            false => sockets.file(fd)?.nonblocking,
        };
        match command {
            F_GETFL => Ok(O_RDWR | if nonblocking { O_NONBLOCK } else { 0 }),
            F_SETFL if is_console(fd) => Ok(0),
            F_SETFL => {
                let on = argument as c_int & O_NONBLOCK != 0;
                sockets.set_nonblocking(fd, on).map(|()| 0)
            }
            // No program is started that could inherit it.
            F_GETFD | F_SETFD => Ok(0),
            _ => Err(Error::EINVAL),
        }
    }))
}

/// As [`fcntl`].
///
/// # Safety
/// `argument` must be what the request wants.
#[unsafe(no_mangle)]
unsafe extern "C" fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_int) -> c_int {
    status(sockets().and_then(|sockets| {
        sockets.file(fd)?;
        // SAFETY: both requests want an `int`.
        let value = || unsafe { value(argument) }.ok_or(Error::EFAULT);
        match request {
            FIONBIO => sockets.set_nonblocking(fd, *value()? != 0),
            FIONREAD => {
                let readable = sockets.readable(fd)?;
                *value()? = c_int::try_from(readable).unwrap_or(c_int::MAX);
                Ok(())
            }
            _ => Err(Error::ENOTTY),
        }
    }))
}

#[unsafe(no_mangle)]
extern "C" fn lseek(_fd: c_int, _offset: c_long, _whence: c_int) -> c_long {
    fail(Error::ESPIPE).into()
}
