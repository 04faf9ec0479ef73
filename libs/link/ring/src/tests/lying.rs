// SPDX-License-Identifier: BSD-2-Clause
//! A peer that writes arbitrary words: no panic, bounded work, no buffer in two places, and every
//! breach of a rule is counted.

use super::world::{Driver, N, Pages, settle, wake_server};
use crate::link::Words;
use crate::{
    BUFFER_SIZE, Consumer, ConsumerHalf, Descriptor, Producer, ProducerHalf, Queue, Reason,
    ServerEnd, Violation, first_index,
};
use proptest::prelude::*;
use shm::Words as _;
use shm::atomic::Ordering;

const FIRST: u32 = first_index(N);

#[test]
fn a_tail_beyond_the_capacity_takes_nothing() {
    let (producer_half, consumer_half) = (ProducerHalf::<N>::zeroed(), ConsumerHalf::zeroed());
    let mut consumer = Consumer::new(&consumer_half, &producer_half);
    consumer.reset();
    for lie in [
        FIRST.wrapping_add(N as u32 + 1),
        FIRST.wrapping_sub(1),
        FIRST ^ 0x8000_0000,
        FIRST.wrapping_add(65_535),
    ] {
        producer_half.tail.word.store(lie, Ordering::Release);
        let violation = Reason::Index {
            reported: lie,
            first: FIRST,
            last: FIRST.wrapping_add(N as u32),
        };
        assert_eq!(consumer.refresh(), Err(violation));
        assert_eq!(consumer.pop(), None);
    }
    producer_half
        .tail
        .word
        .store(FIRST.wrapping_add(N as u32), Ordering::Release);
    assert_eq!(consumer.refresh(), Ok(N as u32), "a full ring is fine");
    producer_half
        .tail
        .word
        .store(FIRST.wrapping_add(N as u32 - 1), Ordering::Release);
    assert!(consumer.refresh().is_err(), "a tail does not go back");
    assert_eq!(
        consumer.available(),
        N as u32,
        "and what was believed stays"
    );
}

#[test]
fn a_head_beyond_the_tail_makes_no_room() {
    let (producer_half, consumer_half) = (ProducerHalf::<N>::zeroed(), ConsumerHalf::zeroed());
    let mut producer = Producer::new(&producer_half, &consumer_half);
    producer.reset();
    consumer_half.head.word.store(FIRST, Ordering::Relaxed);
    for cookie in 0..N as u32 {
        producer
            .push(Descriptor {
                cookie,
                ..Descriptor::default()
            })
            .unwrap();
    }
    let extra = Descriptor {
        cookie: 99,
        ..Descriptor::default()
    };
    consumer_half
        .head
        .word
        .store(FIRST.wrapping_add(1), Ordering::Relaxed);
    let violation = Reason::Index {
        reported: FIRST.wrapping_add(1),
        first: FIRST,
        last: FIRST,
    };
    assert_eq!(
        producer.push(extra),
        Err(violation),
        "nothing has been published that could have been consumed"
    );
    producer.publish();
    assert!(producer.push(extra).is_ok());
}

/// A settled link whose driver is then replaced by words.
fn with_lying_driver(test: impl FnOnce(&Pages, &mut ServerEnd<'_, N>, Vec<Descriptor>)) {
    let pages = Pages::new();
    let mut driver = Driver::start(&pages);
    let mut server = ServerEnd::start(&pages.server, &pages.driver);
    settle(&mut driver, &mut server);
    let lent = (0..N)
        .map(|i| pages.server.rx_free.slots[i].read())
        .collect();
    test(&pages, &mut server, lent);
}

/// What the server makes of one descriptor in rx_active.
fn alleged(
    descriptor: impl Fn(&[Descriptor]) -> Vec<Descriptor>,
) -> (usize, u32, Option<Violation>) {
    let mut outcome = (0, 0, None);
    with_lying_driver(|pages, server, lent| {
        let lies = descriptor(&lent);
        for (slot, lie) in pages.driver.rx_active.slots.iter().zip(&lies) {
            slot.write(*lie);
        }
        pages
            .driver
            .rx_active
            .tail
            .word
            .store(FIRST.wrapping_add(lies.len() as u32), Ordering::Release);
        let mut frames = 0;
        wake_server(server, |end| {
            while let Some(frame) = end.rx().take() {
                frames += 1;
                assert!(frame.offset() % BUFFER_SIZE + frame.len() <= BUFFER_SIZE);
                end.rx().give_back(frame);
            }
        });
        server.poll();
        let tally = server.take_violations().unwrap_or_default();
        outcome = (frames, tally.count, tally.last);
    });
    outcome
}

fn rx_active(reason: Reason) -> Option<Violation> {
    Some(Violation {
        queue: Queue::RxActive,
        reason,
    })
}

#[test]
fn each_lie_about_a_received_frame_is_named() {
    let full = |lent: &Descriptor| Descriptor { len: 60, ..*lent };
    assert_eq!(
        alleged(|lent| vec![full(&lent[0])]),
        (1, 0, None),
        "the truth"
    );
    let (frames, count, last) = alleged(|lent| vec![full(&lent[0]), full(&lent[0])]);
    assert_eq!((frames, count), (1, 1), "returned twice");
    assert!(matches!(
        last,
        Some(Violation {
            reason: Reason::Cookie { .. } | Reason::Ownership { .. },
            ..
        })
    ));
    let pool = (N * BUFFER_SIZE) as u32;
    assert_eq!(
        alleged(|lent| vec![Descriptor {
            offset: pool,
            ..full(&lent[0])
        }]),
        (
            0,
            1,
            rx_active(Reason::Offset {
                reported: pool,
                pool
            })
        ),
    );
    let wrong = |lent: &[Descriptor]| lent[0].cookie.wrapping_add(1);
    let (frames, count, last) = alleged(|lent| {
        vec![Descriptor {
            cookie: wrong(lent),
            ..full(&lent[0])
        }]
    });
    assert_eq!((frames, count), (0, 1));
    assert!(matches!(
        last,
        Some(Violation {
            reason: Reason::Cookie { .. },
            ..
        })
    ));
    assert_eq!(
        alleged(|lent| vec![Descriptor { len: 13, ..lent[0] }]),
        (
            0,
            1,
            rx_active(Reason::Length {
                reported: 13,
                least: 14,
                most: 2048
            })
        ),
    );
    let end = BUFFER_SIZE as u32 - 20;
    assert_eq!(
        alleged(|lent| vec![Descriptor {
            offset: lent[0].offset + end,
            len: 21,
            ..lent[0]
        }]),
        (
            0,
            1,
            rx_active(Reason::Length {
                reported: 21,
                least: 14,
                most: 20
            })
        ),
    );
}

#[test]
fn a_frame_with_a_wrong_length_costs_no_buffer() {
    with_lying_driver(|pages, server, lent| {
        pages.driver.rx_active.slots[0].write(Descriptor { len: 0, ..lent[0] });
        pages
            .driver
            .rx_active
            .tail
            .word
            .store(FIRST.wrapping_add(1), Ordering::Release);
        pages.driver.rx_free.head.word.store(0, Ordering::Release);
        wake_server(server, |end| assert!(end.rx().take().is_none()));
        assert_eq!(
            pages.server.rx_free.tail.word.load(Ordering::Relaxed),
            1,
            "lent again"
        );
    });
}

#[test]
fn a_driver_that_makes_no_room_costs_frames_not_the_server() {
    with_lying_driver(|_, server, _| {
        // The driver never consumes: N frames fit, and no buffer comes back.
        for _ in 0..2 * N {
            if let Some(buffer) = server.tx().take() {
                server.tx().submit(buffer, 60).unwrap();
            }
        }
        assert_eq!(server.tx().idle(), 0);
        assert!(server.flush());
    });
}

/// One word written somewhere by the peer.
type Lie = (u8, u8, u64);

fn tell(pages: &Pages, by_driver: bool, (place, index, value): Lie) {
    let slot = usize::from(index) % N;
    // Most values are near what is permitted, where it hurts.
    let near = FIRST
        .wrapping_add((value % (3 * N as u64)) as u32)
        .wrapping_sub(N as u32);
    let word = if index & 0x80 == 0 {
        near
    } else {
        value as u32
    };
    let lie = Descriptor::from_words([
        (value % (2 * (N * BUFFER_SIZE) as u64)) | (((value >> 40) & 0xfff) << 32),
        (value >> 32) & 0x3f,
    ]);
    let (producers, consumers) = if by_driver {
        (
            [&pages.driver.rx_active, &pages.driver.tx_free],
            [&pages.driver.rx_free, &pages.driver.tx_active],
        )
    } else {
        (
            [&pages.server.rx_free, &pages.server.tx_active],
            [&pages.server.rx_active, &pages.server.tx_free],
        )
    };
    match place % 8 {
        0 | 1 => producers[usize::from(place & 1)]
            .tail
            .word
            .store(word, Ordering::Release),
        2 | 3 => producers[usize::from(place & 1)].slots[slot].write(lie),
        4 | 5 => consumers[usize::from(place & 1)]
            .head
            .word
            .store(word, Ordering::Release),
        6 => consumers[usize::from(index & 1)]
            .want_signal
            .word
            .store(word, Ordering::Release),
        _ => {
            let link = if by_driver {
                &pages.driver.link
            } else {
                &pages.server.link
            };
            link.write(Words {
                epoch: value as u32 % 4,
                ack: (value >> 2) as u32 % 4,
            });
        }
    }
}

proptest! {
    #[test]
    fn the_server_survives_any_driver(lies: Vec<Lie>) {
        with_lying_driver(|pages, server, _| {
            for lie in lies {
                tell(pages, true, lie);
                server.poll();
                let mut held = Vec::new();
                while let Some(frame) = server.rx().take() {
                    assert!(frame.offset() % BUFFER_SIZE + frame.len() <= BUFFER_SIZE && frame.offset() < N * BUFFER_SIZE);
                    held.push(frame);
                    assert!(held.len() <= N, "more frames than buffers");
                }
                let mut buffers: Vec<_> = held.iter().map(|frame| frame.offset() / BUFFER_SIZE).collect();
                buffers.sort_unstable();
                buffers.dedup();
                assert_eq!(buffers.len(), held.len(), "a buffer in two places");
                for frame in held { server.rx().give_back(frame); }
                let mut mine = Vec::new();
                while let Some(buffer) = server.tx().take() {
                    assert!(!mine.contains(&buffer), "a buffer in two places");
                    mine.push(buffer);
                }
                for buffer in mine { server.tx().submit(buffer, 60).unwrap(); }
                let _ = server.flush();
                let _ = server.sleep();
            }
        });
    }

    #[test]
    fn the_driver_survives_any_server(lies: Vec<Lie>) {
        let pages = Pages::new();
        let mut driver = Driver::start(&pages);
        let mut server = ServerEnd::start(&pages.server, &pages.driver);
        settle(&mut driver, &mut server);
        for lie in lies {
            tell(&pages, false, lie);
            // `Driver` asserts that no slot is provided twice. A peer that changes its epoch at
            // every look is looked at once.
            driver.wake();
            for frame in &driver.sending {
                assert!(frame.offset % BUFFER_SIZE + frame.len <= BUFFER_SIZE && frame.offset < N * BUFFER_SIZE);
            }
            driver.receive(60);
            driver.transmit();
        }
    }
}
