// SPDX-License-Identifier: BSD-2-Clause

//! The site on async sockets, over a link that loses, doubles and delays frames.

use std::net::Ipv4Addr;

use http_app::{BUFFER_LEN, Identity, Site, pattern, serve};
use socket_client::{Served, Service};
use stats::{HttpServer, Writer};
use test_world::smoltcp::iface::SocketHandle;
use test_world::smoltcp::socket::tcp;
use test_world::{Faults, Tasks, Wire, World, config, limits, page};
use time::Clock;

/// A world whose test peer can have so many sockets.
fn wire(faults: Faults, peers: usize) -> Wire {
    let limits = vec![limits(160, 4)];
    Wire::new(World::with_peer(config(), limits, faults, peers))
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
        stats: Writer::<HttpServer>::attach(page(), 0),
        clock: Clock::new(62_500_000).expect("a frequency"),
        now: || 62_500_000,
    }
}

const WORKERS: usize = 16;
const BACKLOG: usize = 64;
/// The world's time that a turn of the PD takes at most.
const TURN: u64 = 100_000;

/// Runs the site as http_server does, with its event loop. `peers` drives the clients, in every
/// turn of the PD too, and returns whether it has seen enough.
fn simulate(wire: &Wire, site: &Site, mut peers: impl FnMut(&mut World) -> bool) {
    let net = wire.net();
    let service = Service::<&Wire, WORKERS>::new(&net);
    let mut tasks = Tasks::default();
    for _ in 0..WORKERS {
        let (service, net, site) = (&service, &net, &site);
        tasks.spawn(async move {
            let mut buffer = vec![0; BUFFER_LEN];
            let open = &site.stats;
            let worked = service.work(
                async |guest| {
                    open.set(
                        HttpServer::ConnectionsOpen,
                        open.get(HttpServer::ConnectionsOpen) + 1,
                    );
                    serve(site, guest, net, &mut buffer).await
                },
                |served| {
                    open.set(
                        HttpServer::ConnectionsOpen,
                        open.get(HttpServer::ConnectionsOpen) - 1,
                    );
                    match served {
                        Served::Displaced => open.inc(HttpServer::ConnectionsDisplaced),
                        Served::TooSlow => open.inc(HttpServer::ConnectionsFailed),
                        Served::Done(_) => {}
                    }
                },
            );
            worked.await.expect("as many workers as places");
        });
    }
    let address = (Ipv4Addr::UNSPECIFIED, 80).into();
    let accept = service.accept(address, BACKLOG, |accepted| {
        accepted.expect("accept");
    });
    tasks.spawn(async {
        accept.await;
    });
    net.run(|| tasks.turn());
    let mut enough = false;
    for round in 0.. {
        assert!(round < 3_000_000, "it never comes to an end");
        if wire.step() {
            net.run(|| {
                let awake = tasks.turn();
                wire.go_on(TURN);
                enough |= peers(&mut wire.world.borrow_mut());
                awake && !enough
            });
        }
        enough |= peers(&mut wire.world.borrow_mut());
        if enough {
            break;
        }
    }
}

/// What a socket has received since.
fn receive(socket: &mut tcp::Socket<'static>, into: &mut Vec<u8>) {
    while socket.can_recv() {
        let taken = socket.recv(|bytes| {
            into.extend_from_slice(bytes);
            (bytes.len(), ())
        });
        taken.expect("recv");
    }
}

/// Runs clients, each of which sends its request and reads until it has a body of the length
/// wanted, or until the server ends the connection. Returns what they have received, and how many
/// connections were served at once.
fn requests(faults: Faults, requests: &[&[u8]], wanted: usize) -> (Vec<Vec<u8>>, u64) {
    let wire = wire(faults, 600);
    let site = site();
    let sockets: Vec<_> = requests
        .iter()
        .map(|_| wire.world.borrow_mut().peer.connect(80))
        .collect();
    let mut sent = vec![false; requests.len()];
    let mut received = vec![Vec::new(); requests.len()];
    let mut most_open = 0;
    simulate(&wire, &site, |world| {
        let mut finished = true;
        most_open = most_open.max(site.stats.get(HttpServer::ConnectionsOpen));
        for (i, &handle) in sockets.iter().enumerate() {
            let socket = world.peer.tcp(handle);
            if !sent[i] && socket.can_send() {
                sent[i] = true;
                assert_eq!(socket.send_slice(requests[i]), Ok(requests[i].len()));
            }
            receive(socket, &mut received[i]);
            let ended = sent[i] && !socket.may_recv();
            if ended || body(&received[i]).len() == wanted {
                socket.close();
            } else {
                finished = false;
            }
        }
        finished
    });
    (received, most_open)
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
    let (received, most_open) = requests(Faults::none(), &[request; 40], 3000);
    assert!(received.iter().all(|response| body(response).len() == 3000));
    assert_eq!(most_open, WORKERS as u64);
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

const SECOND: u64 = 1_000_000_000;
const HEAD: &[u8] = b"HEAD /bytes/70 HTTP/1.1\r\nHost: x\r\n\r\n";
const GET: &[u8] = b"GET /bytes/70 HTTP/1.1\r\nHost: x\r\n\r\n";

/// A client that sends its request once it is connected, and reads so many bytes at once when it is
/// looked at.
struct Peer {
    handle: SocketHandle,
    request: &'static [u8],
    /// Sends it again and again, without waiting for responses.
    pipelines: bool,
    /// Where it is in the request.
    sent: usize,
    received: Vec<u8>,
}

impl Peer {
    fn new(world: &mut World, request: &'static [u8]) -> Peer {
        Peer {
            handle: world.peer.connect(80),
            request,
            pipelines: false,
            sent: 0,
            received: Vec::new(),
        }
    }

    fn send(&mut self, world: &mut World) {
        let socket = world.peer.tcp(self.handle);
        while self.sent < self.request.len() && socket.can_send() {
            self.sent += socket.send_slice(&self.request[self.sent..]).expect("send");
            if self.pipelines {
                self.sent %= self.request.len();
            }
        }
    }

    /// Sends and reads. Returns whether there is the response to its request.
    fn go_on(&mut self, world: &mut World) -> bool {
        self.send(world);
        receive(world.peer.tcp(self.handle), &mut self.received);
        body(&self.received).len() == 70
    }

    fn responses(&self) -> usize {
        let head = b"HTTP/1.1 200";
        let starts = self.received.windows(head.len());
        starts.filter(|window| window == head).count()
    }
}

#[test]
fn fresh_connections_are_answered_while_others_pipeline_and_these_get_equal_shares() {
    let wire = wire(Faults::none(), 600);
    let site = site();
    let mut busy: Vec<Peer> = (0..4)
        .map(|_| Peer::new(&mut wire.world.borrow_mut(), HEAD))
        .collect();
    busy.iter_mut().for_each(|peer| peer.pipelines = true);
    let mut fresh: Option<(Peer, usize)> = None;
    let mut answered = 0;
    let mut turns = 0;
    simulate(&wire, &site, |world| {
        turns += 1;
        for peer in &mut busy {
            peer.go_on(world);
        }
        if turns < 200 {
            return false;
        }
        let (peer, since) = fresh.get_or_insert_with(|| (Peer::new(world, GET), turns));
        if peer.go_on(world) {
            world.peer.tcp(peer.handle).close();
            fresh = None;
            answered += 1;
        } else {
            assert!(turns - *since < 60, "it waits for the others");
        }
        answered == 20
    });
    let shares: Vec<usize> = busy.iter().map(Peer::responses).collect();
    let (least, most) = (shares.iter().min(), shares.iter().max());
    let (least, most) = (*least.expect("four"), *most.expect("four"));
    assert!(least > 300, "they are busy: {shares:?}");
    assert!(most - least <= least / 4, "{shares:?}");
}

#[test]
fn a_thousand_silent_connections_keep_no_request_waiting() {
    let wire = wire(Faults::none(), 1100);
    let site = site();
    wire.world.borrow_mut().peer.buffer = 2048;
    let mut silent = Vec::new();
    let mut late: Option<Peer> = None;
    let mut since = 0;
    simulate(&wire, &site, |world| {
        // Two a millisecond or fewer, and all of them stay.
        if silent.len() < 1000 && world.now > since + SECOND / 2000 {
            since = world.now;
            silent.push(world.peer.connect(80));
        }
        if silent.len() < 1000 {
            return false;
        }
        let late = late.get_or_insert_with(|| Peer::new(world, GET));
        assert!(world.now - since < SECOND / 5, "it waits for the silent");
        late.go_on(world)
    });
    assert!(site.stats.get(HttpServer::ConnectionsDisplaced) > 0);
}

#[test]
fn slow_readers_and_drops_of_requests_keep_no_request_waiting() {
    const LARGE: &[u8] = b"GET /bytes/1000000000 HTTP/1.1\r\nHost: x\r\n\r\n";
    let wire = wire(Faults::none(), 600);
    let site = site();
    let mut slow: Vec<Peer> = (0..WORKERS)
        .map(|_| Peer::new(&mut wire.world.borrow_mut(), LARGE))
        .collect();
    let mut late: Option<(Peer, u64)> = None;
    let (start, mut last) = (wire.world.borrow().now, 0);
    simulate(&wire, &site, |world| {
        slow.iter_mut().for_each(|peer| peer.send(world));
        if world.now > last + SECOND / 10 {
            last = world.now;
            for peer in &slow {
                // 700 bytes a second.
                let _ = world.peer.tcp(peer.handle).recv_slice(&mut [0; 70]);
            }
        }
        if world.now < start + 5 * SECOND {
            return false;
        }
        let (late, since) = late.get_or_insert_with(|| (Peer::new(world, GET), world.now));
        assert!(world.now - *since < SECOND, "it waits for the slow");
        late.go_on(world)
    });
    assert_eq!(site.stats.get(HttpServer::ConnectionsDisplaced), 1);
}

#[test]
fn a_reader_below_the_least_rate_is_ended_and_one_above_it_is_not() {
    const LARGE: &[u8] = b"GET /bytes/1000000000 HTTP/1.1\r\nHost: x\r\n\r\n";
    let wire = wire(Faults::none(), 600);
    let site = site();
    let mut peers = [(); 2].map(|()| Peer::new(&mut wire.world.borrow_mut(), LARGE));
    let (start, mut last) = (wire.world.borrow().now, 0);
    let mut ended = None;
    simulate(&wire, &site, |world| {
        peers.iter_mut().for_each(|peer| peer.send(world));
        if world.now > last + SECOND / 10 {
            last = world.now;
            for (peer, rate) in peers.iter().zip([700, 4000]) {
                let mut buf = vec![0; rate / 10];
                let _ = world.peer.tcp(peer.handle).recv_slice(&mut buf);
            }
        }
        let open = site.stats.get(HttpServer::ConnectionsOpen);
        if open == 1 && world.now > start + 10 * SECOND {
            ended.get_or_insert(world.now - start);
        }
        world.now > start + 600 * SECOND
    });
    let ended = ended.expect("the slow one was ended");
    assert!(ended < 300 * SECOND, "after {ended} ns");
    assert_eq!(site.stats.get(HttpServer::ConnectionsOpen), 1);
}

#[test]
fn more_clients_than_workers_take_turns() {
    let wire = wire(Faults::none(), 600);
    let site = site();
    let clients = 2 * WORKERS;
    let mut peers: Vec<Peer> = (0..clients)
        .map(|_| Peer::new(&mut wire.world.borrow_mut(), GET))
        .collect();
    let mut served = vec![0; clients];
    let mut cut_off = 0;
    simulate(&wire, &site, |world| {
        for (peer, served) in peers.iter_mut().zip(&mut served) {
            if peer.go_on(world) {
                *served += 1;
                let closes = peer.received.windows(17).any(|w| w == b"Connection: close");
                if closes {
                    world.peer.tcp(peer.handle).close();
                    *peer = Peer::new(world, GET);
                } else {
                    (peer.sent, peer.received) = (0, Vec::new());
                }
            } else if peer.sent > 0 && !world.peer.tcp(peer.handle).may_recv() {
                cut_off += 1;
                *peer = Peer::new(world, GET);
            }
        }
        served.iter().all(|&served| served >= 5)
    });
    assert_eq!(cut_off, 0, "whoever asked was answered");
    assert_eq!(site.stats.get(HttpServer::ConnectionsDisplaced), 0);
}
