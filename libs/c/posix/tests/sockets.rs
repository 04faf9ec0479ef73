// SPDX-License-Identifier: BSD-2-Clause

//! Calls that wait, on the simulated world: it goes on while the program waits.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use posix::{Error, File, Hints, NameError, PollEntry, Posix, Received, Wait, service_port};
use socket_client::{Errno, Family, Flag, Flags, Net};
use test_world::{Wire, limits};

const STREAM: i32 = 1;
const DATAGRAM: i32 = 2;
const INET: i32 = 2;
const INET6: i32 = 10;
const IN: u16 = 1;
const OUT: u16 = 4;

fn addr(port: u16) -> SocketAddr {
    ([0, 0, 0, 0], port).into()
}

/// Lets the world go on until there is a notification. What a test wants done meanwhile is done
/// first.
struct World {
    wire: &'static Wire,
    waits: Cell<u32>,
    meanwhile: RefCell<Box<dyn FnMut()>>,
}

impl World {
    fn meanwhile(&self, act: impl FnMut() + 'static) {
        *self.meanwhile.borrow_mut() = Box::new(act);
    }
}

impl Wait for &World {
    fn wait(&self) -> Result<(), Error> {
        self.waits.set(self.waits.get() + 1);
        for _ in 0..10_000 {
            (self.meanwhile.borrow_mut())();
            // A notification from before counts, as it does in a PD.
            if self.wire.take_notified() || self.wire.step() {
                return Ok(());
            }
        }
        panic!("nothing wakes the program");
    }
}

type Program = Posix<'static, &'static Wire, &'static World>;

/// A program with room for so many descriptors. Tests are short: what it borrows is leaked.
fn program(wire: Wire, files: usize) -> (Program, &'static World, &'static Wire) {
    let wire: &Wire = Box::leak(Box::new(wire));
    let world: &World = Box::leak(Box::new(World {
        wire,
        waits: Cell::new(0),
        meanwhile: RefCell::new(Box::new(|| ())),
    }));
    let net: &Net<&Wire> = Box::leak(Box::new(wire.net()));
    let files = vec![None::<File>; files].leak();
    (Posix::new(net, files, world), world, wire)
}

fn listener(program: &Program, port: u16) -> i32 {
    let fd = program.socket(INET, STREAM, 0, false).unwrap();
    program.bind(fd, addr(port)).unwrap();
    program.listen(fd, -1).unwrap();
    fd
}

fn recv(program: &Program, fd: i32, buf: &mut [u8], flags: Flags) -> Result<usize, Error> {
    let received = program.recv(fd, &mut [buf], flags);
    received.map(|received| received.count)
}

#[test]
fn a_server_waits_for_a_connection_bytes_and_room() {
    let (program, world, wire) = program(Wire::with_buffers(limits(8, 2), 4096), 8);
    let fd = listener(&program, 80);
    let peer = Rc::new(Cell::new(None));
    let connects = Rc::clone(&peer);
    world.meanwhile(move || {
        if connects.get().is_none() {
            connects.set(Some(wire.connect(80)));
        }
    });
    let (stream, from) = program.accept(fd, false).unwrap();
    let peer = peer.get().unwrap();
    assert_eq!((stream, from), (fd + 1, peer.addr()));
    // The bytes come in two pieces, and the call wants them all.
    let mut pieces = [&b"hel"[..], b"lo"].into_iter();
    world.meanwhile(move || {
        pieces.next().map(|piece| peer.send(piece));
    });
    let mut buf = [0; 5];
    let (first, second) = buf.split_at_mut(2);
    let received = program.recv(stream, &mut [first, second], Flag::WaitAll.into());
    assert_eq!(received.map(|received| received.count), Ok(5));
    assert_eq!(&buf, b"hello");
    // Many times what the buffers hold, taken as the peer reads.
    let many = test_world::pattern(40_000, 1);
    let taken = Rc::new(RefCell::new(Vec::new()));
    let takes = Rc::clone(&taken);
    world.meanwhile(move || takes.borrow_mut().extend(peer.recv()));
    let sent = program.send(stream, &[&many[..7], &many[7..]], None, Flags::NONE);
    assert_eq!(sent, Ok(many.len()));
    wire.settle();
    while taken.borrow().len() < many.len() {
        taken.borrow_mut().extend(peer.recv());
        wire.step();
    }
    assert!(*taken.borrow() == many);
    peer.finish();
    assert_eq!(recv(&program, stream, &mut buf, Flags::NONE), Ok(0));
    program.close(stream).unwrap();
    assert_eq!(program.close(stream), Err(Error::EBADF));
}

#[test]
fn a_call_that_is_not_to_wait_does_not_and_one_with_a_limit_ends_in_time() {
    let (program, world, wire) = program(Wire::simple(), 8);
    let fd = listener(&program, 80);
    program.set_nonblocking(fd, true).unwrap();
    assert_eq!(program.accept(fd, false).unwrap_err(), Errno::EAGAIN);
    let peer = wire.connect(80);
    let (stream, _) = program.accept(fd, false).unwrap();
    // Neither `O_NONBLOCK` nor a limit is the connection's.
    program.set_nonblocking(fd, false).unwrap();
    assert!(!program.file(stream).unwrap().nonblocking);
    let dont_wait = recv(&program, stream, &mut [0; 4], Flag::DontWait.into());
    assert_eq!(dont_wait.unwrap_err(), Errno::EAGAIN);
    assert_eq!(world.waits.get(), 0);
    // 200 ms: struct timeval.
    let limit = [0u64.to_ne_bytes(), 200_000u64.to_ne_bytes()].concat();
    program.set_option(stream, 1, 20, &limit).unwrap();
    let before = program.now();
    let late = recv(&program, stream, &mut [0; 4], Flags::NONE);
    assert_eq!(late.unwrap_err(), Errno::EAGAIN);
    let waited = program.now() - before;
    assert!((Duration::from_millis(200)..Duration::from_millis(300)).contains(&waited));
    assert_eq!(program.option(stream, 1, 20).unwrap().0[..], limit[..]);
    // What has come before the time is up is told.
    peer.send(b"ab");
    let some = recv(&program, stream, &mut [0; 4], Flag::WaitAll.into());
    assert_eq!(some, Ok(2));
    let before = program.now();
    program.sleep(Duration::from_secs(2)).unwrap();
    assert!(program.now() - before >= Duration::from_secs(2));
}

#[test]
fn connecting_waits_for_its_end_or_says_that_it_goes_on() {
    let (program, _, wire) = program(Wire::simple(), 8);
    let server = wire.listen(7);
    let to = |port| Some(SocketAddr::from((test_world::PEER_IP, port)));
    let fd = program.socket(INET, STREAM, 6, false).unwrap();
    assert_eq!(program.connect(fd, to(7)), Ok(()));
    wire.settle();
    assert!(server.is_connected());
    assert_eq!(program.connect(fd, to(7)).unwrap_err(), Errno::EISCONN);
    assert_eq!(program.peer(fd), Ok(to(7)));
    let refused = program.socket(INET, STREAM, 0, false).unwrap();
    let error = program.connect(refused, to(9)).unwrap_err();
    assert_eq!(error, Errno::ECONNREFUSED);
    let started = program.socket(INET, STREAM, 0, true).unwrap();
    wire.listen(8);
    assert_eq!(
        program.connect(started, to(8)).unwrap_err(),
        Errno::EINPROGRESS
    );
    let mut entries = [entry(started, OUT)];
    assert_eq!(program.poll(&mut entries, None), Ok(1));
    assert_eq!(program.connect(started, to(8)), Ok(()));
}

#[test]
fn echoes_are_asked_for_and_come_back() {
    let (program, _, _) = program(Wire::simple(), 8);
    let fd = program.socket(INET, DATAGRAM, 1, false).unwrap();
    let host: SocketAddr = (test_world::PEER_IP, 0).into();
    let request = [8, 0, 0, 0, 0, 0, 0, 9];
    let pieces = [&request[..], b"hello"];
    assert_eq!(program.send(fd, &pieces, Some(host), Flags::NONE), Ok(13));
    let mut reply = [0; 20];
    let received = program.recv(fd, &mut [&mut reply], Flags::NONE).unwrap();
    assert_eq!((received.count, received.from), (13, Some(host)));
    assert_eq!((reply[0], &reply[6..13]), (0, &b"\0\x09hello"[..]));
    let id = program.local(fd).unwrap().unwrap().port();
    assert_eq!(reply[4..6], id.to_be_bytes());
    let wrong = program.socket(INET6, DATAGRAM, 1, false);
    assert_eq!(wrong.unwrap_err(), Errno::EPROTONOSUPPORT);
}

#[test]
fn datagrams_come_one_at_a_time_and_whole_or_cut() {
    let (program, _, wire) = program(Wire::simple(), 8);
    let fd = program.socket(INET, DATAGRAM, 17, false).unwrap();
    program.bind(fd, addr(7)).unwrap();
    assert_eq!(program.readable(fd), Ok(0));
    for (from, payload) in [(1000, &b"first"[..]), (1001, b""), (1002, b"third")] {
        wire.datagram_arrives(7, from, payload);
    }
    wire.settle();
    assert_eq!(program.readable(fd), Ok(5));
    let mut buf = [0; 3];
    let from = |port| Some(SocketAddr::from((test_world::PEER_IP, port)));
    let received = |count, port, is_cut| {
        Ok(Received {
            count,
            from: from(port),
            is_cut,
        })
    };
    let peek = Flags::from(Flag::Peek);
    assert_eq!(
        program.recv(fd, &mut [&mut buf], peek),
        received(3, 1000, true)
    );
    let whole = Flags::from(Flag::Truncate);
    assert_eq!(
        program.recv(fd, &mut [&mut buf], whole),
        received(5, 1000, true)
    );
    assert_eq!(&buf, b"fir");
    assert_eq!(
        program.recv(fd, &mut [&mut buf], Flags::NONE),
        received(0, 1001, false)
    );
    let (one, rest) = buf.split_at_mut(1);
    assert_eq!(
        program.recv(fd, &mut [one, rest], Flags::NONE),
        received(3, 1002, true)
    );
    assert_eq!(&buf, b"thi");
    wire.take_datagrams();
    assert_eq!(
        program.send(fd, &[b"an", b"swer"], from(1002), Flags::NONE),
        Ok(6)
    );
    wire.settle();
    assert_eq!(wire.take_datagrams(), [(1002, b"answer".to_vec())]);
    let nobody = program.send(fd, &[b"x"], None, Flags::NONE);
    assert_eq!(nobody.unwrap_err(), Errno::EDESTADDRREQ);
}

fn entry(fd: i32, events: u16) -> PollEntry {
    PollEntry {
        fd,
        events,
        revents: 0,
    }
}

#[test]
fn poll_finds_what_is_ready_and_ends_in_time() {
    let (program, _, wire) = program(Wire::simple(), 8);
    let fd = listener(&program, 80);
    let mut entries = [
        entry(fd, IN),
        entry(-1, IN),
        entry(1, IN | OUT),
        entry(99, IN),
    ];
    assert_eq!(program.poll(&mut entries, None), Ok(2));
    // The console takes everything; 99 is no descriptor.
    assert_eq!(entries.map(|entry| entry.revents), [0, 0, OUT, 0x20]);
    let time = Duration::from_millis(70);
    let before = program.now();
    assert_eq!(program.poll(&mut entries[..2], Some(time)), Ok(0));
    assert!(program.now() - before >= time);
    wire.connect(80);
    assert_eq!(program.poll(&mut entries[..2], None), Ok(1));
    assert_eq!(entries[0].revents, IN);
}

#[test]
fn a_restart_of_the_server_ends_each_wait() {
    let (program, world, wire) = program(Wire::simple(), 8);
    let fd = listener(&program, 80);
    let mut times = 1;
    world.meanwhile(move || {
        if times > 0 {
            times -= 1;
            wire.restart();
        }
    });
    assert_eq!(program.accept(fd, false).unwrap_err(), Errno::ECONNRESET);
    let mut entries = [entry(fd, IN)];
    assert_eq!(program.poll(&mut entries, None), Ok(1));
    program.close(fd).unwrap();
    // The lowest number is free again, and a new socket works.
    assert_eq!(listener(&program, 80), fd);
}

#[test]
fn descriptors_are_the_lowest_free_ones_and_end() {
    let (program, _, wire) = program(Wire::simple(), 2);
    let open = || program.socket(INET, DATAGRAM, 0, false);
    assert_eq!((open(), open(), open()), (Ok(3), Ok(4), Err(Error::EMFILE)));
    assert_eq!(wire.sockets(), 2);
    program.close(3).unwrap();
    assert_eq!(open(), Ok(3));
    for fd in [-1, 0, 5, i32::MIN, i32::MAX] {
        assert_eq!(program.listen(fd, 1), Err(Error::EBADF));
    }
    let local = program.socket(1, STREAM, 0, false);
    assert_eq!(local, Err(Error::EAFNOSUPPORT));
    assert_eq!(program.socket(INET, 9, 0, false), Err(Error::EINVAL));
    let raw = program.socket(INET, 3, 0, false);
    assert_eq!(raw.unwrap_err(), Errno::ESOCKTNOSUPPORT);
    let wrong = program.socket(INET, STREAM, 17, false);
    assert_eq!(wrong.unwrap_err(), Errno::EPROTONOSUPPORT);
}

#[test]
fn groups_are_joined_by_linux_structs() {
    let (program, _, wire) = program(Wire::simple(), 8);
    let fd = program.socket(INET, DATAGRAM, 0, false).unwrap();
    program.bind(fd, addr(7)).unwrap();
    let group = [239, 1, 1, 1];
    let own = test_world::SERVER_IP.octets();
    let request = |interface: [u8; 4]| [group, interface].concat();
    let set = |name, bytes: &[u8]| program.set_option(fd, 0, name, bytes);
    assert_eq!(set(35, &request([10, 9, 9, 9])).unwrap_err(), Errno::ENODEV);
    assert_eq!(set(35, &group), Err(Error::EINVAL));
    assert_eq!(set(35, &request(own)), Ok(()));
    assert_eq!(set(35, &request([0; 4])).unwrap_err(), Errno::EADDRINUSE);
    let numbered = |number: i32| [&request([0; 4])[..], &number.to_ne_bytes()].concat();
    assert_eq!(set(36, &numbered(2)).unwrap_err(), Errno::ENODEV);
    // A byte is a number, too; this machine hears itself.
    assert_eq!(set(33, &[9]), Ok(()));
    let (bytes, 4) = program.option(fd, 0, 33).unwrap() else {
        panic!("another size");
    };
    assert_eq!(bytes[..4], 9i32.to_ne_bytes());
    let to = Some((group, 7).into());
    assert_eq!(program.send(fd, &[b"hello"], to, Flags::NONE), Ok(5));
    wire.settle();
    let mut heard = [0; 5];
    let received = program.recv(fd, &mut [&mut heard], Flags::NONE).unwrap();
    assert_eq!((received.count, &heard), (5, b"hello"));
    assert_eq!(set(36, &numbered(1)), Ok(()));
    assert_eq!(set(36, &numbered(1)).unwrap_err(), Errno::EADDRNOTAVAIL);
    assert_eq!(set(32, &own), Ok(()));
    assert_eq!(program.option(fd, 0, 32).unwrap().0[..4], own);
    let six = program.socket(INET6, DATAGRAM, 0, false).unwrap();
    // There is no IPv6 on this link.
    let refused = program.set_option(six, 41, 20, &[0xff; 20]);
    assert_eq!(refused.unwrap_err(), Errno::ENODEV);
}

#[test]
fn options_have_linux_layouts() {
    let (program, _, _) = program(Wire::simple(), 2);
    let fd = program.socket(INET, STREAM, 0, false).unwrap();
    let one = 1i32.to_ne_bytes();
    program.set_option(fd, 6, 1, &one).unwrap();
    assert_eq!(
        program
            .option(fd, 6, 1)
            .map(|(bytes, length)| (bytes[0], length)),
        Ok((1, 4))
    );
    let linger = [one, 0i32.to_ne_bytes()].concat();
    program.set_option(fd, 1, 13, &linger).unwrap();
    let (bytes, length) = program.option(fd, 1, 13).unwrap();
    assert_eq!(bytes[..length], linger);
    assert_eq!(program.set_option(fd, 1, 13, &one), Err(Error::EINVAL));
    assert_eq!(program.set_option(fd, 1, 2, &[1]), Err(Error::EINVAL));
    assert_eq!(
        program.set_option(fd, 1, 999, &one),
        Err(Error::ENOPROTOOPT)
    );
    assert_eq!(
        program.set_option(fd, -1, -1, &one),
        Err(Error::ENOPROTOOPT)
    );
    let late = [0u64.to_ne_bytes(), 1_000_000u64.to_ne_bytes()].concat();
    assert_eq!(
        program.set_option(fd, 1, 20, &late).unwrap_err(),
        Errno::EDOM
    );
}

#[test]
fn addresses_are_those_of_linux() {
    let v4: SocketAddr = "10.0.2.15:80".parse().unwrap();
    let v6: SocketAddr = "[fe80::1%3]:443".parse().unwrap();
    for (address, length) in [(v4, 16), (v6, 28)] {
        let (bytes, written) = posix::write_address(address);
        assert_eq!(written, length);
        assert_eq!(posix::read_address(&bytes[..written]), Ok(Some(address)));
        let short = posix::read_address(&bytes[..written - 1]);
        assert_eq!(short, Err(Error::EINVAL));
    }
    assert_eq!(posix::write_address(v4).0[..8], [2, 0, 0, 80, 10, 0, 2, 15]);
    assert_eq!(posix::read_address(&[0; 16]), Ok(None));
    assert_eq!(posix::read_address(&[1; 16]), Err(Error::EAFNOSUPPORT));
    assert_eq!(posix::read_address(&[2]), Err(Error::EINVAL));
}

#[test]
fn names_that_nobody_has_to_be_asked_for() {
    let (program, _, _) = program(Wire::simple(), 2);
    let look_up = |host, hints| {
        let mut found = Vec::new();
        let outcome = program.addresses(host, hints, |address, _| found.push(address.to_string()));
        outcome.map(|()| found.join(" "))
    };
    let passive = Hints {
        passive: true,
        ..Hints::default()
    };
    let numeric = Hints {
        numeric: true,
        ..Hints::default()
    };
    let of = |family| Hints {
        family: Some(family),
        ..passive
    };
    let mapped = Hints {
        mapped: true,
        ..of(Family::Inet6)
    };
    let found = |text: &str| Ok(text.to_string());
    assert_eq!(look_up(Some("192.0.2.7"), numeric), found("192.0.2.7"));
    assert_eq!(look_up(None, Hints::default()), found("::1 127.0.0.1"));
    assert_eq!(look_up(None, passive), found("0.0.0.0 ::"));
    assert_eq!(look_up(None, of(Family::Inet6)), found("::"));
    assert_eq!(look_up(Some("2001:db8::1"), numeric), found("2001:db8::1"));
    assert_eq!(
        look_up(Some("::1"), of(Family::Inet)),
        Err(NameError::OtherFamily)
    );
    assert_eq!(
        look_up(Some("192.0.2.7"), of(Family::Inet6)),
        Err(NameError::OtherFamily)
    );
    assert_eq!(
        look_up(Some("192.0.2.7"), mapped),
        found("::ffff:192.0.2.7")
    );
    assert_eq!(
        look_up(Some("example.org"), numeric),
        Err(NameError::NoName)
    );
    // Without servers.
    assert_eq!(look_up(Some("example.org"), passive), Err(NameError::Again));
    program.use_servers([], "").unwrap();
    let both = found("127.0.0.1 ::1");
    assert_eq!(look_up(Some("localhost"), passive), both);
    let second = look_up(Some("localhost"), of(Family::Inet6));
    assert_eq!(second, found("::1"));
    let all = Hints {
        all: true,
        ..mapped
    };
    let all = look_up(Some("localhost"), all);
    assert_eq!(all, found("::1 ::ffff:127.0.0.1"));
    assert_eq!(look_up(Some("example.org"), passive), Err(NameError::Again));
    assert_eq!(look_up(Some("a..b"), passive), Err(NameError::NoName));
    assert_eq!(
        (service_port("http"), service_port("8080")),
        (Some(80), Some(8080))
    );
    assert_eq!(
        (service_port("nonsense"), service_port("70000")),
        (None, None)
    );
}

#[test]
fn a_name_server_that_does_not_answer_is_given_up_in_its_time() {
    let (program, _, wire) = program(Wire::simple(), 2);
    let silent = SocketAddr::from((test_world::PEER_IP, 53));
    wire.world.borrow_mut().peer.bind(53);
    program.use_servers([silent], "").unwrap();
    let before = program.now();
    let outcome = program.addresses(Some("example.org"), Hints::default(), |_, _| ());
    assert_eq!(outcome, Err(NameError::Again));
    let waited: Duration = resolver::WAITS.iter().sum();
    assert!(program.now() - before >= waited);
}

#[test]
fn a_socket_of_ipv6_hears_both_families() {
    let (program, _, _) = program(Wire::simple(), 8);
    let listener = program.socket(INET6, STREAM, 0, false).unwrap();
    program.bind(listener, "[::]:80".parse().unwrap()).unwrap();
    program.listen(listener, 4).unwrap();
    for (family, to, seen) in [
        (INET6, "[::1]:80", "::1"),
        (INET, "127.0.0.1:80", "::ffff:127.0.0.1"),
    ] {
        let fd = program.socket(family, STREAM, 0, false).unwrap();
        program.connect(fd, Some(to.parse().unwrap())).unwrap();
        let (stream, peer) = program.accept(listener, false).unwrap();
        assert_eq!(peer.ip(), seen.parse::<std::net::IpAddr>().unwrap());
        assert_eq!(program.send(stream, &[b"hello"], None, Flags::NONE), Ok(5));
        let mut buf = [0; 8];
        assert_eq!(recv(&program, fd, &mut buf, Flags::NONE), Ok(5));
    }
}
