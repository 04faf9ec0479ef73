// SPDX-License-Identifier: BSD-2-Clause
//! Rules that hold for every region and channel of a description.

use std::ops::Range;

use crate::{
    Diagnostic, Source,
    system::{Map, Pd, System},
};

/// Everything that breaks a rule.
pub fn check(source: &Source, system: &System) -> Vec<Diagnostic> {
    let mut found = writers(source, system);
    found.extend(physical_overlaps(source, system));
    for (name, pd) in &system.pds {
        found.extend(overlaps(source, system, name, pd));
    }
    found.extend(dead_channels(source, system));
    found
}

/// No region is writable by two PDs, unless it is marked.
fn writers(source: &Source, system: &System) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (region, declared) in system
        .regions
        .iter()
        .filter(|(_, region)| !region.is_shared)
    {
        let mut writers: Vec<(&str, &Map)> = system
            .mappings(region)
            .filter(|(_, map)| map.writable)
            .collect();
        writers.sort_by_key(|(_, map)| map.offset);
        let Some((first, rest)) = writers.split_first() else {
            continue;
        };
        for (name, map) in rest.iter().filter(|(name, _)| *name != first.0) {
            found.push(source.at(
                map.offset,
                format!("both {} and {name} may write {region}", first.0),
                format!(
                    "set perms=\"r\" here or in {}; if both must write it, put <!-- @shared: why --> in front of its memory_region in {}",
                    source.place(first.1.offset),
                    source.place(declared.offset)
                ),
            ));
        }
    }
    found
}

/// No two regions are the same memory under different names.
fn physical_overlaps(source: &Source, system: &System) -> Vec<Diagnostic> {
    let mut placed: Vec<(&str, usize, Range<u64>)> = system
        .regions
        .iter()
        .filter_map(|(name, region)| {
            let range = range(region.phys_addr?, region.size?);
            Some((name.as_str(), region.offset, range))
        })
        .collect();
    placed.sort_by_key(|(_, offset, _)| *offset);
    each_overlap(&placed)
        .map(|((first, at, _), (second, offset, range))| {
            source.at(
                *offset,
                format!(
                    "{second} has physical addresses from {:#x}, some of which are {first}'s ({})",
                    range.start,
                    source.place(*at)
                ),
                "use one memory region for what is one device or one memory",
            )
        })
        .collect()
}

/// No two mappings of a PD overlap.
fn overlaps(source: &Source, system: &System, name: &str, pd: &Pd) -> Vec<Diagnostic> {
    let placed: Vec<(&str, usize, Range<u64>)> = pd
        .maps
        .iter()
        .filter_map(|map| {
            let range = range(map.vaddr?, system.size(&map.region)?);
            Some((map.region.as_str(), map.offset, range))
        })
        .collect();
    each_overlap(&placed)
        .map(|((first, at, other), (second, offset, _))| {
            source.at(
                *offset,
                format!(
                    "in {name}, {second} overlaps {first}, which {} maps at {:#x} to {:#x}",
                    source.place(*at),
                    other.start,
                    other.end
                ),
                "choose another vaddr",
            )
        })
        .collect()
}

fn range(start: u64, size: u64) -> Range<u64> {
    start..start.saturating_add(size.next_multiple_of(0x1000))
}

type Placed<'a> = (&'a str, usize, Range<u64>);

fn each_overlap<'a, 'b>(
    placed: &'b [Placed<'a>],
) -> impl Iterator<Item = (&'b Placed<'a>, &'b Placed<'a>)> {
    placed.iter().enumerate().flat_map(|(index, second)| {
        placed[..index]
            .iter()
            .filter(|(_, _, first)| first.start < second.2.end && second.2.start < first.end)
            .map(move |first| (first, second))
    })
}

/// A channel is of use to at least one end.
fn dead_channels(source: &Source, system: &System) -> Vec<Diagnostic> {
    system
        .channels
        .iter()
        .filter(|ends| ends.iter().all(|end| !end.pp && !end.notify))
        .map(|[first, second]| {
            source.at(
                first.offset,
                format!(
                    "neither {} nor {} can do anything on this channel",
                    first.pd, second.pd
                ),
                "remove notify=\"false\" from the end that notifies, or the channel",
            )
        })
        .collect()
}
