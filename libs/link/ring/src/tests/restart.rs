// SPDX-License-Identifier: BSD-2-Clause
//! Either end starts anew at any moment: the link comes up again, no buffer is lost, and
//! unconfirmed frames are sent once more.

use super::world::{Driver, N, Pages, buffer_of, drop_frames, settle, wake_server};
use crate::link::Words;
use crate::{ServerEnd, ServerEvent};
use proptest::prelude::*;
use std::collections::VecDeque;

fn submit(server: &mut ServerEnd<'_, N>, len: usize) -> bool {
    match server.tx().take() {
        Some(buffer) => server.tx().submit(buffer, len).is_ok(),
        None => false,
    }
}

#[test]
fn unconfirmed_frames_are_sent_once_more_in_order() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    for len in [100, 101, 102, 103] {
        assert!(submit(&mut server, len));
    }
    settle(&mut driver, &mut server);
    assert_eq!(driver.transmit().unwrap().1, 100);
    assert!(!driver.end.flush(), "the server is not short of buffers");
    assert_eq!(driver.transmit_unconfirmed(), Some(101));
    server.poll();

    let mut driver = Driver::start(&pages);
    settle(&mut driver, &mut server);
    let again: Vec<_> = driver.sending.iter().map(|frame| frame.len).collect();
    assert_eq!(again, [101, 102, 103]);
    assert_eq!(server.take_resubmitted(), 3);
    assert_eq!(server.take_restarts(), 2);
    assert_eq!(
        driver.receiving.len(),
        N,
        "all receive buffers are with the new driver"
    );
}

#[test]
fn a_frame_in_use_across_a_restart_is_not_lent_twice() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    let offset = driver.receive(60).unwrap();
    assert!(driver.end.flush());
    server.poll();
    let frame = server.rx().take().unwrap();
    let buffer = server.tx().take().unwrap();

    let mut driver = Driver::start(&pages);
    settle(&mut driver, &mut server);
    assert_eq!(driver.receiving.len(), N - 1, "the stack still reads one");
    assert!(
        driver
            .receiving
            .iter()
            .all(|slot| buffer_of(slot.offset()) != buffer_of(offset))
    );
    server.rx().give_back(frame);
    server.tx().submit(buffer, 77).unwrap();
    settle(&mut driver, &mut server);
    assert_eq!(driver.receiving.len(), N);
    assert_eq!(driver.sending.len(), 1);
}

#[test]
fn a_frame_submitted_while_the_link_is_down_is_sent_later() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    let buffer = server.tx().take().unwrap();
    let mut driver = Driver::start(&pages);
    assert_eq!(server.poll(), ServerEvent::Waiting);
    server.tx().submit(buffer, 66).unwrap();
    settle(&mut driver, &mut server);
    assert_eq!(
        driver
            .sending
            .iter()
            .map(|frame| frame.len)
            .collect::<Vec<_>>(),
        [66]
    );
}

#[test]
fn epochs_skip_zero_when_they_wrap() {
    let pages = Pages::new();
    // The word of a driver that has started 2^32 - 1 times.
    pages.driver.link.write(Words {
        epoch: u32::MAX,
        ack: 0,
    });
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    assert!(driver.up);
}

#[test]
fn frames_of_both_lives_have_places_in_the_ring() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    for _ in 0..N / 2 {
        driver.receive(60);
    }
    wake_server(&mut server, drop_frames);
    // The new life finds what the server has taken, and hands it on once more.
    let mut driver = Driver::start(&pages);
    driver.wake();
    server.poll();
    let _ = server.flush();
    driver.wake();
    // The device fills all buffers before the server looks again.
    while driver.receive(60).is_some() {}
    settle(&mut driver, &mut server);
    assert_eq!(driver.receiving.len(), N);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    WakeDriver,
    WakeServer,
    PollServerOnly,
    Receive,
    Transmit,
    TransmitUnconfirmed,
    Submit,
    FlushDriver,
    FlushServer,
    RestartDriver,
    RestartServer,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::WakeDriver),
        6 => Just(Step::WakeServer),
        3 => Just(Step::PollServerOnly),
        6 => Just(Step::Receive),
        5 => Just(Step::Transmit),
        1 => Just(Step::TransmitUnconfirmed),
        6 => Just(Step::Submit),
        3 => Just(Step::FlushDriver),
        3 => Just(Step::FlushServer),
        1 => Just(Step::RestartDriver),
        1 => Just(Step::RestartServer),
    ]
}

proptest! {
    /// Whatever happens in whatever order, in the end every buffer is accounted for, nobody has
    /// broken the protocol, and of the frames that a living server has submitted none is missing
    /// from the wire; each was first sent in order.
    #[test]
    fn nothing_is_lost(steps in prop::collection::vec(step(), 1..200)) {
        let pages = Pages::new();
        let mut driver = Driver::start(&pages);
        let mut server = ServerEnd::start(&pages.server, &pages.driver);
        let mut wire = Vec::new();
        let mut submitted = VecDeque::new();
        let mut next = 14;
        for step in steps {
            match step {
                Step::WakeDriver => { driver.wake(); }
                Step::WakeServer => {
                    wake_server(&mut server, drop_frames);
                }
                Step::PollServerOnly => { server.poll(); }
                Step::Receive => { driver.receive(60); }
                Step::Transmit => wire.extend(driver.transmit().map(|(_, len)| len)),
                // A driver that forgets to confirm does not break the protocol; the buffer is
                // missing until a restart.
                Step::TransmitUnconfirmed => wire.extend(driver.transmit_unconfirmed()),
                Step::Submit => if submit(&mut server, next) { submitted.push_back(next); next += 1; },
                Step::FlushDriver => { let _ = driver.end.flush(); }
                Step::FlushServer => { let _ = server.flush(); }
                Step::RestartDriver => { driver = Driver::start(&pages); }
                Step::RestartServer => {
                    // Its queue dies with it.
                    server = ServerEnd::start(&pages.server, &pages.driver);
                    submitted.clear();
                    wire.clear();
                }
            }
        }
        settle(&mut driver, &mut server);
        while let Some((_, len)) = driver.transmit() { wire.push(len); }
        let _ = driver.end.flush();
        wake_server(&mut server, drop_frames);
        settle(&mut driver, &mut server);

        prop_assert_eq!(driver.receiving.len(), N);
        prop_assert_eq!(server.tx().idle() + driver.forgotten, N);
        prop_assert_eq!(server.take_violations(), None);
        prop_assert_eq!(driver.end.take_violations(), None);
        let mut first_times = Vec::new();
        for len in wire {
            if submitted.contains(&len) && !first_times.contains(&len) { first_times.push(len); }
        }
        prop_assert_eq!(first_times, Vec::from(submitted));
    }
}
