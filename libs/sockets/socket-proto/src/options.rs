// SPDX-License-Identifier: BSD-2-Clause

//! The socket options: one table. The word is Linux's `level << 32 | name`, values are Linux's.

use crate::Errno;

/// Which sockets have an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKinds {
    /// Stream and datagram sockets.
    All,
    /// Stream sockets.
    Stream,
    /// Datagram sockets.
    Datagram,
}

/// What can be done with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionAccess {
    /// `getsockopt` alone; `setsockopt` is `ENOPROTOOPT`, as on Linux.
    Read,
    /// `getsockopt` and `setsockopt`.
    ReadWrite,
}

/// An option as the tables and the C header show it.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// The name in C.
    pub name: &'static str,
    /// `SOL_SOCKET` (1), `IPPROTO_IP` (0), `IPPROTO_TCP` (6).
    pub level: u64,
    /// Its number within the level.
    pub number: u64,
    /// Which sockets have it.
    pub kinds: OptionKinds,
    /// What can be done with it.
    pub access: OptionAccess,
    /// What its value, and perhaps its second word, mean.
    pub help: &'static str,
}

macro_rules! options {
    ($($(#[doc = $help:literal])+ $variant:ident = $c:ident $level:literal $number:literal $kinds:ident $access:ident;)+) => {
        /// The socket options.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum SocketOption { $($(#[doc = $help])+ $variant,)+ }

        impl SocketOption {
            /// Every option.
            pub const ALL: &'static [SocketOption] = &[$(SocketOption::$variant,)+];

            const fn raw(self) -> u64 {
                match self { $(SocketOption::$variant => $level << 32 | $number,)+ }
            }

            const fn from_raw(word: u64) -> Option<SocketOption> {
                $(if word == $level << 32 | $number {
                    return Some(SocketOption::$variant);
                })+
                None
            }

            /// Its line of the table.
            #[must_use]
            pub const fn info(self) -> OptionInfo {
                match self {
                    $(SocketOption::$variant => OptionInfo {
                        name: stringify!($c),
                        level: $level,
                        number: $number,
                        kinds: OptionKinds::$kinds,
                        access: OptionAccess::$access,
                        help: concat!($($help),+).trim_ascii(),
                    },)+
                }
            }
        }
    };
}

options! {
    /// 1 stream, 2 datagram.
    Type = SO_TYPE 1 3 All Read;
    /// The number of the error that waits, or 0; reading clears it.
    Error = SO_ERROR 1 4 All Read;
}

one_word!(SocketOption, |option| option.raw(), |word| {
    SocketOption::from_raw(word).ok_or(Errno::ENOPROTOOPT)
});
