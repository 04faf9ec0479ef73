// SPDX-License-Identifier: BSD-2-Clause

//! What lies in the window besides payload: messages of a `batch`, headers of datagrams, and what
//! `query` writes. Numbers are in the byte order of the machine, which the window never leaves;
//! addresses as in [`crate::addr`].

use core::net::{IpAddr, SocketAddr};

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::{Call, Errno, Failure, WORDS, addr, reply};

values! {
    /// What a query asks for.
    QueryKind(u64): EINVAL {
        /// An interface: [`Interface`].
        Interface = 1, QUERY_INTERFACE;
        /// What this client has and may have: [`Account`].
        Account = 2, QUERY_ACCOUNT;
        /// One of this client's sockets: [`SocketState`].
        Socket = 3, QUERY_SOCKET;
        /// The connection of one of this client's stream sockets: [`TcpInfo`].
        Tcp = 4, QUERY_TCP;
        /// An address of the first interface, those of IPv4 first: [`AddressState`].
        Address = 5, QUERY_ADDRESS;
        /// A route that is in use, those of IPv4 first: [`Route`].
        Route = 6, QUERY_ROUTE;
        /// A neighbour: [`Neighbour`].
        Neighbour = 7, QUERY_NEIGHBOUR;
        /// A socket of any client: [`SocketState`]. Only for clients with `administration` or
        /// `reads_counters`.
        AnySocket = 8, QUERY_ANY_SOCKET;
        /// Servers for names and for the time: [`Names`].
        Names = 9, QUERY_NAMES;
    }
}

values! {
    /// What a change concerns.
    ChangeKind(u64): EINVAL {
        /// Adds an address: [`AddressState`], whose state is 0.
        AddAddress = 1, ADD_ADDRESS;
        /// Removes an address; so do routes go whose routers are not on the link without it.
        RemoveAddress = 2, REMOVE_ADDRESS;
        /// Adds a route by a router: [`Route`].
        AddRoute = 3, ADD_ROUTE;
        /// Removes a route by a router.
        RemoveRoute = 4, REMOVE_ROUTE;
        /// Adds a neighbour whose Ethernet address is never asked for, or makes it that of one
        /// that is known: [`Neighbour`], whose state is 3.
        AddNeighbour = 5, ADD_NEIGHBOUR;
        /// Forgets a neighbour.
        RemoveNeighbour = 6, REMOVE_NEIGHBOUR;
        /// Shuts the interface down: nothing is sent or received. Routes and IPv4 addresses are
        /// kept.
        InterfaceDown = 7, INTERFACE_DOWN;
        /// Starts the interface again. IPv6 addresses are tried anew.
        InterfaceUp = 8, INTERFACE_UP;
        /// Ends the socket of any client; `index` is the member `socket` of its
        /// [`SocketState`]. Its connection is reset, and its client reads `ECONNABORTED`.
        EndSocket = 9, END_SOCKET;
    }
}

/// A layout as the tables and the C header show it.
#[derive(Clone, Copy, Debug)]
pub struct LayoutInfo {
    /// Its name in C.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Its size in bytes.
    pub size: usize,
    /// Names, types in Rust and meanings of its members, in order.
    pub members: &'static [(&'static str, &'static str, &'static str)],
}

/// What lies in the window.
pub trait Layout: FromBytes + IntoBytes + Immutable + Default {
    /// Its line of the tables.
    const INFO: LayoutInfo;

    /// Its bytes.
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    /// Its bytes, to be filled from the window; the content is not checked.
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.as_mut_bytes()
    }
}

macro_rules! layouts {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident $c:ident { $($(#[doc = $help:literal])+ $member:ident: $type:ty,)+ }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(
                Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
            )]
            #[repr(C)]
            pub struct $name { $($(#[doc = $help])+ pub $member: $type,)+ }

            impl Default for $name {
                fn default() -> Self {
                    $name::new_zeroed()
                }
            }

            impl Layout for $name {
                const INFO: LayoutInfo = LayoutInfo {
                    name: stringify!($c),
                    help: concat!($($doc),+).trim_ascii(),
                    size: size_of::<$name>(),
                    members: &[$((
                        stringify!($member),
                        stringify!($type),
                        concat!($($help),+).trim_ascii(),
                    )),+],
                };
            }
        )+

        /// Every layout.
        pub const LAYOUTS: &[LayoutInfo] = &[$($name::INFO),+];
    };
}

layouts! {
    /// A request or a reply, for `batch`.
    Message message {
        /// The operation, or what has become of it.
        label: u64,
        /// The words; those that are not used are 0.
        words: [u64; WORDS],
    }

    /// In front of each datagram's payload: see [`crate::datagram`].
    DatagramHeader datagram {
        /// Bytes of payload behind this header.
        length: u16,
        /// From the server: bytes that the datagram had on the wire; more than `length` if it had
        /// to be cut off (`MSG_TRUNC`). From the client: not looked at, so that an echo can send
        /// what it received as it lies there.
        wire_length: u16,
        /// 0.
        flags: u32,
        /// The peer. From the client, zeros mean the connected peer.
        address: [u64; 3],
    }

    /// An interface.
    Interface interface {
        /// Its name, with zeros behind it.
        name: [u8; 16],
        /// Its Ethernet address in the first six bytes.
        mac: [u8; 8],
        /// Its first address; port 0.
        address: [u64; 3],
        /// Bits of the address that name its network.
        prefix: u32,
        /// Longest packet in bytes.
        mtu: u32,
        /// 1 if the device says that the link is up, otherwise 0.
        link_up: u32,
        /// 1 unless it has been shut down.
        up: u32,
        /// Frames received.
        rx_frames: u64,
        /// Bytes of these frames.
        rx_bytes: u64,
        /// Frames sent.
        tx_frames: u64,
        /// Bytes of these frames.
        tx_bytes: u64,
    }

    /// An address of an interface.
    AddressState address_state {
        /// The address; port 0.
        address: [u64; 3],
        /// Bits of the address that name its network.
        prefix: u32,
        /// 0: it is found out whether another host has it. 1: it is used. 2: it is used for what
        /// is there, and not for what is new. 3: another host has it, so that it is not used.
        state: u32,
    }

    /// A route.
    Route route {
        /// The first address of the network that it leads to; port 0.
        network: [u64; 3],
        /// The router; zeros if the network is that of the link.
        router: [u64; 3],
        /// Bits of the address that name the network.
        prefix: u32,
        /// 0.
        reserved: u32,
    }

    /// A host on the link.
    Neighbour neighbour {
        /// Its address; port 0.
        address: [u64; 3],
        /// Its Ethernet address in the first six bytes; zeros if it is not known.
        mac: [u8; 8],
        /// 0: it is being asked for. 1: it has sent something. 2: it has answered. 3: an
        /// administrator has said it, and it stays.
        state: u32,
        /// Seconds since that was learnt.
        age: u32,
    }

    /// Servers, as they are declared or as a DHCP server says.
    Names names {
        /// Servers for names: the addresses of three, zeros behind the last one.
        servers: [u64; 9],
        /// Servers for the time, likewise. None can be declared.
        time_servers: [u64; 9],
        /// The domain in which names are looked for besides, with zeros behind it.
        domain: [u8; 64],
        /// Seconds that the lease of the DHCP server still lasts; 0 without one, all bits set for
        /// one without end.
        lease: u32,
        /// 0.
        reserved: u32,
    }

    /// What a client has and may have.
    Account account {
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
    SocketState socket_state {
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
        /// What names it among the sockets of all clients, which are in the order of these numbers.
        socket: u64,
        /// The name of its client, with zeros behind it.
        owner: [u8; 32],
    }

    /// A stream socket's connection. Without one, its state alone.
    TcpInfo tcp_info {
        /// As in `socket_state`.
        state: u32,
        /// Bytes of the largest segment that is sent.
        send_mss: u32,
        /// Bytes of the largest segment that the peer was told to send.
        receive_mss: u32,
        /// Microseconds from the first SYN to its acknowledgement; 0 if that is not known.
        handshake: u32,
        /// Bytes that may be on their way, as far as the network is concerned.
        congestion_window: u32,
        /// Bytes that the peer takes, counted from the first that it has not acknowledged.
        peer_window: u32,
        /// Bytes that the peer may send now.
        receive_window: u32,
        /// Times that an idle peer has been asked since its last segment.
        questions: u32,
        /// Bytes that have been sent and not acknowledged.
        in_flight: u64,
        /// Bytes that have not been sent.
        unsent: u64,
        /// Segments sent again.
        retransmissions: u64,
        /// Nanoseconds since the peer's last segment.
        silence: u64,
    }

    /// What `capture` shows; zeros show all.
    CaptureFilter capture_filter {
        /// Frames to which this and the protocol apply: from or to this address, unless it is
        /// unspecified, and from or to this TCP or UDP port, unless it is 0.
        address: [u64; 3],
        /// Up to 255, frames that carry this protocol of IP; from 1,536 on, frames of this
        /// EtherType; 0 means all.
        protocol: u32,
        /// Bytes of each frame that are kept; 0 means all.
        snap: u32,
        /// 1 has the device receive frames for other hosts, too, as far as it can; otherwise 0.
        promiscuous: u32,
        /// 0.
        reserved: u32,
    }

    /// A captured frame; its bytes follow.
    CaptureRecord capture_record {
        /// Nanoseconds since the counter `cntpct_el0` was 0, at the beginning of the server's
        /// wake-up.
        time: u64,
        /// Bytes that were kept; behind them are zeros up to a multiple of 8.
        length: u32,
        /// Bytes of the frame.
        wire_length: u32,
        /// The number of the interface, as in `query`.
        interface: u32,
        /// 1: it was received. 2: it was sent. What passes over loopback is sent.
        direction: u32,
    }
}

impl CaptureRecord {
    /// Bytes of its header.
    pub const SIZE: usize = size_of::<CaptureRecord>();

    /// Bytes from the start of a record with so many bytes of a frame to where the next one starts.
    #[must_use]
    pub const fn stride(length: usize) -> usize {
        Self::SIZE + length.next_multiple_of(8)
    }

    /// Takes the first of the records that `captured` has written: its header, its frame, and what
    /// is behind it. `None` if there is no whole record.
    #[must_use]
    pub fn split(records: &[u8]) -> Option<(CaptureRecord, &[u8], &[u8])> {
        let (header, rest) = CaptureRecord::read_from_prefix(records).ok()?;
        let length = usize::try_from(header.length).ok()?;
        let frame = rest.get(..length)?;
        Some((header, frame, rest.get(length.next_multiple_of(8)..)?))
    }
}

impl Message {
    /// Bytes of a message.
    pub const SIZE: usize = size_of::<Message>();

    /// A request.
    pub fn new<C: Call>(request: C) -> Message {
        Message {
            label: C::OPERATION.raw(),
            words: request.encode(),
        }
    }

    /// The reply that carries an error.
    pub fn failed(errno: Errno) -> Message {
        Message {
            label: errno.raw().into(),
            words: [0; WORDS],
        }
    }

    /// The reply to a request of this kind.
    ///
    /// # Errors
    /// The error that the reply carries; `EPROTO` if it makes no sense.
    pub fn reply<C: Call>(self) -> Result<C::Reply, Errno> {
        reply::decode(self.label, self.words).map_err(|failure| match failure {
            Failure::Errno(errno) => errno,
            Failure::Restarted | Failure::NoPlace => Errno::EPROTO,
        })
    }
}

impl Names {
    /// Servers for names, the first to be asked first.
    pub fn servers(&self) -> impl Iterator<Item = IpAddr> {
        addresses(&self.servers)
    }

    /// Servers for the time.
    pub fn time_servers(&self) -> impl Iterator<Item = IpAddr> {
        addresses(&self.time_servers)
    }

    /// The domain in which names are looked for besides; empty if there is none.
    #[must_use]
    pub fn domain(&self) -> &str {
        let end = self.domain.iter().position(|&byte| byte == 0);
        let domain = self.domain.get(..end.unwrap_or(self.domain.len()));
        domain
            .and_then(|domain| str::from_utf8(domain).ok())
            .unwrap_or_default()
    }
}

fn addresses(words: &[u64; 9]) -> impl Iterator<Item = IpAddr> {
    words.chunks_exact(3).filter_map(|words| {
        let words = words.try_into().ok()?;
        Some(addr::from_words(words).ok()??.ip())
    })
}

impl DatagramHeader {
    /// The header of `length` bytes from or to `peer`; `None` is the connected peer.
    #[must_use]
    pub fn new(length: u16, peer: Option<SocketAddr>) -> DatagramHeader {
        DatagramHeader {
            length,
            wire_length: length,
            flags: 0,
            address: peer.map_or(addr::NO_ADDRESS, addr::to_words),
        }
    }

    /// The address.
    ///
    /// # Errors
    /// As [`addr::from_words`].
    pub fn peer(&self) -> Result<Option<SocketAddr>, Errno> {
        addr::from_words(self.address)
    }
}
