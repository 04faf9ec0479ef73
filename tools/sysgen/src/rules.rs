// SPDX-License-Identifier: BSD-2-Clause
//! Rules that hold for every region and channel of a description, also for those of a fragment.

use std::ops::Range;

use crate::diagnostic::{Report, Result, Source};
use crate::plan::Plan;
use crate::system::{Map, System};

/// Checks a description that was made by a plan.
///
/// # Errors
/// Everything that breaks a rule.
pub fn check(source: &Source, plan: &Plan<'_>) -> Result<()> {
    let system = System::parse(source)?;
    let mut report = Report::new(source);
    owners(&mut report, &system, plan);
    writers(&mut report, &system);
    physical_overlaps(&mut report, &system);
    overlaps(&mut report, &system);
    dead_channels(&mut report, &system);
    report.finish()
}

/// What is declared belongs to the PDs that the declaration gives it to.
fn owners(report: &mut Report<'_>, system: &System, plan: &Plan<'_>) {
    for (name, map) in system.mappings() {
        let Some(region) = plan.find(&map.region) else {
            continue;
        };
        let planned = plan.declaration.find(name);
        if planned.is_some_and(|pd| plan.grants(pd, region, map.access.write)) {
            continue;
        }
        let owners = plan.owners(region);
        let owners = owners.map(|pd| plan.declaration.pds[pd].name.as_str());
        let owners = owners.collect::<Vec<_>>().join(" and ");
        let (region, write) = (&map.region, map.access.write);
        let purpose = if write { "writing" } else { "reading" };
        report.at(
            map.offset,
            format!("{name} maps {region} for {purpose}, which is declared for {owners}"),
            "remove this mapping, or declare a region of your own",
        );
    }
}

/// No region is writable by two PDs, unless it is marked.
fn writers(report: &mut Report<'_>, system: &System) {
    for (region, declared) in system
        .regions
        .iter()
        .filter(|(_, region)| !region.is_shared)
    {
        let mappings = system.mappings();
        let mut writers: Vec<(&str, &Map)> = mappings
            .filter(|(_, map)| map.region == *region && map.access.write)
            .collect();
        writers.sort_by_key(|(_, map)| map.offset);
        let Some((first, rest)) = writers.split_first() else {
            continue;
        };
        for (name, map) in rest.iter().filter(|(name, _)| *name != first.0) {
            report.at(
                map.offset,
                format!("both {} and {name} may write {region}", first.0),
                format!(
                    "set perms=\"r\" here or in {}; if both must write it, put <!-- @shared: why --> in front of its memory_region in {}",
                    report.source.place(first.1.offset),
                    report.source.place(declared.offset)
                ),
            );
        }
    }
}

/// No two regions are the same memory under different names.
fn physical_overlaps(report: &mut Report<'_>, system: &System) {
    let regions = system.regions.iter().filter_map(|(name, region)| {
        let range = pages(region.phys_addr?, region.size?);
        Some((name.as_str(), region.offset, range))
    });
    let mut placed: Vec<Placed<'_>> = regions.collect();
    placed.sort_by_key(|(_, offset, _)| *offset);
    for ((first, at, _), (second, offset, range)) in each_overlap(&placed) {
        let (start, place) = (range.start, report.source.place(*at));
        report.at(
            *offset,
            format!(
                "{second} has physical addresses from {start:#x}, some of which are {first}'s ({place})"
            ),
            "use one memory region for what is one device or one memory",
        );
    }
}

/// No two mappings of a PD overlap.
fn overlaps(report: &mut Report<'_>, system: &System) {
    for (name, pd) in &system.pds {
        let maps = pd.maps.iter().filter_map(|map| {
            let range = pages(map.vaddr?, system.size(&map.region)?);
            Some((map.region.as_str(), map.offset, range))
        });
        let placed: Vec<Placed<'_>> = maps.collect();
        for ((first, at, other), (second, offset, _)) in each_overlap(&placed) {
            let (place, Range { start, end }) = (report.source.place(*at), other);
            report.at(
                *offset,
                format!(
                    "in {name}, {second} overlaps {first}, which {place} maps at {start:#x} to {end:#x}"
                ),
                "choose another vaddr",
            );
        }
    }
}

fn pages(start: u64, size: u64) -> Range<u64> {
    start..start.saturating_add(size.next_multiple_of(0x1000))
}

/// A name, where it is in the description, and the addresses that it has.
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
fn dead_channels(report: &mut Report<'_>, system: &System) {
    for [first, second] in &system.channels {
        if [first, second].iter().all(|end| !end.pp && !end.notify) {
            let (first_pd, second_pd) = (&first.pd, &second.pd);
            report.at(
                first.offset,
                format!("neither {first_pd} nor {second_pd} can do anything on this channel"),
                "remove notify=\"false\" from the end that notifies, or the channel",
            );
        }
    }
}
