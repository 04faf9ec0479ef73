// SPDX-License-Identifier: BSD-2-Clause
//! Rules that hold for every region and channel of a description, whoever uses it.

use std::ops::Range;

use crate::{
    Diagnostic, Source,
    system::{Map, Pd, System},
};

/// Reports what breaks a rule, unless something more precise was reported in the same place.
pub fn check(source: &Source, system: &System, errors: &mut Vec<Diagnostic>) {
    let is_known = |offset| {
        let at = source.at(offset, "", "");
        errors
            .iter()
            .any(|error| (&error.file, error.line, error.column) == (&at.file, at.line, at.column))
    };
    let mut found = writers(source, system, is_known);
    found.extend(physical_overlaps(source, system));
    for (name, pd) in &system.pds {
        found.extend(overlaps(source, system, name, pd));
    }
    found.extend(dead_channels(source, system, is_known));
    errors.extend(found);
}

/// No region is writable by two PDs, unless it is marked.
fn writers(source: &Source, system: &System, is_known: impl Fn(usize) -> bool) -> Vec<Diagnostic> {
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
        if writers.iter().any(|(_, map)| is_known(map.offset)) {
            continue;
        }
        let Some((first, rest)) = writers.split_first() else {
            continue;
        };
        for (name, map) in rest.iter().filter(|(name, _)| *name != first.0) {
            found.push(source.at(
                map.offset,
                format!("both {} and {name} may write {region}", first.0),
                format!(
                    "set perms=\"r\" here or in line {}; if both must write it, put <!-- @shared: why --> in front of its memory_region in line {}",
                    source.line(first.1.offset),
                    source.line(declared.offset)
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
                    "{second} has physical addresses from {:#x}, some of which are {first}'s in line {}",
                    range.start,
                    source.line(*at)
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
                    "in {name}, {second} overlaps {first}, which line {} maps at {:#x} to {:#x}",
                    source.line(*at),
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
fn dead_channels(
    source: &Source,
    system: &System,
    is_known: impl Fn(usize) -> bool,
) -> Vec<Diagnostic> {
    system
        .channels
        .iter()
        .filter(|ends| ends.iter().all(|end| !end.pp && !end.notify))
        .filter(|ends| !ends.iter().any(|end| is_known(end.offset)))
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
