// SPDX-License-Identifier: BSD-2-Clause
//! Two honest ends: frames cross in both directions, in order, and every buffer comes back.

use super::world::{Driver, N, Pages, settle, wake_server};
use crate::{BUFFER_SIZE, Filter, PoolUse, ServerEnd, ServerEvent};

#[test]
fn link_comes_up_whoever_starts_first() {
    for driver_first in [false, true] {
        let pages = Pages::new();
        let (mut driver, mut server);
        if driver_first {
            driver = Driver::start(&pages);
            assert!(driver.wake(), "a start is announced");
            server = ServerEnd::start(&pages.server, &pages.driver);
        } else {
            server = ServerEnd::start(&pages.server, &pages.driver);
            assert!(
                wake_server(&mut server, |_| panic!("up without a driver")),
                "a start is announced"
            );
            driver = Driver::start(&pages);
        }
        settle(&mut driver, &mut server);
        assert!(driver.up);
        assert_eq!(server.poll(), ServerEvent::Up { first: false });
        assert_eq!(
            driver.receiving.len(),
            N,
            "all receive buffers are with the device"
        );
        assert_eq!(server.tx().idle(), N);
        assert_eq!(server.device().mac, [2, 0, 0, 0, 0, 1]);
    }
}

#[test]
fn frames_cross_in_order_and_buffers_return() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    // Many turns of the rings, with batches of every size.
    for round in 0..100usize {
        let batch = 1 + round % N;
        let sent: Vec<_> = (0..batch)
            .map(|i| driver.receive(60 + i as u16).unwrap())
            .collect();
        assert!(driver.end.flush(), "the server sleeps and wants to know");
        let mut got = Vec::new();
        let notify = wake_server(&mut server, |end| {
            while let Some(frame) = end.rx().take() {
                got.push(frame.offset());
                let buffer = end.tx().take().unwrap();
                end.tx().submit(buffer, frame.len() + 1).unwrap();
                end.rx().give_back(frame);
            }
        });
        assert_eq!(got, sent);
        assert!(notify);
        driver.wake();
        let lengths: Vec<_> = core::iter::from_fn(|| driver.transmit())
            .map(|(_, len)| len)
            .collect();
        assert_eq!(lengths, (0..batch).map(|i| 61 + i).collect::<Vec<_>>());
        assert_eq!(driver.receiving.len(), N);
        settle(&mut driver, &mut server);
    }
    assert_eq!(server.tx().idle(), N);
    let all = PoolUse {
        free: N,
        peak: N,
        failures: 0,
    };
    assert_eq!((server.rx().in_use(), server.tx().take_use()), (all, all));
    assert_eq!(server.take_violations(), None);
    assert_eq!(driver.end.take_violations(), None);
}

#[test]
fn one_notification_a_batch_and_none_to_the_awake() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    driver.receive(60).unwrap();
    driver.receive(60).unwrap();
    assert!(driver.end.flush());
    assert!(!driver.end.flush(), "nothing new");
    // The server is awake from here on.
    server.poll();
    driver.receive(60).unwrap();
    assert!(
        !driver.end.flush(),
        "a server that is awake will look again"
    );
    assert!(server.sleep(), "and it finds what came meanwhile");
}

#[test]
fn running_short_of_transmit_buffers_wakes_the_driver() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    wake_server(&mut server, |end| {
        while let Some(buffer) = end.tx().take() {
            end.tx().submit(buffer, 60).unwrap();
        }
    });
    let all = PoolUse {
        free: 0,
        peak: N,
        failures: 1,
    };
    assert_eq!(server.tx().take_use(), all);
    driver.wake();
    assert_eq!(driver.sending.len(), N);
    assert!(
        driver.end.server_wants_tx(),
        "the driver must report the next confirmation"
    );
    driver.transmit().unwrap();
    assert!(driver.end.flush());
    wake_server(&mut server, |_| ());
    assert_eq!(server.tx().idle(), 1);
    let one = PoolUse {
        free: 1,
        failures: 0,
        ..all
    };
    assert_eq!(server.tx().take_use(), one);
}

#[test]
fn a_cancelled_buffer_and_a_refused_length_are_not_lost() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    assert!(
        server.tx().take().is_none(),
        "no buffers while the link is down"
    );
    settle(&mut driver, &mut server);
    for len in [0, 13, BUFFER_SIZE + 1, usize::MAX] {
        let buffer = server.tx().take().unwrap();
        let buffer = server.tx().submit(buffer, len).unwrap_err();
        server.tx().cancel(buffer);
    }
    assert_eq!(server.tx().idle(), N);
    assert_eq!(
        driver.receiving.len(),
        N,
        "the receive pool is with the driver"
    );
}

#[test]
fn change_of_the_cable_is_told() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    driver.end.set_link_up(false);
    assert!(driver.end.flush());
    assert!(!server.device().link_up);
}

#[test]
fn the_driver_is_told_which_frames_are_wanted() {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    assert_eq!(driver.end.take_filter(), None, "nothing was said");
    let mut filter = Filter::default();
    filter.add([0x33, 0x33, 0, 0, 0, 1]);
    server.set_filter(filter.clone());
    assert!(server.flush());
    assert_eq!(driver.end.take_filter(), Some(filter.clone()));
    assert_eq!(driver.end.take_filter(), None);
    server.set_filter(filter.clone());
    assert!(!server.flush(), "it is the same");
    // A driver that has started anew takes it when the link is up.
    let mut driver = Driver::start(&pages);
    assert_eq!(driver.end.take_filter(), None);
    settle(&mut driver, &mut server);
    assert_eq!(driver.end.take_filter(), Some(filter.clone()));
    // A new server says what it wants; until then the driver has what stands there.
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    filter.promiscuous = true;
    server.set_filter(filter.clone());
    settle(&mut driver, &mut server);
    assert_eq!(driver.end.take_filter(), Some(filter));
}
