// SPDX-License-Identifier: BSD-2-Clause
//! What a reply's label says.

use ppc::RESTARTED;
use thiserror::Error;

/// Why a call failed. The values are the labels of the replies: Linux's errno values and
/// [`RESTARTED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[repr(u64)]
pub enum CallError {
    /// The driver does not have yet what was asked for. Call again later.
    #[error("the driver is not ready yet")]
    NotReady = 11,
    /// There is no device, or it does not work. Calling again is of no use.
    #[error("there is no device")]
    NoDevice = 19,
    /// The call is not of the protocol, or the reply is not: the other end is of another build.
    #[error("not of the driver's protocol")]
    Invalid = 22,
    /// The driver was restarted during the call. Call again.
    #[error("the driver was restarted during the call")]
    Restarted = RESTARTED,
}

impl CallError {
    pub(crate) const ALL: [Self; 4] = [
        Self::NotReady,
        Self::NoDevice,
        Self::Invalid,
        Self::Restarted,
    ];

    /// Whether the same call can succeed later.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::NotReady | Self::Restarted)
    }
}

/// The label of a reply: 0 for success.
pub fn encode_result(result: Result<(), CallError>) -> u64 {
    result.map_or_else(|error| error as u64, |()| 0)
}

/// Reads the label of a reply.
///
/// # Errors
/// What the driver says; [`CallError::Invalid`] if it says nothing of the protocol.
pub fn decode_result(label: u64) -> Result<(), CallError> {
    if label == 0 {
        return Ok(());
    }
    let error = CallError::ALL
        .into_iter()
        .find(|error| *error as u64 == label);
    Err(error.unwrap_or(CallError::Invalid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_round_trip() {
        assert_eq!(decode_result(encode_result(Ok(()))), Ok(()));
        for error in CallError::ALL {
            assert_eq!(decode_result(encode_result(Err(error))), Err(error));
        }
        assert_eq!(decode_result(1), Err(CallError::Invalid));
    }
}
