// SPDX-License-Identifier: BSD-2-Clause
//! A ring behaves like a bounded `VecDeque` with two delays: what is pushed is seen after `publish`
//! and `refresh`, what is popped makes room after `release`.

use crate::{Consumer, ConsumerHalf, Descriptor, Producer, ProducerHalf, Reason};
use proptest::prelude::*;
use shm::Words as _;
use std::collections::VecDeque;

const N: usize = 8;

#[derive(Clone, Copy, Debug)]
enum Step {
    Push,
    Publish,
    Refresh,
    Pop,
    Release,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Push),
        2 => Just(Step::Publish),
        2 => Just(Step::Refresh),
        4 => Just(Step::Pop),
        1 => Just(Step::Release),
    ]
}

fn descriptor(n: u32) -> Descriptor {
    Descriptor {
        offset: n,
        len: n as u16,
        cookie: n.rotate_left(7),
    }
}

proptest! {
    /// Long enough to pass the wrap of the indices, which comes after the first turn.
    #[test]
    fn ring_is_a_queue(steps in prop::collection::vec(step(), 1..400)) {
        let (producer_half, consumer_half) = (ProducerHalf::<N>::zeroed(), ConsumerHalf::zeroed());
        let mut producer = Producer::new(&producer_half, &consumer_half);
        let mut consumer = Consumer::new(&consumer_half, &producer_half);
        producer.reset();
        consumer.reset();

        // Pushed and not published; published and not found; found and not popped; popped and not
        // released.
        let (mut pushed, mut published, mut found) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        let mut unreleased = 0;
        let mut next = 0;
        for step in steps {
            match step {
                Step::Push => {
                    let in_ring = pushed.len() + published.len() + found.len() + unreleased;
                    match producer.push(descriptor(next)) {
                        Ok(()) => {
                            prop_assert!(in_ring < N);
                            pushed.push_back(next);
                            next += 1;
                        }
                        Err(reason) => {
                            prop_assert_eq!(reason, Reason::NoRoom);
                            prop_assert_eq!(in_ring, N);
                        }
                    }
                }
                Step::Publish => {
                    prop_assert_eq!(producer.publish(), !pushed.is_empty());
                    published.append(&mut pushed);
                }
                Step::Refresh => {
                    found.append(&mut published);
                    prop_assert_eq!(consumer.refresh(), Ok(found.len() as u32));
                }
                Step::Pop => {
                    let expected = found.pop_front();
                    unreleased += usize::from(expected.is_some());
                    prop_assert_eq!(consumer.pop(), expected.map(descriptor));
                }
                Step::Release => {
                    consumer.release();
                    unreleased = 0;
                }
            }
        }
    }

    #[test]
    fn descriptor_survives_its_words(offset: u32, len: u16, cookie: u32) {
        let descriptor = Descriptor { offset, len, cookie };
        prop_assert_eq!(Descriptor::from_words(descriptor.to_words()), descriptor);
    }

    #[test]
    fn every_word_is_a_descriptor(words: [u64; 2]) {
        let used = [(1 << 48) - 1, (1 << 32) - 1];
        let expected = [words[0] & used[0], words[1] & used[1]];
        prop_assert_eq!(Descriptor::from_words(words).to_words(), expected);
    }
}

#[test]
fn signal_request_is_seen_and_withdrawn() {
    let (producer_half, consumer_half) = (ProducerHalf::<N>::zeroed(), ConsumerHalf::zeroed());
    let mut consumer = Consumer::new(&consumer_half, &producer_half);
    let producer = Producer::new(&producer_half, &consumer_half);
    consumer.reset();
    assert!(producer.signal_wanted(), "a consumer begins asleep");
    consumer.cancel_signal();
    assert!(!producer.signal_wanted());
    consumer.request_signal();
    assert!(producer.signal_wanted() && consumer.has_asked());
}
