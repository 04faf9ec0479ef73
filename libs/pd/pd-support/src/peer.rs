// SPDX-License-Identifier: BSD-2-Clause

//! Another PD at the other end of a channel. What goes there is counted.

use sel4_microkit::{Channel, MessageInfo, RESTARTED, with_msg_regs, with_msg_regs_mut};
use stats::Common;

use crate::global::count;

/// Words that a call carries each way: what the kernel's fastpath takes.
const WORDS: usize = 4;

/// The other end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(Channel);

/// A peer's reply to a call. All of it is the peer's allegation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The label.
    pub label: u64,
    /// The words; those that the peer did not send are 0.
    pub words: [u64; WORDS],
}

impl Answer {
    /// Returns whether the peer was restarted while it had the call, which may or may not have been
    /// carried out.
    pub fn is_restarted(&self) -> bool {
        self.label == RESTARTED
    }
}

impl Peer {
    /// Makes the peer on that channel.
    pub const fn new(channel: Channel) -> Self {
        Self(channel)
    }

    /// Returns the channel.
    pub const fn channel(&self) -> Channel {
        self.0
    }

    /// Signals the peer.
    #[inline]
    pub fn notify(&self) {
        count(Common::NotificationsSent, 1);
        self.0.notify();
    }

    /// Protected procedure call with up to four words.
    #[inline]
    pub fn call<const N: usize>(&self, label: u64, words: [u64; N]) -> Answer {
        const { assert!(N <= WORDS, "a call carries up to four words") };
        count(Common::PpcsMade, 1);
        let answer = self.0.pp_call(message(label, &words));
        Answer {
            label: answer.label(),
            words: four_words(&answer),
        }
    }
}

/// Makes a message with that label and these words. Send it before any other system call: the words
/// lie where the next message is received.
///
/// # Panics
/// As [`MessageInfo::new`].
#[inline]
pub fn message(label: u64, words: &[u64]) -> MessageInfo {
    with_msg_regs_mut(|registers| registers[..words.len()].copy_from_slice(words));
    MessageInfo::new(label, words.len())
}

/// Runs `f` with the words of the message that was received last.
#[inline]
pub fn with_words<T>(message: &MessageInfo, f: impl FnOnce(&[u64]) -> T) -> T {
    with_msg_regs(|registers| f(registers.get(..message.count()).unwrap_or(registers)))
}

/// Returns the first four words of the message that was received last. Those that the peer did not
/// send are 0.
#[inline]
pub fn four_words(message: &MessageInfo) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    let sent = message.count().min(WORDS);
    with_msg_regs(|registers| words[..sent].copy_from_slice(&registers[..sent]));
    words
}
