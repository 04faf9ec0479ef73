// SPDX-License-Identifier: BSD-2-Clause

//! Nothing is left behind, however often sockets are opened and closed and however connections end:
//! all pools are compared.

use socket_proto::{Accepted, Errno, Handle, Shutdown, SocketKind, SocketOption, op};
use test_world::{Faults, PEER_IP, PEER_MAC, SERVER_IP, SERVER_MAC, World, config, frames, limits};

const SECOND: u64 = 1_000_000_000;
/// Longer than anything waits for an end.
const LONG: u64 = 200 * SECOND;
/// The client that listens; number 0 connects.
const LISTENS: usize = 1;

struct Scene {
    world: World,
    listener: Handle,
}

impl Scene {
    fn new() -> Scene {
        let clients = vec![limits(8, 4), limits(8, 4)];
        let mut world = World::new(config(), clients, Faults::none());
        world.audits = false;
        let listener = world.socket_as(LISTENS, SocketKind::Stream).unwrap();
        let addr = "0.0.0.0:80".parse().unwrap();
        let socket = listener;
        world.ask_as(LISTENS, op::Bind { socket, addr }).unwrap();
        let listen = op::Listen { socket, backlog: 4 };
        world.ask_as(LISTENS, listen).unwrap();
        Scene { world, listener }
    }

    /// All pools, when everything has come to its end, and all tables agree.
    fn levels(&mut self) -> Vec<(&'static str, usize)> {
        self.world.run_for(LONG);
        assert_eq!(self.world.server.audit(), Ok(()));
        self.world.server.levels()
    }

    fn started(&mut self) -> Handle {
        let socket = self.world.socket(SocketKind::Stream);
        let result = self.world.connect(socket, "127.0.0.1:80");
        assert_eq!(result, Err(Errno::EINPROGRESS));
        socket
    }

    fn accepted(&mut self) -> Handle {
        self.world.settle();
        let socket = self.listener;
        let Accepted { socket, .. } = self.world.ask_as(LISTENS, op::Accept { socket }).unwrap();
        socket
    }

    fn inject(&mut self, packet: Vec<u8>) {
        let frame = frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, &packet);
        self.world.inject(frame);
    }

    fn close(&mut self, client: usize, socket: Handle) {
        self.world.ask_as(client, op::Close { socket }).unwrap();
        self.world.settle();
    }

    /// One connection over loopback, which ends in one of several ways.
    fn connection(&mut self, way: usize) {
        let socket = self.started();
        match way % 6 {
            // While its SYN is under way.
            0 => self.close(0, socket),
            // Before it is accepted.
            1 => {
                self.world.settle();
                self.close(0, socket);
                let other = self.accepted();
                self.close(LISTENS, other);
            }
            // By the one end first, and by the other.
            2 => {
                let other = self.accepted();
                self.close(0, socket);
                self.close(LISTENS, other);
            }
            3 => {
                let other = self.accepted();
                self.close(LISTENS, other);
                self.close(0, socket);
            }
            // With bytes that nobody reads, and by a reset.
            4 => {
                let other = self.accepted();
                self.world.send(socket, &[7; 3000]).unwrap();
                self.world.settle();
                self.close(LISTENS, other);
                self.close(0, socket);
            }
            _ => {
                let other = self.accepted();
                let (option, value, second) = (SocketOption::Linger, 1, 0);
                let set = op::SetOption {
                    socket,
                    option,
                    value,
                    second,
                };
                self.world.ask(set).unwrap();
                self.world.shutdown(socket, Shutdown::Read).unwrap();
                self.close(0, socket);
                self.close(LISTENS, other);
            }
        }
    }

    /// One connection over the link that the peer opens, and ends in one of several ways.
    fn opened_by_peer(&mut self, way: usize) {
        let peer = self.world.peer.connect(80);
        self.world
            .run_until("an end", |world| world.peer.tcp(peer).may_send());
        let other = self.accepted();
        match way % 3 {
            0 => self.world.peer.tcp(peer).close(),
            1 => self.world.peer.tcp(peer).abort(),
            _ => {}
        }
        self.world.settle();
        self.close(LISTENS, other);
        self.world.peer.tcp(peer).abort();
        self.world.settle();
    }

    /// One socket that is closed without a connection.
    fn socket(&mut self, way: usize) {
        match way % 4 {
            0 => {
                let socket = self.world.socket(SocketKind::Stream);
                let refused = self.world.connect(socket, "127.0.0.1:81");
                assert_eq!(refused, Err(Errno::EINPROGRESS));
                self.world.settle();
                self.close(0, socket);
            }
            1 => {
                let socket = self.world.socket(SocketKind::Datagram);
                self.world.bind(socket, "0.0.0.0:53").unwrap();
                // Read by nobody; and a part of one that never becomes whole.
                let from = (PEER_IP, 9);
                let udp = frames::udp(from, (SERVER_IP, 53), &[1; 900]);
                self.inject(udp);
                let ident = way as u16;
                let part = frames::fragment(PEER_IP, SERVER_IP, 17, ident, 0x2000, &[0; 64]);
                self.inject(part);
                self.world.settle();
                self.close(0, socket);
            }
            // A datagram to a host that does not exist.
            2 => {
                let socket = self.world.socket(SocketKind::Datagram);
                let datagram = (Some("10.0.2.77:9"), &[1, 2, 3][..]);
                let _ = self.world.send_datagrams(socket, &[datagram]);
                self.close(0, socket);
            }
            // A connection to it.
            _ => {
                let socket = self.world.socket(SocketKind::Stream);
                let result = self.world.connect(socket, "10.0.2.77:9");
                assert_eq!(result, Err(Errno::EINPROGRESS));
                self.close(0, socket);
            }
        }
    }
}

#[test]
fn nothing_is_left_of_100_000_connections() {
    let mut scene = Scene::new();
    let before = scene.levels();
    for way in 0..100_000 {
        scene.connection(way);
    }
    for way in 0..300 {
        scene.opened_by_peer(way);
    }
    assert_eq!(scene.levels(), before);
}

#[test]
fn nothing_is_left_of_10_000_sockets() {
    let mut scene = Scene::new();
    let before = scene.levels();
    for way in 0..10_000 {
        if way < 40 {
            println!("{way} {:?}", scene.world.server.levels());
        }
        scene.socket(way);
    }
    // What has waited for its last fragment too long goes when others come.
    scene.world.run_for(LONG);
    for (part, bytes) in [(0x2000, [0; 64]), (8, [0; 64])] {
        let packet = frames::fragment(PEER_IP, SERVER_IP, 17, 0xffff, part, &bytes);
        scene.inject(packet);
    }
    assert_eq!(scene.levels(), before);
}

#[test]
fn nothing_is_left_of_a_client_that_is_gone() {
    let mut scene = Scene::new();
    let before = scene.levels();
    for round in 0..100 {
        let mut others = Vec::new();
        for way in 0..4 {
            scene.started();
            scene.world.settle();
            if way != round % 4 {
                others.push(scene.accepted());
            }
        }
        for _ in 0..4 {
            scene.world.socket(SocketKind::Datagram);
        }
        scene.world.client_gone(0);
        scene.world.settle();
        if others.len() < 4 {
            others.push(scene.accepted());
        }
        for socket in others {
            scene.close(LISTENS, socket);
        }
        scene.world.attach(0);
    }
    assert_eq!(scene.levels(), before);
}
