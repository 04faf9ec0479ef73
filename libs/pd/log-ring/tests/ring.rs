// SPDX-License-Identifier: BSD-2-Clause
//! The ring against a model, with restarts, with a hostile writer, and with two threads.
#![cfg(not(loom))]

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
};

use log_ring::{DATA_WORDS, Entry, Level, LogPage, MAX_ENTRIES, MAX_TEXT, Reader, Writer};
use proptest::prelude::*;
use shm::Words;
use zerocopy::IntoBytes;

fn page() -> Box<LogPage> {
    Box::new(LogPage::zeroed())
}

/// Reads until there is nothing more; texts, and the sum of lost bytes.
fn drain(reader: &mut Reader<'_>) -> (Vec<String>, u64) {
    let (mut lines, mut lost) = (Vec::new(), 0);
    while let Some(entry) = reader.next() {
        match entry {
            Entry::Line(line) => lines.push(line.to_string()),
            Entry::Lost { bytes } => lost += bytes,
            Entry::Garbled => panic!("an honest writer's ring is never garbled"),
        }
    }
    (lines, lost)
}

#[test]
fn lines_arrive_with_level_and_time() {
    let page = page();
    let mut writer = Writer::attach(&page);
    let mut reader = Reader::oldest(&page);
    assert!(reader.next().is_none());
    assert_eq!(
        writer.line(Level::Warn, 77, format_args!("queue {} full", 3)),
        1
    );
    match reader.next() {
        Some(Entry::Line(line)) => {
            assert_eq!((line.level, line.ticks), (Level::Warn, 77));
            assert_eq!(&line.raw_text[..], b"queue 3 full");
        }
        other => panic!("{other:?}"),
    }
    assert!(reader.next().is_none());
}

#[test]
fn newlines_and_long_texts_become_records_and_lose_no_character() {
    let page = page();
    let mut writer = Writer::attach(&page);
    let long: String = "añ€".chars().cycle().take(3 * MAX_TEXT).collect();
    let count = writer.line(Level::Info, 0, format_args!("one\n\ntwo\n{long}"));
    let (lines, _) = drain(&mut Reader::oldest(&page));
    assert_eq!(lines.len(), count);
    assert_eq!(lines[..2], ["one", "two"]);
    assert_eq!(lines[2..].concat(), long);
    assert!(lines.iter().all(|line| line.len() <= MAX_TEXT));
}

#[test]
fn text_is_shown_without_control_characters() {
    let page = page();
    let mut writer = Writer::attach(&page);
    writer.record(Level::Info, 0, b"a\x1b[2J\r\nb\tc\xff\xfe \xe2\x80\xa8d");
    let (lines, _) = drain(&mut Reader::oldest(&page));
    assert_eq!(lines, ["a?[2J??b c\u{fffd}\u{fffd} ?d"]);
}

#[test]
fn a_slow_reader_learns_how_much_it_lost() {
    let page = page();
    let mut writer = Writer::attach(&page);
    let mut reader = Reader::oldest(&page);
    const RECORD: u64 = (2 + 3) * 8;
    for i in 0..10_000 {
        writer.record(Level::Info, i, format!("line number {i:8}").as_bytes());
    }
    let (lines, lost) = drain(&mut reader);
    assert_eq!(lines.len() as u64 * RECORD + lost, 10_000 * RECORD);
    assert!(lines.len() >= DATA_WORDS * 8 / RECORD as usize - 1);
    assert_eq!(lines.last().unwrap(), "line number     9999");
}

#[test]
fn both_ends_go_on_after_a_restart() {
    let page = page();
    let mut reader = Reader::oldest(&page);
    Writer::attach(&page).record(Level::Info, 0, b"before");
    Writer::attach(&page).record(Level::Info, 0, b"after");
    assert_eq!(drain(&mut reader).0, ["before", "after"]);
    let position = reader.position();
    Writer::attach(&page).record(Level::Info, 0, b"later");
    assert_eq!(drain(&mut Reader::resume(&page, position)).0, ["later"]);
    assert_eq!(
        drain(&mut Reader::oldest(&page)).0,
        ["before", "after", "later"]
    );
}

#[test]
fn a_writer_that_starts_anew_is_read_from_its_new_beginning() {
    let mut page = page();
    let mut writer = Writer::attach(&page);
    for _ in 0..100 {
        writer.record(Level::Info, 0, b"old");
    }
    let mut reader = Reader::oldest(&page);
    drain(&mut reader);
    let position = reader.position();
    page.as_mut_bytes().fill(0);
    Writer::attach(&page).record(Level::Info, 0, b"new");
    let mut reader = Reader::resume(&page, position);
    assert!(matches!(reader.next(), Some(Entry::Garbled)));
    assert_eq!(drain(&mut reader).0, ["new"]);
}

/// Sets `tail` and `head` of a page that a writer has set up.
fn set_span(page: &mut LogPage, tail: u64, head: u64) {
    for (word, value) in [(1, tail), (2, head)] {
        page.as_mut_bytes()[word * 8..][..8].copy_from_slice(&value.to_le_bytes());
    }
}

#[test]
fn positions_that_cannot_be_are_reported_once() {
    let mut page = page();
    Writer::attach(&page).record(Level::Info, 0, b"lost");
    let mut position = 0;
    for (tail, head) in [
        (10, 5),
        (0, u64::MAX / 2),
        (u64::MAX, 3 * DATA_WORDS as u64),
    ] {
        set_span(&mut page, tail, head);
        let mut reader = Reader::resume(&page, position);
        assert!(matches!(reader.next(), Some(Entry::Garbled)));
        for _ in 0..10 {
            assert!(reader.next().is_none(), "{tail} {head}");
        }
        position = reader.position();
    }
    // A writer that puts its page in order is read again.
    let mut writer = Writer::attach(&page);
    let mut reader = Reader::resume(&page, position);
    writer.record(Level::Info, 0, b"well again");
    let lines = (0..3).filter_map(|_| match reader.next() {
        Some(Entry::Line(line)) => Some(line.to_string()),
        _ => None,
    });
    assert_eq!(lines.collect::<Vec<_>>(), ["well again"]);
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize),
    Read(usize),
    RestartWriter,
    RestartReader,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..=MAX_TEXT).prop_map(Step::Write),
        4 => (0..20_usize).prop_map(Step::Read),
        1 => Just(Step::RestartWriter),
        1 => Just(Step::RestartReader),
    ];
    proptest::collection::vec(step, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The reader sees the writer's lines in order, without any that it was not told to have lost.
    #[test]
    fn like_a_queue_that_forgets_its_oldest(steps in steps()) {
        let page = page();
        let mut writer = Writer::attach(&page);
        let mut reader = Reader::oldest(&page);
        let mut model: VecDeque<(u64, usize)> = VecDeque::new();
        let mut serial = 0;
        for step in steps {
            match step {
                Step::Write(len) => {
                    writer.record(Level::Info, serial, &vec![b'a' + (serial % 26) as u8; len]);
                    model.push_back((serial, len));
                    serial += 1;
                }
                Step::Read(count) => for _ in 0..count {
                    match reader.next() {
                        None => prop_assert!(model.is_empty()),
                        Some(Entry::Garbled) => prop_assert!(false, "garbled"),
                        Some(Entry::Lost { bytes }) => {
                            let mut gone = 0;
                            while gone < bytes {
                                let (_, len) = model.pop_front().unwrap();
                                gone += 8 * (2 + len.div_ceil(8) as u64);
                            }
                            prop_assert_eq!(gone, bytes);
                        }
                        Some(Entry::Line(line)) => {
                            let (expected, len) = model.pop_front().unwrap();
                            prop_assert_eq!(line.ticks, expected);
                            prop_assert_eq!(&line.raw_text[..], vec![b'a' + (expected % 26) as u8; len]);
                        }
                    }
                },
                Step::RestartWriter => writer = Writer::attach(&page),
                Step::RestartReader => reader = Reader::resume(&page, reader.position()),
            }
        }
    }

    /// Whatever a page holds that nobody writes any more, its reader comes to an end.
    #[test]
    fn a_page_at_rest_comes_to_an_end(
        words in proptest::collection::vec((0..DATA_WORDS + 8, any::<u64>()), 0..40),
        records in 0..2000_usize,
        tail in prop_oneof![any::<u64>(), 0..8000_u64],
        head in prop_oneof![any::<u64>(), 0..8000_u64],
        span_too: bool,
        position in prop_oneof![any::<u64>(), 0..8000_u64],
    ) {
        let mut page = page();
        let mut writer = Writer::attach(&page);
        for _ in 0..records {
            writer.record(Level::Info, 0, b"");
        }
        for (index, value) in words.into_iter().filter(|(index, _)| *index > 0) {
            page.as_mut_bytes()[index * 8..][..8].copy_from_slice(&value.to_le_bytes());
        }
        if span_too {
            set_span(&mut page, tail, head);
        }
        let mut reader = Reader::resume(&page, position);
        let entries = (0..=MAX_ENTRIES).take_while(|_| reader.next().is_some()).count();
        prop_assert!(entries <= MAX_ENTRIES, "not at its end after {} entries", entries);
        prop_assert!(reader.next().is_none());
    }

    /// A hostile PD rewrites header words and ring words between the reader's steps.
    #[test]
    fn garbage_is_bounded_and_heals(
        rewrites in proptest::collection::vec((0..DATA_WORDS + 8, any::<u64>(), 0..5_u8), 1..200),
        position: u64,
    ) {
        let mut page = page();
        let mut at = position;
        for (index, value, kind) in rewrites {
            {
                let mut writer = Writer::attach(&page);
                writer.record(Level::Info, 0, b"something to start from");
            }
            let index = match kind { 0 => 1, 1 => 2, 2 => 3, _ => index };
            page.as_mut_bytes()[index * 8..][..8].copy_from_slice(&value.to_le_bytes());
            let mut reader = Reader::resume(&page, at);
            for _ in 0..5 {
                if let Some(Entry::Line(line)) = reader.next() {
                    prop_assert!(line.to_string().chars().all(|c| !c.is_control()));
                }
            }
            at = reader.position();
        }
        // An honest writer takes over: after at most two notes about the past, the reader is with
        // it again.
        let mut writer = Writer::attach(&page);
        let mut reader = Reader::resume(&page, at);
        for _ in 0..3 * DATA_WORDS {
            if reader.next().is_none() {
                break;
            }
        }
        writer.record(Level::Info, 4711, b"honest");
        let found = (0..3).any(|_| matches!(reader.next(), Some(Entry::Line(line)) if line.ticks == 4711));
        prop_assert!(found);
    }
}

/// Two threads: every line that is read is one that was written, whole, in order, and the gaps add
/// up.
#[test]
fn concurrent_overwriting_never_shows_a_mixture() {
    const LINES: u64 = 200_000;
    let page = page();
    let done = AtomicBool::new(false);
    let mut reader = Reader::oldest(&page);
    let (mut read_words, mut lost_words, mut next) = (0, 0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = Writer::attach(&page);
            for i in 0..LINES {
                writer.record(Level::Info, i, &i.to_le_bytes().repeat(1 + i as usize % 30));
                if i % 1024 == 0 {
                    std::thread::yield_now();
                }
            }
            done.store(true, Ordering::Release);
        });
        loop {
            let last_round = done.load(Ordering::Acquire);
            while let Some(entry) = reader.next() {
                match entry {
                    Entry::Line(line) => {
                        assert!(line.ticks >= next, "{} after {next}", line.ticks);
                        next = line.ticks + 1;
                        let expected = line
                            .ticks
                            .to_le_bytes()
                            .repeat(1 + line.ticks as usize % 30);
                        assert_eq!(&line.raw_text[..], expected);
                        read_words += 2 + expected.len() as u64 / 8;
                    }
                    Entry::Lost { bytes } => lost_words += bytes / 8,
                    Entry::Garbled => panic!("garbled at {next}"),
                }
            }
            if last_round {
                break;
            }
        }
    });
    let all: u64 = (0..LINES).map(|i| 3 + i % 30).sum();
    assert_eq!(read_words + lost_words, all);
    assert_eq!(next, LINES);
}
