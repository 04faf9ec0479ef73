// SPDX-License-Identifier: BSD-2-Clause

//! `socketpair` beside Linux's: the same calls, at random, have the same results.

use std::os::fd::OwnedFd;
use std::time::Duration;

use posix::{Error, File, PAIR_ROOM, PAIRS, PollEntry, Posix, Wait};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;
use rustix::net;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use socket_client::{Errno, Flag, Flags, Net, SocketKind};
use test_world::Wire;

const SEQUENCES: u64 = 4_000;
/// Linux keeps ten datagrams at most.
const CALLS: usize = 18;
const MOST_SENT: usize = 10;

/// Time goes on, and nothing else happens.
struct Steps(&'static Wire);

impl Wait for Steps {
    fn wait(&self) -> Result<(), Error> {
        while !self.0.step() {}
        Ok(())
    }
}

type Program = Posix<'static, &'static Wire, Steps>;

fn program(files: usize) -> Program {
    let wire: &Wire = Box::leak(Box::new(Wire::simple()));
    let net: &Net<&Wire> = Box::leak(Box::new(wire.net()));
    Posix::new(net, vec![None::<File>; files].leak(), Steps(wire))
}

fn memory() -> Option<[&'static mut [u8]; 2]> {
    Some([(); 2].map(|()| vec![0; PAIR_ROOM].leak()))
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Send(usize),
    Recv {
        room: usize,
        peek: bool,
        truncate: bool,
    },
    Shutdown(i32),
    Poll,
    Readable,
    TakeError,
    Close,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Done,
    Number(usize),
    Received(usize, Vec<u8>),
    Failed(u16),
}

impl Outcome {
    /// `ENOTCONN` counts as `EPIPE`: which comes first depends on Linux's release.
    fn failed(errno: u16) -> Outcome {
        Outcome::Failed(if errno == 107 { 32 } else { errno })
    }
}

impl Call {
    fn draw(random: &mut fastrand::Rng, sent: &mut usize) -> Call {
        loop {
            return match random.u8(0..32) {
                0..10 if *sent < MOST_SENT => {
                    *sent += 1;
                    Call::Send(random.usize(0..20))
                }
                10..20 => Call::Recv {
                    room: random.usize(1..24),
                    peek: random.u8(0..4) == 0,
                    truncate: random.u8(0..4) == 0,
                },
                20 => Call::Shutdown(random.i32(0..3)),
                21..27 => Call::Poll,
                27..29 => Call::Readable,
                29 => Call::TakeError,
                30 if random.bool() => Call::Close,
                _ => continue,
            };
        }
    }

    /// On our pair.
    fn ours(self, program: &Program, fd: i32, bytes: &[u8]) -> Outcome {
        let numbered = |result: Result<usize, Error>| match result {
            Ok(count) => Outcome::Number(count),
            Err(error) => Outcome::failed(error.raw()),
        };
        match self {
            Call::Send(length) => {
                numbered(program.send(fd, &[&bytes[..length]], None, Flag::DontWait.into()))
            }
            Call::Recv {
                room,
                peek,
                truncate,
            } => {
                let mut flags = Flags::from(Flag::DontWait);
                for flag in [
                    peek.then_some(Flag::Peek),
                    truncate.then_some(Flag::Truncate),
                ] {
                    flags = flag.map_or(flags, |flag| flags | flag);
                }
                let mut buf = vec![0; room];
                match program.recv(fd, &mut [&mut buf], flags) {
                    Ok(received) => {
                        buf.truncate(received.count);
                        Outcome::Received(received.count, buf)
                    }
                    Err(error) => Outcome::failed(error.raw()),
                }
            }
            Call::Shutdown(how) => {
                program.shutdown(fd, how).unwrap();
                Outcome::Done
            }
            Call::Poll => {
                let mut entries = [PollEntry {
                    fd,
                    events: 0x2005,
                    revents: 0,
                }];
                program.poll(&mut entries, Some(Duration::ZERO)).unwrap();
                Outcome::Number(entries[0].revents.into())
            }
            Call::Readable => numbered(program.readable(fd)),
            Call::TakeError => {
                let (bytes, _) = program.option(fd, 1, 4).unwrap();
                Outcome::Number(bytes[0].into())
            }
            Call::Close => {
                program.close(fd).unwrap();
                Outcome::Done
            }
        }
    }

    /// On Linux's.
    fn theirs(self, fd: &mut Option<OwnedFd>, bytes: &[u8]) -> Outcome {
        let failed = |errno: rustix::io::Errno| Outcome::failed(errno.raw_os_error() as u16);
        let socket = fd.as_ref().unwrap();
        match self {
            Call::Send(length) => {
                let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                net::send(socket, &bytes[..length], flags).map_or_else(failed, Outcome::Number)
            }
            Call::Recv {
                room,
                peek,
                truncate,
            } => {
                let mut flags = RecvFlags::DONTWAIT;
                flags.set(RecvFlags::PEEK, peek);
                flags.set(RecvFlags::TRUNC, truncate);
                let mut buf = vec![0; room];
                match net::recv(socket, &mut buf[..], flags) {
                    Ok((_, count)) => {
                        buf.truncate(count);
                        Outcome::Received(count, buf)
                    }
                    Err(errno) => failed(errno),
                }
            }
            Call::Shutdown(how) => {
                let how = [
                    net::Shutdown::Read,
                    net::Shutdown::Write,
                    net::Shutdown::Both,
                ][how as usize];
                net::shutdown(socket, how).unwrap();
                Outcome::Done
            }
            Call::Poll => {
                let wanted = PollFlags::IN | PollFlags::OUT | PollFlags::RDHUP;
                let mut entries = [PollFd::new(socket, wanted)];
                poll(&mut entries, Some(&Timespec::default())).unwrap();
                Outcome::Number(entries[0].revents().bits().into())
            }
            Call::Readable => Outcome::Number(ioctl_fionread(socket).unwrap() as usize),
            Call::TakeError => {
                let error = sockopt::socket_error(socket).unwrap();
                Outcome::Number(error.map_or_else(|errno| errno.raw_os_error() as usize, |()| 0))
            }
            Call::Close => {
                *fd = None;
                Outcome::Done
            }
        }
    }
}

#[test]
fn the_same_calls_have_the_same_results() {
    let program = program(4);
    for seed in 0..SEQUENCES {
        let mut random = fastrand::Rng::with_seed(seed);
        let (kind, theirs) = match random.bool() {
            true => (SocketKind::Stream, SocketType::STREAM),
            false => (SocketKind::Datagram, SocketType::DGRAM),
        };
        let ours = program.socketpair(kind, false, memory).unwrap();
        let (one, two) =
            net::socketpair(AddressFamily::UNIX, theirs, SocketFlags::CLOEXEC, None).unwrap();
        let mut theirs = [Some(one), Some(two)];
        let (mut calls, mut sent) = (Vec::new(), 0);
        for _ in 0..CALLS {
            let side = random.usize(0..2);
            if theirs[side].is_none() {
                continue;
            }
            let call = Call::draw(&mut random, &mut sent);
            calls.push((side, call));
            let mut bytes = [0; 20];
            random.fill(&mut bytes);
            let (our, their) = (
                call.ours(&program, ours[side], &bytes),
                call.theirs(&mut theirs[side], &bytes),
            );
            assert_eq!(our, their, "{kind:?}, sequence {seed}: {calls:?}");
        }
        for (fd, theirs) in ours.into_iter().zip(theirs) {
            assert_eq!(program.close(fd).is_ok(), theirs.is_some());
        }
    }
}

#[test]
fn it_holds_so_much_and_says_when_nothing_would_end_a_wait() {
    let program = program(2 * PAIRS + 2);
    let [one, two] = program
        .socketpair(SocketKind::Stream, false, memory)
        .unwrap();
    let none = recv(&program, two, Flags::NONE);
    assert_eq!(none, Err(Error::EDEADLK));
    let much = vec![7; PAIR_ROOM + 1];
    let sent = program.send(one, &[&much[..5], &much[5..]], None, Flags::NONE);
    assert_eq!(sent, Ok(PAIR_ROOM));
    assert_eq!(
        program.send(one, &[b"x"], None, Flags::NONE),
        Err(Error::EDEADLK)
    );
    let full = program.send(one, &[b"x"], None, Flag::DontWait.into());
    assert_eq!(full.unwrap_err(), Errno::EAGAIN);
    // What is read makes room; a call with a time limit waits for it.
    let limit = [0u64.to_ne_bytes(), 50_000u64.to_ne_bytes()].concat();
    program.set_option(two, 1, 20, &limit).unwrap();
    assert_eq!(program.option(two, 1, 20).unwrap().0[..], limit[..]);
    while recv(&program, two, Flag::DontWait.into()).is_ok() {}
    let before = program.now();
    assert_eq!(recv(&program, two, Flags::NONE).unwrap_err(), Errno::EAGAIN);
    assert!(program.now() - before >= Duration::from_millis(50));
    // It is of no family that has addresses, and does nothing that needs one.
    assert_eq!(
        (program.local(one), program.peer(two)),
        (Ok(None), Ok(None))
    );
    assert_eq!(program.option(one, 1, 39).unwrap().0[0], 1);
    assert_eq!(program.listen(one, 1), Err(Error::EOPNOTSUPP));
    assert!(program.close(one).unwrap().is_none());
    assert!(program.close(two).unwrap().is_some());

    let pair = || program.socketpair(SocketKind::Datagram, true, memory);
    let [one, _] = pair().unwrap();
    let long = program.send(one, &[&much[..PAIR_ROOM - 1]], None, Flags::NONE);
    assert_eq!(long, Err(Error::EMSGSIZE));
    assert_eq!(
        program.send(one, &[&much[..PAIR_ROOM - 2]], None, Flags::NONE),
        Ok(PAIR_ROOM - 2)
    );
    for _ in 1..PAIRS {
        pair().unwrap();
    }
    assert_eq!(pair().unwrap_err(), Errno::ENOBUFS);
    program.close(one).unwrap();
    let nothing = program.socketpair(SocketKind::Stream, false, || None);
    assert_eq!(nothing.unwrap_err(), Errno::ENOBUFS);
}

fn recv(program: &Program, fd: i32, flags: Flags) -> Result<usize, Error> {
    let received = program.recv(fd, &mut [&mut [0; 1000]], flags);
    received.map(|received| received.count)
}
