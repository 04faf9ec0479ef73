// SPDX-License-Identifier: BSD-2-Clause
//! What the checks want to know of a system description. The SDK's tool checks its form; here it is
//! only searched.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::diagnostic::{Result, Source};
use crate::xml;

/// How a comment begins that lets several PDs write the region behind it.
const SHARED: &str = "@shared:";

/// One protection domain.
pub struct Pd {
    /// Name of the PD that it is a child of.
    pub parent: Option<String>,
    /// Its id as a child, if it is a number.
    pub child_id: Option<u64>,
    pub maps: Vec<Map>,
    /// Ids and numbers of its interrupts.
    pub irqs: Vec<(u64, u64)>,
}

/// One memory region.
pub struct Region {
    /// Size in bytes, if it is a number.
    pub size: Option<u64>,
    /// Physical address, if the description gives one.
    pub phys_addr: Option<u64>,
    /// Whether the comment in front of it begins with `@shared:`; several PDs may then write it.
    pub is_shared: bool,
    pub offset: usize,
}

/// One mapping of a memory region.
pub struct Map {
    pub region: String,
    /// First address, if it is a number.
    pub vaddr: Option<u64>,
    pub access: Access,
    pub offset: usize,
}

/// What may be done with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    pub read: bool,
    pub write: bool,
    pub execute: bool,
    /// Normal memory rather than device memory.
    pub cached: bool,
}

/// One end of a channel, seen from the PD that it belongs to.
pub struct End {
    pub pd: String,
    /// Its id, if it is a number.
    pub id: Option<u64>,
    /// Whether this PD may call the other.
    pub pp: bool,
    /// Whether this PD may notify the other.
    pub notify: bool,
    pub offset: usize,
}

/// The parts of a system description.
pub struct System {
    pub pds: BTreeMap<String, Pd>,
    pub regions: BTreeMap<String, Region>,
    pub channels: Vec<[End; 2]>,
}

impl System {
    /// Reads a description that the SDK's tool would accept; in others some parts may be missed.
    pub fn parse(source: &Source) -> Result<Self> {
        let document = xml::parse(source)?;
        Ok(Self {
            pds: named(&document, "protection_domain", pd),
            regions: named(&document, "memory_region", region),
            channels: elements(document.root_element(), "channel")
                .filter_map(channel)
                .collect(),
        })
    }

    /// Returns the size of a region in bytes, if it is there and has one.
    pub fn size(&self, region: &str) -> Option<u64> {
        self.regions.get(region)?.size
    }

    /// All mappings, with the PDs that have them, in the order of the PDs' names.
    pub fn mappings(&self) -> impl Iterator<Item = (&str, &Map)> {
        let pds = self.pds.iter();
        pds.flat_map(|(name, pd)| pd.maps.iter().map(move |map| (name.as_str(), map)))
    }
}

fn named<T>(
    document: &Document<'_>,
    tag: &'static str,
    read: fn(Node<'_, '_>) -> T,
) -> BTreeMap<String, T> {
    let nodes = document.descendants().filter(|node| node.has_tag_name(tag));
    nodes.map(|node| (text(node, "name"), read(node))).collect()
}

fn elements<'a, 'i>(parent: Node<'a, 'i>, tag: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    parent
        .children()
        .filter(move |child| child.has_tag_name(tag))
}

fn text(node: Node<'_, '_>, attribute: &str) -> String {
    node.attribute(attribute).unwrap_or_default().to_string()
}

/// Decimal or 0x-hexadecimal, underscores ignored (Microkit manual, "System Description File").
fn number(node: Node<'_, '_>, attribute: &str) -> Option<u64> {
    let digits = node.attribute(attribute)?.replace('_', "");
    match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

fn pd(node: Node<'_, '_>) -> Pd {
    let parent = node.parent();
    let parent = parent.filter(|parent| parent.has_tag_name("protection_domain"));
    let irqs = elements(node, "irq");
    Pd {
        parent: parent.map(|parent| text(parent, "name")),
        child_id: number(node, "id"),
        maps: elements(node, "map").map(map).collect(),
        irqs: irqs
            .filter_map(|irq| Some((number(irq, "id")?, number(irq, "irq")?)))
            .collect(),
    }
}

fn map(node: Node<'_, '_>) -> Map {
    // Without `perms` a mapping is readable and writable.
    let perms = node.attribute("perms").unwrap_or("rw");
    Map {
        region: text(node, "mr"),
        vaddr: number(node, "vaddr"),
        access: Access {
            read: perms.contains('r'),
            write: perms.contains('w'),
            execute: perms.contains('x'),
            cached: node.attribute("cached") != Some("false"),
        },
        offset: node.range().start,
    }
}

fn region(node: Node<'_, '_>) -> Region {
    let comment = xml::comment_before(node).and_then(|comment| comment.text());
    Region {
        size: number(node, "size"),
        phys_addr: number(node, "phys_addr"),
        is_shared: comment.is_some_and(|text| text.trim_start().starts_with(SHARED)),
        offset: node.range().start,
    }
}

fn channel(node: Node<'_, '_>) -> Option<[End; 2]> {
    let ends = elements(node, "end").map(|end| End {
        pd: text(end, "pd"),
        id: number(end, "id"),
        pp: end.attribute("pp") == Some("true"),
        notify: end.attribute("notify") != Some("false"),
        offset: end.range().start,
    });
    ends.collect::<Vec<_>>().try_into().ok()
}
