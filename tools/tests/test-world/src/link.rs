// SPDX-License-Identifier: BSD-2-Clause

//! The link: frames on their way, in both directions, with faults.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;

use crate::{PEER_IP, PEER_MAC, SERVER_IP, SERVER_MAC, frames};
use socket_server::{FRAME_MAX, Link, RxQueue, TxQueue};

/// The server's end of the link; 1 is the peer's.
pub const SERVER: usize = 0;

/// What goes wrong, in parts of 1000 frames.
#[derive(Clone, Copy)]
pub struct Faults {
    /// Which frames it concerns.
    pub seed: u64,
    /// Those that are lost.
    pub lost: u64,
    /// Those that are delivered twice.
    pub doubled: u64,
    /// Those that are delayed, so that later frames overtake them.
    pub late: u64,
    /// How long a frame travels, in nanoseconds.
    pub travel: u64,
}

impl Faults {
    /// Every frame arrives once, in order, after 200 µs.
    pub fn none() -> Faults {
        Faults {
            seed: 1,
            lost: 0,
            doubled: 0,
            late: 0,
            travel: TRAVEL,
        }
    }

    /// As [`Self::none`], after a microsecond.
    pub fn quick() -> Faults {
        Faults {
            travel: 1_000,
            ..Faults::none()
        }
    }

    /// Two in a hundred are lost, two are doubled, five are late.
    pub fn some(seed: u64) -> Faults {
        Faults {
            seed,
            lost: 20,
            doubled: 20,
            late: 50,
            travel: TRAVEL,
        }
    }
}

/// A router whose next link is narrow.
#[derive(Clone, Copy)]
pub struct Narrow {
    /// Longest packet that gets through.
    pub mtu: usize,
    /// What the router says about that, in its ICMP message.
    pub said: u16,
}

impl Narrow {
    /// The message to the sender of a frame that does not get through.
    fn refuse(self, frame: &[u8]) -> Option<Vec<u8>> {
        let packet = frames::packet(frame)?;
        let dont_fragment = packet[6] & 0x40 != 0;
        if packet.len() <= self.mtu || !dont_fragment {
            return None;
        }
        let [high, low] = self.said.to_be_bytes();
        let icmp = frames::icmp(3, 4, [0, 0, high, low], &packet[..28]);
        let answer = frames::ipv4(PEER_IP, SERVER_IP, 1, &icmp);
        Some(frames::ethernet(PEER_MAC, SERVER_MAC, 0x0800, &answer))
    }
}

const TRAVEL: u64 = 200_000;
const LATE: u64 = 3_000_000;

type Frame = Reverse<(u64, u64, usize, Vec<u8>)>;

struct State {
    now: u64,
    faults: Faults,
    random: u64,
    sent: u64,
    travelling: BinaryHeap<Frame>,
    arrived: [VecDeque<Vec<u8>>; 2],
    /// Nanoseconds that the "driver" takes for a frame of the server; 0 if it takes all at once.
    pace: u64,
    /// When it takes the next one, if any waits.
    next: Option<u64>,
    /// Nothing leaves the "driver" while this is set.
    stopped: bool,
    /// A router in the server's way takes packets up to this length only.
    narrow: Option<Narrow>,
    /// Copies of what the server sent, if wanted.
    tap: Option<Vec<Vec<u8>>>,
    /// Copies of what the server received, if wanted.
    recording: Option<Vec<Vec<u8>>>,
}

impl State {
    fn chance(&mut self, parts: u64) -> bool {
        // xorshift64*
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % 1000 < parts
    }

    fn send(&mut self, to: usize, frame: Vec<u8>) {
        if to != SERVER
            && let Some(narrow) = self.narrow
            && let Some(error) = narrow.refuse(&frame)
        {
            self.sent += 1;
            let at = self.now + TRAVEL;
            self.travelling
                .push(Reverse((at, self.sent, SERVER, error)));
            return;
        }
        if to != SERVER
            && let Some(tap) = &mut self.tap
        {
            tap.push(frame.clone());
        }
        if self.chance(self.faults.lost) {
            return;
        }
        let copies = 1 + usize::from(self.chance(self.faults.doubled));
        for _ in 0..copies {
            let late = if self.chance(self.faults.late) {
                LATE
            } else {
                0
            };
            self.sent += 1;
            let at = self.now + self.faults.travel + late;
            self.travelling
                .push(Reverse((at, self.sent, to, frame.clone())));
        }
    }

    fn arrive(&mut self) {
        while let Some(Reverse((at, ..))) = self.travelling.peek()
            && *at <= self.now
            && let Some(Reverse((_, _, to, frame))) = self.travelling.pop()
        {
            self.arrived[to].push_back(frame);
        }
    }
}

/// A handle on the link.
#[derive(Clone)]
pub struct Medium(Rc<RefCell<State>>);

impl Medium {
    /// A link with these faults.
    pub fn new(faults: Faults) -> Medium {
        Medium(Rc::new(RefCell::new(State {
            now: 0,
            faults,
            random: faults.seed | 1,
            sent: 0,
            travelling: BinaryHeap::new(),
            arrived: Default::default(),
            pace: 0,
            next: None,
            stopped: false,
            narrow: None,
            tap: None,
            recording: None,
        })))
    }

    /// The server's queues, with room for so many frames that the "driver" has not taken yet.
    pub fn server_end(&self, tx_buffers: usize) -> Link<SimRx, SimTx> {
        let (rx, tx) = (self.clone(), self.clone());
        let front = None;
        Link {
            rx: SimRx { medium: rx, front },
            tx: SimTx {
                medium: tx,
                buffers: tx_buffers,
                sent: VecDeque::new(),
            },
        }
    }

    /// Sets the time; frames that arrive by then have arrived.
    pub fn set_now(&self, now: u64) {
        let mut state = self.0.borrow_mut();
        state.now = now;
        state.arrive();
    }

    /// When the next frame arrives or leaves the "driver".
    pub fn next_delivery(&self) -> Option<u64> {
        let state = self.0.borrow();
        let delivery = state.travelling.peek().map(|Reverse((at, ..))| *at);
        [delivery, state.next].into_iter().flatten().min()
    }

    /// Makes the link slow in the server's direction: a frame in so many nanoseconds.
    pub fn set_pace(&self, nanoseconds: u64) {
        self.0.borrow_mut().pace = nanoseconds;
    }

    /// Puts a frame in front of one end, as if it had come over the link.
    pub fn inject(&self, to: usize, frame: Vec<u8>) {
        self.0.borrow_mut().arrived[to].push_back(frame);
    }

    /// Takes the oldest frame that has arrived at one end.
    pub fn receive(&self, end: usize) -> Option<Vec<u8>> {
        let mut state = self.0.borrow_mut();
        let frame = state.arrived[end].pop_front()?;
        if end == SERVER
            && let Some(recording) = &mut state.recording
        {
            recording.push(frame.clone());
        }
        Some(frame)
    }

    /// Sends a frame to one end.
    pub fn transmit(&self, to: usize, frame: Vec<u8>) {
        self.0.borrow_mut().send(to, frame);
    }

    /// Whether the server's frames stay in their buffers.
    pub fn stop_driver(&self, stopped: bool) {
        self.0.borrow_mut().stopped = stopped;
    }

    /// Puts a router into the server's way, or takes it out.
    pub fn set_narrow(&self, narrow: Option<Narrow>) {
        self.0.borrow_mut().narrow = narrow;
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.0.borrow_mut().faults = faults;
    }

    /// Starts to copy the frames that the server sends.
    pub fn start_tap(&self) {
        self.0.borrow_mut().tap = Some(Vec::new());
    }

    /// Starts to copy the frames that the server takes.
    pub fn start_recording(&self) {
        self.0.borrow_mut().recording = Some(Vec::new());
    }

    /// The copies of what the server took, and the end of copying.
    pub fn take_recording(&self) -> Vec<Vec<u8>> {
        self.0.borrow_mut().recording.take().unwrap_or_default()
    }

    /// The copies of what the server sent, and the end of copying.
    pub fn take_tap(&self) -> Vec<Vec<u8>> {
        self.0.borrow_mut().tap.take().unwrap_or_default()
    }
}

/// What the server receives.
pub struct SimRx {
    medium: Medium,
    front: Option<Vec<u8>>,
}

impl RxQueue for SimRx {
    fn front(&mut self) -> Option<&[u8]> {
        if self.front.is_none() {
            self.front = self.medium.receive(SERVER);
        }
        self.front.as_deref()
    }

    fn pop(&mut self) {
        self.front = None;
    }
}

/// What the server sends, in a limited number of buffers.
pub struct SimTx {
    medium: Medium,
    buffers: usize,
    sent: VecDeque<Vec<u8>>,
}

impl SimTx {
    /// The "driver" takes what was sent and gives the buffers back.
    fn drive(&mut self) {
        let mut state = self.medium.0.borrow_mut();
        while !state.stopped && !self.sent.is_empty() {
            let at = state.next.unwrap_or(state.now);
            if at > state.now {
                break;
            }
            state.next = (state.pace > 0).then_some(at + state.pace);
            let frame = self.sent.pop_front().expect("a frame");
            state.send(1, frame);
        }
        // The next frame to come is not before the last one has left.
        if self.sent.is_empty() && state.next.is_some_and(|at| at <= state.now) {
            state.next = None;
        }
    }

    /// Changes the number of transmit buffers.
    pub fn set_buffers(&mut self, buffers: usize) {
        self.buffers = buffers;
    }
}

impl TxQueue for SimTx {
    fn free(&mut self) -> usize {
        self.drive();
        self.buffers.saturating_sub(self.sent.len())
    }

    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        assert!(length <= FRAME_MAX, "a frame of {length} bytes");
        if self.free() == 0 {
            return None;
        }
        let mut frame = vec![0xa5; length];
        let result = fill(&mut frame);
        if result.is_ok() {
            self.sent.push_back(frame);
        }
        Some(result)
    }
}
