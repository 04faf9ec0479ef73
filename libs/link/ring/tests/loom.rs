// SPDX-License-Identifier: BSD-2-Clause
//! The shipped code under loom, which tries the orders in which threads can run and the values that
//! weakly ordered loads can return.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p ring --release --test loom`
//!
//! A lost wake-up shows as a deadlock: the kernel's notification is modelled by [`Bell`], and a
//! thread that waits for one that never comes leaves loom with nothing to run.
#![cfg(loom)]

use loom::model::Builder;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use ring::{
    Consumer, ConsumerHalf, Descriptor, DeviceState, DriverEnd, DriverHalves, Inheritance,
    LinkEvent, LinkWords, Producer, ProducerHalf, RxSlot, ServerEnd, ServerHalves,
};
use shm::Words;

/// A seL4 notification: a bit that a waiter takes.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }

    fn ring_if(&self, wanted: bool) {
        if wanted {
            self.ring();
        }
    }

    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// Explores with at most this many forced switches between threads; known bugs of such protocols
/// need two.
fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn numbered(n: u32) -> Descriptor {
    Descriptor {
        offset: n,
        len: n as u16,
        cookie: !n,
        ..Descriptor::default()
    }
}

/// Descriptors arrive whole, in order, each once, through more than one turn of the ring.
#[test]
fn transfer() {
    const COUNT: u32 = 3;
    explore(6, || {
        let halves = Arc::new((ProducerHalf::<2>::zeroed(), ConsumerHalf::zeroed()));
        {
            let (producer_half, consumer_half) = &*halves;
            Producer::new(producer_half, consumer_half).reset();
            Consumer::new(consumer_half, producer_half).reset();
        }
        let theirs = halves.clone();
        let producing = thread::spawn(move || {
            let mut producer = Producer::new(&theirs.0, &theirs.1);
            for n in 0..COUNT {
                while producer.push(numbered(n)).is_err() {
                    thread::yield_now();
                }
                producer.publish();
            }
        });
        let mut consumer = Consumer::new(&halves.1, &halves.0);
        for n in 0..COUNT {
            while consumer.available() == 0 {
                if consumer.refresh().unwrap() == 0 {
                    thread::yield_now();
                }
            }
            assert_eq!(consumer.pop(), Some(numbered(n)));
            consumer.release();
        }
        producing.join().unwrap();
    });
}

/// Both pages, and the notifications of driver and server.
type Pages<const N: usize> = (DriverHalves<N>, ServerHalves<N>, Bell, Bell);

/// Threads borrow the pages for as long as they like, so each run leaks a few of them; it is a
/// test's memory.
fn pages<const N: usize>() -> &'static Pages<N> {
    Box::leak(Box::new((
        DriverHalves::zeroed(),
        ServerHalves::zeroed(),
        Bell::default(),
        Bell::default(),
    )))
}

/// A life of the driver, with what the earlier one has left in the ring.
fn start_driver<const N: usize>(pages: &'static Pages<N>) -> DriverEnd<'static, N> {
    let inheritance = Inheritance::take(&pages.0, &pages.1, core::iter::empty());
    DriverEnd::start(&pages.0, &pages.1, DeviceState::default(), inheritance)
}

/// Brings the link up before there is a second thread.
fn connect<const N: usize>(
    pages: &'static Pages<N>,
) -> (DriverEnd<'static, N>, ServerEnd<'static, N>, Vec<RxSlot>) {
    let mut driver = start_driver(pages);
    let mut server = ServerEnd::start(&pages.1, &pages.0);
    server.poll();
    let LinkEvent::PeerRestarted(epoch) = driver.poll() else {
        panic!("the server has started")
    };
    driver.acknowledge(epoch);
    let _ = driver.flush();
    server.poll();
    let _ = server.flush();
    assert!(!server.sleep());
    assert_eq!(driver.poll(), LinkEvent::Up { first: true });
    driver.poll();
    let slots: Vec<_> = core::iter::from_fn(|| driver.rx_provide()).collect();
    assert_eq!(slots.len(), N);
    let _ = driver.flush();
    assert!(!driver.sleep(false, true));
    (driver, server, slots)
}

/// A server that sleeps between frames gets every frame: rules S1 to S4 on the receive path.
#[test]
fn no_received_frame_is_slept_through() {
    explore(5, || {
        let pages = pages::<2>();
        let (mut driver, mut server, slots) = connect(pages);
        let driving = thread::spawn(move || {
            for slot in slots {
                driver.rx_return(slot, 12, 60);
                pages.3.ring_if(driver.flush());
            }
        });
        let mut frames = 0;
        while frames < 2 {
            server.poll();
            while let Some(frame) = server.rx().take() {
                assert_eq!(frame.len(), 60);
                frames += 1;
                server.rx().give_back(frame);
            }
            let _ = server.flush();
            if frames < 2 && !server.sleep() {
                pages.3.wait();
            }
        }
        driving.join().unwrap();
        assert_eq!(server.take_violations(), None);
    });
}

/// A driver that sleeps between frames sends every frame: the same on the transmit path.
#[test]
fn no_frame_to_send_is_slept_through() {
    explore(4, || {
        // Four buffers, so that a server with two left is not short of them and notifies for the
        // frames' sake only.
        let pages = pages::<4>();
        let (mut driver, mut server, _slots) = connect(pages);
        let serving = thread::spawn(move || {
            for len in [60, 61] {
                let buffer = server.tx().take().expect("four buffers are free");
                server.tx().submit(buffer, len).unwrap();
                pages.2.ring_if(server.flush());
            }
        });
        let mut next = 60;
        while next < 62 {
            driver.poll();
            while let Some(frame) = driver.tx_provide() {
                assert_eq!(frame.len, next);
                next += 1;
                driver.tx_return(frame.slot);
            }
            let _ = driver.flush();
            if next < 62 && !driver.sleep(false, true) {
                pages.2.wait();
            }
        }
        serving.join().unwrap();
        assert_eq!(driver.take_violations(), None);
    });
}

/// Two links that start at the same time both come up, without a look that nobody was woken for.
#[test]
fn both_ends_start_at_once() {
    explore(4, || {
        let [one, other] = [LinkWords::zeroed(), LinkWords::zeroed()];
        let pages: &'static (LinkWords, LinkWords, Bell, Bell) =
            Box::leak(Box::new((one, other, Bell::default(), Bell::default())));
        let bring_up = move |swap: bool| {
            let (mine, theirs, my_bell, their_bell) = if swap {
                (&pages.1, &pages.0, &pages.3, &pages.2)
            } else {
                (&pages.0, &pages.1, &pages.2, &pages.3)
            };
            let mut link = ring::Link::start(mine, theirs);
            their_bell.ring();
            loop {
                match link.poll() {
                    LinkEvent::Up { first } => break assert!(first),
                    LinkEvent::PeerRestarted(epoch) => {
                        link.acknowledge(epoch);
                        their_bell.ring();
                    }
                    LinkEvent::Waiting => my_bell.wait(),
                    LinkEvent::OutOfStep => panic!("nobody writes the other's word"),
                }
            }
        };
        let other = thread::spawn(move || bring_up(true));
        bring_up(false);
        other.join().unwrap();
    });
}

/// An end whose earlier life has made its word such that counting on gives the epoch which the peer
/// has acknowledged. It takes another one, so that the peer sees the new life, and both come up.
#[test]
fn an_end_starts_anew_with_an_overwritten_word() {
    explore(3, || {
        let pages: &'static (LinkWords, LinkWords, Bell, Bell, AtomicU32) = Box::leak(Box::new((
            LinkWords::zeroed(),
            LinkWords::zeroed(),
            Bell::default(),
            Bell::default(),
            AtomicU32::new(0),
        )));
        let restarting = thread::spawn(move || {
            let mut life = || {
                let mut link = ring::Link::start(&pages.0, &pages.1);
                pages.3.ring();
                loop {
                    match link.poll() {
                        LinkEvent::Up { .. } => break link.epoch(),
                        LinkEvent::PeerRestarted(epoch) => {
                            link.acknowledge(epoch);
                            pages.3.ring();
                        }
                        LinkEvent::Waiting => pages.2.wait(),
                        LinkEvent::OutOfStep => panic!("written by this thread alone"),
                    }
                }
            };
            let first = life();
            pages.0.overwrite(&mut || u64::from(first - 1) << 32);
            assert_ne!(life(), first);
            pages.4.store(1, Ordering::Relaxed);
            pages.3.ring();
        });
        let mut link = ring::Link::start(&pages.1, &pages.0);
        pages.2.ring();
        while pages.4.load(Ordering::Relaxed) == 0 {
            match link.poll() {
                LinkEvent::PeerRestarted(epoch) => {
                    link.acknowledge(epoch);
                    pages.2.ring();
                }
                LinkEvent::Up { .. } | LinkEvent::Waiting => pages.3.wait(),
                LinkEvent::OutOfStep => panic!("written by this thread alone"),
            }
        }
        restarting.join().unwrap();
    });
}

/// The life of one driver: comes up, is lent the only buffer, returns a frame of length `len` in
/// it.
fn driver_life(pages: &'static Pages<1>, len: u16) {
    let mut driver = start_driver(pages);
    let slot = loop {
        let slot = match driver.poll() {
            LinkEvent::PeerRestarted(epoch) => {
                driver.acknowledge(epoch);
                pages.3.ring_if(driver.flush());
                continue;
            }
            LinkEvent::Up { .. } => driver.rx_provide(),
            LinkEvent::Waiting => None,
            LinkEvent::OutOfStep => panic!("nobody breaks a rule"),
        };
        pages.3.ring_if(driver.flush());
        if let Some(slot) = slot {
            break slot;
        }
        if !driver.sleep(true, true) {
            pages.2.wait();
        }
    };
    driver.rx_return(slot, 12, len);
    pages.3.ring_if(driver.flush());
}

/// A driver dies with a frame on its way and starts anew. The server sees both drivers' frames
/// whatever it was doing, each once and the old one's first, and takes nothing for a violation.
#[test]
fn driver_restarts_under_the_server() {
    explore(3, || {
        let pages = pages::<1>();
        let (mut driver, mut server, mut slots) = connect(pages);
        let driving = thread::spawn(move || {
            driver.rx_return(slots.pop().expect("one buffer"), 12, 61);
            pages.3.ring_if(driver.flush());
            // Dead. Its successor:
            driver_life(pages, 62);
        });
        let mut restarts = server.take_restarts();
        let mut old_frames = 0;
        'serving: loop {
            server.poll();
            restarts += server.take_restarts();
            while let Some(frame) = server.rx().take() {
                match frame.len() {
                    61 => old_frames += 1,
                    62 => break 'serving assert_eq!((restarts, old_frames), (2, 1)),
                    other => panic!("a frame of {other} bytes that nobody sent"),
                }
                server.rx().give_back(frame);
            }
            pages.2.ring_if(server.flush());
            if !server.sleep() {
                pages.3.wait();
            }
        }
        assert_eq!(server.take_violations(), None);
        driving.join().unwrap();
    });
}
