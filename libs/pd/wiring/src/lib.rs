// SPDX-License-Identifier: BSD-2-Clause
//! The wiring table of a protection domain (PD): which memory it has, for what and with whom; its
//! channels; the other PDs that it knows.
//!
//! `sysgen` makes one table for each PD from the declaration (`isthmus.toml`), the SDK's tool puts
//! it into the image, and the PD maps it read-only. No program states an address, a size, a channel
//! id or the name of a peer: it asks its table by *role*.
//!
//! # Layout
//!
//! All numbers are little-endian. A name is UTF-8, padded with zeros. `include/isthmus/wiring.h`
//! has the same layout for C, with the same questions as functions.
//!
//! | offset | type | content |
//! | --- | --- | --- |
//! | 0 | `[u8; 8]` | `ISTHWIR` and the version, 1 |
//! | 8 | u32 | size of the table in bytes |
//! | 12, 14, 16 | u16 | number of peers, memory entries, channels |
//! | 18 | `[u8; 14]` | zero |
//! | 32 | `[RawPeer]` | peers; the first is the PD itself |
//! | then | `[RawMemory]` | memory |
//! | then | `[RawChannel]` | channels |
//!
//! A peer has 128 bytes:
//!
//! | offset | type | content |
//! | --- | --- | --- |
//! | 0 | `[u8; 32]` | name of the PD |
//! | 32 | `[u8; 64]` | what it is for, in a few words |
//! | 96 | u32 | number of the PD in the system; the supervisor knows it as a child by this id |
//! | 100 | u32 | priority |
//! | 104 | u64 | size of its stack in bytes |
//! | 112 | u64 | bit 0: it is a child of this PD; bit 1: it is a client of the socket server |
//! | 120 | u64 | zero |
//!
//! A memory entry has 64 bytes:
//!
//! | offset | type | content |
//! | --- | --- | --- |
//! | 0 | `[u8; 32]` | role |
//! | 32 | u64 | first address in this PD |
//! | 40 | u64 | size in bytes |
//! | 48 | u32 | index of the peer that shares it; `0xffff_ffff` for the PD's own |
//! | 52 | u32 | bit 0: readable; bit 1: writable; bit 2: device registers |
//! | 56 | u64 | zero |
//!
//! A channel has 48 bytes:
//!
//! | offset | type | content |
//! | --- | --- | --- |
//! | 0 | `[u8; 32]` | role |
//! | 32 | u32 | id in this PD, 0 to 61 (Microkit manual, "Channels") |
//! | 36 | u32 | index of the peer at the other end; `0xffff_ffff` for an interrupt |
//! | 40 | u32 | bit 0: this PD may notify; bit 1: it may call; bit 2: it is called; bit 3: it is an interrupt |
//! | 44 | u32 | zero |
//!
//! Nobody can write a table at run time. It is checked all the same, once, when it is read: it may
//! come from another build.

#![cfg_attr(not(any(test, feature = "build")), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "build")]
mod build;
mod layout;
mod view;

#[cfg(feature = "build")]
pub use build::{BuildError, ChannelSpec, MemorySpec, PeerSpec, TableSpec};
pub use layout::{MAX_ABOUT, MAX_NAME, VERSION};
pub use view::{Channel, Memory, Peer, Wiring, WiringError};

/// Names of roles that several programs know. Others are the users' own: a role is a name.
pub mod role {
    /// The PD's log ring; at the console, that of each peer.
    pub const LOG: &str = "log";
    /// The PD's page of counters; at the supervisor and who may read them, that of each peer.
    pub const COUNTERS: &str = "counters";
    /// What the declaration says about the network, in the form of `net-config`.
    pub const CONFIGURATION: &str = "configuration";
    /// A client's window, the half that the client writes.
    pub const CLIENT_TO_SERVER: &str = "client_to_server";
    /// A client's window, the half that the server writes.
    pub const SERVER_TO_CLIENT: &str = "server_to_client";
    /// A client's readiness page, written by the server.
    pub const READINESS: &str = "readiness";
    /// The driver's half of the packet rings.
    pub const DRIVER_RINGS: &str = "driver_rings";
    /// The server's half of the packet rings.
    pub const SERVER_RINGS: &str = "server_rings";
    /// Received frames.
    pub const RX_DATA: &str = "rx_data";
    /// Frames to send.
    pub const TX_DATA: &str = "tx_data";
    /// Memory that a driver shares with its device.
    pub const DMA: &str = "dma";
    /// How often each PD has faulted, written by the supervisor: one word a PD, by its number.
    pub const LIVES: &str = "lives";

    /// Channel to a service of time.
    pub const TIME: &str = "time";
    /// Channel to a service of random bytes.
    pub const RANDOM: &str = "random";
    /// Channel between driver and server of packets.
    pub const PACKETS: &str = "packets";
    /// Channel to the server of sockets; at the server, that of each client.
    pub const SOCKETS: &str = "sockets";
    /// Channel to the supervisor; at the supervisor, that of each child.
    pub const SUPERVISION: &str = "supervision";
    /// The PD's heap.
    pub const HEAP: &str = "heap";
    /// The table itself.
    pub const WIRING: &str = "wiring";

    /// All of them: names that nothing else may have.
    pub const ALL: [&str; 19] = [
        LOG,
        COUNTERS,
        CONFIGURATION,
        CLIENT_TO_SERVER,
        SERVER_TO_CLIENT,
        READINESS,
        DRIVER_RINGS,
        SERVER_RINGS,
        RX_DATA,
        TX_DATA,
        DMA,
        LIVES,
        TIME,
        RANDOM,
        PACKETS,
        SOCKETS,
        SUPERVISION,
        HEAP,
        WIRING,
    ];
}
