// SPDX-License-Identifier: BSD-2-Clause

//! Receiving, and what a badge says about who sent.

use core::fmt;

use crate::{Channel, Child, MessageInfo, MessageLabel};

/// Where a PD receives: an endpoint, or its notification if nobody calls it and it has no children.
const INPUT: sel4::cap::Endpoint = sel4::Cap::from_bits(1);
const REPLY: sel4::cap::Reply = sel4::Cap::from_bits(4);
const MONITOR: sel4::cap::Endpoint = sel4::Cap::from_bits(5);

/// Label of the reply to a call that was lost because the callee was restarted, or that the callee
/// cannot serve because its parent has parked it. It is the highest label that both kernels can
/// carry. Not upstream.
pub const RESTARTED: MessageLabel = 0xf_ffff;

/// Marks in a badge. With MCS they are Microkit's own. An endpoint badge of seL4 5.0.0 has 28 bits
/// (a notification's 64), so there the marks are those of the registry SDK (`tools/sdk/spec`,
/// module `abi`).
mod mark {
    const MCS: bool = sel4::KERNEL_MCS;

    /// In a protected call; the receiver's channel id is in the low bits.
    pub const CALL: u64 = if MCS { 1 << 63 } else { 1 << 27 };
    /// In a fault; the child's id is in the low bits.
    pub const FAULT: u64 = if MCS { 1 << 62 } else { 1 << 26 };
    /// In a signal, without MCS.
    const SIGNAL: u64 = 1 << 63;

    pub const CHANNEL_ID: u64 = 0x3f;
    pub const CHILD_ID: u64 = 0xff;

    /// The channels in a signal's badge; `None` if the badge is not a signal's.
    pub const fn signalled(badge: u64) -> Option<u64> {
        if MCS {
            if badge & (CALL | FAULT) == 0 {
                Some(badge)
            } else {
                None
            }
        } else if badge & SIGNAL != 0 {
            Some(badge & !SIGNAL)
        } else {
            None
        }
    }
}

/// What was received.
pub(crate) enum Event {
    Notified(ChannelSet),
    Protected(Channel, MessageInfo),
    Fault(Child, MessageInfo),
}

impl Event {
    #[inline]
    fn new((info, badge): (sel4::MessageInfo, sel4::Badge)) -> Self {
        if let Some(channels) = mark::signalled(badge) {
            Self::Notified(ChannelSet(channels))
        } else if badge & mark::CALL != 0 {
            let channel = Channel::from_badge(badge & mark::CHANNEL_ID);
            Self::Protected(channel, MessageInfo::from_inner(info))
        } else {
            let child = Child::from_badge(badge & mark::CHILD_ID);
            Self::Fault(child, MessageInfo::from_inner(info))
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
            info: sel4::MessageInfo::new(0, 0, 0, 0),
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
    /// Whether `channel` is in the set.
    #[inline]
    pub fn contains(&self, channel: Channel) -> bool {
        self.0 & (1 << channel.index()) != 0
    }

    /// The channels, lowest index first.
    pub fn iter(&self) -> ChannelSetIter {
        ChannelSetIter(self.0)
    }

    /// Like `{1, 5}`.
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
