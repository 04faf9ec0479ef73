// SPDX-License-Identifier: BSD-2-Clause

//! How much a connection may have on its way: NewReno (RFC 5681, RFC 6582), with an initial window
//! of ten segments (RFC 6928) and limited transmit (RFC 3042).
//!
//! smoltcp's own controllers start with two kilobytes and wait for the retransmission timer when
//! more than one segment of a window is lost. So smoltcp runs without one, and what it may send is
//! limited from outside: by the window that it believes the peer to have ([`Congestion::limit`]),
//! and by duplicate acknowledgements of our own making, which have it send the oldest segment
//! again.

use crate::transport::numbers::PeerOptions;
use crate::transport::segment::before;

/// The initial window, in segments.
const INITIAL: u32 = 10;
/// Duplicate acknowledgements after which a segment counts as lost.
const LOST: u32 = 3;

/// The state of one connection. All sizes are in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Congestion {
    mss: u32,
    window: u32,
    threshold: u32,
    duplicates: u32,
    /// While recovering from a loss: the highest number sent when it was noticed.
    recover: Option<u32>,
    /// After the timer has run out: the highest number sent by then. What is sent below it has
    /// been sent before.
    resent: Option<u32>,
}

/// What an acknowledgement was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    /// The oldest number that is not acknowledged, before and after.
    pub before: u32,
    pub after: u32,
    /// The highest number sent.
    pub highest: u32,
    /// Whether it says nothing else: no data, the same window as before.
    pub duplicate: bool,
}

impl Congestion {
    /// For a peer that takes segments of `mss` bytes.
    pub(crate) fn new(mss: u16) -> Self {
        let mss = u32::from(mss.max(1));
        Congestion {
            mss,
            window: INITIAL * mss,
            threshold: u32::MAX,
            duplicates: 0,
            recover: None,
            resent: None,
        }
    }

    /// Bytes from the oldest unacknowledged one on that may be on their way.
    pub(crate) fn limit(&self) -> u32 {
        match self.recover {
            Some(_) => self.window,
            // One new segment for each of the first duplicates keeps acknowledgements coming.
            None => self.window + self.duplicates.min(LOST - 1) * self.mss,
        }
    }

    /// An acknowledgement has come. Returns whether the oldest segment is to be sent again.
    pub(crate) fn acknowledged(&mut self, by: Acknowledged) -> bool {
        let progress = by.after.wrapping_sub(by.before);
        if progress > 0 {
            self.duplicates = 0;
            self.advance(progress, by)
        } else if by.duplicate {
            self.duplicates = self.duplicates.saturating_add(1);
            self.duplicate(by)
        } else {
            false
        }
    }

    fn advance(&mut self, progress: u32, by: Acknowledged) -> bool {
        if self.resent.is_some_and(|resent| !before(by.after, resent)) {
            self.resent = None;
        }
        match self.recover {
            Some(recover) if !before(by.after, recover) => {
                self.recover = None;
                self.window = self.threshold;
                false
            }
            // A partial acknowledgement: the next segment was lost as well (RFC 6582 section 3.2).
            Some(_) => {
                let shrunk = self.window.saturating_sub(progress);
                self.window = (shrunk + self.mss).max(self.mss);
                true
            }
            None => {
                // By bytes, not by acknowledgements, of which a peer may send few (RFC 3465).
                let growth = if self.window < self.threshold {
                    progress.min(self.threshold - self.window)
                } else {
                    let share = u64::from(self.mss) * u64::from(progress);
                    (share / u64::from(self.window)).clamp(1, self.mss.into()) as u32
                };
                self.window = self.window.saturating_add(growth).min(1 << 30);
                false
            }
        }
    }

    fn duplicate(&mut self, by: Acknowledged) -> bool {
        if self.recover.is_some() {
            self.window += self.mss;
            return false;
        }
        // After a time-out everything is sent again anyway, and duplicates come of that.
        if self.duplicates < LOST || self.resent.is_some() {
            return false;
        }
        self.shrink(by.highest.wrapping_sub(by.after));
        self.window = self.threshold + LOST * self.mss;
        self.recover = Some(by.highest);
        true
    }

    /// The retransmission timer has run out with so many bytes on their way, up to `highest`.
    pub(crate) fn timed_out(&mut self, flight: u32, highest: u32) {
        // The same segment once more: the threshold stays (RFC 5681 section 3.1).
        if self.resent.is_none() {
            self.shrink(flight);
        }
        self.window = self.mss;
        self.duplicates = 0;
        self.recover = None;
        self.resent = Some(highest);
    }

    fn shrink(&mut self, flight: u32) {
        self.threshold = (flight / 2).max(2 * self.mss);
    }
}

/// What smoltcp is told of a connection's peer, and what is true.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub congestion: Congestion,
    /// The window that the peer has offered, in bytes.
    offered: u32,
    /// The window that smoltcp believes in.
    shown: u32,
    /// How far windows are shifted in the peer's segments.
    scale: u8,
    /// smoltcp has been made to send the oldest segment again.
    pub resend: bool,
}

impl Flow {
    /// For a peer with these options. What is longer than `mss` does not fit onto the link.
    pub(crate) fn new(options: PeerOptions, mss: u16) -> Self {
        Flow {
            congestion: Congestion::new(options.mss.min(mss)),
            offered: 0,
            shown: 0,
            scale: options.scale.map_or(0, |scale| scale.min(14)),
            resend: false,
        }
    }

    /// smoltcp has taken a segment with this window.
    pub(crate) fn offer(&mut self, window: u16) {
        self.offered = u32::from(window) << self.scale;
        self.shown = self.offered;
    }

    /// The window as it stood in the segment that offered it: smoltcp is told of it once more.
    pub(crate) fn show_all(&mut self) -> u16 {
        self.shown = self.offered;
        (self.offered >> self.scale) as u16
    }

    /// The window that the peer has offered, in bytes.
    pub(crate) fn offered(&self) -> u32 {
        self.offered
    }

    /// Whether a segment offers the same window as the one before it.
    pub(crate) fn offers_the_same(&self, window: u16) -> bool {
        u32::from(window) << self.scale == self.offered
    }

    /// Whether the peer takes nothing at the moment.
    pub(crate) fn is_closed(&self) -> bool {
        self.offered == 0
    }

    /// The window, as it stands in a segment, that smoltcp should be shown before it sends from a
    /// queue of so many bytes; `None` if the one that it knows will do.
    pub(crate) fn adjust(&mut self, queued: u32) -> Option<u16> {
        let limit = self.congestion.limit().min(self.offered);
        let right = if self.shown > limit {
            queued <= limit
        } else {
            self.shown == limit || queued <= self.shown
        };
        if right {
            return None;
        }
        let window = self.narrow(limit);
        // A shift cuts off the last bits; asking again for those would never end.
        if u32::from(window) << self.scale == self.shown {
            return None;
        }
        self.shown = u32::from(window) << self.scale;
        Some(window)
    }

    /// The window to show along with a request to send the oldest segment again.
    pub(crate) fn window(&mut self) -> u16 {
        let window = self.narrow(self.congestion.limit().min(self.offered));
        self.shown = u32::from(window) << self.scale;
        window
    }

    fn narrow(&self, window: u32) -> u16 {
        // Never 0, which means something else.
        (window >> self.scale).clamp(1, u16::MAX.into()) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MSS: u32 = 1000;

    fn ack(before: u32, after: u32, highest: u32) -> Acknowledged {
        Acknowledged {
            before,
            after,
            highest,
            duplicate: before == after,
        }
    }

    #[test]
    fn it_doubles_at_first_and_halves_at_a_loss() {
        let mut congestion = Congestion::new(MSS as u16);
        assert_eq!(congestion.limit(), 10 * MSS);
        assert!(!congestion.acknowledged(ack(0, 10 * MSS, 10 * MSS)));
        assert_eq!(congestion.limit(), 20 * MSS);
        // 20 segments on their way, the first is lost: the third duplicate says so.
        let highest = 30 * MSS;
        let duplicate = ack(10 * MSS, 10 * MSS, highest);
        assert!(!congestion.acknowledged(duplicate));
        assert!(!congestion.acknowledged(duplicate));
        assert_eq!(congestion.limit(), 22 * MSS, "limited transmit");
        assert!(congestion.acknowledged(duplicate));
        assert!(!congestion.acknowledged(duplicate));
        // The next one was lost too: it is sent again without waiting.
        assert!(congestion.acknowledged(ack(10 * MSS, 15 * MSS, highest)));
        assert!(!congestion.acknowledged(ack(15 * MSS, highest, highest)));
        assert_eq!(congestion.limit(), 10 * MSS);
        // From here on about one segment a round trip.
        congestion.acknowledged(ack(highest, highest + 10 * MSS, highest + 10 * MSS));
        assert_eq!(congestion.limit(), 11 * MSS);
    }

    #[test]
    fn after_a_timeout_it_starts_with_one_segment() {
        let mut congestion = Congestion::new(MSS as u16);
        congestion.timed_out(10 * MSS, 10 * MSS);
        assert_eq!(congestion.limit(), MSS);
        // The same again does not halve the threshold again.
        congestion.timed_out(MSS, 10 * MSS);
        congestion.acknowledged(ack(0, MSS, 10 * MSS));
        congestion.acknowledged(ack(MSS, 4 * MSS, 10 * MSS));
        assert_eq!(congestion.limit(), 5 * MSS);
        // Duplicates of what is sent twice mean nothing.
        for _ in 0..10 {
            assert!(!congestion.acknowledged(ack(4 * MSS, 4 * MSS, 10 * MSS)));
        }
    }

    proptest! {
        /// Whatever a peer acknowledges, something may be sent, and nothing overflows.
        #[test]
        fn any_sequence_leaves_a_window(
            mss: u16,
            steps in prop::collection::vec((0u32..1 << 30, 0u32..1 << 30, 0u8..4), 0..200)
        ) {
            let mut congestion = Congestion::new(mss);
            let mut una = 0u32;
            for (progress, flight, what) in steps {
                match what {
                    0 => congestion.timed_out(flight, una.wrapping_add(flight)),
                    1 => {
                        congestion.acknowledged(ack(una, una, una.wrapping_add(flight)));
                    }
                    _ => {
                        let after = una.wrapping_add(progress);
                        congestion.acknowledged(ack(una, after, after.wrapping_add(flight)));
                        una = after;
                    }
                }
                prop_assert!(congestion.limit() >= u32::from(mss.max(1)));
            }
        }

        /// smoltcp is shown a window that lets it send what it may, and no more, but for what a
        /// shift cuts off.
        #[test]
        fn what_is_shown_is_what_is_meant(
            scale in prop::option::of(0u8..15), window: u16, queued in 0u32..1 << 20, timeout: bool
        ) {
            let options = PeerOptions { scale, ..PeerOptions::NONE };
            let mut flow = Flow::new(options, 1460);
            flow.offer(window);
            if timeout {
                flow.congestion.timed_out(10_000, 10_000);
            }
            let shown = flow.adjust(queued).map_or(flow.offered, |window| u32::from(window) << flow.scale);
            let limit = flow.congestion.limit().min(flow.offered);
            let step = 1 << flow.scale;
            prop_assert!(shown.min(queued) <= limit.max(step));
            prop_assert!(shown + step > limit.min(queued));
            // Asking again changes nothing.
            prop_assert_eq!(flow.adjust(queued), None);
        }
    }
}
