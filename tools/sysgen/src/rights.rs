// SPDX-License-Identifier: BSD-2-Clause
//! Who may do what: as the description says, and as the finished image grants it. The two must be
//! the same.
//!
//! Slots of capabilities are those of Microkit 2.3 on both SDKs (its `libmicrokit`;
//! `sdk_spec::abi::slots`).

use std::collections::BTreeSet;
use std::fmt;

use crate::system::{Map, System};

mod capdl;
mod registry;

pub use capdl::read as of_capdl;
pub use registry::read as of_image;

/// Memory that a PD has from a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mapping {
    pub pd: String,
    pub region: String,
    /// First address.
    pub vaddr: u64,
    /// Bytes.
    pub len: u64,
    pub access: Access,
}

/// What may be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    pub read: bool,
    pub write: bool,
    pub execute: bool,
    /// Normal memory rather than device memory.
    pub cached: bool,
}

/// A capability of a PD from slot 10 on: those that the description asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cap {
    pub pd: String,
    pub slot: u64,
    pub object: Object,
}

/// What a capability is for. The rights of a caller differ between the kernels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// The notification of that PD.
    Notification(String),
    /// The endpoint of that PD.
    Endpoint(String),
    /// The thread of that PD.
    Thread(String),
    /// That interrupt.
    Interrupt(u64),
}

/// The first slots of each kind; the id is added.
pub const NOTIFY: u64 = 10;
const CALL: u64 = 74;
const IRQ: u64 = 138;
const CHILD: u64 = 202;

/// All that PDs are granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    pub mappings: BTreeSet<Mapping>,
    pub caps: BTreeSet<Cap>,
}

impl Granted {
    /// What a description asks for.
    pub fn by(system: &System) -> Self {
        let mut granted = Self::default();
        for (name, pd) in &system.pds {
            let maps = pd.maps.iter();
            granted
                .mappings
                .extend(maps.filter_map(|map| mapping(system, name, map)));
            let mut cap = |pd: &str, slot, object| {
                let pd = pd.to_string();
                granted.caps.insert(Cap { pd, slot, object });
            };
            if let (Some(parent), Some(id)) = (&pd.parent, pd.child_id) {
                cap(parent, CHILD + id as u64, Object::Thread(name.clone()));
            }
            for irq in &pd.irqs {
                cap(name, IRQ + irq.id, Object::Interrupt(irq.number));
            }
        }
        let ends = system.channels.iter();
        for (end, other) in ends.flat_map(|[one, other]| [(one, other), (other, one)]) {
            let Ok(id) = end.id.parse::<u64>() else {
                continue;
            };
            let mut cap = |slot, object| {
                let pd = end.pd.clone();
                granted.caps.insert(Cap { pd, slot, object });
            };
            if end.notify {
                cap(NOTIFY + id, Object::Notification(other.pd.clone()));
            }
            if end.pp {
                cap(CALL + id, Object::Endpoint(other.pd.clone()));
            }
        }
        granted
    }

    /// In words, what `image` has and this has not, and the reverse.
    pub fn differences_of(&self, image: &Self) -> Vec<String> {
        let more = (image.mappings.difference(&self.mappings))
            .map(|mapping| format!("the image grants what the description does not: {mapping}"));
        let less = (self.mappings.difference(&image.mappings)).map(|mapping| {
            format!("the image does not grant what the description does: {mapping}")
        });
        let more_caps = (image.caps.difference(&self.caps))
            .map(|cap| format!("the image grants what the description does not: {cap}"));
        let less_caps = (self.caps.difference(&image.caps))
            .map(|cap| format!("the image does not grant what the description does: {cap}"));
        more.chain(less).chain(more_caps).chain(less_caps).collect()
    }
}

fn mapping(system: &System, pd: &str, map: &Map) -> Option<Mapping> {
    Some(Mapping {
        pd: pd.to_string(),
        region: map.region.clone(),
        vaddr: map.vaddr?,
        len: system.size(&map.region)?,
        access: Access {
            read: map.readable,
            write: map.writable,
            execute: map.executable,
            cached: map.cached,
        },
    })
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = |has, letter| if has { letter } else { "" };
        let Access {
            read,
            write,
            execute,
            cached,
        } = self.access;
        write!(
            f,
            "{} has {} at {:#x}, {:#x} bytes, {}{}{}{}",
            self.pd,
            self.region,
            self.vaddr,
            self.len,
            right(read, "r"),
            right(write, "w"),
            right(execute, "x"),
            right(!cached, " uncached"),
        )
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has in slot {} ", self.pd, self.slot)?;
        match &self.object {
            Object::Notification(pd) => write!(f, "the notification of {pd}"),
            Object::Endpoint(pd) => write!(f, "the endpoint of {pd}"),
            Object::Thread(pd) => write!(f, "the thread of {pd}"),
            Object::Interrupt(number) => write!(f, "interrupt {number}"),
        }
    }
}
