// SPDX-License-Identifier: BSD-2-Clause

//! The key from which sequence numbers, ports and other things that a stranger must not guess are
//! made.

use driver_proto::{Bytes, CallError};
use pd_support::{Peer, clock, find_peer, info, role, warn};
use sel4_microkit::restart_count;
use time::Clock;

/// A new one at every start.
pub type Key = [u8; 16];

/// How long the random number generator is waited for, and the pause between two calls, in
/// nanoseconds. QEMU's device needs some 100 µs. While this PD waits, those of lower priority do,
/// too.
const PATIENCE: u64 = 500_000_000;
const PAUSE: u64 = 100_000;

/// Asks rng_driver for the key. To be called once.
///
/// Without it the key is made from the time at which the boot got this far, and the log says so.
/// Such a key keeps honest peers' connections apart; somebody who can time the boot to the tick can
/// guess it.
pub fn obtain(clock: Clock) -> Key {
    let started = clock::now();
    let result = match find_peer(role::RANDOM) {
        None => Err(CallError::NoDevice),
        Some(driver) => ask(driver, clock, started),
    };
    let mut key = Key::default();
    match result {
        Ok(bytes) => {
            key.copy_from_slice(&bytes[..size_of::<Key>()]);
            info!("key from rng_driver");
        }
        Err(error) => {
            warn!(
                "rng_driver: {error}: sequence numbers and ports can be guessed from the time of the boot"
            );
            key[..8].copy_from_slice(&clock::now().to_le_bytes());
            key[8..].copy_from_slice(&restart_count().to_le_bytes());
        }
    }
    key
}

fn ask(driver: Peer, clock: Clock, started: u64) -> Result<Bytes, CallError> {
    let end = started + clock.ticks(PATIENCE);
    let pause = clock.ticks(PAUSE);
    let call = |label| {
        let answer = driver.call(label, []);
        (answer.label, answer.words)
    };
    driver_proto::ask(call, || {
        let until = clock::now() + pause;
        while clock::now() < until {
            core::hint::spin_loop();
        }
        until < end
    })
}
