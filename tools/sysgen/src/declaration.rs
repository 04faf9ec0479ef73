// SPDX-License-Identifier: BSD-2-Clause
//! The form of the declaration: which tables and keys there are, of what type, and what holds for a
//! key that is not there.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Deref;

use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use crate::diagnostic::{Diagnostic, Result, Source};
use crate::forms::{Fallback, Host, Host6, Origin, Ports, Prefix, Prefix6, Target};
use crate::plan::LARGE_PAGE;

/// A value, and where it stands in the declaration.
pub struct At<T> {
    value: T,
    /// `None` for a default.
    offset: Option<usize>,
}

impl<T> At<T> {
    /// Returns where it stands, or where its owner does.
    pub fn or<U>(&self, owner: &At<U>) -> usize {
        self.offset.unwrap_or_else(|| owner.into())
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Display> Display for At<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T> From<&At<T>> for usize {
    fn from(at: &At<T>) -> usize {
        at.offset.unwrap_or_default()
    }
}

impl<T> From<T> for At<T> {
    fn from(value: T) -> Self {
        At {
            value,
            offset: None,
        }
    }
}

impl<T> From<Spanned<T>> for At<T> {
    fn from(spanned: Spanned<T>) -> Self {
        At {
            offset: Some(spanned.span().start),
            value: spanned.into_inner(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(At::from)
    }
}

/// A table with a name that the user chose.
pub struct Named<T> {
    pub name: At<String>,
    keys: T,
}

impl<T> Deref for Named<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.keys
    }
}

/// Reads tables in the order of the file: of two that clash, the second is the one to blame.
fn in_order<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<Named<T>>, D::Error> {
    let tables = BTreeMap::<Spanned<String>, T>::deserialize(deserializer)?;
    let mut tables: Vec<_> = tables.into_iter().collect();
    tables.sort_by_key(|(name, _)| name.span().start);
    let named = |(name, keys)| Named {
        name: At::from(name),
        keys,
    };
    Ok(tables.into_iter().map(named).collect())
}

/// The whole declaration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    pub board: At<String>,
    pub interface: Interface,
    pub buffers: Buffers,
    #[serde(default, deserialize_with = "in_order")]
    pub devices: Vec<Named<Device>>,
    #[serde(deserialize_with = "in_order")]
    pub pds: Vec<Named<Pd>>,
    #[serde(default, deserialize_with = "in_order")]
    pub regions: Vec<Named<Region>>,
    pub fragment: Option<At<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    pub hostname: At<String>,
    pub address: At<Origin>,
    /// Used until a DHCP server has given an address.
    pub fallback: Option<At<Fallback>>,
    pub gateway: Option<At<Host>>,
    #[serde(default)]
    pub dns: Vec<At<Host>>,
    #[serde(default = "no_domain")]
    pub domain: At<String>,
    pub address6: Option<At<Prefix6>>,
    pub gateway6: Option<At<Host6>>,
    #[serde(default)]
    pub autoconf: bool,
}

impl Interface {
    /// Returns the address that is declared, be it for a time, and where.
    pub fn declared(&self) -> Option<(Prefix, usize)> {
        match (*self.address, self.fallback.as_ref()) {
            (Origin::Declared(prefix), _) => Some((prefix, (&self.address).into())),
            (Origin::Dhcp, Some(at)) => match **at {
                Fallback::Declared(prefix) => Some((prefix, at.into())),
                Fallback::LinkLocal => None,
            },
            (Origin::Dhcp, None) => None,
        }
    }

    /// Whether a DHCP server says which address to use.
    pub fn asks_dhcp(&self) -> bool {
        matches!(*self.address, Origin::Dhcp)
    }
}

fn no_domain() -> At<String> {
    String::new().into()
}

/// The most bytes that one socket buffers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffers {
    pub stream_receive: At<u32>,
    pub stream_send: At<u32>,
    pub datagram_receive: At<u32>,
    pub datagram_send: At<u32>,
}

impl From<&Buffers> for wiring::Buffers {
    fn from(buffers: &Buffers) -> Self {
        wiring::Buffers {
            stream_receive: (*buffers.stream_receive).into(),
            stream_send: (*buffers.stream_send).into(),
            datagram_receive: (*buffers.datagram_receive).into(),
            datagram_send: (*buffers.datagram_send).into(),
        }
    }
}

/// A device of the board.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    pub registers: Option<At<u64>>,
    pub irq: Option<At<u32>>,
}

/// What a protection domain offers to those that use it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    Supervision,
    Time,
    Random,
    Packets,
    Sockets,
    Log,
}

impl Service {
    /// Returns its name, which the channels to its server have as their role.
    pub fn role(self) -> &'static str {
        match self {
            Service::Supervision => wiring::role::SUPERVISION,
            Service::Time => wiring::role::TIME,
            Service::Random => wiring::role::RANDOM,
            Service::Packets => wiring::role::PACKETS,
            Service::Sockets => wiring::role::SOCKETS,
            Service::Log => wiring::role::LOG,
        }
    }
}

/// A protection domain.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pd {
    pub about: At<String>,
    pub program: Option<At<String>>,
    pub serves: Option<At<Service>>,
    pub priority: At<u64>,
    pub stack: At<u64>,
    pub heap: Option<At<u64>>,
    pub uses: Vec<At<String>>,
    pub devices: Vec<At<String>>,
    pub reads_counters: bool,
    pub stream_sockets: At<u16>,
    pub datagram_sockets: At<u16>,
    pub stream_memory: Option<At<u32>>,
    pub datagram_memory: Option<At<u32>>,
    /// Bytes for frames that it captures.
    pub capture: At<u32>,
    /// Bytes of each half of its window.
    pub window: At<u64>,
    pub tcp_listen: Vec<At<Ports>>,
    pub udp_bind: Vec<At<Ports>>,
    pub tcp_connect: Vec<At<Target>>,
    pub udp_send: Vec<At<Target>>,
    pub packets_per_second: Option<At<NonZeroU32>>,
    pub bytes_per_second: Option<At<NonZeroU64>>,
    pub icmp: bool,
    pub multicast: bool,
    pub administration: bool,
}

impl Default for Pd {
    fn default() -> Self {
        Pd {
            about: String::new().into(),
            program: None,
            serves: None,
            priority: 50.into(),
            stack: 0x1_0000.into(),
            heap: None,
            uses: Vec::new(),
            devices: Vec::new(),
            reads_counters: false,
            stream_sockets: 0.into(),
            datagram_sockets: 0.into(),
            stream_memory: None,
            datagram_memory: None,
            capture: 0.into(),
            window: 0x4_0000.into(),
            tcp_listen: Vec::new(),
            udp_bind: Vec::new(),
            tcp_connect: Vec::new(),
            udp_send: Vec::new(),
            packets_per_second: None,
            bytes_per_second: None,
            icmp: false,
            multicast: false,
            administration: false,
        }
    }
}

/// Memory that protection domains share for a purpose of their own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    pub size: At<u64>,
    pub writer: At<String>,
    pub readers: Vec<At<String>>,
    #[serde(default)]
    pub notifies: bool,
}

impl Pd {
    pub fn service(&self) -> Option<Service> {
        self.serves.as_deref().copied()
    }

    /// Returns the number of its sockets of both kinds.
    pub fn sockets(&self) -> usize {
        usize::from(*self.stream_sockets) + usize::from(*self.datagram_sockets)
    }
}

/// Sockets whose buffers may be full at once, if the declaration does not say how much memory a
/// client has.
const BUSY_STREAMS: u32 = 32;
const BUSY_DATAGRAMS: u32 = 8;

impl Declaration {
    /// Returns what the sockets of a client may take.
    pub fn quota(&self, pd: &Pd) -> wiring::Quota {
        let buffers = &self.buffers;
        let (streams, datagrams) = (*pd.stream_sockets, *pd.datagram_sockets);
        let stream = buffers.stream_receive.saturating_add(*buffers.stream_send);
        let of = |memory: &Option<At<u32>>, sockets: u16, busy: u32, each: u32| match memory {
            Some(bytes) => **bytes,
            None => busy.min(sockets.into()).saturating_mul(each),
        };
        wiring::Quota {
            stream_sockets: streams.into(),
            datagram_sockets: datagrams.into(),
            stream_memory: of(&pd.stream_memory, streams, BUSY_STREAMS, stream).into(),
            datagram_memory: of(
                &pd.datagram_memory,
                datagrams,
                BUSY_DATAGRAMS,
                *buffers.datagram_receive,
            )
            .into(),
            capture: (*pd.capture).into(),
        }
    }

    /// Returns the bytes that the server of sockets needs on its heap.
    pub fn server_heap(&self) -> u64 {
        wiring::server_heap(self.clients().map(|client| self.quota(&self.pds[client])))
    }

    /// Returns the bytes of a PD's heap. That of the server of sockets is as large as its clients
    /// need, if the declaration does not say it.
    pub fn heap(&self, pd: &Pd) -> Option<u64> {
        match &pd.heap {
            Some(heap) => Some(**heap),
            None => (pd.service() == Some(Service::Sockets))
                .then(|| self.server_heap().next_multiple_of(LARGE_PAGE)),
        }
    }
}

impl Named<Pd> {
    pub fn program(&self) -> &str {
        self.program.as_ref().unwrap_or(&self.name)
    }
}

impl Declaration {
    /// Returns the PD of a name, by index.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.pds.iter().position(|pd| *pd.name == name)
    }

    /// Returns the device of a name.
    pub fn device(&self, name: &str) -> Option<&Named<Device>> {
        self.devices.iter().find(|device| *device.name == name)
    }

    /// Returns the PD that offers a service, if there is one.
    pub fn server_of(&self, service: Service) -> Option<usize> {
        self.pds.iter().position(|pd| pd.service() == Some(service))
    }

    /// Returns the PDs that a PD uses, by index.
    pub fn used_by<'a>(&'a self, pd: &'a Pd) -> impl Iterator<Item = usize> + 'a {
        pd.uses.iter().filter_map(|name| self.find(name))
    }

    /// Whether a PD uses a server of this service.
    pub fn uses(&self, pd: &Pd, service: Service) -> bool {
        self.used_by(pd)
            .any(|server| self.pds[server].service() == Some(service))
    }

    /// Returns the clients of the server of sockets, by index.
    pub fn clients(&self) -> impl Iterator<Item = usize> {
        (0..self.pds.len()).filter(|&pd| self.uses(&self.pds[pd], Service::Sockets))
    }
}

/// Reads a declaration and the files that change it, each of which adds tables and keys and
/// replaces values. Returns the text that the places in the result count in, too.
///
/// # Errors
/// The first mistake of form. What the values mean is looked at later.
pub fn parse(files: &[Source]) -> Result<(Source, Declaration)> {
    let mut source = Source::new(files.first().map_or("", |file| &file.name), "");
    let mut padded = Vec::new();
    for file in files {
        // Spaces in front let the spans of each file count in the whole.
        padded.push(" ".repeat(source.text.len()) + &file.text);
        source.push_part(file, 0..file.text.len());
        source.push("\n");
    }
    match read(&padded) {
        Ok(declaration) => Ok((source, declaration)),
        Err(error) => Err(vec![mistake(&source, &error)]),
    }
}

fn read(files: &[String]) -> std::result::Result<Declaration, Error> {
    let mut whole = Spanned::new(0..0, DeTable::new());
    for text in files {
        merge(whole.get_mut(), DeTable::parse(text)?.into_inner());
    }
    Declaration::deserialize(toml::de::Deserializer::from(whole))
}

fn merge<'a>(into: &mut DeTable<'a>, from: DeTable<'a>) {
    for (key, value) in from {
        let span = value.span();
        match (into.get_mut(&key).map(Spanned::get_mut), value.into_inner()) {
            (Some(DeValue::Table(old)), DeValue::Table(new)) => merge(old, new),
            (_, new) => {
                into.insert(key, Spanned::new(span, new));
            }
        }
    }
}

fn mistake(source: &Source, error: &Error) -> Diagnostic {
    let offset = error.span().map_or(0, |span| span.start);
    let message = error.message();
    if let Some((message, help)) = message.split_once(crate::forms::HELP) {
        return source.at(offset, message, help);
    }
    let help = if message.starts_with("unknown field") {
        "remove it, or correct it to one of those"
    } else if message.starts_with("unknown variant") {
        "write one of those"
    } else if message.starts_with("missing field") {
        "add it; docs/declaration.md explains every key"
    } else if message.starts_with("duplicate key") {
        "keep one of the two"
    } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
        "write a value of the type that the message names; docs/declaration.md explains every key"
    } else {
        "correct the syntax; https://toml.io/en/v1.0.0 describes it"
    };
    source.at(offset, message.replace('\n', "; "), help)
}
