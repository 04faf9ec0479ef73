// SPDX-License-Identifier: BSD-2-Clause

//! DHCP messages (RFC 2131 section 2, RFC 2132) as they lie in a datagram.
//!
//! They are read here, as ARP and NDP are: smoltcp's formats come with an Ethernet interface, which
//! would make each packet dearer; and the crates edge-dhcp 0.8 and dhcparse 1.0 panic over
//! addresses of fewer than four bytes.

use core::net::Ipv4Addr;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Kinds of messages (RFC 2132 section 9.6).
pub const DISCOVER: u8 = 1;
pub const OFFER: u8 = 2;
pub const REQUEST: u8 = 3;
pub const DECLINE: u8 = 4;
pub const ACK: u8 = 5;
pub const NAK: u8 = 6;
pub const RELEASE: u8 = 7;

/// Options (RFC 2132).
const PAD: u8 = 0;
const MASK: u8 = 1;
const ROUTER: u8 = 3;
const NAME_SERVERS: u8 = 6;
const HOST_NAME: u8 = 12;
const DOMAIN: u8 = 15;
const TIME_SERVERS: u8 = 42;
const ADDRESS: u8 = 50;
const LEASE: u8 = 51;
const KIND: u8 = 53;
const SERVER: u8 = 54;
const WANTED: u8 = 55;
const LONGEST: u8 = 57;
const RENEW: u8 = 58;
const REBIND: u8 = 59;
const CLIENT: u8 = 61;
const END: u8 = 255;

/// The options of interest, as a request names them.
const LIST: [u8; 8] = [
    MASK,
    ROUTER,
    NAME_SERVERS,
    DOMAIN,
    TIME_SERVERS,
    LEASE,
    RENEW,
    REBIND,
];
/// A request by Ethernet, a reply, and the lengths of their addresses.
const ASKS: [u8; 4] = [1, 1, 6, 0];
const ANSWERS: [u8; 3] = [2, 1, 6];
/// Replies go to all hosts, because this one has no address yet.
const TO_ALL: [u8; 2] = [0x80, 0];
/// What options begin with.
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// The longest datagram with its headers that every host must take.
const LENGTH_MAX: [u8; 2] = 576u16.to_be_bytes();

/// Bytes of a request: at least the 300 that some relays want (RFC 1542 section 2.1).
pub const LENGTH: usize = 320;

/// Addresses of a list that count.
pub const LIST_MAX: usize = 3;
/// Bytes of a domain's name that there is room for.
pub const DOMAIN_MAX: usize = 64;

/// What a message begins with.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
struct Header {
    kind: [u8; 4],
    number: [u8; 4],
    seconds: [u8; 2],
    flags: [u8; 2],
    client: [u8; 4],
    yours: [u8; 4],
    next_server: [u8; 4],
    relay: [u8; 4],
    card: [u8; 6],
    unused: [u8; 10],
    server_name: [u8; 64],
    file: [u8; 128],
    cookie: [u8; 4],
}

const HEADER: usize = size_of::<Header>();
const _: () = assert!(HEADER == 240);

/// Servers that a message names, in its order.
pub type Servers = [Option<Ipv4Addr>; LIST_MAX];

/// What a server says.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// [`OFFER`], [`ACK`] or [`NAK`].
    pub kind: u8,
    /// The server.
    pub server: Option<Ipv4Addr>,
    /// The address that it gives.
    pub address: Ipv4Addr,
    /// Bits of it that name its network.
    pub prefix: u8,
    /// The router for everything else.
    pub router: Option<Ipv4Addr>,
    /// Servers for names and for the time.
    pub name_servers: Servers,
    pub time_servers: Servers,
    /// The domain in which names are looked for besides, with zeros behind it.
    pub domain: [u8; DOMAIN_MAX],
    /// Seconds that the address may be used, and until it is to be renewed, of this server and of
    /// any.
    pub lease: Option<u32>,
    pub renew: Option<u32>,
    pub rebind: Option<u32>,
}

/// The options of a message; those behind one that is cut off do not count.
fn options(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    core::iter::from_fn(move || {
        while let [PAD, behind @ ..] = rest {
            rest = behind;
        }
        let [kind, length, behind @ ..] = rest else {
            return None;
        };
        let (value, behind) = behind.split_at_checked(usize::from(*length))?;
        rest = behind;
        (*kind != END).then_some((*kind, value))
    })
}

fn number(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.try_into().ok()?))
}

fn address(value: &[u8]) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = *value.first_chunk()?;
    Some(octets.into())
}

fn servers(value: &[u8]) -> Servers {
    let mut servers = Servers::default();
    for (server, octets) in servers.iter_mut().zip(value.chunks_exact(4)) {
        *server = address(octets);
    }
    servers
}

/// A domain's name, if it is one of letters, digits, hyphens and dots.
fn domain(value: &[u8]) -> [u8; DOMAIN_MAX] {
    let mut name = [0; DOMAIN_MAX];
    let end = value.iter().position(|&byte| byte == 0);
    let value = &value[..end.unwrap_or(value.len())];
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if let Some(room) = name.get_mut(..value.len())
        && value.iter().all(is_allowed)
    {
        room.copy_from_slice(value);
    }
    name
}

impl Answer {
    /// Reads an answer to what this card has asked under this number. `None` if it is none.
    pub fn read(bytes: &[u8], asked: u32, card: [u8; 6]) -> Option<Answer> {
        let (header, rest) = Header::read_from_prefix(bytes).ok()?;
        if header.kind[..3] != ANSWERS
            || header.number != asked.to_be_bytes()
            || header.card != card
            || header.cookie != COOKIE
        {
            return None;
        }
        let mut answer = Answer {
            kind: 0,
            server: None,
            address: header.yours.into(),
            // Without a mask nobody else is on the link but the router.
            prefix: 32,
            router: None,
            name_servers: Servers::default(),
            time_servers: Servers::default(),
            domain: [0; DOMAIN_MAX],
            lease: None,
            renew: None,
            rebind: None,
        };
        for (kind, value) in options(rest) {
            match kind {
                KIND => answer.kind = *value.first()?,
                SERVER => answer.server = address(value),
                MASK => {
                    let mask = number(value)?;
                    answer.prefix = mask.leading_ones() as u8;
                    if mask.count_ones() != mask.leading_ones() {
                        return None;
                    }
                }
                ROUTER => answer.router = address(value),
                NAME_SERVERS => answer.name_servers = servers(value),
                TIME_SERVERS => answer.time_servers = servers(value),
                DOMAIN => answer.domain = domain(value),
                LEASE => answer.lease = number(value),
                RENEW => answer.renew = number(value),
                REBIND => answer.rebind = number(value),
                _ => {}
            }
        }
        matches!(answer.kind, OFFER | ACK | NAK).then_some(answer)
    }
}

/// What this machine says.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// [`DISCOVER`], [`REQUEST`], [`DECLINE`] or [`RELEASE`].
    pub kind: u8,
    /// The number that answers have.
    pub number: u32,
    /// Seconds since it was first asked.
    pub seconds: u16,
    /// This machine's address, if it has one.
    pub own: Ipv4Addr,
    /// Its card.
    pub card: [u8; 6],
    /// The address that it wants.
    pub wanted: Option<Ipv4Addr>,
    /// The server that this is for.
    pub server: Option<Ipv4Addr>,
    /// Its name, which is shorter than 64 bytes; or nothing.
    pub hostname: &'a str,
}

impl Question<'_> {
    /// Writes the message into [`LENGTH`] bytes.
    pub fn write(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        let header = Header {
            kind: ASKS,
            number: self.number.to_be_bytes(),
            seconds: self.seconds.to_be_bytes(),
            flags: if self.own.is_unspecified() {
                TO_ALL
            } else {
                [0; 2]
            },
            client: self.own.octets(),
            yours: [0; 4],
            next_server: [0; 4],
            relay: [0; 4],
            card: self.card,
            unused: [0; 10],
            server_name: [0; 64],
            file: [0; 128],
            cookie: COOKIE,
        };
        let [c0, c1, c2, c3, c4, c5] = self.card;
        let (wanted, server) = (self.wanted, self.server);
        let asks = matches!(self.kind, DISCOVER | REQUEST);
        let hostname = self.hostname.as_bytes();
        let mut at = 0;
        let mut put = |part: &[u8]| {
            // There is room for all of them: see below.
            if let Some(room) = bytes.get_mut(at..at + part.len()) {
                room.copy_from_slice(part);
            }
            at += part.len();
        };
        put(header.as_bytes());
        put(&[KIND, 1, self.kind]);
        put(&[CLIENT, 7, 1, c0, c1, c2, c3, c4, c5]);
        for (kind, value) in [(ADDRESS, wanted), (SERVER, server)] {
            if let Some(value) = value {
                put(&[kind, 4]);
                put(&value.octets());
            }
        }
        if asks {
            put(&[WANTED, LIST.len() as u8]);
            put(&LIST);
            put(&[LONGEST, 2]);
            put(&LENGTH_MAX);
        }
        if asks && !hostname.is_empty() {
            let hostname = &hostname[..hostname.len().min(HOST_NAME_MAX)];
            put(&[HOST_NAME, hostname.len() as u8]);
            put(hostname);
        }
        put(&[END]);
    }
}

/// Bytes of the host's name that there is room for: behind the header are kind, client, address,
/// server, list and length.
const HOST_NAME_MAX: usize = LENGTH - HEADER - (3 + 9 + 6 + 6 + 2 + LIST.len() + 4) - 3;
const _: () = assert!(HOST_NAME_MAX < 64);
