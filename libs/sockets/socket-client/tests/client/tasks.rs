// SPDX-License-Identifier: BSD-2-Clause

//! Async sockets and timers on an executor, with the event loop of a PD.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use embassy_futures::select::select;
use embedded_io_async::{Read, Write};
use socket_client::{
    Errno, Family, IcmpSocket, Instant, Net, PollBits, Shutdown, Storage, TcpListener, TcpStream,
    UdpSocket,
};
use socket_proto::RESTARTED;
use test_world::smoltcp::socket::tcp::State;
use test_world::{Tasks, Wire, limits, pattern};

use super::{addr, peer_addr};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

async fn echo(stream: TcpStream<'_, &Wire>) -> Result<(), Errno> {
    let mut buf = [0; 300];
    loop {
        let count = stream.read(&mut buf).await?;
        if count == 0 {
            return stream.shutdown(Shutdown::Write);
        }
        stream.write_all(&buf[..count]).await?;
    }
}

#[test]
fn thirty_peers_are_served_by_as_many_tasks_and_only_the_ready_ones_run() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = Rc::new(TcpListener::bind(&net, addr(7), 64).unwrap());
    let accepted = RefCell::new(Vec::new());
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        for _ in 0..30 {
            let (stream, _) = listener.accept().await.unwrap();
            accepted.borrow_mut().push(stream);
        }
    });
    let peers: Vec<_> = (0..30).map(|_| wire.connect(7)).collect();
    tasks.run(&net);
    let ids: Vec<usize> = accepted
        .take()
        .into_iter()
        .map(|stream| tasks.spawn(async { echo(stream).await.unwrap() }))
        .collect();
    tasks.run(&net);

    let data = pattern(20_000, 1);
    let mut sent = vec![0; peers.len()];
    let mut echoed = vec![Vec::new(); peers.len()];
    while echoed.iter().any(|bytes| bytes.len() < data.len()) {
        for (i, peer) in peers.iter().enumerate() {
            sent[i] += peer.send(&data[sent[i]..(sent[i] + 100 + 37 * i).min(data.len())]);
        }
        tasks.run(&net);
        for (i, peer) in peers.iter().enumerate() {
            echoed[i].extend(peer.recv());
        }
        tasks.run(&net);
    }
    assert!(echoed.iter().all(|bytes| *bytes == data));

    let before: Vec<usize> = ids.iter().map(|&id| tasks.polls(id)).collect();
    peers[3].send(b"x");
    tasks.run(&net);
    for (i, &id) in ids.iter().enumerate() {
        assert_eq!(tasks.polls(id) - before[i], usize::from(i == 3));
    }
    for (peer, &id) in peers.iter().zip(&ids) {
        peer.finish();
        tasks.run(&net);
        assert!(tasks.is_done(id));
        peer.recv();
        assert!(peer.saw_end());
    }
    // The listener's slot is left, and no other: nothing leaks.
    assert_eq!(wire.sockets(), 1);
}

#[test]
fn thousands_of_sockets_wait_and_an_event_costs_one_poll() {
    const SOCKETS: usize = 4000;
    let wire = Wire::with_buffers(limits(SOCKETS + 2, 1), 2048);
    wire.world.borrow_mut().audits = false;
    let storage = Box::leak(Box::new(Storage::<{ SOCKETS + 1 }, 1>::new()));
    let net = Net::new(wire.client(), storage);
    let mut tasks = Tasks::default();
    let ids: Vec<usize> = (0..SOCKETS as u16)
        .map(|port| {
            let listener = TcpListener::bind(&net, addr(1000 + port), 1).unwrap();
            tasks.spawn(async move { drop(listener.accept().await.unwrap()) })
        })
        .collect();
    let last = TcpListener::bind(&net, addr(10), 1).unwrap();
    let refused = TcpListener::bind(&net, addr(11), 1).err();
    assert_eq!(refused, Some(Errno::EMFILE), "the storage is full");
    drop(last);
    tasks.run(&net);
    for (which, &id) in ids.iter().enumerate().step_by(300) {
        let spare = ids[which + 1];
        assert!(wire.connect(1000 + which as u16).is_connected());
        tasks.run(&net);
        assert!(tasks.is_done(id) && !tasks.is_done(spare));
    }
    assert!(
        ids.iter()
            .all(|&id| tasks.is_done(id) || tasks.polls(id) == 1)
    );
}

#[test]
fn the_traits_of_embedded_io_work_on_a_stream() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(80), 1).unwrap();
    let peer = wire.connect(80);
    let mut tasks = Tasks::default();
    let done = tasks.spawn(async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buf = [0; 4000];
        stream.read_exact(&mut buf).await.unwrap();
        stream.write_all(&buf).await.unwrap();
        Write::flush(&mut stream).await.unwrap();
        assert_eq!(Read::read(&mut stream, &mut buf).await, Ok(0));
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(Write::write(&mut stream, b"x").await, Err(Errno::EPIPE));
        assert_eq!(TcpStream::write(&stream, b"").await, Ok(0));
    });
    let mut echoed = Vec::new();
    for _ in 0..40 {
        peer.send(&[1; 100]);
        tasks.run(&net);
        echoed.extend(peer.recv());
    }
    assert_eq!(echoed, [1; 4000]);
    assert!(!tasks.is_done(done));
    peer.finish();
    tasks.run(&net);
    assert!(tasks.is_done(done));
}

#[test]
fn halves_of_a_stream_end_one_after_the_other() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(80), 1).unwrap();
    let peer = wire.connect(80);
    let mut tasks = Tasks::default();
    let done = tasks.spawn(async {
        let (stream, _) = listener.accept().await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        writer.write_all(b"all of it").await.unwrap();
        Write::write_all(&mut writer, b" and more").await.unwrap();
        drop(writer);
        let mut buf = [0; 5];
        reader.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"later");
        drop(reader);
    });
    tasks.run(&net);
    assert_eq!(peer.recv(), b"all of it and more");
    assert!(peer.saw_end(), "the writer is gone");
    assert_eq!(wire.sockets(), 2, "and the reader is not");
    assert!(!tasks.is_done(done));
    peer.send(b"later");
    tasks.run(&net);
    assert!(tasks.is_done(done));
    assert_eq!(wire.sockets(), 1);
    // The next socket at that index has one owner again.
    let peer = wire.connect(80);
    tasks.spawn(async {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, writer) = stream.into_split();
        drop(reader);
        writer.write_all(b"still there").await.unwrap();
    });
    tasks.run(&net);
    assert_eq!(peer.recv(), b"still there");
    assert_eq!(wire.sockets(), 1);
    wire.connect(80);
    tasks.spawn(async {
        drop(listener.accept().await.unwrap());
    });
    tasks.run(&net);
    assert_eq!(wire.sockets(), 1);
}

#[test]
fn an_aborted_stream_is_reset() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(80), 1).unwrap();
    let peer = wire.connect(80);
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        let (stream, _) = listener.accept().await.unwrap();
        stream.abort();
    });
    tasks.run(&net);
    assert!(!peer.is_connected());
    let mut world = wire.world.borrow_mut();
    assert_eq!(world.peer.tcp(peer.handle).state(), State::Closed);
    world.assert_no_streams();
}

#[test]
fn connecting_waits_and_fails_with_the_reason() {
    let wire = Wire::simple();
    let net = wire.net();
    let result = RefCell::new(None);
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        let stream = TcpStream::connect(&net, peer_addr(80)).await.unwrap();
        stream.write(b"hello").await.unwrap();
        let refused = TcpStream::connect(&net, peer_addr(81)).await;
        *result.borrow_mut() = refused.err();
    });
    let peer = wire.listen(80);
    tasks.run(&net);
    assert_eq!(peer.recv(), b"hello");
    assert_eq!(result.take(), Some(Errno::ECONNREFUSED));
    assert_eq!(wire.sockets(), 0, "dropped streams are closed");
}

#[test]
fn timers_fire_in_order_with_one_call_for_the_earliest() {
    let wire = Wire::simple();
    let net = wire.net();
    let order = RefCell::new(Vec::new());
    let start = net.now();
    let at = |milliseconds| start + Duration::from_millis(milliseconds);
    let mut tasks = Tasks::default();
    for (name, at) in [("third", at(30)), ("first", at(10)), ("second", at(20))] {
        let (net, order) = (&net, &order);
        tasks.spawn(async move {
            net.sleep_until(at).await.unwrap();
            order.borrow_mut().push((name, net.now()));
        });
    }
    wire.take_calls();
    tasks.run(&net);
    assert_eq!(wire.take_deadlines(), [at(10)]);
    tasks.run_until(&net, at(15));
    assert_eq!(*order.borrow(), [("first", at(10))]);
    tasks.run_until(&net, at(40));
    assert_eq!(
        *order.borrow(),
        [("first", at(10)), ("second", at(20)), ("third", at(30))]
    );
    assert_eq!(wire.take_deadlines(), [at(20), at(30)]);
}

#[test]
fn tasks_are_woken_for_the_timers_of_others() {
    let wire = Wire::simple();
    let net = wire.net();
    let start = net.now();
    let woken = RefCell::new(Vec::new());
    // As the timers of embassy-time do it: they ask again at each poll.
    let sleep = |end: Instant| {
        let net = &net;
        std::future::poll_fn(move |cx| {
            if net.now() >= end {
                return Poll::Ready(());
            }
            net.schedule_wake(end, cx.waker());
            Poll::Pending
        })
    };
    let mut tasks = Tasks::default();
    let mut ids = Vec::new();
    for (first, second) in [(10, 30), (20, 40)] {
        let (woken, sleep) = (&woken, &sleep);
        ids.push(tasks.spawn(async move {
            for milliseconds in [first, second] {
                // The later of two times is forgotten, and asked for when the first has come.
                let end = start + Duration::from_millis(milliseconds);
                select(sleep(end), sleep(end + SECOND)).await;
                woken.borrow_mut().push(milliseconds);
            }
        }));
    }
    tasks.run_until(&net, start + 50 * MILLISECOND);
    assert_eq!(*woken.borrow(), [10, 20, 30, 40]);
    assert!(ids.iter().all(|&id| tasks.is_done(id)));
    // More than there are timers: they are polled until one is free.
    wire.take_calls();
    let end = net.now() + MILLISECOND;
    let many: Vec<usize> = (0..600).map(|_| tasks.spawn(sleep(end))).collect();
    let mut turns = 0;
    net.run(|| {
        turns += 1;
        if turns == 10 {
            wire.run_until(end);
        }
        tasks.turn()
    });
    assert!(turns >= 10);
    tasks.run_until(&net, end + MILLISECOND);
    assert!(many.iter().all(|&id| tasks.is_done(id)));
}

#[test]
fn timeouts_that_do_not_strike_cost_no_call_each() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(80), 1).unwrap();
    let peer = wire.connect(80);
    let outcome = Cell::new(None);
    let last = Cell::new(net.now());
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut buf = [0; 16];
        loop {
            last.set(net.now());
            match net.timeout(5 * SECOND, stream.read(&mut buf)).await {
                Ok(Ok(_)) => stream.write(b"ok").await.unwrap(),
                other => {
                    outcome.set(Some(other));
                    break;
                }
            };
        }
    });
    tasks.run(&net);
    wire.take_calls();
    for _ in 0..100 {
        peer.send(b"request");
        tasks.run(&net);
        assert_eq!(peer.recv(), b"ok");
        wire.run_until(net.now() + MILLISECOND);
    }
    // One recv and one send a round; the timer of the first round is still the one that was asked
    // for.
    assert_eq!(wire.count_calls(), 200);
    tasks.run_until(&net, last.get() + 5 * SECOND - MILLISECOND);
    assert_eq!(outcome.take(), None);
    tasks.run_until(&net, last.get() + 5 * SECOND);
    assert_eq!(outcome.take(), Some(Err(Errno::ETIMEDOUT)));
}

#[test]
fn more_timers_than_the_table_holds_are_an_error_and_no_loop() {
    let wire = Wire::simple();
    let net = wire.net();
    let (refused, fired) = (Cell::new(0), Cell::new(0));
    let timeout = Cell::new(None);
    let mut tasks = Tasks::default();
    for _ in 0..600 {
        tasks.spawn(async {
            match net.sleep(MILLISECOND).await {
                Ok(()) => fired.set(fired.get() + 1),
                Err(Errno::ENOBUFS) => refused.set(refused.get() + 1),
                Err(error) => panic!("{error}"),
            }
        });
    }
    tasks.spawn(async {
        timeout.set(Some(
            net.timeout(MILLISECOND, std::future::pending::<()>()).await,
        ));
    });
    tasks.run(&net);
    assert_eq!((refused.get(), fired.get()), (88, 0));
    assert_eq!(timeout.take(), Some(Err(Errno::ENOBUFS)));
    tasks.run_until(&net, wire.time() + 2 * MILLISECOND);
    assert_eq!(fired.get(), 512);
    // All of them are free again.
    let again = tasks.spawn(async { net.sleep(MILLISECOND).await.unwrap() });
    tasks.run_until(&net, wire.time() + 2 * MILLISECOND);
    assert!(tasks.is_done(again));
}

#[test]
fn tasks_that_wait_for_one_socket_share_it() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(7), 64).unwrap();
    let served = Cell::new(0);
    let mut tasks = Tasks::default();
    let ids: Vec<usize> = (0..30)
        .map(|_| {
            tasks.spawn(async {
                listener.accept().await.unwrap();
                served.set(served.get() + 1);
            })
        })
        .collect();
    tasks.run(&net);
    assert!(ids.iter().all(|&id| tasks.polls(id) == 1), "they wait");
    for connection in 1..=30 {
        let _peer = wire.connect(7);
        tasks.run(&net);
        assert_eq!(served.get(), connection);
    }
    // Those whose future was dropped leave no trace: as many can wait again.
    for _ in 0..5 {
        let waits: Vec<usize> = (0..60)
            .map(|_| {
                tasks.spawn(async {
                    let accepted = net.timeout(MILLISECOND, listener.accept()).await;
                    assert_eq!(accepted.err(), Some(Errno::ETIMEDOUT));
                })
            })
            .collect();
        tasks.run_until(&net, wire.time() + 2 * MILLISECOND);
        assert!(waits.iter().all(|&id| tasks.is_done(id)));
    }
}

#[test]
fn too_many_tasks_at_one_socket_are_an_error() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(7), 64).unwrap();
    let refused = Cell::new(0);
    let mut tasks = Tasks::default();
    for _ in 0..100 {
        tasks.spawn(async {
            match listener.accept().await {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error, Errno::ENOBUFS);
                    refused.set(refused.get() + 1);
                }
            }
        });
    }
    tasks.run(&net);
    // One that waits in the table, 64 besides it.
    assert_eq!(refused.get(), 35);
}

#[test]
fn a_task_that_is_always_awake_keeps_nobody_from_seeing_events() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(7), 4).unwrap();
    let stop = Cell::new(false);
    let mut tasks = Tasks::default();
    tasks.spawn(std::future::poll_fn(|cx| {
        if stop.get() {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    }));
    let accepted = tasks.spawn(async {
        listener.accept().await.unwrap();
    });
    let deadline = net.now() + SECOND;
    let slept = tasks.spawn({
        let net = &net;
        async move { net.sleep_until(deadline).await.unwrap() }
    });
    let mut turns = 0;
    net.run(|| {
        turns += 1;
        match turns {
            10 => assert!(wire.connect(7).is_connected()),
            12 => assert!(tasks.is_done(accepted)),
            20 => wire.run_until(deadline),
            22 => {
                assert!(tasks.is_done(slept));
                stop.set(true);
            }
            _ => {}
        }
        tasks.turn()
    });
    assert!(turns < 30);
}

#[test]
fn timers_fire_though_the_server_restarts_when_the_deadline_is_set() {
    let wire = Wire::simple();
    let net = wire.net();
    let mut tasks = Tasks::default();
    let deadline = net.now() + SECOND;
    let slept = tasks.spawn({
        let net = &net;
        async move { net.sleep_until(deadline).await.unwrap() }
    });
    wire.take_calls();
    wire.lie(RESTARTED, [0; 4]);
    net.run(|| tasks.turn());
    assert_eq!(wire.take_deadlines(), [deadline, deadline]);
    tasks.run_until(&net, deadline);
    assert!(tasks.is_done(slept));
}

#[test]
fn a_restart_wakes_everyone_with_a_reset() {
    let wire = Wire::simple();
    let net = wire.net();
    let results = RefCell::new(Vec::new());
    let deadline = net.now() + SECOND;
    let mut tasks = Tasks::default();
    let (net, results) = (&net, &results);
    tasks.spawn(async move {
        let mut listener = TcpListener::bind(net, addr(7), 4).unwrap();
        for _ in 0..2 {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let mut buf = [0; 8];
                    let read = stream.read(&mut buf).await;
                    results.borrow_mut().push(("stream", read.err()));
                    let write = stream.write(b"x").await;
                    results.borrow_mut().push(("stream", write.err()));
                }
                Err(error) => {
                    results.borrow_mut().push(("listener", Some(error)));
                    listener = TcpListener::bind(net, addr(7), 4).unwrap();
                }
            }
        }
        let _ = listener.accept().await.unwrap();
        results.borrow_mut().push(("served", None));
    });
    tasks.spawn(async move {
        let socket = UdpSocket::bind(net, addr(7), 1000).unwrap();
        let received = socket.recv_from(&mut [0; 8]).await;
        results.borrow_mut().push(("datagrams", received.err()));
    });
    tasks.spawn(async move {
        net.sleep_until(deadline).await.unwrap();
        results.borrow_mut().push(("timer", None));
    });
    tasks.run(net);
    wire.connect(7);
    tasks.run(net);
    wire.restart();
    wire.take_calls();
    tasks.run(net);
    let reset = Some(Errno::ECONNRESET);
    let mut seen = results.take();
    seen.sort_by_key(|(who, _)| *who);
    assert_eq!(
        seen,
        [
            ("datagrams", reset),
            ("listener", reset),
            ("stream", reset),
            ("stream", reset)
        ]
    );
    wire.connect(7);
    tasks.run(net);
    assert_eq!(results.take(), [("served", None)]);
    assert_eq!(wire.take_deadlines(), [deadline], "asked for again");
    tasks.run_until(net, deadline);
    assert_eq!(results.take(), [("timer", None)]);
}

#[test]
fn a_restart_during_one_tasks_call_wakes_the_others_too() {
    let wire = Wire::simple();
    let net = wire.net();
    let results = RefCell::new(Vec::new());
    let deadline = net.now() + SECOND;
    let mut tasks = Tasks::default();
    let (net, results) = (&net, &results);
    for (who, port) in [("caught", 8), ("waiting", 9)] {
        tasks.spawn(async move {
            let socket = UdpSocket::bind(net, addr(port), 1000).unwrap();
            let received = socket.recv_from(&mut [0; 8]).await;
            results.borrow_mut().push((who, received.err()));
        });
    }
    tasks.spawn(async move {
        let listener = TcpListener::bind(net, addr(7), 4).unwrap();
        let accepted = listener.accept().await;
        results.borrow_mut().push(("listener", accepted.err()));
    });
    tasks.spawn(async move {
        net.sleep_until(deadline).await.unwrap();
        results.borrow_mut().push(("timer", None));
    });
    tasks.run(net);
    // The server dies while it has the call of one task, which is told so and attaches again at
    // once.
    wire.take_calls();
    wire.lie(RESTARTED, [0; 4]);
    wire.datagram_arrives(8, 1, b"x");
    tasks.run(net);
    let reset = Some(Errno::ECONNRESET);
    let mut seen = results.take();
    seen.sort_by_key(|(who, _)| *who);
    assert_eq!(
        seen,
        [("caught", reset), ("listener", reset), ("waiting", reset)]
    );
    assert_eq!(wire.take_deadlines(), [deadline], "asked for again");
    tasks.run_until(net, deadline);
    assert_eq!(results.take(), [("timer", None)]);
}

#[test]
fn a_stream_that_never_waits_lets_others_run() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(80), 1).unwrap();
    let _peer = wire.connect(80);
    let stop = Cell::new(false);
    let written = Cell::new(0);
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        let (stream, _) = listener.accept().await.unwrap();
        while !stop.get() {
            let sent = stream.write_with(100, |window| window.len()).await.unwrap();
            written.set(written.get() + sent.count);
        }
    });
    tasks.spawn(async {
        net.sleep(Duration::ZERO).await.unwrap();
        stop.set(true);
    });
    tasks.run(&net);
    assert!(written.get() >= 100, "it ran");
    assert!(written.get() <= 100 * 17, "and stopped after its turn");
}

#[test]
fn udp_takes_one_call_for_a_batch_and_keeps_it_while_others_receive() {
    let wire = Wire::with_limits(limits(1, 40));
    wire.take_datagrams();
    let net = wire.net();
    let first = UdpSocket::bind(&net, addr(7), 4096).unwrap();
    let second = UdpSocket::bind(&net, addr(8), 4096).unwrap();
    for i in 0..5u8 {
        wire.datagram_arrives(7, 1000, &[i; 10]);
        wire.datagram_arrives(8, 2000, &[100 + i; 10]);
    }
    wire.take_calls();
    let mut tasks = Tasks::default();
    let done = tasks.spawn(async {
        let mut buf = [0; 100];
        for i in 0..5u8 {
            let got = first.recv_from(&mut buf).await.unwrap();
            assert_eq!((&buf[..got.len], got.from), (&[i; 10][..], peer_addr(1000)));
            let got = second.recv_from(&mut buf).await.unwrap();
            assert_eq!(
                (&buf[..got.len], got.from),
                (&[100 + i; 10][..], peer_addr(2000))
            );
        }
        assert_eq!(wire.count_calls(), 2);
        first.send_to(b"answer", peer_addr(1000)).await.unwrap();
        second.connect(peer_addr(2000)).unwrap();
        second.send(b"to the peer").await.unwrap();
    });
    tasks.run(&net);
    assert!(tasks.is_done(done));
    drop(tasks);
    assert_eq!(
        wire.take_datagrams(),
        [(1000, b"answer".to_vec()), (2000, b"to the peer".to_vec())]
    );
    drop((first, second));
    // 32 areas of 2 KiB fit into half of a 128 KiB half: those of dropped sockets are free again.
    let all: Vec<_> = (0..32)
        .map(|port| UdpSocket::bind(&net, addr(100 + port), 2048).unwrap())
        .collect();
    let one_more = UdpSocket::bind(&net, addr(200), 2048).err();
    assert_eq!(one_more, Some(Errno::ENOBUFS));
    assert_eq!(wire.sockets(), all.len());
    let bits = net.client().poll_bits(all[0].socket());
    assert_eq!(bits, PollBits::OUT);
}

#[test]
fn datagrams_are_received_once_each_however_they_are_taken() {
    let wire = Wire::simple();
    let net = wire.net();
    let socket = UdpSocket::bind(&net, addr(7), 4096).unwrap();
    let arrive = |values: std::ops::Range<u8>| {
        for value in values {
            wire.datagram_arrives(7, 1000, &[value; 10]);
        }
    };
    let taken = RefCell::new(Vec::new());
    let mut tasks = Tasks::default();
    arrive(0..3);
    let first = tasks.spawn(async {
        let mut buf = [0; 100];
        socket.recv_from(&mut buf).await.unwrap();
        taken.borrow_mut().push(buf[0]);
        arrive(3..6);
        for _ in 0..2 {
            let mut batch = socket.recv_batch().await.unwrap();
            while let Ok(datagram) = batch.next(net.client()) {
                net.client()
                    .copy_out(datagram.payload, 0, &mut buf[..1])
                    .unwrap();
                taken.borrow_mut().push(buf[0]);
            }
        }
    });
    tasks.run(&net);
    assert!(tasks.is_done(first));
    assert_eq!(taken.take(), [0, 1, 2, 3, 4, 5]);

    // Tasks that share the socket: what one call brought for one of them is enough for all.
    let readers: Vec<usize> = (0..4)
        .map(|_| {
            tasks.spawn(async {
                let mut buf = [0; 100];
                socket.recv_from(&mut buf).await.unwrap();
                taken.borrow_mut().push(buf[0]);
            })
        })
        .collect();
    tasks.run(&net);
    for value in 10..14 {
        wire.datagram_arrives(7, 1000, &[value; 10]);
    }
    tasks.run(&net);
    assert!(readers.iter().all(|&id| tasks.is_done(id)));
    let mut taken = taken.take();
    taken.sort_unstable();
    assert_eq!(taken, [10, 11, 12, 13]);
}

#[test]
fn a_ping_takes_its_own_reply_and_ends_in_time() {
    let wire = Wire::simple();
    let net = wire.net();
    let said = Cell::new([None; 3]);
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        let socket = IcmpSocket::open(&net, Family::Inet, 4096).unwrap();
        let peer = test_world::PEER_IP.into();
        // A reply that nobody waits for any more.
        socket
            .send_to(&[8, 0, 0, 0, 0, 0, 0, 7], peer)
            .await
            .unwrap();
        let first = socket.ping(peer, 8, b"hello", SECOND).await;
        let none = [10, 0, 2, 99].into();
        let absent = socket.ping(none, 9, b"", 5 * SECOND).await;
        let silent = socket.ping(none, 10, b"", SECOND / 2).await;
        said.set([Some(first), Some(absent), Some(silent)]);
    });
    tasks.run_until(&net, wire.time() + 10 * SECOND);
    let [first, absent, silent] = said.get().map(Option::unwrap);
    let echo = first.unwrap();
    assert!(echo.len == 5 && echo.time < SECOND, "{echo:?}");
    assert_eq!(absent, Err(Errno::EHOSTUNREACH));
    assert_eq!(silent, Err(Errno::ETIMEDOUT));
}

#[test]
fn members_of_a_group_share_a_port() {
    let wire = Wire::simple();
    let net = wire.net();
    let group = [239, 1, 1, 1];
    let member = || {
        let socket = UdpSocket::bind_shared(&net, addr(7), 4096).unwrap();
        socket.join(group.into()).unwrap();
        socket
    };
    let (first, second) = (member(), member());
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        first.send_to(b"hello", (group, 7).into()).await.unwrap();
        for socket in [&first, &second] {
            let mut heard = [0; 10];
            let datagram = socket.recv_from(&mut heard).await.unwrap();
            assert_eq!(heard[..datagram.len], *b"hello");
        }
        second.leave(group.into()).unwrap();
        let again = second.leave(group.into());
        assert_eq!(again, Err(Errno::EADDRNOTAVAIL));
    });
    tasks.run(&net);
    drop(tasks);
}
