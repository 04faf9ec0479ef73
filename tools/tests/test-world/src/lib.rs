// SPDX-License-Identifier: BSD-2-Clause

//! One world for the tests of everything that speaks the socket protocol: the socket core that
//! ships, on a simulated link that loses, doubles and delays frames as a seed says, with a test
//! peer at its far end and a clock that stands still between two steps.
//!
//! - [`World`] is the core, the link and the [`Peer`]. Tests of the core make their requests with
//!   its methods ([`World::listen`], [`World::send`] and so on).
//! - [`Wire`] is the client library's way into a world. It records calls, restarts the server
//!   within one of them, and gives nonsense for a reply, as a test wants it. [`Tasks`] is the
//!   event loop of a client with async tasks.
//!
//! For dev-dependencies only. It stands among the tools because no PD may depend on it, and because
//! its test peer is smoltcp, which of the libraries only the core may name.

pub mod frames;
pub mod raw;

mod calls;
mod example;
mod link;
mod memory;
mod peer;
mod tasks;
mod wire;
mod world;

pub use example::{ExamplePeer, example, example_of_server};
pub use link::{Faults, Medium, Narrow, SERVER, SimRx, SimTx};
pub use memory::{ClientMemory, SharedWindow, page};
pub use peer::Peer;
pub use smoltcp;
pub use tasks::Tasks;
pub use wire::{Stream, Wire};
pub use world::{
    C2S, Event, PEER_IP, PEER_IP6, PEER_MAC, S2C, SERVER_IP, SERVER_IP6, SERVER_MAC, World,
    administrator, config, config6, errno, limits, pattern,
};
