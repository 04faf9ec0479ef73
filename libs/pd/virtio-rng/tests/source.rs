// SPDX-License-Identifier: BSD-2-Clause
//! The driver's logic with devices that are honest, slow, broken, or lie.

mod device;

use std::collections::HashSet;

use proptest::prelude::*;

use device::{Entropy, Entry, INTERVAL, TestTransport, World};
use driver_proto::CallError;
use stats::RngDriver as Counter;
use virtio_drivers::transport::{DeviceStatus, DeviceType};
use virtio_rng::{DeviceError, Event, MAX_FAILURES, Seed, Source, StartError};

/// Some seeds, all different.
fn seed(number: u8) -> Seed {
    core::array::from_fn(|i| number.wrapping_mul(31).wrapping_add(i as u8))
}

fn seeded(world: &mut World) -> Source<'static, TestTransport> {
    let mut source = world.start().unwrap();
    assert_eq!(world.device().bring(&seed(1)), 32);
    assert!(source.bytes(0).is_ok());
    assert_eq!(source.take_event(), Some(Event::Seeded));
    source
}

/// A whole seed that the device was asked for, as it claims; it wrote nothing.
fn claim(world: &World, id: u32, len: u32) {
    let mut device = world.device();
    device.request().expect("a request");
    device.report(id, len);
}

#[test]
fn a_device_that_answers_makes_a_source() {
    let mut world = World::new();
    let mut source = world.start().unwrap();
    assert_eq!(
        world.device().accepted,
        1 << 32,
        "virtio 1 and nothing else"
    );
    assert_eq!(world.device().count(Entry::Doorbell(0)), 1);
    assert_eq!(source.bytes(0), Err(CallError::NotReady));
    world.device().bring(&seed(1));
    let bytes = source.bytes(1).unwrap();
    assert_ne!(bytes, seed(1), "the device's bytes are given to nobody");
    assert_eq!(source.take_event(), Some(Event::Seeded));
    assert_eq!(source.take_event(), None);
    let counted = [
        Counter::BytesOut,
        Counter::BytesIn,
        Counter::Seeds,
        Counter::Refused,
        Counter::DeviceErrors,
    ];
    assert_eq!(counted.map(|c| world.stats.get(c)), [32, 32, 1, 1, 0]);
}

#[test]
fn the_seed_does_not_stay_in_shared_memory() {
    let mut world = World::new();
    let mut source = world.start().unwrap();
    world.device().bring(&seed(1));
    let holds = |world: &World| world.page().windows(8).any(|bytes| bytes == &seed(1)[..8]);
    assert!(holds(&world));
    source.bytes(0).unwrap();
    assert!(!holds(&world));
}

#[test]
fn no_two_calls_return_the_same_bytes() {
    let mut world = World::new();
    let mut source = seeded(&mut world);
    let mut seen = HashSet::new();
    for ticks in 0..2000 {
        assert!(seen.insert(source.bytes(ticks).unwrap()));
        let mut device = world.device();
        if let Some((_, len)) = device.request() {
            device.report(0, len as u32);
        }
    }
}

/// The worst device: after each reset it brings the same bytes again.
#[test]
fn a_restarted_driver_does_not_repeat_itself() {
    let mut world = World::new();
    let mut seen = HashSet::new();
    for life in 0..5 {
        let mut source = world.start().unwrap();
        assert_eq!(source.bytes(7), Err(CallError::NotReady), "life {life}");
        world.device().bring(&seed(1));
        for _ in 0..100 {
            assert!(seen.insert(source.bytes(7).unwrap()), "life {life}");
        }
    }
    assert_eq!(
        world.device().count(Entry::Reset),
        5,
        "each life begins with one"
    );
}

#[test]
fn a_request_of_the_life_before_is_not_answered_in_this_one() {
    let mut world = World::new();
    let before = world.start().unwrap();
    world.device().bring(&seed(1));
    drop(before);
    let mut source = world.start().unwrap();
    assert_eq!(source.bytes(0), Err(CallError::NotReady));
}

#[test]
fn a_seed_may_come_in_pieces() {
    let mut world = World::new();
    let mut source = world.start().unwrap();
    let seed = seed(1);
    let mut brought = 0;
    for piece in [1, 20, 10, 9] {
        assert_eq!(source.bytes(0), Err(CallError::NotReady), "{brought}");
        brought += world
            .device()
            .bring(&seed[brought..(brought + piece).min(32)]);
    }
    assert_eq!(brought, 32);
    let in_pieces = source.bytes(0).unwrap();

    let mut world = World::new();
    let mut source = world.start().unwrap();
    world.device().bring(&seed);
    assert_eq!(source.bytes(0).unwrap(), in_pieces, "every piece counts");
}

/// The rest of a seed is asked for and no more is taken; after a lie the whole is asked for again.
#[test]
fn pieces_from_before_a_lie_do_not_count() {
    let mut world = World::new();
    let mut source = world.start().unwrap();
    world.device().bring(&seed(1)[..10]);
    assert_eq!(source.bytes(0), Err(CallError::NotReady));
    claim(&world, 0, 23);
    assert_eq!(source.bytes(0), Err(CallError::NotReady));
    let error = DeviceError::Length {
        reported: 23,
        asked: 22,
    };
    assert_eq!(source.take_event(), Some(Event::Reset(error)));
    assert_eq!(world.device().bring(&seed(2)), 32, "a whole seed");
    let after = source.bytes(0).unwrap();

    let mut world = World::new();
    let mut source = world.start().unwrap();
    world.device().bring(&seed(2));
    assert_eq!(source.bytes(0).unwrap(), after);
}

#[test]
fn without_an_answer_there_are_no_bytes() {
    let mut world = World::new();
    let mut source = world.start().unwrap();
    for ticks in 0..10 * INTERVAL {
        assert_eq!(source.bytes(ticks), Err(CallError::NotReady));
    }
    assert_eq!(world.device().count(Entry::Doorbell(0)), 1, "asked once");
    assert_eq!(world.stats.get(Counter::Refused), 10 * INTERVAL);
}

#[test]
fn the_device_is_asked_again_from_time_to_time_however_often_callers_come() {
    let mut world = World::new();
    let mut source = seeded(&mut world);
    for ticks in 0..INTERVAL {
        source.bytes(ticks).unwrap();
    }
    assert_eq!(world.device().count(Entry::Doorbell(0)), 1);
    source.bytes(INTERVAL).unwrap();
    assert_eq!(world.device().count(Entry::Doorbell(0)), 2);
    world.device().bring(&seed(2));
    source.bytes(INTERVAL + 5).unwrap();
    assert_eq!(world.stats.get(Counter::Seeds), 2);
    source.bytes(2 * INTERVAL + 4).unwrap();
    assert_eq!(world.device().count(Entry::Doorbell(0)), 2);
    assert_eq!(source.take_event(), None);
}

/// Two sources that are alike until one of them gets another second seed.
#[test]
fn a_later_seed_changes_what_comes() {
    let after = |second: u8| {
        let mut world = World::new();
        let mut source = seeded(&mut world);
        source.bytes(INTERVAL).unwrap();
        world.device().bring(&seed(second));
        source.bytes(INTERVAL).unwrap()
    };
    assert_eq!(after(2), after(2));
    assert_ne!(after(2), after(3));
}

#[test]
fn a_device_that_needs_no_doorbell_gets_none() {
    let mut world = World::new();
    let mut source = seeded(&mut world);
    world.device().ring(0).suppress_doorbells(true);
    source.bytes(INTERVAL).unwrap();
    assert_eq!(world.device().count(Entry::Doorbell(0)), 1);
    world.device().bring(&seed(2));
    source.bytes(INTERVAL).unwrap();
    assert_eq!(world.stats.get(Counter::Seeds), 2);
}

/// Whatever the device reports wrongly, it is reset, gives no bytes, and is asked again.
#[test]
fn a_device_that_lies_is_reset_and_asked_again() {
    type Lie = (fn(&World), DeviceError);
    let length = |reported| DeviceError::Length {
        reported,
        asked: 32,
    };
    let index = |reported| DeviceError::UsedIndex {
        queue: 0,
        reported,
        last: 0,
    };
    let unknown = |id| DeviceError::UnknownId { queue: 0, id };
    let lies: [Lie; 9] = [
        (|world| claim(world, 0, 0), length(0)),
        (|world| claim(world, 0, 33), length(33)),
        (|world| claim(world, 0, u32::MAX), length(u32::MAX)),
        (|world| claim(world, 1, 32), unknown(1)),
        (|world| claim(world, 0x1_0000, 32), unknown(0x1_0000)),
        (|world| claim(world, 0, 32), DeviceError::Repeated),
        (|world| world.device().ring(0).set_used_index(2), index(2)),
        (
            |world| world.device().ring(0).set_used_index(0xffff),
            index(0xffff),
        ),
        (
            |world| world.device().status |= DeviceStatus::DEVICE_NEEDS_RESET.bits(),
            DeviceError::NeedsReset,
        ),
    ];
    for (lie, error) in lies {
        let mut world = World::new();
        let mut source = world.start().unwrap();
        lie(&world);
        assert_eq!(source.bytes(0), Err(CallError::NotReady), "{error}");
        assert_eq!(source.take_event(), Some(Event::Reset(error)));
        assert_eq!(world.device().count(Entry::Reset), 2);
        world.device().bring(&seed(1));
        assert!(source.bytes(1).is_ok(), "{error}");
    }
}

#[test]
fn an_answer_without_a_request_is_an_error() {
    let mut world = World::new();
    let mut source = seeded(&mut world);
    world.device().report(0, 32);
    assert!(source.bytes(1).is_ok(), "the first seed is good");
    let error = DeviceError::UsedIndex {
        queue: 0,
        reported: 2,
        last: 1,
    };
    assert_eq!(source.take_event(), Some(Event::Reset(error)));
}

#[test]
fn a_device_that_always_lies_is_given_up() {
    let mut world = World::new();
    let mut source = world.start().unwrap();
    for failure in 1..MAX_FAILURES {
        claim(&world, 0, 0);
        assert_eq!(source.bytes(0), Err(CallError::NotReady), "{failure}");
        assert!(matches!(source.take_event(), Some(Event::Reset(_))));
    }
    claim(&world, 0, 0);
    assert_eq!(source.bytes(0), Err(CallError::NoDevice));
    assert!(matches!(source.take_event(), Some(Event::GivenUp(_))));
    assert!(world.device().is_failed());
    let resets = world.device().count(Entry::Reset);
    for ticks in 0..10 * INTERVAL {
        assert_eq!(source.bytes(ticks), Err(CallError::NoDevice));
    }
    assert_eq!(
        world.device().count(Entry::Reset),
        resets,
        "it is left alone"
    );
    assert_eq!(source.take_event(), None);
}

#[test]
fn errors_long_after_one_another_do_not_add_up() {
    let mut world = World::new();
    let mut source = seeded(&mut world);
    for round in 1..=3 * u64::from(MAX_FAILURES) {
        let now = round * INTERVAL;
        source.bytes(now).unwrap();
        claim(&world, 7, 1);
        source.bytes(now).unwrap();
        assert!(matches!(source.take_event(), Some(Event::Reset(_))));
        world.device().bring(&seed(round as u8 + 1));
        source.bytes(now).unwrap();
    }
    assert_eq!(
        world.stats.get(Counter::Seeds),
        1 + 3 * u64::from(MAX_FAILURES)
    );
}

/// A device that got stuck, or whose bytes somebody else chooses to be always the same.
#[test]
fn the_same_seed_twice_is_no_second_seed() {
    let mut world = World::new();
    let mut source = seeded(&mut world);
    source.bytes(INTERVAL).unwrap();
    world.device().bring(&seed(1));
    source.bytes(INTERVAL).unwrap();
    let event = Event::Reset(DeviceError::Repeated);
    assert_eq!(source.take_event(), Some(event));
    assert_eq!(world.stats.get(Counter::Seeds), 1);
}

#[test]
fn what_was_seeded_goes_on_when_the_device_is_lost() {
    let mut world = World::new();
    let mut source = seeded(&mut world);
    source.bytes(INTERVAL).unwrap();
    world.device().hangs_in_reset = true;
    claim(&world, 9, 32);
    let one = source.bytes(INTERVAL).unwrap();
    let lost = Event::Lost(StartError::ResetTimeout);
    assert_eq!(source.take_event(), Some(lost));
    assert_ne!(source.bytes(9 * INTERVAL).unwrap(), one);
    assert_eq!(source.take_event(), None);
}

#[test]
fn a_device_that_is_lost_before_the_first_seed_leaves_nothing() {
    let mut world = World::new();
    let mut source = world.start().unwrap();
    world.device().hangs_in_reset = true;
    claim(&world, 9, 32);
    assert_eq!(source.bytes(0), Err(CallError::NoDevice));
    assert_eq!(
        source.take_event(),
        Some(Event::Lost(StartError::ResetTimeout))
    );
}

#[test]
fn a_device_that_cannot_be_used_is_refused() {
    let refused = |change: fn(&mut device::TestDevice)| {
        let mut world = World::new();
        change(&mut world.device());
        let error = world.start().err().expect("it is refused");
        (error, world.device().is_failed())
    };
    let other = StartError::OtherDevice {
        wanted: DeviceType::EntropySource,
    };
    let network = refused(|device| device.device_type = DeviceType::Network);
    assert_eq!(network, (other, false), "left alone");
    assert_eq!(refused(|device| device.legacy = true).0, StartError::Legacy);
    let version = refused(|device| device.offered = 0);
    assert_eq!(version, (StartError::Missing(1 << 32), true));
    let features = refused(|device| device.refuses_features = true);
    assert_eq!(features, (StartError::FeaturesRefused, true));
    let reset = refused(|device| {
        device.status = DeviceStatus::DRIVER_OK.bits();
        device.hangs_in_reset = true;
    });
    // A device that ignores the reset is told all the same.
    assert_eq!(reset, (StartError::ResetTimeout, true));
    let none = StartError::QueueTooSmall {
        queue: 0,
        offered: 0,
        needed: 1,
    };
    let queue = refused(|device| device.max_queue_size = 0);
    assert_eq!(queue, (none, true));
}

/// Indices wrap after 2^16 requests.
#[test]
fn requests_are_counted_modulo_two_to_the_sixteenth() {
    let mut world = World::new();
    let mut source = seeded(&mut world);
    let requests = 0x1_0010_u64;
    for round in 1..requests {
        let now = round * INTERVAL;
        source.bytes(now).unwrap();
        let mut seed = seed(0);
        seed[..8].copy_from_slice(&round.to_le_bytes());
        world.device().bring(&seed);
        source.bytes(now).unwrap();
    }
    assert_eq!(world.stats.get(Counter::Seeds), requests);
    assert_eq!(world.stats.get(Counter::DeviceErrors), 0);
}

proptest! {
    /// Whatever the device writes into the page, and when: there are bytes only after a whole seed,
    /// and none come twice.
    #[test]
    fn nothing_that_the_device_writes_upsets_the_source(
        steps in prop::collection::vec((0..80_usize, any::<u8>(), 0..3_u8), 1..400),
    ) {
        let mut world = World::new();
        let mut source = world.start().unwrap();
        let mut seen = HashSet::new();
        for (now, (offset, value, kind)) in (0..).step_by(50).zip(steps) {
            match kind {
                0 => world.scribble(offset, value),
                1 => world.device().status ^= u32::from(value) & 0x40,
                _ => {}
            }
            if let Ok(bytes) = source.bytes(now) {
                prop_assert!(seen.insert(bytes));
                prop_assert!(world.stats.get(Counter::BytesIn) >= 32);
            }
        }
    }
}
