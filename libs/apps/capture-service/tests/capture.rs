// SPDX-License-Identifier: BSD-2-Clause

//! A viewer on the simulated link, and what the file says that it gets.

use std::cell::RefCell;
use std::time::Duration;

use capture_service::Capture;
use socket_client::{Errno, Net};
use socket_server::PortRange;
use stats::{Capture as Counter, NetServer, Writer};
use test_world::{PEER_IP, SERVER_IP, Stream, Tasks, Wire, frames, limits, page};

const PORT: u16 = 5555;

fn wire() -> Wire {
    let mut limits = limits(8, 0);
    limits.capture = 1 << 16;
    limits.tcp_ports = vec![PortRange::new(PORT, PORT).unwrap()];
    Wire::with_limits(limits)
}

/// The service on a link, and time that passes.
struct World<'w> {
    net: &'w Net<&'w Wire>,
    wire: &'w Wire,
    tasks: Tasks<'w>,
}

impl World<'_> {
    fn pass(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds {
            let until = self.wire.time() + Duration::from_millis(1);
            self.tasks.run_until(self.net, until);
        }
    }

    fn datagram(&mut self, payload: &[u8]) {
        let packet = frames::udp((PEER_IP, 5), (SERVER_IP, 7), payload);
        let frame = frames::ethernet(test_world::PEER_MAC, test_world::SERVER_MAC, 0x800, &packet);
        self.wire.world.borrow_mut().inject(frame);
    }
}

fn run(test: impl FnOnce(&mut World<'_>, Writer<Counter>, &RefCell<Vec<Errno>>)) {
    let wire = wire();
    let net = wire.net();
    let stats = Writer::attach(page(), 0);
    let failures = RefCell::new(Vec::new());
    let mut service = Box::new(Capture::new(&net, PORT, stats));
    let mut world = World {
        net: &net,
        wire: &wire,
        tasks: Tasks::default(),
    };
    let report = |errno| failures.borrow_mut().push(errno);
    world.tasks.spawn(async move { service.run(report).await });
    world.pass(1);
    test(&mut world, stats, &failures);
}

/// The blocks of a file: type and content, without lengths.
fn blocks(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let word = |at: usize| u32::from_ne_bytes(file[at..at + 4].try_into().unwrap());
    let (mut at, mut blocks) = (0, Vec::new());
    while at < file.len() {
        let length = word(at + 4) as usize;
        assert_eq!((length % 4, word(at + length - 4) as usize), (0, length));
        blocks.push((word(at), file[at + 8..at + length - 4].to_vec()));
        at += length;
    }
    blocks
}

fn viewer<'w>(world: &mut World<'w>, line: &str) -> Stream<'w> {
    let viewer = world.wire.connect(PORT);
    viewer.send(line.as_bytes());
    world.pass(250);
    viewer
}

#[test]
fn frames_come_as_they_pass() {
    run(|world, stats, failures| {
        let viewer = viewer(world, "");
        let begin = blocks(&viewer.recv());
        assert_eq!(
            begin.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
            [0x0a0d_0d0a, 1, 1]
        );
        world.datagram(b"odd");
        world.pass(30);
        // The datagram, and the answer that nobody is there.
        let [(6, first), (6, second)] = &blocks(&viewer.recv())[..] else {
            panic!("two frames");
        };
        assert_eq!(
            first[12..20],
            [45u32.to_ne_bytes(), 45u32.to_ne_bytes()].concat()
        );
        let text = b"odd\0\0\0\x02\0\x04\0\x01\0\0\0\0\0\0\0";
        assert!(first.ends_with(text), "{first:?}");
        assert!(
            second.ends_with(b"\x02\0\x04\0\x02\0\0\0\0\0\0\0"),
            "{second:?}"
        );
        world.pass(1000);
        // Its own connection is not in it.
        assert_eq!(viewer.recv(), []);
        assert_eq!(stats.get(Counter::Frames), 2);
        assert_eq!(*failures.borrow(), []);
    });
}

#[test]
fn a_line_says_what_to_show() {
    run(|world, _, _| {
        let viewer = viewer(world, "udp port 7 snap 16\n");
        viewer.recv();
        world.datagram(b"question");
        world.pass(30);
        let [(6, frame)] = &blocks(&viewer.recv())[..] else {
            panic!("one frame");
        };
        assert_eq!(
            frame[12..20],
            [16u32.to_ne_bytes(), 50u32.to_ne_bytes()].concat()
        );
        let viewer = self::viewer(world, "udp and tcp\n");
        assert_eq!(viewer.recv(), b"what is \"and\"?\n");
        assert!(viewer.saw_end());
    });
}

#[test]
fn the_newest_viewer_has_it() {
    run(|world, stats, failures| {
        let first = viewer(world, "");
        let second = viewer(world, "\n");
        first.recv();
        assert!(first.saw_end());
        second.recv();
        world.datagram(b"x");
        world.pass(30);
        assert_eq!(blocks(&second.recv()).len(), 2);
        // Nothing is captured for who has gone.
        second.reset();
        world.pass(30);
        world.datagram(b"x");
        let frames = world.wire.world.borrow().count(NetServer::CaptureFrames);
        assert_eq!(frames, 2);
        assert_eq!(stats.get(Counter::Viewers), 2);
        assert_eq!(*failures.borrow(), []);
    });
}

#[test]
fn a_restart_of_the_server_ends_it() {
    run(|world, _, failures| {
        viewer(world, "");
        world.wire.restart();
        world.pass(1500);
        let viewer = self::viewer(world, "");
        assert_eq!(blocks(&viewer.recv()).len(), 3);
        assert!(!failures.borrow().is_empty());
    });
}

#[test]
fn losses_are_told() {
    run(|world, stats, _| {
        let viewer = viewer(world, "");
        viewer.recv();
        for _ in 0..100 {
            world.datagram(&[7; 1400]);
        }
        let mut file = Vec::new();
        for _ in 0..10 {
            world.pass(20);
            file.extend(viewer.recv());
        }
        let lost = stats.get(Counter::Dropped);
        assert!(lost > 20, "{lost}");
        let told = blocks(&file).into_iter().rfind(|(kind, _)| *kind == 5);
        assert_eq!(told.unwrap().1[16..24], lost.to_ne_bytes());
    });
}
