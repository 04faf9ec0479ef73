// SPDX-License-Identifier: BSD-2-Clause

//! What `query` writes into the window. Numbers are in the byte order of the machine, addresses as
//! in [`crate::addr`].

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Errno;

values! {
    /// What a query asks for.
    QueryKind: EINVAL {
        /// An interface: [`Interface`].
        Interface = 1 QUERY_INTERFACE,
        /// What this client has and may have: [`Account`].
        Account = 2 QUERY_ACCOUNT,
        /// One of this client's sockets: [`SocketState`].
        Socket = 3 QUERY_SOCKET,
    }
}

/// A member of a layout as the C header shows it.
#[derive(Clone, Copy, Debug)]
pub struct MemberInfo {
    /// Its name.
    pub name: &'static str,
    /// Its type in C.
    pub c_type: &'static str,
    /// How many there are; 0 if it is no array.
    pub count: usize,
    /// One sentence.
    pub help: &'static str,
}

/// What lies in the window.
pub trait Layout: FromBytes + IntoBytes + Immutable + Default {
    /// Its bytes.
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    /// Its bytes, to be filled from the window.
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.as_mut_bytes()
    }
}

trait Member {
    const C_TYPE: &'static str;
    const COUNT: usize = 0;
}

impl Member for u8 {
    const C_TYPE: &'static str = "uint8_t";
}

impl Member for u32 {
    const C_TYPE: &'static str = "uint32_t";
}

impl Member for u64 {
    const C_TYPE: &'static str = "uint64_t";
}

impl<M: Member, const N: usize> Member for [M; N] {
    const C_TYPE: &'static str = M::C_TYPE;
    const COUNT: usize = N;
}

macro_rules! layouts {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident { $($(#[doc = $help:literal])+ $member:ident: $type:ty,)+ }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(
                Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable,
                KnownLayout,
            )]
            #[repr(C)]
            pub struct $name { $($(#[doc = $help])+ pub $member: $type,)+ }
        )+

        $(impl Layout for $name {})+

        /// Every layout: its name, size in bytes and members.
        pub const LAYOUTS: &[(&str, usize, &[MemberInfo])] = &[$((
            stringify!($name),
            size_of::<$name>(),
            &[$(MemberInfo {
                name: stringify!($member),
                c_type: <$type as Member>::C_TYPE,
                count: <$type as Member>::COUNT,
                help: concat!($($help),+).trim_ascii(),
            }),+],
        )),+];
    };
}

layouts! {
    /// An interface.
    Interface {
        /// Its name, with zeros behind it.
        name: [u8; 16],
        /// Its Ethernet address in the first six bytes.
        mac: [u8; 8],
        /// Its address; port 0.
        address: [u64; 3],
        /// Bits of the address that name its network.
        prefix: u32,
        /// Longest packet in bytes.
        mtu: u32,
        /// 1 if the device says that the link is up, otherwise 0.
        link_up: u32,
        /// 0.
        reserved: u32,
        /// Frames received.
        rx_frames: u64,
        /// Bytes of these frames.
        rx_bytes: u64,
        /// Frames sent.
        tx_frames: u64,
        /// Bytes of these frames.
        tx_bytes: u64,
    }

    /// What a client has and may have.
    Account {
        /// Stream sockets, connections that wait for `accept` included.
        stream_sockets: u32,
        /// Most stream sockets.
        stream_quota: u32,
        /// Datagram sockets.
        datagram_sockets: u32,
        /// Most datagram sockets.
        datagram_quota: u32,
    }

    /// A socket.
    SocketState {
        /// 1 stream, 2 datagram.
        kind: u32,
        /// The state of its connection with Linux's numbers: 1 established, 2 SYN sent, 3 SYN
        /// received, 4 FIN wait 1, 5 FIN wait 2, 6 TIME-WAIT, 7 closed, 8 close wait, 9 last ACK,
        /// 10 listening, 11 closing.
        state: u32,
        /// Its local address.
        local: [u64; 3],
        /// Its peer's address, or zeros.
        remote: [u64; 3],
        /// Stream: bytes received and not read. Listener: connections that wait for `accept`.
        unread: u64,
        /// Stream: bytes that the peer has not acknowledged.
        unacknowledged: u64,
        /// Segments sent again.
        retransmissions: u64,
    }
}
