// SPDX-License-Identifier: BSD-2-Clause
//! The form of net.toml: which tables and keys there are and of what type.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::{Diagnostic, Source, ports::PortEntry};

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub interface: Interface,
    pub buffers: Buffers,
    #[serde(default)]
    pub clients: BTreeMap<Spanned<String>, Client>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    pub slot: Spanned<u16>,
    pub stream_sockets: Spanned<u16>,
    pub datagram_sockets: Spanned<u16>,
    #[serde(default)]
    pub tcp_listen: Vec<Spanned<PortEntry>>,
    #[serde(default)]
    pub udp_bind: Vec<Spanned<PortEntry>>,
    #[serde(default)]
    pub tcp_connect: Vec<Spanned<String>>,
}

impl File {
    /// The clients as they follow each other in the file: of two that clash, the second is the one
    /// to blame.
    pub fn clients_in_order(&self) -> Vec<(&Spanned<String>, &Client)> {
        let mut clients: Vec<_> = self.clients.iter().collect();
        clients.sort_by_key(|(name, _)| name.span().start);
        clients
    }
}

/// Reads the file's form; its values are looked at later.
pub fn parse(source: &Source) -> Result<File, Diagnostic> {
    toml::from_str(&source.text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let message = error.message();
        source.at(offset, message.replace('\n', "; "), remedy(message))
    })
}

fn remedy(message: &str) -> &'static str {
    if message.starts_with("unknown field") {
        "remove it, or correct it to one of those"
    } else if message.starts_with("missing field") {
        "add it; the net.toml of the project explains every key"
    } else if message.starts_with("duplicate key") {
        "keep one of the two"
    } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
        "write a value of the type that the message names; the net.toml of the project explains every key"
    } else {
        "correct the syntax; https://toml.io/en/v1.0.0 describes it"
    }
}
