// SPDX-License-Identifier: BSD-2-Clause

//! Typed indices: the number of an entry in one table, which no other table takes.

/// The number of an entry in a table.
pub trait Id: Copy + Eq + core::fmt::Debug {
    /// The id of the entry at `index`.
    fn new(index: usize) -> Self;

    /// The entry's place.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($repr:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name($repr);

        impl Id for $name {
            fn new(index: usize) -> Self {
                $name(index as $repr)
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A client, which is an account.
    ClientId(u8);
    /// An index of a client's table of sockets.
    Slot(u16);
    /// A TCP connection.
    ConnectionId(u32);
    /// A host on the link.
    HostId(u32);
    /// A datagram that waits for an Ethernet address.
    PlaceId(u32);
    /// A handshake that its peer has not confirmed.
    HalfOpenId(u32);
    /// What is left of a connection.
    RemainsId(u32);
    /// A datagram of which fragments have come.
    PartialId(u32);
    /// Memory for a piece of such a datagram.
    BlockId(u16);
}

impl ClientId {
    /// The first client.
    pub const FIRST: ClientId = ClientId(0);
    /// The highest number that a [`super::set::ClientSet`] has room for.
    pub const LAST: ClientId = ClientId(63);
}

impl HostId {
    /// The gateway.
    pub const GATEWAY: HostId = HostId(0);
}

/// A socket of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketId {
    /// The client.
    pub client: ClientId,
    /// Index in its table.
    pub slot: Slot,
}

#[cfg(test)]
impl SocketId {
    /// Some socket of a client.
    pub const fn test(client: u8) -> SocketId {
        SocketId {
            client: ClientId(client),
            slot: Slot(1),
        }
    }
}
