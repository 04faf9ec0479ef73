// SPDX-License-Identifier: BSD-2-Clause
//! The driver faults at any moment: the next life hands on what the device had delivered, whatever
//! else lies in the memory.

mod device;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use device::{N, Network, RECEIVE, World, network, write};
use proptest::prelude::*;
use ring::ServerEnd;
use shm::Words;
use stats::NetDriver as Counter;

fn frame(n: u8) -> Vec<u8> {
    vec![n; 60]
}

/// The driver works and faults where `fault` has it fault: it does not return.
fn run_until_fault(world: &mut World, notify: impl FnMut()) {
    let run = catch_unwind(AssertUnwindSafe(|| world.driver.run(notify)));
    assert!(run.is_err(), "it has not come to the fault");
    world.device.borrow_mut().doorbell_kills = false;
}

fn kill() {
    resume_unwind(Box::new("the driver faults"));
}

/// Faults in its next pass: when it rings a doorbell, or when it notifies the server.
fn fault(world: &mut World, at_doorbell: bool) {
    if at_doorbell {
        world.device.borrow_mut().doorbell_kills = true;
    }
    run_until_fault(world, kill);
}

#[test]
fn frames_that_were_not_looked_at_are_handed_on() {
    let mut world = World::new(network());
    for n in 0..5 {
        world.device.borrow_mut().deliver(&frame(n));
    }
    world.restart_driver();
    world.settle();
    assert_eq!(
        world.got,
        [frame(0), frame(1), frame(2), frame(3), frame(4)]
    );
    assert_eq!(world.counter(Counter::RxRecovered), 5);
    assert_eq!(world.counter(Counter::RxBuffersHeld), N as u64);
    assert_eq!(world.server.take_violations(), None);
}

#[test]
fn frames_in_the_ring_are_handed_on_once() {
    for at_doorbell in [false, true] {
        let mut world = World::new(network());
        // So that buffers are posted in the pass that takes the next frames.
        world.device.borrow_mut().deliver(&frame(0));
        world.driver.run(|| ()).unwrap();
        world.wake_server();
        for n in 1..4 {
            world.device.borrow_mut().deliver(&frame(n));
        }
        fault(&mut world, at_doorbell);
        world.device.borrow_mut().deliver(&frame(4));
        world.restart_driver();
        world.settle();
        let expected = [frame(0), frame(1), frame(2), frame(3), frame(4)];
        assert_eq!(world.got, expected, "fault at a doorbell: {at_doorbell}");
        assert_eq!(world.counter(Counter::RxBuffersHeld), N as u64);
        assert_eq!(world.server.take_violations(), None);
    }
}

#[test]
fn frames_for_a_server_that_has_gone_too_are_nobodys() {
    let mut world = World::new(network());
    world.device.borrow_mut().deliver(&frame(1));
    world.server = ServerEnd::start(world.pages.server, world.pages.driver);
    world.restart_driver();
    world.server_notified = true;
    world.settle();
    assert_eq!(world.got.len(), 0);
    assert_eq!(world.counter(Counter::RxBuffersHeld), N as u64);
}

#[test]
fn lengths_and_ids_that_cannot_be_are_left_out() {
    let mut world = World::new(network());
    {
        let mut device = world.device.borrow_mut();
        device.deliver(&frame(1));
        device.deliver_claiming(25);
        device.deliver_claiming(2049);
        device.give_back(RECEIVE, u32::MAX, 72);
        device.give_back(RECEIVE, N as u32, 72);
        // Returned a second time.
        device.give_back(RECEIVE, 0, 72);
        device.deliver(&frame(2));
    }
    world.restart_driver();
    world.settle();
    assert_eq!(world.got, [frame(1), frame(2)]);
    assert_eq!(world.counter(Counter::RxBuffersHeld), N as u64);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Deliver,
    Submit,
    Transmit,
    WakeDriver,
    WakeServer,
    Restart,
    FaultInPass { at_doorbell: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Deliver),
        3 => Just(Step::Submit),
        2 => Just(Step::Transmit),
        4 => Just(Step::WakeDriver),
        4 => Just(Step::WakeServer),
        1 => Just(Step::Restart),
        2 => any::<bool>().prop_map(|at_doorbell| Step::FaultInPass { at_doorbell }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// However often and wherever the driver faults, every frame that the device has delivered
    /// reaches the server, once and in order, and every frame submitted reaches the wire.
    #[test]
    fn no_frame_is_lost(steps in prop::collection::vec(step(), 1..if cfg!(miri) { 20 } else { 80 })) {
        let mut world = World::new(network());
        let (mut delivered, mut submitted, mut wire) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = 0;
        for step in steps {
            match step {
                Step::Deliver => {
                    if world.device.borrow_mut().deliver(&frame(next)) {
                        delivered.push(frame(next));
                        next += 1;
                    }
                }
                Step::Submit => {
                    if world.submit(&frame(next)) {
                        let _ = world.server.flush();
                        submitted.push(frame(next));
                        next += 1;
                    }
                }
                Step::Transmit => wire.extend(world.device.borrow_mut().transmit()),
                Step::WakeDriver => { world.wake_driver(); }
                Step::WakeServer => { world.wake_server(); }
                Step::Restart => world.restart_driver(),
                Step::FaultInPass { at_doorbell } => {
                    world.device.borrow_mut().doorbell_kills = at_doorbell;
                    let run = catch_unwind(AssertUnwindSafe(|| world.driver.run(kill)));
                    world.device.borrow_mut().doorbell_kills = false;
                    if run.is_err() {
                        world.restart_driver();
                    }
                }
            }
        }
        world.server_notified = true;
        world.settle();
        wire.extend(world.device.borrow_mut().transmit());
        world.settle();
        prop_assert_eq!(Vec::from(std::mem::take(&mut world.got)), delivered);
        wire.sort();
        wire.dedup();
        prop_assert_eq!(wire, submitted);
        prop_assert_eq!(world.counter(Counter::RxBuffersHeld), N as u64);
        prop_assert_eq!(world.server.take_violations(), None);
        prop_assert_eq!(world.driver.take_violations(), None);
    }

    /// Whatever an earlier life has left in the queues' memory and in its ring page, the driver
    /// starts and works.
    #[test]
    fn any_memory_is_survived(
        queues in prop::collection::vec(any::<u64>(), 1..9),
        page in prop::collection::vec(any::<u64>(), 1..9),
        of_this_server: bool,
    ) {
        let mut world = World::new(network());
        let lender = world.pages.server_epoch();
        let mut words = page.iter().cycle();
        world.pages.driver.overwrite(&mut || {
            let word = words.next().copied().unwrap_or_default();
            // A page of this word is one whose frames are for the server that there is.
            if of_this_server { (word & !0xffff_ffff) | lender } else { word }
        });
        let memory = world.pages.memory;
        let bytes: Vec<u8> = queues.iter().flat_map(|word| word.to_le_bytes()).collect();
        let whole: Vec<u8> = bytes
            .iter()
            .copied()
            .cycle()
            .take(size_of_val(memory.queues))
            .collect();
        write(memory.queues_paddr, &whole);
        world.restart_driver();
        world.settle();
        world.got.clear();
        world.server.take_violations();
        let rounds = if cfg!(miri) { 2 } else { 2 * N as u8 };
        for n in 0..rounds {
            prop_assert!(world.device.borrow_mut().deliver(&frame(n)));
            world.settle();
            prop_assert_eq!(world.got.pop_front(), Some(frame(n)));
            prop_assert!(world.submit(&frame(n)));
            let _ = world.server.flush();
            world.wake_driver();
            prop_assert_eq!(world.device.borrow_mut().transmit(), [frame(n)]);
            world.settle();
        }
        prop_assert_eq!(world.server.take_violations(), None);
    }
}
