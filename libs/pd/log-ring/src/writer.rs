// SPDX-License-Identifier: BSD-2-Clause
//! The PD's own side.

use core::fmt::{self, Write};

use heapless::String;
use shm::atomic::{Ordering, fence};

use crate::{
    DATA_WORDS, Level, LogPage, MAX_TEXT,
    page::MAGIC,
    record::{RecordHeader, TEXT_OFFSET},
};

/// The only writer of a page.
pub struct Writer<'a> {
    page: &'a LogPage,
    /// Private copies: what a restart finds in the page is checked once, in [`Writer::attach`].
    tail: u64,
    head: u64,
}

impl<'a> Writer<'a> {
    /// Takes the page over at a start of the PD.
    ///
    /// After a restart the ring goes on behind the last complete line. A ring that is not well
    /// formed is emptied.
    pub fn attach(page: &'a LogPage) -> Self {
        let (tail, head) = intact_span(page).unwrap_or_else(|| {
            page.magic.store(0, Ordering::Release);
            page.tail.store(0, Ordering::Relaxed);
            page.head.store(0, Ordering::Relaxed);
            page.magic.store(MAGIC, Ordering::Release);
            (0, 0)
        });
        Self { page, tail, head }
    }

    /// Formats a line and writes it; `ticks` is the time in ticks of the generic timer. Returns the
    /// number of records written.
    ///
    /// A newline in the text begins a new record, and so does a text longer than [`MAX_TEXT`].
    pub fn line(&mut self, level: Level, ticks: u64, text: fmt::Arguments<'_>) -> usize {
        let mut lines = Lines {
            writer: self,
            level,
            ticks,
            record: String::new(),
            written: 0,
        };
        // The buffer takes everything; only a Display implementation can fail, and then what it
        // wrote is shown.
        let _ = lines.write_fmt(text);
        lines.end_record();
        lines.written
    }

    /// Writes one record. Bytes of `text` beyond [`MAX_TEXT`] are cut.
    pub fn record(&mut self, level: Level, ticks: u64, text: &[u8]) {
        let text = &text[..text.len().min(MAX_TEXT)];
        let header = RecordHeader {
            len: text.len(),
            level,
        };
        self.make_room(header.words());
        // Orders the store of `tail` before the stores of the record: rule 1 of the crate's
        // documentation.
        fence(Ordering::Release);
        let store = |offset: u64, word| {
            self.page
                .word(self.head.wrapping_add(offset))
                .store(word, Ordering::Relaxed);
        };
        store(0, header.encode(self.head));
        store(1, ticks);
        for (i, chunk) in text.chunks(8).enumerate() {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            store(TEXT_OFFSET + i as u64, u64::from_le_bytes(bytes));
        }
        self.head = self.head.wrapping_add(header.words());
        self.page.head.store(self.head, Ordering::Release);
    }

    /// Moves `tail` until `words` fit behind `head`.
    fn make_room(&mut self, words: u64) {
        let before = self.tail;
        while self.head.wrapping_sub(self.tail) + words > DATA_WORDS as u64 {
            let word = self.page.word(self.tail).load(Ordering::Relaxed);
            self.tail = match RecordHeader::decode(word, self.tail) {
                Some(oldest) => self.tail.wrapping_add(oldest.words()),
                None => self.head,
            };
        }
        if self.tail != before {
            self.page.tail.store(self.tail, Ordering::Relaxed);
        }
    }
}

/// `tail` and `head` of a page whose records lead from one to the other.
fn intact_span(page: &LogPage) -> Option<(u64, u64)> {
    if page.magic.load(Ordering::Acquire) != MAGIC {
        return None;
    }
    let tail = page.tail.load(Ordering::Relaxed);
    let head = page.head.load(Ordering::Relaxed);
    let mut left = head.checked_sub(tail)?;
    if left > DATA_WORDS as u64 {
        return None;
    }
    while left > 0 {
        let position = head - left;
        let word = page.word(position).load(Ordering::Relaxed);
        left = left.checked_sub(RecordHeader::decode(word, position)?.words())?;
    }
    Some((tail, head))
}

/// Cuts formatted text into records.
struct Lines<'w, 'a> {
    writer: &'w mut Writer<'a>,
    level: Level,
    ticks: u64,
    /// The next record's text.
    record: String<MAX_TEXT>,
    /// How many records were written.
    written: usize,
}

impl Lines<'_, '_> {
    fn end_record(&mut self) {
        if !self.record.is_empty() {
            self.writer
                .record(self.level, self.ticks, self.record.as_bytes());
            self.record.clear();
            self.written += 1;
        }
    }
}

impl Write for Lines<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if c == '\n' {
                self.end_record();
            } else if self.record.push(c).is_err() {
                self.end_record();
                // It is empty now, and a record has room for any character.
                self.record.push(c).map_err(|_| fmt::Error)?;
            }
        }
        Ok(())
    }
}
