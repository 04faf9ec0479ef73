// SPDX-License-Identifier: BSD-2-Clause

//! What packets cost: the same whatever the number of connections, nothing allocated, and running
//! out of transmit buffers delays and loses nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use socket_proto::{Errno, PollBits, SocketKind};
use socket_server::{Link, RxQueue, TxQueue};
use stats::NetServer as Count;
use test_world::{Event, Faults, World, config, limits, pattern};

const SECOND: u64 = 1_000_000_000;

thread_local! {
    static COUNTING: Cell<bool> = const { Cell::new(false) };
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, with counters a thread.
struct Counter;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // The thread may be gone already; then nobody counts.
        if COUNTING.try_with(Cell::get).unwrap_or(false) {
            ALLOCATIONS.with(|count| count.set(count.get() + 1));
            BYTES.with(|bytes| bytes.set(bytes.get() + layout.size() as u64));
        }
        // SAFETY: the caller keeps the contract that is ours and the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract that is ours and the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counter = Counter;

/// Echoes `rounds` times over one of `count` connections; answers the visits of sockets a frame.
fn visits_a_frame(count: usize) -> f64 {
    let mut world = World::new(config(), vec![limits(count + 1, 1)], Faults::none());
    let listener = world.listen(7, count as u64);
    let connections: Vec<_> = (0..count).map(|_| world.connected(listener, 7)).collect();
    world.run_for(2 * SECOND);
    let frames = |world: &World| world.count(Count::RxFrames) + world.count(Count::TxFrames);
    let before = (frames(&world), world.count(Count::SocketVisits));
    let (socket, peer) = connections[count / 2];
    for round in 0..50 {
        world
            .peer
            .tcp(peer)
            .send_slice(&pattern(100, round))
            .unwrap();
        world.await_bits(socket, PollBits::IN);
        let bytes = world.recv(socket, 200).unwrap();
        world.send(socket, &bytes).unwrap();
        world.run_until("the echo", |world| world.peer.tcp(peer).recv_queue() == 100);
        world.peer.tcp(peer).recv(|b| (b.len(), ())).unwrap();
    }
    let frames = frames(&world) - before.0;
    assert!(frames >= 100);
    (world.count(Count::SocketVisits) - before.1) as f64 / frames as f64
}

#[test]
fn a_packet_costs_the_same_with_one_connection_and_with_five_hundred() {
    let few = visits_a_frame(1);
    let many = visits_a_frame(500);
    assert!((many - few).abs() < 0.05, "{few} and {many}");
    assert!(many < 2.0, "{many} visits of sockets a frame");
}

/// Received frames that were there before, so that only the server could allocate.
#[derive(Default)]
struct Canned {
    frames: Vec<Vec<u8>>,
    next: usize,
}

impl RxQueue for Canned {
    fn front(&mut self) -> Option<&[u8]> {
        self.frames.get(self.next).map(Vec::as_slice)
    }

    fn pop(&mut self) {
        self.next += 1;
    }
}

/// Frames to send end here.
struct Sink([u8; 2048]);

impl TxQueue for Sink {
    fn free(&mut self) -> usize {
        512
    }

    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        Some(fill(&mut self.0[..length]))
    }
}

/// Counts what is allocated meanwhile.
fn allocations(work: impl FnOnce()) -> u64 {
    ALLOCATIONS.set(0);
    COUNTING.set(true);
    work();
    COUNTING.set(false);
    ALLOCATIONS.get()
}

#[test]
fn nothing_is_allocated_after_the_start() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
    // First, live, a bit of everything; what goes into the server is written down.
    let mut world = World::new(config(), vec![limits(8, 2)], Faults::some(3));
    world.script = Some(Vec::new());
    let listener = world.listen(7, 4);
    let udp = world.socket(SocketKind::Datagram);
    world.bind(udp, "0.0.0.0:7").unwrap();
    let sender = world.peer.bind(5000);
    for round in 0..3 {
        let (socket, peer) = world.connected(listener, 7);
        let data = pattern(100_000, round);
        let mut sent = 0;
        let mut received = 0;
        world.run_until("all bytes", |world| {
            sent += world.peer.tcp(peer).send_slice(&data[sent..]).unwrap();
            let bytes = world.recv(socket, 50_000).map_or(0, |bytes| bytes.len());
            received += bytes;
            let _ = world.send(socket, &data[..bytes]);
            let _ = world.peer.tcp(peer).recv(|b| (b.len(), ()));
            received == data.len()
        });
        world.peer.send_to(sender, 7, &pattern(5000, 2));
        world.peer.tcp(peer).close();
        world.run_for(SECOND);
        let _ = world.recv_datagrams(udp, 10_000);
        let nowhere = Some("10.0.2.99:9");
        world
            .send_datagrams(
                udp,
                &[(nowhere, b"x"), (Some("10.0.2.2:5000"), &data[..9000])],
            )
            .unwrap();
        world.close(socket);
        let attempt = world.socket(SocketKind::Stream);
        let _ = world.connect(attempt, "10.0.2.2:9");
        world.run_for(20 * SECOND);
        world.close(attempt);
    }
    let script = world.script.take().unwrap();
    let expected = world.counts();

    // Then the same again with a second server, which must take the same course, over a link that
    // was there before.
    let mut again = World::new(config(), vec![limits(8, 2)], Faults::some(3));
    let server = &mut again.server;
    let mut link = Link {
        rx: Canned::default(),
        tx: Sink([0; 2048]),
    };
    let counted = allocations(|| {
        for event in script {
            match event {
                Event::Poll { now, frames } => {
                    // Moved and dropped, not copied: only allocations are counted.
                    link.rx = Canned { frames, next: 0 };
                    server.poll(now, &mut link);
                }
                Event::Call {
                    now,
                    client,
                    label,
                    words,
                    window,
                } => {
                    again.clients[client].fill(&window);
                    server.call(client, label, words, now, &mut link.tx);
                }
            }
        }
    });
    assert_eq!(counted, 0);
    assert!(again.count(Count::CopiedToClient) > 300_000);
    assert!(again.count(Count::TcpRetransmits) > 0);
    assert_eq!(again.counts(), expected, "another course");
}

#[test]
fn without_transmit_buffers_nothing_is_lost() {
    let mut world = World::simple();
    let listener = world.listen(7, 4);
    let (socket, peer) = world.connected(listener, 7);
    let udp = world.socket(SocketKind::Datagram);
    let sender = world.peer.bind(5000);
    // A driver that takes nothing for a while, and just enough buffers for one packet in fragments
    // beside those for answers.
    world.link.tx.set_buffers(96);
    world.medium.stop_driver(true);
    let data = pattern(60_000, 7);
    assert_eq!(world.send(socket, &data).unwrap().0, data.len());
    let mut taken = 0;
    while let Ok(count) = world.send_datagrams(udp, &[(Some("10.0.2.2:5000"), b"datagram")]) {
        taken += count;
    }
    let again = world.send_datagrams(udp, &[(Some("10.0.2.2:5000"), b"datagram")]);
    assert_eq!(again, Err(Errno::EAGAIN));
    assert!(!world.bits(udp).contains(PollBits::OUT));
    world.take_notified(0);
    world.run_for(SECOND / 2);
    assert!(!world.take_notified(0));
    world.medium.stop_driver(false);
    world.await_bits(udp, PollBits::OUT);
    assert!(world.take_notified(0));
    let mut received = Vec::new();
    world.run_until("all bytes", |world| {
        let _ = world.peer.tcp(peer).recv(|b| {
            received.extend_from_slice(b);
            (b.len(), ())
        });
        received.len() == data.len()
    });
    assert!(received == data);
    for _ in 0..taken {
        assert_eq!(world.peer.udp(sender).recv().unwrap().0, b"datagram");
    }
    assert_eq!(world.count(Count::DropsNoTxBuffer), 0);
}

#[test]
fn a_wake_up_is_bounded() {
    let mut world = World::simple();
    let flood = vec![0u8; 60];
    for _ in 0..1000 {
        world.medium.inject(test_world::SERVER, flood.clone());
    }
    let before = world.count(Count::RxFrames);
    let outcome = world.server.poll(world.now, &mut world.link);
    assert!(outcome.more_work);
    let taken = world.count(Count::RxFrames) - before;
    assert!(taken > 0 && taken < 1000, "{taken} frames in one go");
    world.outcome = outcome;
    world.run_for(SECOND / 100);
    assert_eq!(world.count(Count::RxFrames) - before, 1000);
    assert!(!world.outcome.more_work);
}

/// The declaration's compiler makes the heap as large as [`wiring::server_heap`] says.
#[test]
fn a_server_needs_no_more_memory_than_is_declared() {
    for (clients, streams, datagrams) in [(0, 0, 0), (1, 1, 1), (2, 160, 4), (32, 396, 100)] {
        let mut limits = limits(streams, datagrams);
        limits.stream_memory = 3 << 17;
        limits.datagram_memory = 5 << 16;
        let quota = wiring::Quota {
            stream_sockets: (streams as u16).into(),
            datagram_sockets: (datagrams as u16).into(),
            stream_memory: (limits.stream_memory as u32).into(),
            datagram_memory: (limits.datagram_memory as u32).into(),
            capture: (limits.capture as u32).into(),
        };
        let mut config = config();
        config.closing = wiring::CLOSING_STREAMS;
        let mut world = World::new(config, vec![limits; clients], Faults::none());
        COUNTING.set(true);
        world.restart();
        COUNTING.set(false);
        let (needed, declared) = (BYTES.take(), wiring::server_heap(vec![quota; clients]));
        assert!(needed < declared, "{clients}: {needed} of {declared} bytes");
        assert!(
            needed > declared / 2,
            "{clients}: {needed} of {declared} bytes"
        );
    }
}
