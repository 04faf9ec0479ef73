// SPDX-License-Identifier: BSD-2-Clause
//! Why the kernel refused an invocation.

use core::fmt;

/// The kernel's error codes (libsel4 of seL4 5.0.0, `errors.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// An argument is out of the question.
    InvalidArgument,
    /// A capability is of the wrong kind, or missing.
    InvalidCapability,
    /// The object cannot do this.
    IllegalOperation,
    /// An argument is out of range.
    RangeError,
    /// An address or offset is misaligned.
    AlignmentError,
    /// A slot or a page table on the way does not exist.
    FailedLookup,
    /// Too few words or capabilities in the message.
    TruncatedMessage,
    /// The slot, or the place in the address space, is taken.
    DeleteFirst,
    /// The object has children.
    RevokeFirst,
    /// The untyped memory is too small.
    NotEnoughMemory,
    /// A code that this kernel does not have.
    Unknown(u64),
}

impl From<u64> for Code {
    fn from(label: u64) -> Self {
        match label {
            1 => Self::InvalidArgument,
            2 => Self::InvalidCapability,
            3 => Self::IllegalOperation,
            4 => Self::RangeError,
            5 => Self::AlignmentError,
            6 => Self::FailedLookup,
            7 => Self::TruncatedMessage,
            8 => Self::DeleteFirst,
            9 => Self::RevokeFirst,
            10 => Self::NotEnoughMemory,
            other => Self::Unknown(other),
        }
    }
}

/// The code, and the first details that the kernel adds to it.
#[derive(Clone, Copy, Debug)]
pub struct KernelError {
    /// What kind of error.
    pub code: Code,
    /// First three words of the reply; for `FailedLookup` the third says how many bits of the
    /// address were not looked up.
    pub details: [u64; 3],
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kernel answered {:?} {:x?}", self.code, self.details)
    }
}
