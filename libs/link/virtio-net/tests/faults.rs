// SPDX-License-Identifier: BSD-2-Clause
//! A device that breaks the rules, and restarts of either end: the device is reset before a buffer
//! has a new owner, and traffic goes on.

mod device;

use device::{Entry, N, Network, RECEIVE, TRANSMIT, World, network};
use ring::ServerEnd;
use shm::Words;
use stats::NetDriver as Counter;
use virtio_net::{DeviceError, RESETS, StartError, TURNS};

/// Frames go through in both directions, through every buffer.
fn assert_works(world: &mut World) {
    world.settle();
    world.got.clear();
    let rounds = if cfg!(miri) { 2 } else { 20 };
    for n in 0..rounds {
        assert!(world.device.borrow_mut().deliver(&[n; 60]));
        world.settle();
        world.wake_server();
        assert_eq!(world.got.pop_front(), Some(vec![n; 60]));
        assert!(world.submit(&[n; 64]));
        let _ = world.server.flush();
        world.wake_driver();
        assert_eq!(
            world.device.borrow_mut().transmit().last(),
            Some(&vec![n; 64])
        );
        world.settle();
    }
    assert_eq!(world.server.take_violations(), None);
    assert_eq!(world.driver.take_violations(), None);
}

#[test]
fn an_unknown_id_resets_the_device() {
    // Out of range; in range but not given (the second descriptor of a chain); one that was
    // returned already.
    for (queue, id) in [
        (RECEIVE, N as u32),
        (RECEIVE, 0xffff),
        (RECEIVE, 0x1_0000),
        (TRANSMIT, 1),
        (TRANSMIT, 0x7fff),
    ] {
        let mut world = World::new(network());
        world.submit(&[1; 60]);
        let _ = world.server.flush();
        world.wake_driver();
        world.device.borrow_mut().diary.clear();
        world.device.borrow_mut().give_back(queue, id, 72);
        world.wake_driver();
        let expected = DeviceError::UnknownId {
            queue: queue as u16,
            id,
        };
        assert_eq!(world.driver.take_device_error(), Some(expected));
        assert_eq!(world.device.borrow().count(Entry::Reset), 1);
        assert_eq!(world.counter(Counter::DeviceErrors), 1);
        world.settle();
        assert_eq!(
            world.device.borrow_mut().transmit(),
            [[1; 60]],
            "sent once more"
        );
        assert_works(&mut world);
    }
}

#[test]
fn a_buffer_returned_twice_by_the_device_is_one() {
    let mut world = World::new(network());
    let mut device = world.device.borrow_mut();
    device.deliver(&[7; 60]);
    device.give_back(RECEIVE, 0, 72);
    drop(device);
    world.take_interrupt();
    assert_eq!(world.counter(Counter::DeviceErrors), 1);
    assert_works(&mut world);
}

#[test]
fn a_length_that_cannot_be_is_dropped_and_the_buffer_used_again() {
    for len in [0, 12, 25, 2049, 0x1_0040, u32::MAX] {
        let mut world = World::new(network());
        world.device.borrow_mut().deliver_claiming(len);
        world.take_interrupt();
        world.wake_server();
        assert_eq!(world.got.len(), 0);
        assert_eq!(world.counter(Counter::RxDropped), 1);
        assert_eq!(world.counter(Counter::RxBuffersHeld), N as u64);
        assert_works(&mut world);
    }
}

#[test]
fn a_device_that_asks_for_a_reset_gets_it() {
    let mut world = World::new(network());
    world.device.borrow_mut().status |= 64;
    world.device.borrow_mut().change_configuration();
    world.take_interrupt();
    assert_eq!(
        world.driver.take_device_error(),
        Some(DeviceError::NeedsReset)
    );
    assert!(world.device.borrow().is_running());
    assert_works(&mut world);
}

#[test]
fn a_device_that_cannot_be_brought_up_again_is_an_error() {
    let mut world = World::new(network());
    world.device.borrow_mut().refuses_features = true;
    world.device.borrow_mut().give_back(RECEIVE, 99, 60);
    assert_eq!(world.driver.run(|| ()), Err(StartError::FeaturesRefused));
}

#[test]
fn the_driver_restarts_and_sends_what_was_unconfirmed() {
    let mut world = World::new(network());
    for n in 0..3 {
        world.submit(&[n; 60]);
    }
    let _ = world.server.flush();
    world.wake_driver();
    world.restart_driver();
    world.settle();
    assert_eq!(
        world.device.borrow_mut().transmit(),
        [[0; 60], [1; 60], [2; 60]]
    );
    assert_works(&mut world);
}

#[test]
fn the_server_restarts_and_the_device_is_reset_before_it_gets_its_buffers() {
    let mut world = World::new(network());
    world.server = ServerEnd::start(world.pages.server, world.pages.driver);
    assert!(world.server.flush());
    assert!(world.server.rx().take().is_none());
    world.device.borrow_mut().diary.clear();
    let mut first_notification = Vec::new();
    let device = world.device.clone();
    world
        .driver
        .run(|| first_notification.push(device.borrow().diary.clone()))
        .unwrap();
    assert_eq!(
        first_notification[0],
        [Entry::Reset, Entry::Started],
        "before the server hears of it"
    );
    assert_eq!(
        world.counter(Counter::RxBuffersHeld),
        0,
        "the device has no buffer of the old server's"
    );
    world.server_notified = true;
    assert_works(&mut world);
}

#[test]
fn an_unused_device_is_not_reset_for_a_server_that_starts() {
    let device = network();
    let world = World::new(device);
    assert_eq!(world.counter(Counter::DeviceResets), 1);
}

#[test]
fn a_device_that_breaks_the_rules_without_end_is_given_up() {
    let mut world = World::new(network());
    for reset in 1..=RESETS {
        world.device.borrow_mut().give_back(RECEIVE, 99, 60);
        world.driver.run(|| ()).unwrap();
        assert_eq!(world.counter(Counter::DeviceErrors), u64::from(reset));
    }
    let error = DeviceError::UnknownId {
        queue: RECEIVE as u16,
        id: 99,
    };
    world.device.borrow_mut().give_back(RECEIVE, 99, 60);
    let given_up = world.driver.run(|| ());
    assert_eq!(given_up, Err(StartError::Unusable(error)));
    assert_ne!(world.device.borrow().status & 128, 0, "the device is told");
}

/// A wake-up ends, whatever the server does, and is followed by another one.
#[test]
fn a_server_that_starts_anew_at_every_look_does_not_hold_the_driver() {
    let mut world = World::new(network());
    let resets = world.counter(Counter::DeviceResets);
    let (server, driver) = (world.pages.server, world.pages.driver);
    world.server = ServerEnd::start(server, driver);
    let mut notifications = 0;
    world
        .driver
        .run(|| {
            notifications += 1;
            assert!(notifications < 10, "the wake-up does not end");
            ServerEnd::start(server, driver);
        })
        .unwrap();
    assert!(world.counter(Counter::DeviceResets) - resets <= 2);
    assert_eq!(world.counter(Counter::TurnsUsedUp), 1);
    world.server = ServerEnd::start(server, driver);
    world.server_notified = true;
    assert_works(&mut world);
}

#[test]
fn a_device_that_is_never_done_does_not_hold_the_driver() {
    let mut world = World::new(network());
    let device = world.device.clone();
    let mut notifications = 0;
    let mut woken = Vec::new();
    // Whenever the driver notifies, the server takes the frame at once, and another one is there.
    let (server, received) = (&mut world.server, &mut world.got);
    device.borrow_mut().deliver(&[1; 60]);
    world
        .driver
        .run(|| {
            notifications += 1;
            assert!(notifications <= TURNS + 1, "the wake-up does not end");
            server.poll();
            while let Some(frame) = server.rx().take() {
                received.push_back(vec![]);
                server.rx().give_back(frame);
            }
            woken.push(server.flush());
            assert!(!server.sleep());
            device.borrow_mut().deliver(&[1; 60]);
        })
        .unwrap();
    assert_eq!(world.counter(Counter::TurnsUsedUp), 1);
    let last = woken.pop();
    assert_eq!(last, Some(true), "the driver has asked to be woken, and is");
    assert!(!woken.contains(&true));
    assert_works(&mut world);
}

#[test]
fn a_driver_whose_page_was_overwritten_recovers_by_itself() {
    let mut world = World::new(network());
    world.pages.driver.overwrite(&mut || 0x5555_5555_5555_5555);
    assert_works(&mut world);
    assert_eq!(world.counter(Counter::LinkRenewals), 1);
}
