// SPDX-License-Identifier: BSD-2-Clause

//! Socket options in the layouts of Linux on a machine of 64 bits: `int`, `struct linger` of two
//! `int`, `struct timeval` of two `long`.

use core::time::Duration;

use socket_client::{Errno, SocketOption, Transport};

use crate::files::{File, Target};
use crate::pair::{End, PAIR_ROOM};
use crate::{Error, Posix, Wait};

const AF_UNIX: u64 = 1;

/// Bytes of the longest option.
pub const OPTION_MAX: usize = 16;

fn option(level: i32, name: i32) -> Result<SocketOption, Error> {
    // Levels without any option of ours.
    let number = u64::from(level as u32) << 32 | u64::from(name as u32);
    SocketOption::from_raw(number).ok_or(Error::ENOPROTOOPT)
}

fn int(bytes: &[u8], at: usize) -> Result<i32, Error> {
    let bytes = bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map(i32::from_ne_bytes).ok_or(Error::EINVAL)
}

fn long(bytes: &[u8], at: usize) -> Result<i64, Error> {
    let bytes = bytes
        .get(at..at + 8)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map(i64::from_ne_bytes).ok_or(Error::EINVAL)
}

/// Whether an option is one of all sockets, or of a protocol that pairs do not have.
fn check_general(option: SocketOption) -> Result<(), Errno> {
    match option.raw() >> 32 {
        1 => Ok(()),
        _ => Err(Errno::EOPNOTSUPP),
    }
}

/// With a pair only time limits mean something, and these the descriptor keeps.
fn set_of_pair(option: SocketOption, second: i64) -> Result<(), Errno> {
    check_general(option)?;
    match option {
        SocketOption::ReceiveTimeout | SocketOption::SendTimeout
            if !(0..1_000_000).contains(&second) =>
        {
            Err(Errno::EDOM)
        }
        _ => Ok(()),
    }
}

fn words_of(time: Option<Duration>) -> [u64; 2] {
    let time = time.unwrap_or_default();
    [time.as_secs(), time.subsec_micros().into()]
}

impl<T: Transport, W: Wait> Posix<'_, T, W> {
    fn option_of_pair(
        &self,
        file: &File,
        end: End,
        option: SocketOption,
    ) -> Result<[u64; 2], Errno> {
        check_general(option)?;
        Ok(match option {
            SocketOption::Type => [file.kind as u64, 0],
            SocketOption::Error => [self.take_end_error(end)?.into(), 0],
            SocketOption::Domain => [AF_UNIX, 0],
            SocketOption::SendBuffer | SocketOption::ReceiveBuffer => [PAIR_ROOM as u64, 0],
            SocketOption::ReceiveTimeout => words_of(file.receive_timeout),
            SocketOption::SendTimeout => words_of(file.send_timeout),
            _ => [0, 0],
        })
    }

    /// Sets an option.
    ///
    /// # Errors
    /// `ENOPROTOOPT`, `EINVAL` (too short, or no value of it), `EDOM` (a time with a million
    /// microseconds or more).
    pub fn set_option(&self, fd: i32, level: i32, name: i32, bytes: &[u8]) -> Result<(), Error> {
        let target = self.file(fd)?.target;
        if let Target::Server(socket) = target
            && let Some(set) = self.set_group_option(socket, level, name, bytes)
        {
            return set;
        }
        let option = option(level, name)?;
        let set = |value: i64, second: i64| match target {
            // Numbers below 0 are passed on as they are: the server knows which have a meaning.
            Target::Server(socket) => {
                self.client()
                    .set_option(socket, option, value as u64, second as u64)
            }
            Target::End(_) => set_of_pair(option, second),
        };
        match option {
            SocketOption::Linger => set((int(bytes, 0)? != 0).into(), int(bytes, 4)?.into())?,
            SocketOption::ReceiveTimeout | SocketOption::SendTimeout => {
                let (seconds, micros) = (long(bytes, 0)?, long(bytes, 8)?);
                // As on Linux: a negative time is none at all.
                let none = seconds < 0;
                let (seconds, micros) = if none { (0, 0) } else { (seconds, micros) };
                set(seconds, micros)?;
                let time = Duration::new(seconds as u64, micros as u32 * 1000);
                let time = match (none, time) {
                    (true, _) => Some(Duration::ZERO),
                    (_, Duration::ZERO) => None,
                    (_, time) => Some(time),
                };
                self.files.borrow_mut().change(fd, |file| {
                    match option {
                        SocketOption::ReceiveTimeout => file.receive_timeout = time,
                        _ => file.send_timeout = time,
                    };
                })?;
            }
            // A byte is enough, as on Linux.
            SocketOption::MulticastTtl | SocketOption::MulticastLoop if bytes.len() < 4 => {
                set(bytes.first().copied().ok_or(Error::EINVAL)?.into(), 0)?;
            }
            _ => set(int(bytes, 0)?.into(), 0)?,
        }
        Ok(())
    }

    /// Returns an option's value, and how many of the bytes it takes.
    ///
    /// # Errors
    /// `ENOPROTOOPT`, `EOPNOTSUPP`.
    pub fn option(
        &self,
        fd: i32,
        level: i32,
        name: i32,
    ) -> Result<([u8; OPTION_MAX], usize), Error> {
        let file = self.file(fd)?;
        let option = option(level, name)?;
        let words = match file.target {
            Target::Server(socket) => self.client().get_option(socket, option)?,
            Target::End(end) => self.option_of_pair(&file, end, option)?,
        };
        let mut bytes = [0; OPTION_MAX];
        if option == SocketOption::MulticastInterface {
            bytes[..4].copy_from_slice(&self.interface_address(words[0])?);
            return Ok((bytes, 4));
        }
        let (size, count) = match option {
            SocketOption::Linger => (4, 2),
            SocketOption::ReceiveTimeout | SocketOption::SendTimeout => (8, 2),
            _ => (4, 1),
        };
        for (place, word) in bytes.chunks_exact_mut(size).zip(&words[..count]) {
            place.copy_from_slice(&word.to_ne_bytes()[..size]);
        }
        Ok((bytes, size * count))
    }
}
