// SPDX-License-Identifier: BSD-2-Clause
//! Log lines from any PD to the console, through 16 KiB that the PD writes and the console only
//! reads.
//!
//! The writer never waits: it overwrites its oldest lines. The reader notices what it missed and
//! how much. Either side may be restarted at any instruction: positions lie in the page, and the
//! other side's copy of them is compared, never believed.
//!
//! # How it works
//!
//! The page is a header of words and a ring of words, all atomic. A line is a record of whole
//! words: a header word, the time, the text. Positions are counted in words and never wrap in
//! practice (64 bits). Records between `tail` and `head` are complete.
//!
//! 1. The writer makes room: it moves `tail` over the records that the new one will overwrite, and
//!    fences (release).
//! 2. It stores the record, then `head` (release).
//! 3. The reader loads `head` (acquire) and copies the record at its own position.
//! 4. It fences (acquire) and loads `tail`. If `tail` has passed its position, the copy may be a
//!    mixture: it is thrown away and counted as lost. Otherwise no store of rule 2 for a later lap
//!    can have been seen, because the `tail` of rule 1 would be seen with it.
//!
//! A PD that was stopped between 1 and 2 leaves a ring that is complete; its next start goes on
//! behind it. A header word carries its own position, so neither side takes the middle of a text
//! for a record.
//!
//! A hostile writer can make the reader show nonsense in that PD's name, and nothing else: each
//! step of the reader is bounded, a page at rest gives at most [`MAX_ENTRIES`] entries, lengths are
//! checked against the ring, and [`Line`] shows text without control characters, so that no PD can
//! forge another's line.

#![cfg_attr(not(any(test, loom)), no_std)]
#![forbid(unsafe_code)]

mod page;
mod reader;
mod record;
mod writer;

pub use page::{DATA_WORDS, LogPage};
pub use reader::{Entry, Line, MAX_ENTRIES, Reader};
pub use record::{Level, MAX_TEXT};
pub use writer::Writer;
