// SPDX-License-Identifier: BSD-2-Clause

//! Why the kernel refused an invocation.

use core::fmt;

use crate::{MessageInfo, Word};

/// `core::result::Result` with [`Error`].
pub type Result<T> = core::result::Result<T, Error>;

/// `seL4_Error` (seL4 manual, chapter "Errors"), the same in both kernels. Not upstream: that it is
/// a `core::error::Error`.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Error {
    /// An argument that is no capability is invalid.
    InvalidArgument = 1,
    /// A capability argument is of the wrong type or missing.
    InvalidCapability = 2,
    /// The operation is not permitted.
    IllegalOperation = 3,
    /// An argument is out of range.
    RangeError = 4,
    /// An argument is not aligned.
    AlignmentError = 5,
    /// A capability could not be looked up.
    FailedLookup = 6,
    /// The message was too short for the operation.
    TruncatedMessage = 7,
    /// The destination slot is in use.
    DeleteFirst = 8,
    /// The object has derived capabilities.
    RevokeFirst = 9,
    /// The untyped object is too small.
    NotEnoughMemory = 10,
}

impl Error {
    const ALL: [Self; 10] = [
        Self::InvalidArgument,
        Self::InvalidCapability,
        Self::IllegalOperation,
        Self::RangeError,
        Self::AlignmentError,
        Self::FailedLookup,
        Self::TruncatedMessage,
        Self::DeleteFirst,
        Self::RevokeFirst,
        Self::NotEnoughMemory,
    ];

    /// Reads the label of the kernel's reply to an invocation. A number that no kernel sends counts
    /// as `InvalidArgument`.
    #[doc(hidden)]
    pub fn check(answer: &MessageInfo) -> Result<()> {
        match answer.label() {
            0 => Ok(()),
            label => Err(Self::ALL
                .into_iter()
                .find(|error| *error as Word == label)
                .unwrap_or(Self::InvalidArgument)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seL4 error {} ({self:?})", *self as Word)
    }
}

impl core::error::Error for Error {}
