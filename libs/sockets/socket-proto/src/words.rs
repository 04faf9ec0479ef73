// SPDX-License-Identifier: BSD-2-Clause

//! How values lie in the words of a message: a field takes one to three words, a record is fields
//! one behind the other and zeros up to the fourth word.

use core::net::SocketAddr;

use crate::{Errno, Handle, Span, WindowSizes, addr};

/// Words of a message: more do not fit the kernel's fastpath.
pub const WORDS: usize = 4;

/// A value that travels in words of a message.
pub trait Field: Copy {
    /// What the words are called behind the field's name; one entry a word.
    const PARTS: &'static [&'static str];

    /// Writes the words from `at` on.
    fn put(self, words: &mut [u64; WORDS], at: usize);

    /// Reads the words from `at` on.
    ///
    /// # Errors
    /// The words do not form such a value.
    fn take(words: &[u64; WORDS], at: usize) -> Result<Self, Errno>;
}

/// A field as the tables and the C header show it.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// Its name.
    pub name: &'static str,
    /// The names of its words behind that: see [`Field::PARTS`].
    pub parts: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

/// All words of a request or a reply.
pub trait Record: Copy {
    /// The fields in order.
    const FIELDS: &'static [FieldInfo];

    /// The words.
    fn encode(self) -> [u64; WORDS];

    /// Reads the words.
    ///
    /// # Errors
    /// As the fields', and `EINVAL` if an unused word is not 0.
    fn decode(words: [u64; WORDS]) -> Result<Self, Errno>;
}

impl Record for () {
    const FIELDS: &'static [FieldInfo] = &[];

    fn encode(self) -> [u64; WORDS] {
        [0; WORDS]
    }

    fn decode(words: [u64; WORDS]) -> Result<Self, Errno> {
        unused(&words, 0)
    }
}

/// Checks that the words from `from` on are 0.
pub(crate) fn unused(words: &[u64; WORDS], from: usize) -> Result<(), Errno> {
    match words[from..].iter().all(|&word| word == 0) {
        true => Ok(()),
        false => Err(Errno::EINVAL),
    }
}

/// Declares structs whose fields lie in the words of a message.
macro_rules! records {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident { $($(#[doc = $help:literal])+ $field:ident: $type:ty,)* }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $help])+ pub $field: $type,)*
        }

        // The kernel's fastpath carries four words.
        const _: () = assert!(0 $(+ <$type as $crate::Field>::PARTS.len())* <= $crate::WORDS);

        impl $crate::Record for $name {
            const FIELDS: &'static [$crate::FieldInfo] = &[$($crate::FieldInfo {
                name: stringify!($field),
                parts: <$type as $crate::Field>::PARTS,
                help: concat!($($help),+).trim_ascii(),
            },)*];

            #[inline]
            fn encode(self) -> [u64; $crate::WORDS] {
                let mut words = [0; $crate::WORDS];
                let mut _at = 0;
                $(
                    <$type as $crate::Field>::put(self.$field, &mut words, _at);
                    _at += <$type as $crate::Field>::PARTS.len();
                )*
                words
            }

            #[inline]
            fn decode(words: [u64; $crate::WORDS]) -> Result<Self, $crate::Errno> {
                let mut at = 0;
                $(
                    let $field = <$type as $crate::Field>::take(&words, at)?;
                    at += <$type as $crate::Field>::PARTS.len();
                )*
                $crate::words::unused(&words, at)?;
                Ok($name { $($field),* })
            }
        }
    )+};
}

/// Implements [`Field`] for a type of one word.
macro_rules! one_word {
    ($type:ty, |$value:ident| $raw:expr, |$word:ident| $parsed:expr) => {
        impl $crate::Field for $type {
            const PARTS: &'static [&'static str] = &[""];

            #[inline]
            fn put(self, words: &mut [u64; $crate::WORDS], at: usize) {
                let $value = self;
                words[at] = $raw;
            }

            #[inline]
            fn take(words: &[u64; $crate::WORDS], at: usize) -> Result<Self, $crate::Errno> {
                let $word = words[at];
                $parsed
            }
        }
    };
}

one_word!(u64, |value| value, |word| Ok(word));
one_word!(u32, |value| value.into(), |word| u32::try_from(word)
    .map_err(|_| Errno::EINVAL));
one_word!(Handle, |handle| handle.raw(), |word| Handle::from_raw(word)
    .ok_or(Errno::EBADF));
one_word!(
    Option<Handle>,
    |handle| handle.map_or(0, Handle::raw),
    |word| match word {
        0 => Ok(None),
        word => Handle::from_raw(word).map(Some).ok_or(Errno::EBADF),
    }
);
one_word!(
    WindowSizes,
    |sizes| u64::from(sizes.c2s) | u64::from(sizes.s2c) << 32,
    |word| Ok(WindowSizes {
        c2s: word as u32,
        s2c: (word >> 32) as u32,
    })
);

impl Field for Option<SocketAddr> {
    const PARTS: &'static [&'static str] = &["_head", "_high", "_low"];

    #[inline]
    fn put(self, words: &mut [u64; WORDS], at: usize) {
        let address = self.map_or(addr::NO_ADDRESS, addr::to_words);
        words[at..at + 3].copy_from_slice(&address);
    }

    #[inline]
    fn take(words: &[u64; WORDS], at: usize) -> Result<Self, Errno> {
        addr::from_words([words[at], words[at + 1], words[at + 2]])
    }
}

impl Field for SocketAddr {
    const PARTS: &'static [&'static str] = <Option<SocketAddr> as Field>::PARTS;

    #[inline]
    fn put(self, words: &mut [u64; WORDS], at: usize) {
        Some(self).put(words, at);
    }

    #[inline]
    fn take(words: &[u64; WORDS], at: usize) -> Result<Self, Errno> {
        <Option<SocketAddr> as Field>::take(words, at)?.ok_or(Errno::EINVAL)
    }
}

impl Field for Span {
    const PARTS: &'static [&'static str] = &["_offset", "_length"];

    #[inline]
    fn put(self, words: &mut [u64; WORDS], at: usize) {
        words[at] = self.offset;
        words[at + 1] = self.length;
    }

    #[inline]
    fn take(words: &[u64; WORDS], at: usize) -> Result<Self, Errno> {
        Ok(Span {
            offset: words[at],
            length: words[at + 1],
        })
    }
}
