// SPDX-License-Identifier: BSD-2-Clause
//! The wiring table of a protection domain (PD): which memory it has, for what and with whom; its
//! channels; the other PDs that it knows. The server of sockets and its clients also read from it
//! what the declaration says about the network.
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
//! | 0 | `[u8; 8]` | `ISTHWIR` and the version, 7 |
//! | 8 | u32 | size of the table in bytes |
//! | 12, 14, 16 | u16 | number of peers, memory entries, channels |
//! | 18, 20 | u16 | number of clients; of networks, 0 or 1 |
//! | 22 | `[u8; 10]` | zero |
//! | 32 | `[RawPeer]` | peers; the first is the PD itself |
//! | then | `[RawMemory]` | memory |
//! | then | `[RawChannel]` | channels |
//! | then | `[RawClient]` | clients of the server of sockets: all at the server, itself at a client |
//! | then | `[Network]` | the network, at that server and its clients |
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
//! | 112 | u32 | bit 0: it is a child of this PD; bit 1: it is a client of the socket server |
//! | 116 | `[u32; 3]` | zero |
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
//! A client has 484 bytes. Entries of its lists that are not used are zero and come last:
//!
//! | offset | type | content |
//! | --- | --- | --- |
//! | 0 | u32 | index of the peer |
//! | 4, 6 | u16 | stream sockets and datagram sockets that it may have at once |
//! | 8 | u32 | bytes for the buffers of its connections, beyond the few that each has of its own |
//! | 12 | u32 | bytes for datagrams that wait to be read |
//! | 16 | u32 | bytes for frames that it captures; 0 if it may capture none |
//! | 20 | `[[u16; 2]; 8]` | TCP ports that it may listen on: first and last of each range |
//! | 52 | `[[u16; 2]; 8]` | UDP ports that it may bind |
//! | 84 | `[[u8; 24]; 8]` | where it may connect to with TCP |
//! | 276 | `[[u8; 24]; 8]` | where it may send datagrams of UDP |
//! | 468 | u32 | packets that it may send by the device in a second; 0 if as many as it can |
//! | 472 | u64 | the same in bytes |
//! | 480 | u32 | what else it may do: 1 administration, 2 see the sockets of others, 4 ICMP, 8 groups |
//!
//! A destination has the address of a network (`[u8; 16]`, those of IPv4 mapped), the first and the
//! last port (u16), and the length of the network's prefix in bits (u32).
//!
//! A network has 180 bytes:
//!
//! | offset | type | content |
//! | --- | --- | --- |
//! | 0 | `[u8; 32]` | host name |
//! | 32, 36 | `[u8; 4]` | own address; the gateway's |
//! | 40 | u32 | length of the network's prefix in bits |
//! | 44, 48 | u32 | bytes of each stream socket's buffers: received; to send |
//! | 52, 56 | u32 | bytes of each datagram socket's buffer; longest datagram to send |
//! | 60 | `[[u8; 4]; 3]` | addresses of name servers; zeros behind them |
//! | 72 | `[u8; 64]` | search domain, empty if there is none |
//! | 136, 152 | `[u8; 16]` | own IPv6 address; that of the router; zeros if there is none |
//! | 168 | u32 | length of that network's prefix in bits |
//! | 172 | u32 | 1 if routers say which IPv6 addresses to use |
//! | 176 | u32 | 0: the address is declared; 1: it comes by DHCP; until then 2: it is declared, 3: it is chosen |
//!
//! Nobody can write a table at run time. It is checked all the same, once, when it is read: it may
//! come from another build.

#![cfg_attr(not(any(test, feature = "build")), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "build")]
mod build;
mod layout;
mod network;
mod view;

#[cfg(feature = "build")]
pub use build::{Misfit, Table};
pub use layout::{CHANNELS, MAX_ABOUT, MAX_DOMAIN, MAX_NAME, Text, VERSION};
pub use network::{
    ADMINISTRATION, Buffers, CLOSING_STREAMS, DECLARED, DHCP, DHCP_OR_DECLARED, DHCP_OR_LINK_LOCAL,
    Destination, ICMP, Limits, MAX_CLIENTS, MAX_DESTINATIONS, MAX_NAME_SERVERS, MAX_PORT_RANGES,
    MULTICAST, Network, PortRange, Quota, SEES_SOCKETS, server_heap,
};
pub use view::{Channel, Memory, Peer, Wiring, WiringError};

/// Names of roles that several programs know. Others are the users' own: a role is a name.
pub mod role {
    macro_rules! roles {
        ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
            $($(#[$doc])* pub const $name: &str = $text;)*

            /// All of them: names that nothing else may have.
            pub const ALL: &[&str] = &[$($name),*];
        };
    }

    roles! {
        /// The PD's log ring; at the console, that of each peer.
        LOG = "log";
        /// The PD's page of counters; at PDs that may read them, also that of each peer.
        COUNTERS = "counters";
        /// A client's window, the half that the client writes.
        CLIENT_TO_SERVER = "client_to_server";
        /// A client's window, the half that the server writes.
        SERVER_TO_CLIENT = "server_to_client";
        /// A client's readiness page, written by the server.
        READINESS = "readiness";
        /// The driver's half of the packet rings.
        DRIVER_RINGS = "driver_rings";
        /// The server's half of the packet rings.
        SERVER_RINGS = "server_rings";
        /// Received frames.
        RX_DATA = "rx_data";
        /// Frames to send.
        TX_DATA = "tx_data";
        /// Memory that a driver shares with its device.
        DMA = "dma";
        /// How often each PD has faulted, written by the supervisor: one word a PD, by its number.
        LIVES = "lives";
        /// Channel to a service of time.
        TIME = "time";
        /// Channel to a service of random bytes.
        RANDOM = "random";
        /// Channel between driver and server of packets.
        PACKETS = "packets";
        /// Channel to the server of sockets; at the server, that of each client.
        SOCKETS = "sockets";
        /// Channel to the supervisor; at the supervisor, that of each child.
        SUPERVISION = "supervision";
        /// The PD's heap.
        HEAP = "heap";
        /// The table itself.
        WIRING = "wiring";
    }
}
