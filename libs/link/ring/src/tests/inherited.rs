// SPDX-License-Identifier: BSD-2-Clause
//! What a driver had received when it faulted reaches the server through its next life: once, in
//! order, and only if it is true.

use super::world::{Driver, N, Pages, drop_frames, settle, wake_server};
use crate::{Descriptor, RxSlot, ServerEnd};
use proptest::prelude::*;

/// Takes all frames; returns their lengths.
fn take(server: &mut ServerEnd<'_, N>) -> Vec<usize> {
    let mut lengths = Vec::new();
    wake_server(server, |end| {
        while let Some(frame) = end.rx().take() {
            lengths.push(frame.len());
            end.rx().give_back(frame);
        }
    });
    lengths
}

/// Wakes both ends until all is quiet; returns the lengths of the frames that the server gets.
fn settle_and_take(driver: &mut Driver<'_>, server: &mut ServerEnd<'_, N>) -> Vec<usize> {
    let mut lengths = Vec::new();
    for _ in 0..4 {
        driver.wake();
        lengths.extend(take(server));
    }
    settle(driver, server);
    lengths
}

/// What the queues' memory says about a frame that the device has put into a buffer.
fn leftover(slot: &RxSlot, len: u16) -> Descriptor {
    Descriptor::leftover(slot.to_word(), 12, len)
}

#[test]
fn frames_of_the_earlier_life_come_first_and_once() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    // Taken by the server, whose head does not say so yet.
    driver.receive(60).unwrap();
    server.poll();
    let frame = server.rx().take().unwrap();
    server.rx().give_back(frame);
    // Handed on and not taken; delivered by the device and not handed on.
    driver.receive(61).unwrap();
    driver.receive(62).unwrap();
    let leftovers = [63, 64]
        .iter()
        .zip(&driver.receiving)
        .map(|(len, slot)| leftover(slot, *len))
        .collect();
    let mut driver = Driver::start_with(&pages, leftovers);
    assert_eq!(settle_and_take(&mut driver, &mut server), [61, 62, 63, 64]);
    assert_eq!(driver.receiving.len(), N);
    assert_eq!(server.take_violations(), None);
    // The ring has turned meanwhile, and nothing of it comes again.
    let mut driver = Driver::start(&pages);
    assert_eq!(settle_and_take(&mut driver, &mut server), []);
    assert_eq!(server.take_violations(), None);
}

#[test]
fn a_life_that_ends_before_it_has_said_anything_passes_them_on() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    driver.receive(61).unwrap();
    let leftovers = vec![leftover(&driver.receiving[0], 62)];
    Driver::start_with(&pages, leftovers);
    let _seen_by_the_server = server.poll();
    Driver::start(&pages);
    let mut driver = Driver::start(&pages);
    assert_eq!(settle_and_take(&mut driver, &mut server), [61, 62]);
    assert_eq!(driver.receiving.len(), N);
}

#[test]
fn frames_for_a_server_that_is_gone_are_nobodys() {
    for server_first in [false, true] {
        let pages = Pages::new();
        let mut driver = Driver::start(&pages);
        let mut server = ServerEnd::start(&pages.server, &pages.driver);
        settle(&mut driver, &mut server);
        driver.receive(61).unwrap();
        let leftovers = vec![leftover(&driver.receiving[0], 62)];
        let (mut driver, mut server);
        if server_first {
            server = ServerEnd::start(&pages.server, &pages.driver);
            driver = Driver::start_with(&pages, leftovers);
        } else {
            driver = Driver::start_with(&pages, leftovers);
            server = ServerEnd::start(&pages.server, &pages.driver);
        }
        assert_eq!(settle_and_take(&mut driver, &mut server), []);
        assert_eq!(driver.receiving.len(), N);
        assert_eq!(server.take_violations(), None);
    }
}

#[test]
fn garbage_is_dropped_and_costs_no_buffer() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    let good = driver.receiving[3].to_word();
    let word = |slot, len| Descriptor::leftover(slot, 12, len);
    let leftovers = vec![
        word(u64::MAX, 60),
        word(0xffff, 60),
        word(good ^ 1 << 40, 60),
        word(good, 13),
        word(good, 60),
    ];
    let mut driver = Driver::start_with(&pages, leftovers);
    assert_eq!(
        settle_and_take(&mut driver, &mut server),
        [],
        "a buffer comes back once, and the first time its length was wrong"
    );
    assert_eq!(driver.receiving.len(), N);
    assert_eq!(server.tx().idle(), N);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    WakeDriver,
    WakeServer,
    PollServerOnly,
    /// A frame arrives, and the driver hands it on.
    Receive,
    /// A frame arrives, and the driver faults before it has looked.
    ReceiveAndRestart,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::WakeDriver),
        3 => Just(Step::WakeServer),
        3 => Just(Step::PollServerOnly),
        8 => Just(Step::Receive),
        2 => Just(Step::ReceiveAndRestart),
        2 => Just(Step::Restart),
    ]
}

proptest! {
    /// A driver that is restarted at any time, any number of times, loses no frame, and none comes
    /// twice or out of order.
    #[test]
    fn no_received_frame_is_lost(steps in prop::collection::vec(step(), 1..200)) {
        let pages = Pages::new();
        let mut driver = Driver::start(&pages);
        let mut server = ServerEnd::start(&pages.server, &pages.driver);
        settle(&mut driver, &mut server);
        let (mut sent, mut got) = (Vec::new(), Vec::new());
        let mut next = 14u16;
        for step in steps {
            match step {
                Step::WakeDriver => { driver.wake(); }
                Step::WakeServer => got.extend(take(&mut server)),
                Step::PollServerOnly => { server.poll(); }
                Step::Receive => if driver.receive(next).is_some() {
                    sent.push(usize::from(next));
                    next += 1;
                }
                Step::ReceiveAndRestart => {
                    let leftovers: Vec<_> = driver
                        .receiving
                        .front()
                        .map(|slot| leftover(slot, next))
                        .into_iter()
                        .collect();
                    if !leftovers.is_empty() {
                        sent.push(usize::from(next));
                        next += 1;
                    }
                    driver = Driver::start_with(&pages, leftovers);
                }
                Step::Restart => driver = Driver::start(&pages),
            }
        }
        got.extend(settle_and_take(&mut driver, &mut server));
        prop_assert_eq!(got, sent);
        prop_assert_eq!(driver.receiving.len(), N);
        prop_assert_eq!(server.tx().idle(), N);
        prop_assert_eq!(server.take_violations(), None);
        prop_assert_eq!(driver.end.take_violations(), None);
    }

    /// The earlier life may have left anything.
    #[test]
    fn any_leftovers_are_survived(
        words in prop::collection::vec((any::<u64>(), any::<u16>(), any::<u16>()), 0..3 * N),
        slots in prop::collection::vec(any::<[u64; 2]>(), N),
        tail: u32,
    ) {
        let pages = Pages::new();
        let mut driver = Driver::start(&pages);
        let mut server = ServerEnd::start(&pages.server, &pages.driver);
        settle(&mut driver, &mut server);
        for (slot, words) in pages.driver.rx_active.slots.iter().zip(slots) {
            slot.write(Descriptor::from_words(words));
        }
        pages.driver.rx_active.tail.word.store(tail, shm::atomic::Ordering::Relaxed);
        let leftovers = words
            .into_iter()
            .map(|(slot, start, len)| Descriptor::leftover(slot, start, len))
            .collect();
        let mut driver = Driver::start_with(&pages, leftovers);
        settle(&mut driver, &mut server);
        wake_server(&mut server, drop_frames);
        settle(&mut driver, &mut server);
        prop_assert_eq!(driver.receiving.len(), N);
        prop_assert_eq!(server.tx().idle(), N);
    }
}
