// SPDX-License-Identifier: BSD-2-Clause
//! What the checks want to know of a system description. The SDK's tool checks its form; here it is
//! only searched.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::{Diagnostic, Source, xml};

/// How a comment begins that lets several PDs write the region behind it.
const SHARED: &str = "@shared:";

/// One protection domain.
pub struct Pd {
    /// Name of the PD that it is a child of.
    pub parent: Option<String>,
    /// Its id as a child, if it is a number.
    pub child_id: Option<usize>,
    /// Its mappings.
    pub maps: Vec<Map>,
    /// Its interrupts.
    pub irqs: Vec<Irq>,
}

/// An interrupt of a PD.
pub struct Irq {
    pub id: u64,
    pub number: u64,
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
    pub readable: bool,
    pub writable: bool,
    pub executable: bool,
    /// Whether it is normal memory; device memory otherwise.
    pub cached: bool,
    pub offset: usize,
}

/// One end of a channel, seen from the PD that it belongs to.
pub struct End {
    pub pd: String,
    pub id: String,
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
                .map(|node| (text(node, "name"), region(node)))
                .collect(),
            channels: named("channel").filter_map(channel).collect(),
        })
    }

    /// Size of a region in bytes, if it is there and has one.
    pub fn size(&self, region: &str) -> Option<u64> {
        self.regions.get(region)?.size
    }

    /// All mappings of a region, with the PDs that have them, in the order of the PDs' names.
    pub fn mappings<'a>(&'a self, region: &'a str) -> impl Iterator<Item = (&'a str, &'a Map)> {
        self.pds
            .iter()
            .flat_map(|(name, pd)| pd.maps.iter().map(move |map| (name.as_str(), map)))
            .filter(move |(_, map)| map.region == region)
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
                vaddr: child.attribute("vaddr").and_then(number),
                readable: perms(child).contains('r'),
                writable: perms(child).contains('w'),
                executable: perms(child).contains('x'),
                cached: child.attribute("cached") != Some("false"),
                offset: child.range().start,
            })
            .collect(),
        irqs: node
            .children()
            .filter(|child| child.has_tag_name("irq"))
            .filter_map(|child| {
                Some(Irq {
                    id: number(child.attribute("id")?)?,
                    number: number(child.attribute("irq")?)?,
                })
            })
            .collect(),
    }
}

/// Without `perms` a mapping is readable and writable.
fn perms<'a>(map: Node<'a, '_>) -> &'a str {
    map.attribute("perms").unwrap_or("rw")
}

fn region(node: Node<'_, '_>) -> Region {
    let number_of = |name| node.attribute(name).and_then(number);
    Region {
        size: number_of("size"),
        phys_addr: number_of("phys_addr"),
        is_shared: comment_before(node).is_some_and(|text| text.trim_start().starts_with(SHARED)),
        offset: node.range().start,
    }
}

/// The comment that stands directly in front of an element.
fn comment_before<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let mut before = node.prev_siblings().skip(1);
    let comment = before
        .find(|node| !node.is_text() || !node.text().unwrap_or_default().trim().is_empty())?;
    comment.is_comment().then(|| comment.text()).flatten()
}

fn channel(node: Node<'_, '_>) -> Option<[End; 2]> {
    let mut ends = node
        .children()
        .filter(|child| child.has_tag_name("end"))
        .map(|end| End {
            pd: text(end, "pd"),
            id: text(end, "id"),
            pp: end.attribute("pp") == Some("true"),
            notify: end.attribute("notify") != Some("false"),
            offset: end.range().start,
        });
    Some([ends.next()?, ends.next()?])
}
