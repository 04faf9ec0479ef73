// SPDX-License-Identifier: BSD-2-Clause

//! Receiving, and what a badge says about who sent.

use core::fmt;

use crate::{Channel, Child, MessageInfo, MessageLabel};

/// The capability on which a PD receives: an endpoint, or its notification if nobody calls it and
/// it has no children.
const INPUT: sel4::cap::Endpoint = sel4::Cap::from_bits(1);
const REPLY: sel4::cap::Reply = sel4::Cap::from_bits(4);
const MONITOR: sel4::cap::Endpoint = sel4::Cap::from_bits(5);

/// As [`ppc::RESTARTED`]. Not upstream.
pub const RESTARTED: MessageLabel = ppc::RESTARTED;

/// The bits that tell the kinds of badges apart.
struct Marks {
    /// Set in a protected call. The receiver's channel id is in the low bits.
    call: u64,
    /// Set in a fault. The child's id is in the low bits.
    fault: u64,
    /// Set in a signal, or 0 if signals have no mark. The channels are the other bits.
    signal: u64,
}

const CHANNEL_ID: u64 = 0x3f;
const CHILD_ID: u64 = 0xff;

impl Marks {
    /// Microkit's own.
    const MCS: Self = Self {
        call: 1 << 63,
        fault: 1 << 62,
        signal: 0,
    };
    /// An endpoint badge of seL4 5.0.0 has 28 bits (a notification's 64), so there the marks are
    /// those of the registry SDK (`tools/sdk/spec`, module `abi`).
    const CLASSIC: Self = Self {
        call: 1 << 27,
        fault: 1 << 26,
        signal: 1 << 63,
    };
    const OF_KERNEL: Self = if sel4::KERNEL_MCS {
        Self::MCS
    } else {
        Self::CLASSIC
    };

    /// The channels in a signal's badge; `None` if the badge is not a signal's.
    #[inline]
    fn signalled(&self, badge: u64) -> Option<u64> {
        let is_signal = match self.signal {
            0 => badge & (self.call | self.fault) == 0,
            mark => badge & mark != 0,
        };
        is_signal.then_some(badge & !self.signal)
    }
}

/// An event that was received.
#[derive(Debug)]
pub(crate) enum Event {
    Notified(ChannelSet),
    Protected(Channel, MessageInfo),
    Fault(Child, MessageInfo),
}

impl Event {
    #[inline]
    fn new((info, badge): (sel4::MessageInfo, sel4::Badge)) -> Self {
        Self::by_badge(&Marks::OF_KERNEL, info, badge)
    }

    #[inline]
    fn by_badge(marks: &Marks, info: sel4::MessageInfo, badge: sel4::Badge) -> Self {
        let info = MessageInfo::from_inner(info);
        if let Some(channels) = marks.signalled(badge) {
            Self::Notified(ChannelSet(channels))
        } else if badge & marks.call != 0 {
            Self::Protected(Channel::from_badge(badge & CHANNEL_ID), info)
        } else {
            Self::Fault(Child::new((badge & CHILD_ID) as usize), info)
        }
    }
}

#[inline]
pub(crate) fn recv() -> Event {
    Event::new(INPUT.recv(REPLY))
}

#[inline]
pub(crate) fn reply_recv(answer: MessageInfo) -> Event {
    Event::new(INPUT.reply_recv(answer.into_inner(), REPLY))
}

#[inline]
pub(crate) fn nb_send_recv(action: &Prepared) -> Event {
    Event::new(action.cap.nb_send_recv(action.info.clone(), INPUT, REPLY))
}

/// A message without words that is to go out before the next receive.
pub(crate) struct Prepared {
    pub cap: sel4::cap::Unspecified,
    pub info: sel4::MessageInfo,
}

impl Prepared {
    pub(crate) fn send(&self) {
        self.cap.nb_send(self.info.clone());
    }

    /// With MCS a passive PD tells the monitor, together with its first receive, to take its
    /// scheduling context away.
    pub(crate) fn forfeit_scheduling_context() -> Self {
        Self {
            cap: MONITOR.cast(),
            info: sel4::MessageInfo::EMPTY,
        }
    }
}

/// Replies to a caller that has waited since before this PD was restarted. Without one the kernel
/// does nothing. A child's fault that was not handled gets the reply too: a memory fault then
/// happens again; after any other fault the child stays stopped until it is restarted.
pub(crate) fn answer_orphan() {
    sel4::answer(REPLY, sel4::MessageInfo::new(RESTARTED, 0, 0, 0));
}

/// Channels that were signalled.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelSet(u64);

impl ChannelSet {
    /// Returns whether `channel` is in the set.
    #[inline]
    pub fn contains(&self, channel: Channel) -> bool {
        self.0 & (1 << channel.index()) != 0
    }

    /// Returns the channels, lowest index first.
    pub fn iter(&self) -> ChannelSetIter {
        ChannelSetIter(self.0)
    }

    /// Shows the set like `{1, 5}`.
    pub fn display(&self) -> DisplayChannelSet<'_> {
        DisplayChannelSet(self)
    }
}

/// [`ChannelSet::iter`].
#[derive(Debug, Clone)]
pub struct ChannelSetIter(u64);

impl Iterator for ChannelSetIter {
    type Item = Channel;

    fn next(&mut self) -> Option<Channel> {
        let lowest = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        // Bits 62 and 63 are no channels, and no capability has them in its badge.
        (lowest < Channel::COUNT as u32).then(|| Channel::from_badge(lowest.into()))
    }
}

/// [`ChannelSet::display`].
pub struct DisplayChannelSet<'a>(&'a ChannelSet);

impl fmt::Display for DisplayChannelSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|channel| channel.index()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::{String, ToString};

    fn received(marks: &Marks, badge: u64) -> String {
        match Event::by_badge(marks, sel4::MessageInfo::new(7, 0, 0, 2), badge) {
            Event::Notified(channels) => format!("notified {}", channels.display()),
            Event::Protected(channel, info) => {
                format!(
                    "called {} {} {}",
                    channel.index(),
                    info.label(),
                    info.count()
                )
            }
            Event::Fault(child, info) => format!("fault {} {}", child.index(), info.label()),
        }
    }

    #[test]
    fn badges_of_both_kernels() {
        for (marks, signal) in [(Marks::MCS, 0), (Marks::CLASSIC, 1 << 63)] {
            assert_eq!(
                received(&marks, signal | 1 << 5 | 1 << 1),
                "notified {1, 5}"
            );
            assert_eq!(received(&marks, signal | 1 << 61), "notified {61}");
            assert_eq!(received(&marks, marks.call | 61), "called 61 7 2");
            assert_eq!(received(&marks, marks.fault | 200), "fault 200 7");
        }
        // Channels 26 and 27 are no marks in a signal of the kernel without MCS.
        let badge = 1 << 63 | 1 << 27 | 1 << 26;
        assert_eq!(received(&Marks::CLASSIC, badge), "notified {26, 27}");
    }

    #[test]
    fn bits_that_are_no_channels_are_left_out() {
        assert_eq!(ChannelSet(u64::MAX).iter().count(), Channel::COUNT);
        assert_eq!(ChannelSet(0).display().to_string(), "{}");
        assert!(ChannelSet(1 << 61).contains(Channel::new(61)));
    }
}
