// SPDX-License-Identifier: BSD-2-Clause

//! What every protection domain of this project does alike: its log ring, its page of counters, the
//! clock, and views of its regions.
//!
//! ```ignore
//! #[protection_domain]
//! fn init() -> impl Handler {
//!     let pd = Pd::<stats::EchoServer>::start();
//!     info!("port {}", config.port);
//!     let window = region!(rw net_c2s).any_size().into_window();
//!     pd.run(EchoServer { stats: pd.stats(), … })
//! }
//! ```
//!
//! Features for crates from elsewhere: `critical-section` has the implementation that the crate of
//! that name asks for, `log` writes the lines of that facade into the PD's log ring.
//!
//! The names come from `system.xml`: regions `log` (a `LogPage`, written by the PD, read by the
//! console) and `stats` (a `StatsPage`), and the channel [`CONSOLE`].

#![no_std]

pub mod clock;
mod counts;
#[cfg(feature = "critical-section")]
mod critical;
#[cfg(feature = "log")]
mod facade;
mod global;
mod limit;
mod log;
mod pd;
mod peer;
mod region;

pub use log::{Level, write};
pub use pd::{CONSOLE, Pd, Turns, parent, working};
pub use peer::{Answer, Peer};
pub use region::Mapped;

/// For this crate's macros.
#[doc(hidden)]
pub mod _private {
    pub use crate::limit::Site;
    pub use crate::region::{OnceOnly, claim, mapped};
    pub use sel4_microkit::_private::Patched;
    pub use shm::{ReadOnly, ReadWrite};
}
