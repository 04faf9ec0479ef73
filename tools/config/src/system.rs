// SPDX-License-Identifier: BSD-2-Clause
//! What config-tool wants to know of system.xml. The SDK's tool checks that file; here it is only searched.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::{Diagnostic, Source};

/// One protection domain.
pub struct Pd {
    /// Byte of the file where its element begins.
    pub offset: usize,
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
        let document = Document::parse(&source.text).map_err(|error| {
            let at = error.pos();
            Diagnostic {
                file: source.name.clone(),
                line: at.row as usize,
                column: at.col as usize,
                message: error.to_string(),
                help: "correct the XML".to_string(),
            }
        })?;
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
}

impl Pd {
    /// The mapping of a region, if there is one.
    pub fn map(&self, region: &str) -> Option<&Map> {
        self.maps.iter().find(|map| map.region == region)
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
        });
    Some([ends.next()?, ends.next()?])
}
