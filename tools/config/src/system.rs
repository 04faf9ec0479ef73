// SPDX-License-Identifier: BSD-2-Clause
//! What config-tool wants to know of system.xml. The SDK's tool checks that file; here it is only searched.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::{Diagnostic, Source, xml};

/// One protection domain.
pub struct Pd {
    /// Byte of the file where its element begins.
    pub offset: usize,
    /// Name of the PD that it is a child of.
    pub parent: Option<String>,
    /// Its id as a child, if it is a number.
    pub child_id: Option<usize>,
    /// Its mappings.
    pub maps: Vec<Map>,
}

/// One mapping of a memory region.
pub struct Map {
    pub region: String,
    pub writable: bool,
    pub setvar_vaddr: Option<String>,
    pub setvar_size: Option<String>,
    pub offset: usize,
}

/// One end of a channel, seen from the PD that it belongs to.
pub struct End {
    pub pd: String,
    pub id: String,
    pub pp: bool,
    pub setvar_id: Option<String>,
    pub offset: usize,
}

/// The parts of a system description.
pub struct System {
    pub pds: BTreeMap<String, Pd>,
    /// Sizes of the memory regions in bytes, as far as they are numbers.
    pub regions: BTreeMap<String, u64>,
    pub channels: Vec<[End; 2]>,
}

impl System {
    /// Reads a description that the SDK's tool would accept; in others some parts may be missed.
    pub fn parse(source: &Source) -> Result<Self, Diagnostic> {
        let document =
            Document::parse(&source.text).map_err(|error| xml::mistake(source, &error))?;
        let named = |tag: &'static str| {
            document
                .descendants()
                .filter(move |node| node.has_tag_name(tag))
        };
        Ok(Self {
            pds: named("protection_domain")
                .map(|node| (text(node, "name"), pd(node)))
                .collect(),
            regions: named("memory_region")
                .filter_map(|node| Some((text(node, "name"), number(node.attribute("size")?)?)))
                .collect(),
            channels: named("channel").filter_map(channel).collect(),
        })
    }

    /// The channels between two PDs, the end of the first in front.
    pub fn channels_between(&self, one: &str, other: &str) -> impl Iterator<Item = (&End, &End)> {
        self.channels
            .iter()
            .flat_map(|[a, b]| [(a, b), (b, a)])
            .filter(move |(a, b)| a.pd == one && b.pd == other)
    }
}

impl Pd {
    /// The mapping of a region, if there is one.
    pub fn map(&self, region: &str) -> Option<&Map> {
        self.maps.iter().find(|map| map.region == region)
    }

    /// The mapping that the program finds through a symbol, if there is one.
    pub fn map_at(&self, symbol: &str) -> Option<&Map> {
        self.maps
            .iter()
            .find(|map| map.setvar_vaddr.as_deref() == Some(symbol))
    }
}

fn text(node: Node<'_, '_>, attribute: &str) -> String {
    node.attribute(attribute).unwrap_or_default().to_string()
}

/// Decimal or 0x-hexadecimal, underscores ignored (Microkit manual, "System Description File").
fn number(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

fn pd(node: Node<'_, '_>) -> Pd {
    Pd {
        offset: node.range().start,
        parent: node
            .parent()
            .filter(|parent| parent.has_tag_name("protection_domain"))
            .map(|parent| text(parent, "name")),
        child_id: node.attribute("id").and_then(|id| id.parse().ok()),
        maps: node
            .children()
            .filter(|child| child.has_tag_name("map"))
            .map(|child| Map {
                region: text(child, "mr"),
                // Without `perms` a mapping is readable and writable.
                writable: child
                    .attribute("perms")
                    .is_none_or(|perms| perms.contains('w')),
                setvar_vaddr: child.attribute("setvar_vaddr").map(str::to_string),
                setvar_size: child.attribute("setvar_size").map(str::to_string),
                offset: child.range().start,
            })
            .collect(),
    }
}

fn channel(node: Node<'_, '_>) -> Option<[End; 2]> {
    let mut ends = node
        .children()
        .filter(|child| child.has_tag_name("end"))
        .map(|end| End {
            pd: text(end, "pd"),
            id: text(end, "id"),
            pp: end.attribute("pp") == Some("true"),
            setvar_id: end.attribute("setvar_id").map(str::to_string),
            offset: end.range().start,
        });
    Some([ends.next()?, ends.next()?])
}
