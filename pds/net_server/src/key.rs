// SPDX-License-Identifier: BSD-2-Clause

//! The key from which sequence numbers, ports and other things that a stranger must not guess are
//! made.

use pd_support::{clock, info, random_bytes, warn};
use sel4_microkit::restart_count;

/// A new one at every start.
pub type Key = [u8; 16];

/// Asks rng_driver for the key. To be called once.
///
/// Without it the key is made from the time at which the boot got this far, and the log says so.
/// Such a key keeps honest peers' connections apart; somebody who can time the boot to the tick can
/// guess it.
pub fn obtain() -> Key {
    let mut key = Key::default();
    match random_bytes() {
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
