// SPDX-License-Identifier: BSD-2-Clause
//! Any content of an end's page, written at any time: once the end has started anew, or has noticed
//! it, the link comes up.

use super::world::{Driver, N, Pages, drop_frames, settle, wake_server};
use crate::link::Words;
use crate::{ServerEnd, ServerEvent, first_index};
use proptest::prelude::*;
use shm::Words as _;
use shm::atomic::Ordering;

/// Frames go through every buffer in both directions.
fn assert_works(driver: &mut Driver<'_>, server: &mut ServerEnd<'_, N>) {
    settle(driver, server);
    while driver.transmit().is_some() {}
    let _ = driver.end.flush();
    settle(driver, server);
    assert!(driver.up);
    assert_eq!(server.poll(), ServerEvent::Up { first: false });
    assert_eq!(driver.receiving.len(), N);
    server.take_violations();
    driver.end.take_violations();
    for round in 0..2 * N {
        assert!(driver.receive(60 + round as u16).is_some());
        let _ = driver.end.flush();
        let mut got = Vec::new();
        wake_server(server, |end| {
            while let Some(frame) = end.rx().take() {
                got.push(frame.len());
                end.rx().give_back(frame);
            }
            if let Some(buffer) = end.tx().take() {
                end.tx().submit(buffer, 100 + round).unwrap();
            }
        });
        assert_eq!(got, [60 + round]);
        driver.wake();
        assert_eq!(driver.transmit().map(|(_, len)| len), Some(100 + round));
        settle(driver, server);
    }
    let _ = driver.end.flush();
    server.poll();
    assert_eq!(server.tx().idle(), N);
    assert_eq!(server.take_violations(), None);
    assert_eq!(driver.end.take_violations(), None);
}

/// The word from which a start that trusts its own page makes the epoch that the server has
/// acknowledged.
#[test]
fn an_epoch_that_the_server_has_seen_is_not_taken_again() {
    for below in 0..3u32 {
        let pages = Pages::new();
        let mut driver = Driver::start(&pages);
        let mut server = ServerEnd::start(&pages.server, &pages.driver);
        settle(&mut driver, &mut server);
        driver.receive(60);
        wake_server(&mut server, drop_frames);
        let acknowledged = pages.server.link.read().ack;
        pages.driver.overwrite(&mut || u64::MAX);
        pages.driver.link.write(Words {
            epoch: acknowledged.wrapping_sub(below),
            ack: pages.server.link.read().epoch,
        });
        let mut driver = Driver::start(&pages);
        assert_works(&mut driver, &mut server);
        assert_eq!(server.take_restarts(), 2);
    }
}

#[test]
fn a_running_end_whose_word_was_overwritten_begins_a_new_epoch() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    let before = driver.end.session.link.epoch();
    pages.driver.overwrite(&mut || 0);
    assert_works(&mut driver, &mut server);
    assert_ne!(driver.end.session.link.epoch(), before);
    pages.server.overwrite(&mut || 0);
    assert_works(&mut driver, &mut server);
    assert_eq!(server.take_renewals(), 1);
}

/// The driver sleeps, and its request for a signal is gone.
#[test]
fn frames_that_nobody_takes_are_signalled_when_time_has_passed() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    server.nudge();
    assert!(!server.flush(), "there is nothing to take");
    let request = &pages.driver.tx_active.want_signal.word;
    request.store(0, Ordering::Relaxed);
    let buffer = server.tx().take().unwrap();
    server.tx().submit(buffer, 60).unwrap();
    assert!(!server.flush(), "the driver seems to be awake");
    server.nudge();
    assert!(server.flush());
    driver.wake();
    server.nudge();
    assert!(!server.flush(), "it was taken");
    assert_works(&mut driver, &mut server);
}

#[test]
fn a_server_that_sees_violations_without_end_begins_a_new_epoch() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    let lie = first_index(N).wrapping_sub(1);
    let tail = &pages.driver.rx_active.tail.word;
    tail.store(lie, Ordering::Release);
    // A wrong index weighs as much as one buffer in eight.
    for _ in 0..N / (1 + N.div_ceil(8)) {
        assert_eq!(server.poll(), ServerEvent::Up { first: false });
    }
    assert_eq!(server.take_renewals(), 0, "a few are endured");
    server.poll();
    assert_eq!(server.take_renewals(), 1);
    assert_eq!(
        server.take_restarts(),
        1,
        "the driver has not been restarted"
    );
    assert!(server.flush(), "the driver is told");
    assert_works(&mut driver, &mut server);
}

#[test]
fn a_driver_that_sees_violations_without_end_begins_a_new_epoch() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    let before = driver.end.session.link.epoch();
    let lie = first_index(N).wrapping_sub(1);
    for _ in 0..=N {
        pages
            .server
            .tx_active
            .tail
            .word
            .store(lie, Ordering::Release);
        driver.wake();
    }
    assert_ne!(driver.end.session.link.epoch(), before);
    assert_works(&mut driver, &mut server);
}

#[derive(Clone, Debug)]
enum Step {
    WakeDriver,
    WakeServer,
    PollServerOnly,
    Receive,
    Transmit,
    Submit,
    RestartDriver,
    RestartServer,
    OverwriteDriver(Vec<u64>),
    OverwriteServer(Vec<u64>),
    /// One of the words that matter most, near what is right.
    DriverWords(u32, u32),
    ServerWords(u32, u32),
}

/// Mostly words that mean something: small epochs, indices near the first, descriptors of the pool.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0..4u64,
        (0..4u64, 0..4u64).prop_map(|(high, low)| (high << 32) | low),
        (0..3 * N as u32).prop_map(|near| u64::from(first_index(2 * N).wrapping_add(near))),
        (0..N as u64, 0..70u64).prop_map(|(buffer, len)| (buffer * 2048) | (len << 32)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let words = || prop::collection::vec(word(), 1..8);
    prop_oneof![
        6 => Just(Step::WakeDriver),
        6 => Just(Step::WakeServer),
        3 => Just(Step::PollServerOnly),
        4 => Just(Step::Receive),
        4 => Just(Step::Transmit),
        4 => Just(Step::Submit),
        1 => Just(Step::RestartDriver),
        1 => Just(Step::RestartServer),
        1 => words().prop_map(Step::OverwriteDriver),
        1 => words().prop_map(Step::OverwriteServer),
        1 => (0..6u32, 0..6u32).prop_map(|(epoch, ack)| Step::DriverWords(epoch, ack)),
        1 => (0..6u32, 0..6u32).prop_map(|(epoch, ack)| Step::ServerWords(epoch, ack)),
    ]
}

fn cycled(words: &[u64]) -> impl FnMut() -> u64 + '_ {
    let mut words = words.iter().cycle();
    move || words.next().copied().unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Both pages hold anything before the first start, and both ends' pages are overwritten at any
    /// time. An end whose rings were overwritten is restarted in the end; one whose link words
    /// alone were notices by itself. Then the link comes up within the steps of `settle`, and
    /// everything works.
    #[test]
    fn the_link_comes_up_whatever_was_in_the_pages(
        driver_page in prop::collection::vec(word(), 1..8),
        server_page in prop::collection::vec(word(), 1..8),
        driver_first: bool,
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let pages = Pages::new();
        pages.driver.overwrite(&mut cycled(&driver_page));
        pages.server.overwrite(&mut cycled(&server_page));
        let (mut driver, mut server);
        if driver_first {
            driver = Driver::start(&pages);
            driver.wake();
            server = ServerEnd::start(&pages.server, &pages.driver);
        } else {
            server = ServerEnd::start(&pages.server, &pages.driver);
            wake_server(&mut server, drop_frames);
            driver = Driver::start(&pages);
        }
        let (mut driver_is_broken, mut server_is_broken) = (false, false);
        for step in steps {
            match step {
                Step::WakeDriver => { driver.wake(); }
                Step::WakeServer => { wake_server(&mut server, drop_frames); }
                Step::PollServerOnly => { server.poll(); }
                Step::Receive => { driver.receive(60); let _ = driver.end.flush(); }
                Step::Transmit => { driver.transmit(); let _ = driver.end.flush(); }
                Step::Submit => if let Some(buffer) = server.tx().take() {
                    server.tx().submit(buffer, 60).unwrap();
                    let _ = server.flush();
                }
                Step::RestartDriver => { driver = Driver::start(&pages); driver_is_broken = false; }
                Step::RestartServer => {
                    server = ServerEnd::start(&pages.server, &pages.driver);
                    server_is_broken = false;
                }
                Step::OverwriteDriver(words) => {
                    pages.driver.overwrite(&mut cycled(&words));
                    driver_is_broken = true;
                }
                Step::OverwriteServer(words) => {
                    pages.server.overwrite(&mut cycled(&words));
                    server_is_broken = true;
                }
                Step::DriverWords(epoch, ack) => pages.driver.link.write(Words { epoch, ack }),
                Step::ServerWords(epoch, ack) => pages.server.link.write(Words { epoch, ack }),
            }
        }
        if driver_is_broken { driver = Driver::start(&pages); }
        if server_is_broken { server = ServerEnd::start(&pages.server, &pages.driver); }
        assert_works(&mut driver, &mut server);
    }
}
