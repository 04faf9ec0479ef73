// SPDX-License-Identifier: BSD-2-Clause
//! One direction of the cable.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// Frames under way in one direction; what comes on top is dropped, as in a full queue of a router.
const CAPACITY: usize = 4096;
/// How much longer a late frame travels: enough for several others to overtake it.
const LATE: Duration = Duration::from_millis(3);

/// What the cable does to frames. The default is a good cable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// part of the frames that are lost, in each direction
    pub loss: f64,
    /// part of the frames that arrive twice
    pub doubled: f64,
    /// part of the frames that arrive after later ones
    pub late: f64,
    /// time that a frame travels in each direction
    pub delay: Duration,
    /// The largest IPv4 packet that passes from the far to the near end. Larger ones that may not
    /// be cut are answered by "fragmentation needed" (RFC 1191 section 4), others are lost.
    pub mtu: Option<u16>,
    /// Bytes a second that are taken from the far end. It feels a slow link by its own buffers
    /// filling up; nothing is lost.
    pub rate: Option<u32>,
    /// where the generator of faults begins
    pub seed: u64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            loss: 0.0,
            doubled: 0.0,
            late: 0.0,
            delay: Duration::ZERO,
            mtu: None,
            rate: None,
            seed: 1,
        }
    }
}

/// What has become of the frames of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneCounts {
    /// taken from the sender
    pub offered: u64,
    /// lost by intention
    pub lost: u64,
    /// doubled
    pub doubled: u64,
    /// sent on their way later than their turn
    pub late: u64,
    /// lost because too many were under way
    pub overflowed: u64,
}

/// Frames under way in one direction.
#[derive(Debug)]
pub struct Lane {
    random: fastrand::Rng,
    /// By arrival, then by departure.
    travelling: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    departures: u64,
    pub counts: LaneCounts,
}

impl Lane {
    pub fn new() -> Self {
        Self {
            random: fastrand::Rng::with_seed(0),
            travelling: BinaryHeap::new(),
            departures: 0,
            counts: LaneCounts::default(),
        }
    }

    pub fn seed(&mut self, seed: u64) {
        self.random.seed(seed);
    }

    /// A frame leaves.
    pub fn offer(&mut self, conditions: &Conditions, frame: &[u8], now: Instant) {
        self.counts.offered += 1;
        if self.chance(conditions.loss) {
            self.counts.lost += 1;
            return;
        }
        let mut arrival = now + conditions.delay;
        if self.chance(conditions.late) {
            self.counts.late += 1;
            arrival += LATE;
        }
        self.depart(frame, arrival);
        if self.chance(conditions.doubled) {
            self.counts.doubled += 1;
            self.depart(frame, arrival);
        }
    }

    /// The next frame that has arrived.
    pub fn arrived(&mut self, now: Instant) -> Option<Vec<u8>> {
        let first = self.next_arrival()?;
        if first > now {
            return None;
        }
        self.travelling.pop().map(|Reverse((_, _, frame))| frame)
    }

    pub fn next_arrival(&self) -> Option<Instant> {
        self.travelling.peek().map(|Reverse((at, ..))| *at)
    }

    fn depart(&mut self, frame: &[u8], arrival: Instant) {
        if self.travelling.len() == CAPACITY {
            self.counts.overflowed += 1;
            return;
        }
        self.departures += 1;
        self.travelling
            .push(Reverse((arrival, self.departures, frame.to_vec())));
    }

    fn chance(&mut self, part: f64) -> bool {
        part > 0.0 && self.random.f64() < part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lane: &mut Lane, now: Instant) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| lane.arrived(now)).collect()
    }

    #[test]
    fn a_good_cable_keeps_number_and_order() {
        let mut lane = Lane::new();
        let now = Instant::now();
        for i in 0..100 {
            lane.offer(&Conditions::default(), &[i], now);
        }
        let expected: Vec<_> = (0..100).map(|i| vec![i]).collect();
        assert_eq!(all(&mut lane, now), expected);
    }

    #[test]
    fn frames_travel_as_long_as_was_asked() {
        let mut lane = Lane::new();
        let now = Instant::now();
        let delay = Duration::from_millis(25);
        let conditions = Conditions {
            delay,
            ..Conditions::default()
        };
        lane.offer(&conditions, b"x", now);
        assert_eq!(lane.next_arrival(), Some(now + delay));
        assert!(all(&mut lane, now + delay - Duration::from_nanos(1)).is_empty());
        assert_eq!(all(&mut lane, now + delay).len(), 1);
    }

    #[test]
    fn faults_come_as_often_as_was_asked_and_the_same_for_a_seed() {
        let conditions = Conditions {
            loss: 0.1,
            doubled: 0.2,
            late: 0.05,
            ..Conditions::default()
        };
        let now = Instant::now();
        let run = |seed| {
            let mut lane = Lane::new();
            lane.seed(seed);
            for i in 0..2000u16 {
                lane.offer(&conditions, &i.to_be_bytes(), now);
            }
            let frames = all(&mut lane, now + LATE);
            (lane.counts, frames)
        };
        let (counts, frames) = run(7);
        assert!((120..280).contains(&counts.lost), "{counts:?}");
        assert!((250..470).contains(&counts.doubled), "{counts:?}");
        assert!((40..160).contains(&counts.late), "{counts:?}");
        assert_eq!(
            frames.len() as u64,
            2000 - counts.lost + counts.doubled,
            "{counts:?}"
        );
        assert!(!frames.is_sorted(), "no frame was overtaken");
        assert_eq!(run(7), (counts, frames));
        assert_ne!(run(8).0, counts);
    }

    #[test]
    fn a_full_lane_drops() {
        let mut lane = Lane::new();
        let now = Instant::now();
        for _ in 0..CAPACITY + 3 {
            lane.offer(&Conditions::default(), b"x", now);
        }
        assert_eq!(lane.counts.overflowed, 3);
        assert_eq!(all(&mut lane, now).len(), CAPACITY);
    }
}
