// SPDX-License-Identifier: BSD-2-Clause

//! The word that describes a message: label, number of words, capabilities.

use core::fmt;

use crate::{KERNEL_MCS, NUM_MESSAGE_REGISTERS, Word};

const LENGTH_BITS: usize = 7;
const EXTRA_CAPS_SHIFT: usize = LENGTH_BITS;
const EXTRA_CAPS_BITS: usize = 2;
const UNWRAPPED_SHIFT: usize = EXTRA_CAPS_SHIFT + EXTRA_CAPS_BITS;
const UNWRAPPED_BITS: usize = 3;
const LABEL_SHIFT: usize = UNWRAPPED_SHIFT + UNWRAPPED_BITS;
/// seL4 16: all that is left of the word; seL4 5.0.0: its lower half only (`shared_types_64.bf`).
const LABEL_BITS: usize = if KERNEL_MCS { 52 } else { 20 };

/// `seL4_MessageInfo_t`.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageInfo(pub(crate) Word);

impl MessageInfo {
    /// A message of `length` words with a label.
    ///
    /// # Panics
    /// If the label has more than [`label_width`](Self::label_width) bits, or there are more than
    /// 120 words, 3 capabilities or 3 unwrapped marks.
    pub const fn new(label: Word, caps_unwrapped: usize, extra_caps: usize, length: usize) -> Self {
        assert!(label >> LABEL_BITS == 0, "label too wide for this kernel");
        assert!(length <= NUM_MESSAGE_REGISTERS, "message too long");
        assert!(extra_caps >> EXTRA_CAPS_BITS == 0, "too many capabilities");
        assert!(
            caps_unwrapped >> UNWRAPPED_BITS == 0,
            "too many unwrapped capabilities"
        );
        Self(
            label << LABEL_SHIFT
                | (caps_unwrapped as Word) << UNWRAPPED_SHIFT
                | (extra_caps as Word) << EXTRA_CAPS_SHIFT
                | length as Word,
        )
    }

    /// Nothing: no label, no words.
    #[doc(hidden)]
    pub const EMPTY: Self = Self(0);

    /// Returns the label, which the sender chose.
    pub const fn label(&self) -> Word {
        field(self.0, LABEL_SHIFT, LABEL_BITS)
    }

    /// Returns the number of bits that a label has on this kernel.
    pub const fn label_width() -> usize {
        LABEL_BITS
    }

    /// Bit n: the receiver got the badge of capability n, not the capability.
    pub const fn caps_unwrapped(&self) -> usize {
        field(self.0, UNWRAPPED_SHIFT, UNWRAPPED_BITS) as usize
    }

    /// Returns the number of capabilities that were sent.
    pub const fn extra_caps(&self) -> usize {
        field(self.0, EXTRA_CAPS_SHIFT, EXTRA_CAPS_BITS) as usize
    }

    /// Returns the number of words in the message. The kernel never reports more than
    /// [`NUM_MESSAGE_REGISTERS`].
    pub const fn length(&self) -> usize {
        field(self.0, 0, LENGTH_BITS) as usize
    }
}

const fn field(word: Word, shift: usize, bits: usize) -> Word {
    (word >> shift) & ((1 << bits) - 1)
}

impl fmt::Debug for MessageInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageInfo")
            .field("label", &self.label())
            .field("caps_unwrapped", &self.caps_unwrapped())
            .field("extra_caps", &self.extra_caps())
            .field("length", &self.length())
            .finish()
    }
}

/// Makes a [`MessageInfo`] field by field; what is not named is 0.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub struct MessageInfoBuilder {
    label: Word,
    caps_unwrapped: usize,
    extra_caps: usize,
    length: usize,
}

impl MessageInfoBuilder {
    /// Returns the message.
    pub fn build(self) -> MessageInfo {
        MessageInfo::new(
            self.label,
            self.caps_unwrapped,
            self.extra_caps,
            self.length,
        )
    }

    /// Sets the label.
    #[must_use]
    pub fn label(self, label: Word) -> Self {
        Self { label, ..self }
    }

    /// Sets the unwrapped marks.
    #[must_use]
    pub fn caps_unwrapped(self, caps_unwrapped: usize) -> Self {
        Self {
            caps_unwrapped,
            ..self
        }
    }

    /// Sets the number of capabilities.
    #[must_use]
    pub fn extra_caps(self, extra_caps: usize) -> Self {
        Self { extra_caps, ..self }
    }

    /// Sets the number of words.
    #[must_use]
    pub fn length(self, length: usize) -> Self {
        Self { length, ..self }
    }
}

impl From<MessageInfoBuilder> for MessageInfo {
    fn from(builder: MessageInfoBuilder) -> Self {
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_where_the_kernel_looks() {
        let info = MessageInfo::new(0xf_ffff, 5, 3, 120);
        assert_eq!(info.0, 0xffff_f000 | 5 << 9 | 3 << 7 | 120);
        let got = MessageInfo(info.0);
        let fields = (
            got.label(),
            got.caps_unwrapped(),
            got.extra_caps(),
            got.length(),
        );
        assert_eq!(fields, (0xf_ffff, 5, 3, 120));
        let built = MessageInfoBuilder::default()
            .label(0xf_ffff)
            .caps_unwrapped(5)
            .extra_caps(3)
            .length(120);
        assert_eq!(built.build(), info);
    }

    #[test]
    fn what_the_kernel_gives_is_taken_apart_without_a_panic() {
        let info = MessageInfo(Word::MAX);
        assert_eq!(info.label(), (1 << MessageInfo::label_width()) - 1);
        assert_eq!((info.length(), info.extra_caps()), (127, 3));
    }

    #[test]
    #[should_panic(expected = "label too wide")]
    fn a_label_that_is_too_wide_is_refused() {
        MessageInfo::new(1 << MessageInfo::label_width(), 0, 0, 0);
    }
}
