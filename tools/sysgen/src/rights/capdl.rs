// SPDX-License-Identifier: BSD-2-Clause
//! The official SDK: the capability distribution that its tool writes with `--capdl-json`, and puts
//! into the image.

use serde_json::Value;

use super::{Access, Granted, Mapping, NOTIFY, Object};

/// Slots of a thread's own capabilities: its CNode and its address space.
const CNODE: u64 = 0;
const VSPACE: u64 = 1;
/// Bits of an address that the tables of one level translate, and the level of those with pages of
/// 4 KiB.
const LEVEL_BITS: u64 = 9;
const LAST_LEVEL: u64 = 3;
const PAGE_BITS: u64 = 12;
/// How the tool names its own thread, and what it adds to the names of what belongs to a PD or
/// region.
const MONITOR: &str = "monitor";
const THREAD: &str = "tcb_";
const FRAME: &str = "frame_mr_";

/// What a distribution grants to the PDs.
///
/// # Errors
/// It is no such file, or of another form.
pub fn read(text: &str) -> Result<Granted, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let objects = document["objects"]
        .as_array()
        .ok_or("no list \"objects\"")?;
    let reader = Reader { objects };
    let mut granted = Granted::default();
    let mut threads = 0;
    for object in objects {
        let slots = &object["object"]["Tcb"]["slots"];
        let Some(pd) = name(object).strip_prefix(THREAD) else {
            continue;
        };
        if pd == MONITOR {
            continue;
        }
        threads += 1;
        let vspace = reader.slot(slots, VSPACE)?;
        reader.tables(pd, vspace, 0, &mut granted)?;
        let root = reader.slot(slots, CNODE)?;
        reader.cnode(pd, root, &mut granted)?;
    }
    if threads == 0 {
        return Err("it has no thread of a protection domain".to_string());
    }
    Ok(granted)
}

/// Adds a page, the `index`th of its region, to the mapping that it continues. Pages come by
/// ascending address.
fn add(granted: &mut Granted, page: Mapping, index: u64) {
    let mappings = &mut granted.mappings;
    let is_continued = |mapping: &&Mapping| {
        mapping.pd == page.pd
            && mapping.region == page.region
            && mapping.access == page.access
            && mapping.vaddr + mapping.len == page.vaddr
            && mapping.len == index * page.len
    };
    let continued = mappings.iter().find(is_continued).cloned();
    let mapping = match continued.and_then(|mapping| mappings.take(&mapping)) {
        Some(mapping) => Mapping {
            len: mapping.len + page.len,
            ..mapping
        },
        None => page,
    };
    mappings.insert(mapping);
}

struct Reader<'a> {
    objects: &'a [Value],
}

impl<'a> Reader<'a> {
    /// The object of a capability, whatever its kind.
    fn object(&self, cap: &Value) -> Result<&'a Value, String> {
        let content = cap.as_object().and_then(|cap| cap.values().next());
        content
            .and_then(|content| content["object"].as_u64())
            .and_then(|index| self.objects.get(usize::try_from(index).ok()?))
            .ok_or_else(|| format!("a capability without an object: {cap}"))
    }

    /// The object of the capability in a slot.
    fn slot(&self, slots: &Value, wanted: u64) -> Result<&'a Value, String> {
        let mut entries = list(slots);
        let entry = entries.find(|entry| entry["slot"].as_u64() == Some(wanted));
        self.object(&entry.ok_or_else(|| format!("a thread without slot {wanted}"))?["cap"])
    }

    /// Adds all frames of regions below a table that translates addresses from `base` on.
    fn tables(
        &self,
        pd: &str,
        table: &Value,
        base: u64,
        granted: &mut Granted,
    ) -> Result<(), String> {
        let content = &table["object"]["PageTable"];
        let level = content["level"]
            .as_u64()
            .filter(|level| *level <= LAST_LEVEL)
            .ok_or_else(|| format!("{} is no table of a known level", name(table)))?;
        let shift = PAGE_BITS + LEVEL_BITS * (LAST_LEVEL - level);
        for entry in list(&content["slots"]) {
            let vaddr = base + (slot(entry)? << shift);
            let object = self.object(&entry["cap"])?;
            let cap = &entry["cap"]["Frame"];
            if cap.is_null() {
                self.tables(pd, object, vaddr, granted)?;
                continue;
            }
            // Frames of programs, stacks and IPC buffers are the PD's own.
            let region = name(object).strip_prefix(FRAME);
            let Some((region, index)) = region.and_then(|name| name.rsplit_once('_')) else {
                continue;
            };
            let index = index.parse();
            let index = index.map_err(|_| format!("no number of a page: {}", name(object)))?;
            let flag = |value: &Value| value.as_bool() == Some(true);
            let page = Mapping {
                pd: pd.to_string(),
                region: region.to_string(),
                vaddr,
                len: 1 << shift,
                access: Access {
                    read: flag(&cap["rights"]["read"]),
                    write: flag(&cap["rights"]["write"]),
                    execute: flag(&cap["executable"]),
                    cached: flag(&cap["cached"]),
                },
            };
            add(granted, page, index);
        }
        Ok(())
    }

    /// The capabilities of a PD. Its root CNode has in slot 0 the one with Microkit's slots.
    fn cnode(&self, pd: &str, root: &'a Value, granted: &mut Granted) -> Result<(), String> {
        let cnode = self.slot(&root["object"]["CNode"]["slots"], 0)?;
        for entry in list(&cnode["object"]["CNode"]["slots"]) {
            let slot = slot(entry)?;
            if slot < NOTIFY {
                continue;
            }
            let object = name(self.object(&entry["cap"])?);
            let named = |prefix: &str| object.strip_prefix(prefix).map(str::to_string);
            let found = named("ntfn_")
                .map(Object::Notification)
                .or_else(|| named("ep_").map(Object::Endpoint))
                .or_else(|| named(THREAD).map(Object::Thread))
                .or_else(|| {
                    let (number, _) = object.strip_prefix("irq_")?.split_once('_')?;
                    number.parse().ok().map(Object::Interrupt)
                })
                .ok_or_else(|| format!("{pd} has {object} in slot {slot}, whatever that is"))?;
            granted.cap(pd, slot, found);
        }
        Ok(())
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn slot(entry: &Value) -> Result<u64, String> {
    let slot = entry["slot"].as_u64();
    slot.ok_or_else(|| format!("an entry without a slot: {entry}"))
}

fn name(object: &Value) -> &str {
    object["name"].as_str().unwrap_or_default()
}
