// SPDX-License-Identifier: BSD-2-Clause
//! `memory_region`.

use super::Reader;
use super::model::{MemoryRegion, Prefill};
use crate::xml::{Element, OFFICIAL_ONLY, Value};

impl Reader<'_> {
    pub(super) fn region(&mut self, element: &Element<'_>) {
        element.allow(&[
            "name",
            "size",
            "page_size",
            "phys_addr",
            "prefill_path",
            "prefill_bootinfo",
        ]);
        for child in element.children() {
            child.error(
                format!("unknown element '{}' in 'memory_region'", child.name()),
                "'memory_region' holds no elements",
            );
        }
        if let Some(value) = element.attribute("prefill_bootinfo") {
            value.error(
                "prefill_bootinfo is not supported by this SDK",
                OFFICIAL_ONLY,
            );
        }
        let Some(name) = element.required("name") else {
            return;
        };
        let number = |name| element.attribute(name).as_ref().and_then(Value::number);
        let region = MemoryRegion {
            name: name.text.to_owned(),
            at: element.at(),
            size: number("size"),
            page_size: number("page_size"),
            phys_addr: number("phys_addr"),
            prefill: element.attribute("prefill_path").map(|value| Prefill {
                path: value.text.to_owned(),
                at: value.at,
            }),
        };
        if element.attribute("size").is_none()
            && region.prefill.is_none()
            && element.attribute("prefill_bootinfo").is_none()
        {
            element.error(
                format!("memory region '{}' has no size", region.name),
                "add size=\"0x…\", or prefill_path=\"…\" to take the size of a file",
            );
        }
        if let Some(first) = self.system.regions.iter().find(|r| r.name == region.name) {
            name.error(
                format!("memory region '{}' exists already", region.name),
                format!(
                    "it stands first in line {}; choose another name",
                    first.at.line
                ),
            );
        } else {
            self.system.regions.push(region);
        }
    }

    /// Index of the region that an attribute names.
    pub(super) fn find_region(&self, name: &Value<'_>) -> Option<usize> {
        let regions = &self.system.regions;
        let found = regions.iter().position(|r| r.name == name.text);
        if found.is_none() {
            let known: Vec<_> = regions.iter().map(|r| r.name.as_str()).collect();
            name.error(
                format!("there is no memory region '{}'", name.text),
                super::suggest(name.text, &known, "add a <memory_region> with this name"),
            );
        }
        found
    }
}
