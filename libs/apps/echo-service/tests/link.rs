// SPDX-License-Identifier: BSD-2-Clause

//! The echo service over a link that loses, doubles and delays frames.

use echo_service::EchoService;
use stats::{EchoServer, Writer};
use test_world::smoltcp::iface::SocketHandle;
use test_world::{Faults, Wire, World, config, limits, page, pattern};

fn wire(faults: Faults) -> Wire {
    Wire::new(World::new(config(), vec![limits(160, 4)], faults))
}

fn start(wire: &Wire) -> (EchoService<&Wire>, Writer<EchoServer>) {
    let stats = Writer::attach(page(), 0);
    let ports = || [7].into_iter();
    let service = EchoService::start(wire.client(), stats, ports(), ports()).expect("start");
    (service, stats)
}

/// A peer that sends everything, ends its direction, and reads until the end.
struct Exchange {
    socket: SocketHandle,
    data: Vec<u8>,
    sent: usize,
    received: Vec<u8>,
    /// Bytes read at once, to be slow.
    reads: usize,
}

impl Exchange {
    fn go_on(&mut self, wire: &Wire) -> bool {
        let mut world = wire.world.borrow_mut();
        let socket = world.peer.tcp(self.socket);
        if self.sent < self.data.len() && socket.can_send() {
            self.sent += socket.send_slice(&self.data[self.sent..]).expect("send");
            if self.sent == self.data.len() {
                socket.close();
            }
        }
        // smoltcp forgets what has not been read when the connection has been over for some time.
        let slow = self.sent < self.data.len();
        while socket.can_recv() {
            let mut buf = vec![0; self.reads];
            let count = socket.recv_slice(&mut buf).expect("recv");
            self.received.extend(&buf[..count]);
            if slow {
                break;
            }
        }
        self.sent == self.data.len() && !socket.may_recv() && !socket.can_recv()
    }
}

fn exchange(faults: Faults, connections: usize, length: usize) {
    let wire = wire(faults);
    let (mut service, stats) = start(&wire);
    let mut exchanges: Vec<Exchange> = (0..connections)
        .map(|i| Exchange {
            socket: wire.world.borrow_mut().peer.connect(7),
            data: pattern(length, i as u32),
            sent: 0,
            received: Vec::new(),
            reads: 500 + 3000 * (i % 5),
        })
        .collect();
    for round in 0.. {
        assert!(round < 3_000_000, "it never comes to an end");
        if wire.step() {
            service.notified().expect("notified");
        }
        let mut done = true;
        for exchange in &mut exchanges {
            done &= exchange.go_on(&wire);
        }
        if done {
            break;
        }
    }
    for exchange in &exchanges {
        assert_eq!(exchange.received.len(), exchange.data.len());
        assert!(exchange.received == exchange.data);
    }
    assert_eq!(
        stats.get(EchoServer::TcpBytes),
        (connections * length) as u64
    );
    assert_eq!(stats.get(EchoServer::ConnectionsFailed), 0);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 0);
}

#[test]
fn one_connection_echoes_a_megabyte() {
    exchange(Faults::none(), 1, 1 << 20);
}

#[test]
fn a_bad_link_changes_no_byte() {
    for seed in 1..4 {
        exchange(Faults::some(seed), 6, 60_000);
    }
}

#[test]
fn a_hundred_connections_at_once() {
    exchange(Faults::none(), 100, 5_000);
}

#[test]
fn bytes_are_echoed_in_large_pieces() {
    let wire = wire(Faults::none());
    let (mut service, stats) = start(&wire);
    let mut exchange = Exchange {
        socket: wire.world.borrow_mut().peer.connect(7),
        data: pattern(1 << 20, 3),
        sent: 0,
        received: Vec::new(),
        reads: 65_536,
    };
    wire.count_calls();
    loop {
        if wire.step() {
            service.notified().expect("notified");
        }
        if exchange.go_on(&wire) {
            break;
        }
    }
    let bytes = stats.get(EchoServer::TcpBytes) as usize;
    assert_eq!(bytes, 1 << 20);
    let calls = wire.count_calls();
    assert!(bytes / calls >= 1460, "{calls} calls");
}

#[test]
fn a_reset_ends_one_connection_only() {
    let wire = wire(Faults::none());
    let (mut service, stats) = start(&wire);
    let sockets: Vec<SocketHandle> = (0..3)
        .map(|_| wire.world.borrow_mut().peer.connect(7))
        .collect();
    let run = |service: &mut EchoService<&Wire>| {
        for _ in 0..200 {
            if wire.step() {
                service.notified().expect("notified");
            }
        }
    };
    run(&mut service);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 3);
    {
        let mut world = wire.world.borrow_mut();
        world.peer.tcp(sockets[1]).abort();
        world
            .peer
            .tcp(sockets[2])
            .send_slice(b"still here")
            .expect("send");
    }
    run(&mut service);
    assert_eq!(stats.get(EchoServer::ConnectionsOpen), 2);
    assert_eq!(stats.get(EchoServer::ConnectionsFailed), 1);
    let mut world = wire.world.borrow_mut();
    let mut buf = [0; 100];
    let count = world
        .peer
        .tcp(sockets[2])
        .recv_slice(&mut buf)
        .expect("recv");
    assert_eq!(&buf[..count], b"still here");
}

#[test]
fn sixteen_datagrams_in_flight_take_two_calls_for_many() {
    let wire = wire(Faults::none());
    let (mut service, stats) = start(&wire);
    let socket = wire.world.borrow_mut().peer.bind(5000);
    wire.count_calls();
    let mut received = 0;
    for round in 0..50u8 {
        for i in 0..16u8 {
            let mut world = wire.world.borrow_mut();
            world
                .peer
                .send_to(socket, 7, &[round.wrapping_mul(16) ^ i; 64]);
        }
        for _ in 0..20 {
            if wire.step() {
                service.notified().expect("notified");
            }
            let mut world = wire.world.borrow_mut();
            let mut buf = [0; 100];
            while let Ok((count, _)) = world.peer.udp(socket).recv_slice(&mut buf) {
                let expected = round.wrapping_mul(16) ^ (received % 16) as u8;
                assert_eq!(buf[..count], [expected; 64]);
                received += 1;
            }
        }
    }
    assert_eq!(received, 50 * 16);
    assert_eq!(stats.get(EchoServer::Datagrams), 50 * 16);
    let calls = wire.count_calls();
    assert!(calls <= 50 * 4, "{calls} calls");
}
