// SPDX-License-Identifier: BSD-2-Clause

//! The site, on async sockets.

use std::cell::Cell;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};

use http_app::{BUFFER_LEN, Identity, NetTimer, Site, pattern, serve};
use socket_client::{Handoff, Net, TcpListener, TcpStream};
use stats::{HttpServer, Writer};
use timer_proto::Clock;

use super::echo::stats_page;
use super::server::Faults;
use super::wire::Wire;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Task<'a> = (Pin<Box<dyn Future<Output = ()> + 'a>>, Arc<Flag>);

fn task<'a>(future: impl Future<Output = ()> + 'a) -> Task<'a> {
    (Box::pin(future), Arc::new(Flag(AtomicBool::new(true))))
}

/// The event loop of the PD, once.
fn turn(net: &Net<&Wire>, tasks: &mut [Task<'_>]) {
    net.notified();
    loop {
        for (task, flag) in tasks.iter_mut() {
            while flag.0.swap(false, Ordering::Relaxed) {
                let waker = flag.clone().into();
                let poll = task.as_mut().poll(&mut Context::from_waker(&waker));
                assert_eq!(poll, Poll::Pending, "these tasks have no end");
            }
        }
        let awake = tasks.iter().any(|(_, flag)| flag.0.load(Ordering::Relaxed));
        if !awake && net.before_wait() {
            break;
        }
    }
}

fn site() -> Site {
    Site {
        files: &[],
        pds: &[],
        identity: Box::leak(Box::new(Identity {
            hostname: "sim",
            address: Ipv4Addr::new(10, 0, 2, 15),
            prefix_len: 24,
            gateway: Ipv4Addr::new(10, 0, 2, 2),
        })),
        stats: Writer::<HttpServer>::attach(stats_page(), 0),
        clock: Clock::new(62_500_000).expect("a frequency"),
        now: || 62_500_000,
    }
}

const WORKERS: usize = 4;

/// Runs clients, each of which sends its request and reads until it has a body of the length wanted, or until the server ends the
/// connection. Answers what they have received, and how many connections were served at once.
fn requests(faults: Faults, requests: &[&[u8]], wanted: usize) -> (Vec<Vec<u8>>, usize) {
    let peers = requests.len();
    let wire = Wire::new(faults);
    let net = Net::new(wire.client());
    let site = site();
    let handoff = Handoff::<TcpStream<'_, &Wire>, WORKERS>::new();
    let listener = TcpListener::bind(&net, (Ipv4Addr::UNSPECIFIED, 80).into(), 16).expect("bind");
    let most_open = Cell::new(0usize);
    let open = Cell::new(0usize);
    let mut tasks: Vec<Task> = Vec::new();
    for _ in 0..WORKERS {
        let (handoff, net, site, open, most_open) = (&handoff, &net, &site, &open, &most_open);
        tasks.push(task(async move {
            let mut buffer = vec![0; BUFFER_LEN];
            loop {
                let stream = handoff.take().await;
                open.set(open.get() + 1);
                most_open.set(most_open.get().max(open.get()));
                serve(site, stream, NetTimer(net), &mut buffer).await;
                open.set(open.get() - 1);
            }
        }));
    }
    {
        let (handoff, listener) = (&handoff, &listener);
        tasks.push(task(async move {
            loop {
                handoff.worker_is_idle().await;
                let (stream, _) = listener.accept().await.expect("accept");
                assert!(handoff.give(stream).is_ok());
            }
        }));
    }
    turn(&net, &mut tasks);
    let sockets: Vec<_> = (0..peers)
        .map(|_| wire.world.borrow_mut().peer.connect(80))
        .collect();
    let mut sent = vec![false; peers];
    let mut received = vec![Vec::new(); peers];
    for round in 0.. {
        assert!(round < 3_000_000, "it never comes to an end");
        if wire.step() {
            turn(&net, &mut tasks);
        }
        let mut finished = true;
        for (i, &handle) in sockets.iter().enumerate() {
            let mut world = wire.world.borrow_mut();
            let socket = world.peer.tcp(handle);
            if !sent[i] && socket.can_send() {
                sent[i] = true;
                assert_eq!(socket.send_slice(requests[i]), Ok(requests[i].len()));
            }
            while socket.can_recv() {
                let taken = socket.recv(|bytes| {
                    received[i].extend_from_slice(bytes);
                    (bytes.len(), ())
                });
                taken.expect("recv");
            }
            let ended = sent[i] && !socket.may_recv();
            if ended || body(&received[i]).len() == wanted {
                socket.close();
            } else {
                finished = false;
            }
        }
        if finished {
            break;
        }
    }
    (received, most_open.get())
}

fn body(response: &[u8]) -> &[u8] {
    let head = response.windows(4).position(|window| window == b"\r\n\r\n");
    head.map_or(&[], |head| &response[head + 4..])
}

#[test]
fn large_bodies_arrive_whole_over_a_bad_link() {
    let mut expected = vec![0; 300_000];
    pattern::fill(0, &mut expected);
    let request = &b"GET /bytes/300000 HTTP/1.1\r\nHost: x\r\n\r\n"[..];
    for seed in 1..3 {
        let (received, _) = requests(Faults::some(seed), &[request; 3], 300_000);
        assert!(received.iter().all(|response| body(response) == expected));
    }
}

#[test]
fn connections_too_many_wait_for_a_worker() {
    let request = &b"GET /bytes/3000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"[..];
    let (received, most_open) = requests(Faults::none(), &[request; 12], 3000);
    assert!(received.iter().all(|response| body(response).len() == 3000));
    assert_eq!(most_open, WORKERS);
}

#[test]
fn workers_held_by_bad_clients_come_free_in_time() {
    let half = &b"GET / HTTP/1.1\r\nHo"[..];
    let silent = b"";
    let nonsense = b"nonsense\r\n\r\n";
    let good = b"GET /bytes/70 HTTP/1.1\r\nHost: x\r\n\r\n";
    let clients = [half, half, silent, silent, nonsense, half, good, good];
    let (received, _) = requests(Faults::none(), &clients, 70);
    for (request, response) in clients.iter().zip(&received) {
        match body(response).len() {
            70 => assert!(*request == good),
            0 => assert!(*request == half || *request == silent),
            _ => assert!(*request == nonsense && response.starts_with(b"HTTP/1.1 400")),
        }
    }
}
