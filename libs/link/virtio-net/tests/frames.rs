// SPDX-License-Identifier: BSD-2-Clause
//! Frames in both directions: contents, batches, interrupts and doorbells.

mod device;

use device::{Entry, N, Network, RECEIVE, TRANSMIT, World, network};
use stats::NetDriver as Counter;

/// Frames one after the other: several turns of the queue.
const ROUNDS: usize = if cfg!(miri) { 10 } else { 50 };

fn frame(n: u8, len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| n.wrapping_mul(31).wrapping_add(i as u8))
        .collect()
}

#[test]
fn received_frames_reach_the_server_unchanged() {
    let mut world = World::new(network());
    // Many turns of the queue; the longest frame fills the buffer behind the header.
    for (n, len) in [14, 15, 60, 61, 1514, 1518, 2036]
        .into_iter()
        .cycle()
        .take(ROUNDS)
        .enumerate()
    {
        assert!(world.device.borrow_mut().deliver(&frame(n as u8, len)));
        assert_eq!(world.take_interrupt(), Some(1), "one notification");
        world.wake_server();
        assert_eq!(world.got.pop_front(), Some(frame(n as u8, len)));
        world.settle();
    }
    assert_eq!(world.counter(Counter::RxFrames), ROUNDS as u64);
    assert_eq!(world.counter(Counter::IrqsRx), ROUNDS as u64);
    assert_eq!(world.counter(Counter::RxBuffersHeld), N as u64);
}

#[test]
fn sent_frames_reach_the_wire_unchanged() {
    let mut world = World::new(network());
    for (n, len) in [14, 60, 1514, 2048]
        .into_iter()
        .cycle()
        .take(ROUNDS)
        .enumerate()
    {
        assert!(world.submit(&frame(n as u8, len)));
        assert!(world.server.flush());
        world.wake_driver();
        assert_eq!(world.device.borrow_mut().transmit(), [frame(n as u8, len)]);
        world.wake_driver();
        world.wake_server();
    }
    assert_eq!(world.counter(Counter::TxFrames), ROUNDS as u64);
    assert_eq!(world.server.tx().idle(), N, "all buffers came back");
}

#[test]
fn a_batch_costs_one_interrupt_one_notification_one_doorbell() {
    let mut world = World::new(network());
    for n in 0..5 {
        world.device.borrow_mut().deliver(&frame(n, 60));
    }
    assert_eq!(world.take_interrupt(), Some(1));
    assert!(world.take_interrupt().is_none());
    world.wake_server();
    assert_eq!(world.got.len(), 5);
    for n in 0..5 {
        world.submit(&frame(n, 60));
    }
    assert!(world.server.flush());
    world.wake_driver();
    assert_eq!(world.device.borrow().count(Entry::Doorbell(TRANSMIT)), 1);
    assert_eq!(world.device.borrow().count(Entry::Doorbell(RECEIVE)), 1);
    assert_eq!(world.device.borrow_mut().transmit().len(), 5);
}

#[test]
fn a_device_that_is_awake_gets_no_doorbell() {
    let mut world = World::new(network());
    world.device.borrow_mut().suppress_doorbells(TRANSMIT, true);
    world.submit(&frame(1, 60));
    assert!(world.server.flush());
    world.wake_driver();
    assert_eq!(world.device.borrow().diary, []);
    assert_eq!(
        world.device.borrow_mut().transmit().len(),
        1,
        "the device finds it by itself"
    );
}

#[test]
fn interrupts_are_off_while_the_driver_works_and_on_while_it_sleeps() {
    let mut world = World::new(network());
    assert!(world.device.borrow_mut().wants_interrupt(RECEIVE));
    world.device.borrow_mut().deliver(&frame(0, 60));
    world.driver.interrupt().unwrap();
    let device = world.device.clone();
    let mut during = Vec::new();
    world
        .driver
        .run(|| {
            // Where a server of higher priority runs: a frame arrives, and no interrupt is needed
            // for it.
            let mut device = device.borrow_mut();
            during.push(device.wants_interrupt(RECEIVE));
            if during.len() == 1 {
                device.diary.clear();
                assert!(device.deliver(&frame(1, 61)));
                assert_eq!(device.diary, []);
            }
        })
        .unwrap();
    assert!(during.iter().all(|on| !on));
    world.wake_server();
    assert_eq!(
        world.got.len(),
        2,
        "the second was found without an interrupt"
    );
    assert!(world.device.borrow_mut().wants_interrupt(RECEIVE));
}

#[test]
fn sent_frames_interrupt_only_when_the_server_waits_for_buffers() {
    let mut world = World::new(network());
    world.submit(&frame(0, 60));
    assert!(world.server.flush());
    world.wake_driver();
    assert!(!world.device.borrow_mut().wants_interrupt(TRANSMIT));
    while world.submit(&frame(1, 60)) {}
    assert!(world.server.flush());
    world.wake_driver();
    assert!(
        world.device.borrow_mut().wants_interrupt(TRANSMIT),
        "the server has no buffers left"
    );
    assert_eq!(world.device.borrow_mut().transmit().len(), N);
    assert_eq!(world.take_interrupt(), Some(1));
    assert_eq!(world.counter(Counter::IrqsTx), 1);
    world.wake_server();
    assert_eq!(world.server.tx().idle(), N);
}

#[test]
fn a_device_without_buffers_gets_them_when_the_server_returns_some() {
    let mut world = World::new(network());
    for n in 0..N as u8 {
        assert!(world.device.borrow_mut().deliver(&frame(n, 60)));
    }
    assert!(
        !world.device.borrow_mut().deliver(&frame(99, 60)),
        "all buffers are used up"
    );
    assert_eq!(world.counter(Counter::RxNoBuffer), 0);
    world.take_interrupt();
    assert_eq!(world.counter(Counter::RxNoBuffer), 1);
    assert!(world.wake_server(), "the driver has asked for buffers");
    world.wake_driver();
    assert!(world.device.borrow_mut().deliver(&frame(100, 60)));
}

#[test]
fn a_spurious_interrupt_is_counted_and_changes_nothing() {
    let mut world = World::new(network());
    world.device.borrow_mut().interrupt = Some(1);
    assert_eq!(world.take_interrupt(), Some(0));
    assert_eq!(world.counter(Counter::IrqsSpurious), 1);
}

#[test]
fn the_server_hears_of_the_link() {
    let mut world = World::new(network());
    world.device.borrow_mut().set_link_status(0);
    world.device.borrow_mut().change_configuration();
    assert_eq!(world.take_interrupt(), Some(1));
    assert!(!world.server.device().link_up);
    assert_eq!(world.counter(Counter::LinkUp), 0);
    world.device.borrow_mut().set_link_status(1);
    world.device.borrow_mut().change_configuration();
    assert_eq!(world.driver.interrupt(), Ok(Some(true)));
    world.wake_driver();
    assert!(world.server.device().link_up);
    world.device.borrow_mut().change_configuration();
    assert_eq!(world.driver.interrupt(), Ok(None), "it has not changed");
    assert_eq!(world.counter(Counter::IrqsConfig), 3);
}

/// Indices of virtqueues have 16 bits and those of the rings 32. A mistake at the wrap shows as a
/// missing doorbell or interrupt: then nobody moves any more.
#[test]
#[cfg_attr(miri, ignore = "many thousand rounds")]
fn both_directions_go_on_when_the_queues_indices_wrap() {
    let mut world = World::new(network());
    let started = world.counter(Counter::DeviceResets);
    let rounds = u32::from(u16::MAX) / 3 + 1000;
    for round in 0..rounds {
        let mut expected = Vec::new();
        for n in 0..3 {
            let bytes = (round * 3 + n).to_le_bytes().repeat(4);
            assert!(world.device.borrow_mut().deliver(&bytes), "round {round}");
            assert!(world.submit(&bytes), "round {round}");
            expected.push(bytes);
        }
        world.device.borrow_mut().diary.clear();
        assert!(world.server.flush(), "round {round}");
        assert!(world.take_interrupt().is_some(), "round {round}");
        // A device that does something for a doorbell only.
        let doorbells = world.device.borrow().count(Entry::Doorbell(TRANSMIT));
        assert_eq!(doorbells, 1, "round {round}");
        assert_eq!(world.device.borrow_mut().transmit(), expected);
        world.wake_driver();
        world.settle();
        assert_eq!(Vec::from(std::mem::take(&mut world.got)), expected);
    }
    let frames = u64::from(rounds) * 3;
    assert!(frames > (1 << 16) + 2 * N as u64);
    assert_eq!(world.counter(Counter::RxFrames), frames);
    assert_eq!(world.counter(Counter::TxFrames), frames);
    assert_eq!(world.counter(Counter::DeviceResets), started, "in one life");
}
