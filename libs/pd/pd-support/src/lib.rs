// SPDX-License-Identifier: BSD-2-Clause

//! The parts that every protection domain (PD) of this project shares: memory and channels by the
//! declaration, log ring, page of counters, clock.
//!
//! ```ignore
//! #[protection_domain]
//! fn init() -> impl Handler {
//!     let pd = Pd::<stats::EchoServer>::start();
//!     info!("port {}", config.port);
//!     let window = region::<ReadWrite>(role::CLIENT_TO_SERVER).into_region().into_window();
//!     pd.run(EchoServer { stats: pd.stats(), window })
//! }
//! ```
//!
//! Features for crates from elsewhere: `critical-section` has the implementation that the crate of
//! that name asks for, `log` writes the lines of that facade into the PD's log ring, `getrandom`
//! gives that crate (0.2) rng_driver's bytes.

#![no_std]

pub mod clock;
#[cfg(feature = "critical-section")]
mod critical;
mod declared;
#[cfg(feature = "log")]
mod facade;
mod global;
mod limit;
mod log;
mod pd;
mod peer;
mod random;

pub use declared::{
    Mapped, find_peer, interrupt, own_region, peer, region, region_with, regions, registers, wiring,
};
pub use log::{Level, write};
pub use pd::{Pd, Turns, wait, working};
pub use peer::{Answer, Peer, four_words, message, with_words};
pub use random::random_bytes;

pub use shm::{ReadOnly, ReadWrite};
pub use wiring::role;

/// For this crate's macros.
#[doc(hidden)]
pub mod _private {
    pub use crate::limit::Site;
}
