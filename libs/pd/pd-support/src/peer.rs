// SPDX-License-Identifier: BSD-2-Clause

//! Another PD at the other end of a channel. What goes there is counted.

use sel4_microkit::{Channel, MessageInfo, RESTARTED, with_msg_regs, with_msg_regs_mut};

use crate::global::{GLOBAL, count};

/// Words that a call carries each way: what the kernel's fastpath takes.
const WORDS: usize = 4;

/// The other end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(Channel);

/// What a peer answered to a call. All of it is the peer's allegation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The label.
    pub label: u64,
    /// The words; those that the peer did not send are 0.
    pub words: [u64; WORDS],
}

impl Answer {
    /// Whether the peer was restarted while it had the call: it may or may not have been carried
    /// out.
    pub fn is_restarted(&self) -> bool {
        self.label == RESTARTED
    }
}

impl Peer {
    /// The peer on that channel.
    pub const fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// The channel.
    pub const fn channel(&self) -> Channel {
        self.0
    }

    /// Signals the peer.
    #[inline]
    pub fn notify(&self) {
        count(&GLOBAL.notifications);
        self.0.notify();
    }

    /// Protected procedure call with up to four words.
    #[inline]
    pub fn call<const N: usize>(&self, label: u64, words: [u64; N]) -> Answer {
        const { assert!(N <= WORDS, "a call carries up to four words") };
        count(&GLOBAL.calls);
        with_msg_regs_mut(|registers| registers[..N].copy_from_slice(&words));
        let answer = self.0.pp_call(MessageInfo::new(label, N));
        let mut words = [0; WORDS];
        let sent = answer.count().min(WORDS);
        with_msg_regs(|registers| words[..sent].copy_from_slice(&registers[..sent]));
        Answer {
            label: answer.label(),
            words,
        }
    }
}
