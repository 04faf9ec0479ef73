// SPDX-License-Identifier: BSD-2-Clause
//! One record: header word, time, text.

use core::fmt;

/// Longest text of one record in bytes. Longer lines become several records.
#[cfg(not(loom))]
pub const MAX_TEXT: usize = 240;
/// Longest text of one record in bytes.
#[cfg(loom)]
pub const MAX_TEXT: usize = 8;

/// Words in front of the text.
pub(crate) const TEXT_OFFSET: u64 = 2;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Something failed and service suffers.
    Error = 1,
    /// Something is wrong and was dealt with.
    Warn = 2,
    /// What an operator wants to know.
    Info = 3,
    /// What a developer wants to know.
    Debug = 4,
}

impl Level {
    /// The level that a writer alleges; what no level has is taken for `Info`.
    fn from_wire(number: u8) -> Self {
        match number {
            1 => Level::Error,
            2 => Level::Warn,
            4 => Level::Debug,
            _ => Level::Info,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Error => "error",
            Level::Warn => "warning",
            Level::Info => "info",
            Level::Debug => "debug",
        })
    }
}

/// The header word: length in bits 0..16, level in 16..24, a mark in 24..32, the low half of the
/// position above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    /// Length of the text in bytes, at most [`MAX_TEXT`].
    pub len: usize,
    pub level: Level,
}

const MARK: u8 = 0xa5;

impl RecordHeader {
    pub fn encode(self, position: u64) -> u64 {
        self.len as u64 | (self.level as u64) << 16 | u64::from(MARK) << 24 | position << 32
    }

    /// `None` if this word does not begin a record at this position.
    pub fn decode(word: u64, position: u64) -> Option<Self> {
        let len = usize::from(word as u16);
        let ours = (word >> 24) as u8 == MARK
            && word >> 32 == position & u64::from(u32::MAX)
            && len <= MAX_TEXT;
        ours.then(|| Self {
            len,
            level: Level::from_wire((word >> 16) as u8),
        })
    }

    /// Length of the whole record in words.
    pub fn words(self) -> u64 {
        TEXT_OFFSET + self.len.div_ceil(8) as u64
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn header_round_trip(len in 0..=MAX_TEXT, level in 1..=4_u8, position: u64) {
            let header = RecordHeader { len, level: Level::from_wire(level) };
            prop_assert_eq!(RecordHeader::decode(header.encode(position), position), Some(header));
            prop_assert_eq!(RecordHeader::decode(header.encode(position), position.wrapping_add(1)), None);
        }

        #[test]
        fn any_word_decodes_within_bounds(word: u64, position: u64) {
            if let Some(header) = RecordHeader::decode(word, position) {
                prop_assert!(header.len <= MAX_TEXT);
                prop_assert!(header.words() <= TEXT_OFFSET + MAX_TEXT as u64 / 8);
            }
        }
    }
}
