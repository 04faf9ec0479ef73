// SPDX-License-Identifier: BSD-2-Clause

//! Random bytes from rng_driver, for a PD that the declaration makes its client.

use driver_proto::{Bytes, CallError};

use crate::{clock, find_peer, role};

/// How long the random number generator is waited for, and the pause between two calls, in
/// nanoseconds. QEMU's device needs some 100 µs. While this PD waits, those of lower priority do,
/// too.
const PATIENCE: u64 = 500_000_000;
const PAUSE: u64 = 100_000;

/// Returns 32 random bytes that nobody else gets.
///
/// # Errors
/// [`CallError`]; without rng_driver, that there is no device.
pub fn random_bytes() -> Result<Bytes, CallError> {
    let driver = find_peer(role::RANDOM).ok_or(CallError::NoDevice)?;
    let clock = clock::clock();
    let end = clock::now() + clock.ticks(PATIENCE);
    let call = |label| {
        let answer = driver.call(label, []);
        (answer.label, answer.words)
    };
    driver_proto::ask(call, || {
        let until = clock::now() + clock.ticks(PAUSE);
        while clock::now() < until {
            core::hint::spin_loop();
        }
        until < end
    })
}

/// What the crate `getrandom` calls.
#[cfg(feature = "getrandom")]
fn fill(room: &mut [u8]) -> Result<(), getrandom::Error> {
    for piece in room.chunks_mut(size_of::<Bytes>()) {
        let bytes = random_bytes().map_err(|_| getrandom::Error::UNSUPPORTED)?;
        piece.copy_from_slice(&bytes[..piece.len()]);
    }
    Ok(())
}

#[cfg(feature = "getrandom")]
getrandom::register_custom_getrandom!(fill);
