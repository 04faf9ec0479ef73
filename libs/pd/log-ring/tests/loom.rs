// SPDX-License-Identifier: BSD-2-Clause
//! Rules 1 to 4 under every ordering that the memory model allows: `RUSTFLAGS="--cfg loom" cargo
//! test -p log-ring --release --test loom`.
#![cfg(loom)]

use log_ring::{Entry, Level, LogPage, Reader, Writer};
use loom::{sync::Arc, thread};
use shm::Words;

/// A ring of seven words holds two records of three: the third and fourth overwrite while the
/// reader copies.
#[test]
fn no_copy_is_a_mixture() {
    loom::model(|| {
        let page = Arc::new(LogPage::zeroed());
        let mut writer = Writer::attach(&page);
        writer.record(Level::Info, 1, &[1; 8]);
        writer.record(Level::Info, 2, &[2; 8]);
        let shared = page.clone();
        let reading = thread::spawn(move || {
            let mut reader = Reader::resume(&shared, 0);
            let (mut words, mut last) = (0, 0);
            for _ in 0..2 {
                match reader.next() {
                    Some(Entry::Line(line)) => {
                        assert_eq!(&line.raw_text[..], [line.ticks as u8; 8]);
                        assert!(line.ticks > last);
                        last = line.ticks;
                        words += 3;
                    }
                    Some(Entry::Lost { bytes }) => words += bytes / 8,
                    Some(Entry::Garbled) => panic!("garbled"),
                    None => {}
                }
            }
            assert_eq!(reader.position(), words);
        });
        writer.record(Level::Info, 3, &[3; 8]);
        writer.record(Level::Info, 4, &[4; 8]);
        reading.join().unwrap();
    });
}
