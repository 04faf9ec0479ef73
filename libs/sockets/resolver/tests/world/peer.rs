// SPDX-License-Identifier: BSD-2-Clause

//! The name servers of the test peer, which reply as a test wants it.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use resolver::Resolver;
use socket_client::Net;
use test_world::{PEER_IP, PEER_MAC, SERVER_IP, SERVER_MAC, Tasks, Wire, frames, limits};

/// Ports of the servers.
pub const PORTS: [u16; 3] = [53, 54, 55];
/// The longest time that a test takes, in rounds of a millisecond.
const ROUNDS: usize = 60_000;

pub const A: u16 = 1;
pub const CNAME: u16 = 5;
pub const SOA: u16 = 6;
pub const PTR: u16 = 12;
pub const AAAA: u16 = 28;

/// The header's flags: an answer, of a server that asks others.
pub const ANSWER: u16 = 0x8180;
pub const TRUNCATED: u16 = ANSWER | 0x0200;
pub const SERVFAIL: u16 = ANSWER | 2;
pub const NXDOMAIN: u16 = ANSWER | 3;

/// A question that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The port of the server.
    pub port: u16,
    pub tcp: bool,
    pub id: u16,
    pub name: String,
    pub kind: u16,
    /// Where it comes from.
    pub from: u16,
    bytes: Vec<u8>,
}

impl Asked {
    fn parse(bytes: &[u8], port: u16, from: u16, tcp: bool) -> Self {
        let mut labels = Vec::new();
        let mut at = 12;
        while bytes[at] != 0 {
            let label = &bytes[at + 1..][..bytes[at].into()];
            labels.push(std::str::from_utf8(label).unwrap());
            at += 1 + label.len();
        }
        assert_eq!(bytes[2..12], [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes.len(), at + 5);
        Asked {
            port,
            tcp,
            id: u16::from_be_bytes([bytes[0], bytes[1]]),
            name: labels.join("."),
            kind: u16::from_be_bytes([bytes[at + 1], bytes[at + 2]]),
            from,
            bytes: bytes.to_vec(),
        }
    }

    /// A message to this question, with these flags and records; those of type SOA are in the
    /// authority section.
    pub fn reply(&self, flags: u16, records: &[Record]) -> Vec<u8> {
        let authority = records.iter().filter(|record| record.kind == SOA).count() as u16;
        let mut bytes = self.bytes.clone();
        bytes[2..4].copy_from_slice(&flags.to_be_bytes());
        bytes[6..8].copy_from_slice(&(records.len() as u16 - authority).to_be_bytes());
        bytes[8..10].copy_from_slice(&authority.to_be_bytes());
        for record in records {
            bytes.extend(name(record.name));
            bytes.extend(record.kind.to_be_bytes());
            bytes.extend([0, 1]);
            bytes.extend(record.ttl.to_be_bytes());
            bytes.extend((record.data.len() as u16).to_be_bytes());
            bytes.extend(&record.data);
        }
        bytes
    }
}

/// A record of a message.
pub struct Record {
    name: &'static str,
    kind: u16,
    ttl: u32,
    data: Vec<u8>,
}

fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

pub fn a(name: &'static str, ttl: u32, address: [u8; 4]) -> Record {
    let (kind, data) = (A, address.to_vec());
    Record {
        name,
        kind,
        ttl,
        data,
    }
}

pub fn aaaa(name: &'static str, ttl: u32, last: u8) -> Record {
    let (kind, mut data) = (AAAA, vec![0xfd; 16]);
    data[15] = last;
    Record {
        name,
        kind,
        ttl,
        data,
    }
}

pub fn cname(owner: &'static str, ttl: u32, to: &str) -> Record {
    let (kind, data) = (CNAME, name(to));
    Record {
        name: owner,
        kind,
        ttl,
        data,
    }
}

pub fn ptr(owner: &'static str, to: &str) -> Record {
    let (kind, ttl, data) = (PTR, 60, name(to));
    Record {
        name: owner,
        kind,
        ttl,
        data,
    }
}

pub fn soa(ttl: u32, minimum: u32) -> Record {
    let mut data = [name("ns.example.org"), name("root.example.org")].concat();
    data.extend([0; 16]);
    data.extend(minimum.to_be_bytes());
    let (name, kind) = ("example.org", SOA);
    Record {
        name,
        kind,
        ttl,
        data,
    }
}

/// What a server does about a question.
pub enum Reply {
    /// It answers.
    Say(Vec<u8>),
    /// Somebody else answers.
    From((Ipv4Addr, u16), Vec<u8>),
    /// net_server restarts.
    Restart,
}

/// The address of a server.
pub fn server(port: u16) -> SocketAddr {
    (PEER_IP, port).into()
}

/// A resolver with the first `servers` of [`PORTS`] and a search domain.
pub fn resolver<'n>(
    net: &'n Net<&'n Wire>,
    servers: usize,
    domain: &str,
) -> Resolver<'n, &'n Wire> {
    let servers = PORTS[..servers].iter().map(|&port| server(port));
    Resolver::new(net, servers, domain).unwrap()
}

/// Runs a client, whose questions `serve` replies to. Returns the questions.
pub fn run(
    client: impl for<'a> AsyncFnOnce(&'a Net<&'a Wire>),
    serve: impl FnMut(&Asked) -> Vec<Reply>,
) -> Vec<Asked> {
    run_on(&Wire::with_limits(limits(4, 2)), client, serve)
}

/// As [`run`], in this world.
pub fn run_on(
    wire: &Wire,
    client: impl for<'a> AsyncFnOnce(&'a Net<&'a Wire>),
    mut serve: impl FnMut(&Asked) -> Vec<Reply>,
) -> Vec<Asked> {
    let net = wire.net();
    let sockets = PORTS.map(|port| wire.world.borrow_mut().peer.bind(port));
    let streams = [(); 2].map(|()| wire.listen(PORTS[0]));
    let asked = RefCell::new(Vec::new());
    let mut take = |question: Asked| {
        let replies = serve(&question);
        asked.borrow_mut().push(question);
        replies
    };
    let mut tasks = Tasks::default();
    let done = tasks.spawn(client(&net));
    for _ in 0..ROUNDS {
        tasks.run_until(&net, wire.time() + Duration::from_millis(1));
        if tasks.is_done(done) {
            assert_eq!(wire.sockets(), 0, "no socket is left");
            return asked.take();
        }
        for (&handle, port) in sockets.iter().zip(PORTS) {
            let mut buf = [0; 600];
            let received = wire
                .world
                .borrow_mut()
                .peer
                .udp(handle)
                .recv_slice(&mut buf);
            let Ok((count, from)) = received else {
                continue;
            };
            let from = from.endpoint.port;
            for reply in take(Asked::parse(&buf[..count], port, from, false)) {
                match reply {
                    Reply::Say(bytes) => {
                        let mut world = wire.world.borrow_mut();
                        world.peer.send_to(handle, from, &bytes);
                    }
                    Reply::From(other, bytes) => {
                        let packet = frames::udp(other, (SERVER_IP, from), &bytes);
                        let frame = frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, &packet);
                        wire.world.borrow_mut().inject(frame);
                    }
                    Reply::Restart => wire.restart(),
                }
            }
        }
        for stream in &streams {
            let received = stream.recv();
            let Some(query) = received.get(2..) else {
                continue;
            };
            for reply in take(Asked::parse(query, PORTS[0], 0, true)) {
                let Reply::Say(bytes) = reply else { continue };
                stream.send(&(bytes.len() as u16).to_be_bytes());
                stream.send(&bytes);
            }
        }
    }
    panic!("the client has no end");
}
