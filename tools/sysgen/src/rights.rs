// SPDX-License-Identifier: BSD-2-Clause
//! What each PD may do: as the description says, and as the finished image grants it. The two must
//! be the same.
//!
//! Slots of capabilities are those of Microkit 2.3 on both SDKs (its `libmicrokit`;
//! `sdk_spec::abi::slots`).

use std::collections::BTreeSet;
use std::fmt;

use crate::system::{Access, System};

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
    /// The size in bytes.
    pub len: u64,
    pub access: Access,
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
    /// Returns what a description asks for.
    pub fn by(system: &System) -> Self {
        let mut granted = Self::default();
        for (pd, map) in system.mappings() {
            granted
                .mappings
                .extend(
                    map.vaddr
                        .zip(system.size(&map.region))
                        .map(|(vaddr, len)| Mapping {
                            pd: pd.to_string(),
                            region: map.region.clone(),
                            vaddr,
                            len,
                            access: map.access,
                        }),
                );
        }
        for (name, pd) in &system.pds {
            if let (Some(parent), Some(id)) = (&pd.parent, pd.child_id) {
                granted.cap(parent, CHILD + id, Object::Thread(name.clone()));
            }
            for (id, number) in &pd.irqs {
                granted.cap(name, IRQ + id, Object::Interrupt(*number));
            }
        }
        let ends = system.channels.iter();
        for (end, other) in ends.flat_map(|[one, other]| [(one, other), (other, one)]) {
            let Some(id) = end.id else {
                continue;
            };
            if end.notify {
                granted.cap(&end.pd, NOTIFY + id, Object::Notification(other.pd.clone()));
            }
            if end.pp {
                granted.cap(&end.pd, CALL + id, Object::Endpoint(other.pd.clone()));
            }
        }
        granted
    }

    fn cap(&mut self, pd: &str, slot: u64, object: Object) {
        let pd = pd.to_string();
        self.caps.insert(Cap { pd, slot, object });
    }

    /// Returns in words what `image` has and this has not, and the reverse.
    pub fn differences_of(&self, image: &Self) -> Vec<String> {
        let more = "the image grants what the description does not";
        let less = "the image does not grant what the description does";
        let mut differences = Vec::new();
        for (one, other, words) in [(image, self, more), (self, image, less)] {
            let mappings = one.mappings.difference(&other.mappings);
            differences.extend(mappings.map(|mapping| format!("{words}: {mapping}")));
            let caps = one.caps.difference(&other.caps);
            differences.extend(caps.map(|cap| format!("{words}: {cap}")));
        }
        differences
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mapping {
            pd,
            region,
            vaddr,
            len,
            access,
        } = self;
        write!(f, "{pd} has {region} at {vaddr:#x}, {len:#x} bytes, ")?;
        for (has, right) in [
            (access.read, "r"),
            (access.write, "w"),
            (access.execute, "x"),
            (!access.cached, " uncached"),
        ] {
            f.write_str(if has { right } else { "" })?;
        }
        Ok(())
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
