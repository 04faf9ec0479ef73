// SPDX-License-Identifier: BSD-2-Clause

//! The change log under every ordering that the memory model allows: `RUSTFLAGS="--cfg loom" cargo
//! test -p socket-proto --release --test loom`.

#![cfg(loom)]

use std::num::NonZeroU16;

use loom::sync::atomic::AtomicU32;
use loom::thread;
use socket_proto::{Handle, PollBits, ReadinessReader, ReadinessWriter};

const SOCKETS: u16 = 6;

/// Makes `changes` changes while a reader looks, and after that lets it look again: by then it has
/// found each socket that is ready, and found it ready.
fn no_change_is_missed(changes: u16) {
    loom::model(move || {
        // 32 words: a log of four entries and room for twelve sockets.
        let region: Vec<_> = (0..32).map(|_| AtomicU32::new(0)).collect();
        let region: &[AtomicU32] = region.leak();
        let writer = ReadinessWriter::new(region);
        let reader = ReadinessReader::new(region);
        let mut since = reader.serial();
        let mut found = [false; SOCKETS as usize];
        let mut look = || {
            let handle = |index| Handle::new(index as u16, NonZeroU16::MIN);
            let mut at = |index: usize| found[index] |= reader.bits(handle(index)) == PollBits::IN;
            since = reader.changes(since, &mut at).unwrap_or_else(|serial| {
                (0..usize::from(SOCKETS)).for_each(at);
                serial
            });
        };
        let writing = thread::spawn(move || {
            for index in 0..changes {
                let handle = Handle::new(index, NonZeroU16::MIN);
                writer.set(handle, PollBits::IN, true);
            }
        });
        look();
        writing.join().unwrap();
        look();
        let expected = std::array::from_fn(|index| index < usize::from(changes));
        assert_eq!(found, expected);
    });
}

#[test]
fn what_the_log_has_room_for() {
    no_change_is_missed(2);
}

#[test]
fn what_is_overwritten_while_it_is_read() {
    no_change_is_missed(SOCKETS);
}
