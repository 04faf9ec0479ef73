// SPDX-License-Identifier: BSD-2-Clause
//! The form of the declaration: which tables and keys there are and of what type.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use crate::{Diagnostic, Source, ports::PortEntry};

/// A table whose keys are names that the user chooses.
pub type Named<T> = BTreeMap<Spanned<String>, T>;

/// The whole declaration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub board: Spanned<String>,
    pub interface: Interface,
    pub buffers: Buffers,
    #[serde(default)]
    pub devices: Named<Device>,
    pub pds: Named<Pd>,
    #[serde(default)]
    pub regions: Named<Region>,
    pub fragment: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    pub hostname: Spanned<String>,
    pub address: Spanned<String>,
    pub gateway: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffers {
    pub stream_receive: Spanned<u32>,
    pub stream_send: Spanned<u32>,
    pub datagram_receive: Spanned<u32>,
    pub datagram_send: Spanned<u32>,
}

/// A device of the board.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    pub registers: Option<Spanned<u64>>,
    pub irq: Option<Spanned<u32>>,
}

/// What a protection domain offers to those that use it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    Supervision,
    Time,
    Random,
    Packets,
    Sockets,
    Log,
}

/// A protection domain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pd {
    #[serde(default)]
    pub about: Option<Spanned<String>>,
    pub program: Option<Spanned<String>>,
    pub serves: Option<Spanned<Service>>,
    pub priority: Option<Spanned<i64>>,
    pub stack: Option<Spanned<u64>>,
    pub heap: Option<Spanned<u64>>,
    #[serde(default)]
    pub uses: Vec<Spanned<String>>,
    #[serde(default)]
    pub devices: Vec<Spanned<String>>,
    pub reads_counters: Option<Spanned<bool>>,
    pub stream_sockets: Option<Spanned<u16>>,
    pub datagram_sockets: Option<Spanned<u16>>,
    pub window: Option<Spanned<u64>>,
    #[serde(default)]
    pub tcp_listen: Vec<Spanned<PortEntry>>,
    #[serde(default)]
    pub udp_bind: Vec<Spanned<PortEntry>>,
    #[serde(default)]
    pub tcp_connect: Vec<Spanned<String>>,
}

/// Memory that protection domains share for a purpose of their own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    pub size: Spanned<u64>,
    pub writer: Spanned<String>,
    pub readers: Vec<Spanned<String>>,
    pub notifies: Option<Spanned<bool>>,
}

/// In the order of the file: of two that clash, the second is the one to blame.
pub fn in_order<T>(table: &Named<T>) -> Vec<(&Spanned<String>, &T)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

/// Reads a declaration and the files that change it, each of which adds tables and keys and
/// replaces values. Returns the text that the spans in the result count in.
///
/// # Errors
/// The first mistake of form. The values are looked at later.
pub fn parse(files: &[Source]) -> Result<(Source, File), Diagnostic> {
    let mut source = Source::new(files.first().map_or("", |file| &file.name), "");
    let mut starts = Vec::new();
    for file in files {
        starts.push(source.text.len());
        source.push_part(file, 0..file.text.len());
        source.push("\n");
    }
    // Spaces in front let the spans of each file count in the whole.
    let padded: Vec<String> = files
        .iter()
        .zip(&starts)
        .map(|(file, start)| " ".repeat(*start) + &file.text)
        .collect();
    let mistake = |error: Error| {
        let offset = error.span().map_or(0, |span| span.start);
        let message = error.message();
        source.at(offset, message.replace('\n', "; "), remedy(message))
    };
    let mut whole: Option<Spanned<DeTable<'_>>> = None;
    for text in &padded {
        let table = DeTable::parse(text).map_err(mistake)?;
        match &mut whole {
            None => whole = Some(table),
            Some(whole) => merge(whole.get_mut(), table.into_inner()),
        }
    }
    let Some(whole) = whole else {
        return Err(source.at(0, "no declaration", "name a file such as isthmus.toml"));
    };
    let file = File::deserialize(Deserializer::from(whole)).map_err(mistake)?;
    Ok((source, file))
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

fn remedy(message: &str) -> &'static str {
    if message.starts_with("unknown field") {
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
    }
}
