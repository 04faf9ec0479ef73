// SPDX-License-Identifier: BSD-2-Clause
//! The console's side, which believes nothing that it reads.

use core::fmt::{self, Write};

use heapless::Vec;
use shm::atomic::{Ordering, fence};

use crate::{
    DATA_WORDS, Level, LogPage, MAX_TEXT,
    page::MAGIC,
    record::{RecordHeader, TEXT_OFFSET},
};

/// How often a pair of positions is loaded again before it counts as garbage rather than as a race
/// with the writer.
const LOADS: usize = 4;

/// Most entries that a page can give unless its writer goes on: records without text, a gap before
/// and garbage after them.
pub const MAX_ENTRIES: usize = DATA_WORDS / TEXT_OFFSET as usize + 2;

/// One line, copied out of the ring.
#[derive(Clone)]
pub struct Line {
    /// How much the line matters, as the writer says.
    pub level: Level,
    /// When the writer says it was written, in ticks of the generic timer.
    pub ticks: u64,
    /// The bytes as the writer left them: perhaps not UTF-8, perhaps with control characters.
    /// `Display` cleans them.
    pub raw_text: Vec<u8, MAX_TEXT>,
}

impl fmt::Display for Line {
    /// Writes the text with control characters and what is not UTF-8 replaced, so that it stays one
    /// line of plain text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.raw_text.utf8_chunks() {
            for c in chunk.valid().chars() {
                f.write_char(match c {
                    '\t' => ' ',
                    // The last two are line breaks that are no control characters.
                    c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => '?',
                    c => c,
                })?;
            }
            if !chunk.invalid().is_empty() {
                f.write_char('\u{fffd}')?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} {:?}] {self}", self.ticks, self.level)
    }
}

/// What [`Reader::next`] found.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "no allocator; it lives on the stack for one print"
)]
pub enum Entry {
    /// The next line.
    Line(Line),
    /// The writer has overwritten lines before they were read.
    Lost {
        /// How much of the ring that was, in bytes, headers included.
        bytes: u64,
    },
    /// The ring is not well formed: the writer was reset, or its PD writes garbage. Reading goes on
    /// at its end.
    Garbled,
}

/// A reader with its own position.
pub struct Reader<'a> {
    page: &'a LogPage,
    position: u64,
    /// Positions of the page that cannot be, and have been reported: `tail` and `head`.
    reported: Option<(u64, u64)>,
}

impl<'a> Reader<'a> {
    /// Begins at the oldest line that is still there.
    pub fn oldest(page: &'a LogPage) -> Self {
        Self::resume(page, page.tail.load(Ordering::Acquire))
    }

    /// Goes on where an earlier reader stood; see [`Reader::position`]. Any number will do: a wrong
    /// one costs lines.
    pub fn resume(page: &'a LogPage, position: u64) -> Self {
        Self {
            page,
            position,
            reported: None,
        }
    }

    /// What [`Reader::resume`] needs after a restart of the reader.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Takes the next entry; `None` if there is nothing new. Bounded work, whatever the page holds.
    ///
    /// A page that nobody writes gives `None` after at most [`MAX_ENTRIES`] entries. A writer that
    /// goes on writing can keep this from ever returning `None`: take no more than that at a time.
    #[allow(
        clippy::should_implement_trait,
        reason = "an Iterator would invite unbounded loops"
    )]
    pub fn next(&mut self) -> Option<Entry> {
        if self.page.magic.load(Ordering::Acquire) != MAGIC {
            return None;
        }
        let (tail, head) = match self.span() {
            Ok(span) => span,
            Err(impossible) if self.reported == Some(impossible) => return None,
            Err(impossible) => {
                self.reported = Some(impossible);
                self.position = impossible.1;
                return Some(Entry::Garbled);
            }
        };
        if head == self.position {
            return None;
        }
        if passed(tail, self.position) {
            return Some(self.lost(tail));
        }
        let available = head.wrapping_sub(self.position);
        if available > DATA_WORDS as u64 {
            // The writer started anew at a lower position.
            self.position = tail;
            return Some(Entry::Garbled);
        }
        let copy = self.copy(available);
        // Rule 4 of the crate's documentation: was it overwritten meanwhile?
        fence(Ordering::Acquire);
        let tail = self.page.tail.load(Ordering::Relaxed);
        if passed(tail, self.position) {
            return Some(self.lost(tail));
        }
        Some(match copy {
            Some((line, words)) => {
                self.position = self.position.wrapping_add(words);
                Entry::Line(line)
            }
            None => {
                self.position = head;
                Entry::Garbled
            }
        })
    }

    /// `tail` and `head` of the same moment.
    ///
    /// # Errors
    /// The pair that was read last, if no pair can be true.
    fn span(&self) -> Result<(u64, u64), (u64, u64)> {
        let mut read = (0, 0);
        for _ in 0..LOADS {
            let head = self.page.head.load(Ordering::Acquire);
            let tail = self.page.tail.load(Ordering::Acquire);
            read = (tail, head);
            // If the writer moved on in between, `tail` may be beyond the old `head`.
            if head.wrapping_sub(tail) <= DATA_WORDS as u64 {
                return Ok(read);
            }
        }
        Err(read)
    }

    fn lost(&mut self, tail: u64) -> Entry {
        let bytes = tail.wrapping_sub(self.position).saturating_mul(8);
        self.position = tail;
        Entry::Lost { bytes }
    }

    /// The record at the reader's position and its length in words; `available` words are complete
    /// there.
    fn copy(&self, available: u64) -> Option<(Line, u64)> {
        let load = |offset: u64| {
            self.page
                .word(self.position.wrapping_add(offset))
                .load(Ordering::Relaxed)
        };
        let header = RecordHeader::decode(load(0), self.position)?;
        if header.words() > available {
            return None;
        }
        let mut raw_text = Vec::new();
        raw_text.resize_default(header.len).ok()?;
        for (offset, chunk) in (TEXT_OFFSET..).zip(raw_text.chunks_mut(8)) {
            chunk.copy_from_slice(&load(offset).to_le_bytes()[..chunk.len()]);
        }
        let line = Line {
            level: header.level,
            ticks: load(1),
            raw_text,
        };
        Some((line, header.words()))
    }
}

/// Whether `tail` is ahead of `position`. Differences of half the range mean "behind", as they do
/// for any wrapping counter.
fn passed(tail: u64, position: u64) -> bool {
    (tail.wrapping_sub(position) as i64) > 0
}
