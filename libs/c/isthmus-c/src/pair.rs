// SPDX-License-Identifier: BSD-2-Clause

//! `socketpair`, with memory from the C library.

use core::ffi::{c_int, c_void};

use posix::{Error, Memory, PAIR_ROOM};
use socket_client::{Errno, SocketKind};

use crate::border::{fail, status, value};
use crate::network::sockets;
use crate::sockets::{SOCK_CLOEXEC, SOCK_NONBLOCK};

const AF_UNIX: c_int = 1;

// SAFETY: the C library's.
unsafe extern "C" {
    safe fn calloc(count: usize, size: usize) -> *mut c_void;
    fn free(memory: *mut c_void);
}

fn memory() -> Option<Memory<'static>> {
    let rooms = [(); 2].map(|()| calloc(1, PAIR_ROOM).cast::<[u8; PAIR_ROOM]>());
    // SAFETY: unless it is null, calloc has given so many bytes, which are 0, and nobody else has
    // them.
    match rooms.map(|room| unsafe { room.as_mut() }) {
        [Some(one), Some(two)] => Some([one, two]),
        _ => {
            for room in rooms {
                // SAFETY: it is calloc's, or null, and is not used.
                unsafe { free(room.cast()) };
            }
            None
        }
    }
}

/// Gives the memory of a pair back to the C library.
pub fn give_back(memory: Memory<'static>) {
    for room in memory {
        // SAFETY: `memory` has it from calloc, and the pair has given it up.
        unsafe { free(room.as_mut_ptr().cast()) };
    }
}

/// # Safety
/// `fds` must be room for two.
#[unsafe(no_mangle)]
unsafe extern "C" fn socketpair(
    family: c_int,
    kind: c_int,
    protocol: c_int,
    fds: *mut [c_int; 2],
) -> c_int {
    let nonblocking = kind & SOCK_NONBLOCK != 0;
    let kind = match kind & !(SOCK_NONBLOCK | SOCK_CLOEXEC) {
        1 => SocketKind::Stream,
        2 => SocketKind::Datagram,
        _ => return fail(Errno::ESOCKTNOSUPPORT.into()),
    };
    if family != AF_UNIX {
        // As on Linux: sockets of other families come alone.
        return fail(Error::EOPNOTSUPP);
    }
    if protocol != 0 && protocol != AF_UNIX {
        return fail(Errno::EPROTONOSUPPORT.into());
    }
    status(sockets().and_then(|sockets| {
        // SAFETY: the caller's promise.
        let fds = unsafe { value(fds) }.ok_or(Error::EFAULT)?;
        *fds = sockets.socketpair(kind, nonblocking, memory)?;
        Ok(())
    }))
}
