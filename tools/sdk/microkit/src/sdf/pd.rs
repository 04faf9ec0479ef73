// SPDX-License-Identifier: BSD-2-Clause
//! `protection_domain` and what stands in it.

use sdk_spec::abi::{INITIALISER_PRIORITY, MAX_ID, MAX_IRQ, MAX_PDS};

use super::Reader;
use super::attributes::{flag, permissions, stack_size, unsupported_scheduling};
use super::model::{Irq, Map, Parent, ProgramImage, ProtectionDomain, SetVar, SetVarValue};
use crate::xml::{Element, Value};

const ATTRIBUTES: [&str; 10] = [
    "name",
    "priority",
    "budget",
    "period",
    "passive",
    "stack_size",
    "smc",
    "cpu",
    "domain",
    "fpu",
];
const CHILDREN: [&str; 5] = ["program_image", "map", "irq", "setvar", "protection_domain"];

/// Longest name that `microkit_name` can hold, in bytes.
pub const MAX_NAME: usize = 64;

impl Reader<'_> {
    /// Reads a PD and its children. A PD with a mistake is kept with defaults, so that channels to
    /// it are not reported as well.
    pub(super) fn protection_domain(&mut self, element: &Element<'_>, parent: Option<usize>) {
        if self.system.pds.len() >= MAX_PDS {
            // Not read, and neither are its children: this also bounds how deep the reader goes.
            element.error(
                format!("there are more than {MAX_PDS} protection domains"),
                "merge some",
            );
            return;
        }
        let mut known = ATTRIBUTES.to_vec();
        if parent.is_some() {
            known.extend(["id", "setvar_id"]);
        } else if element.attribute("id").is_some() || element.attribute("setvar_id").is_some() {
            element.error(
                "id and setvar_id belong to the children of a protection domain",
                "remove them, or move this protection domain into its parent",
            );
            known.extend(["id", "setvar_id"]);
        }
        element.allow(&known);
        unsupported_scheduling(element);

        let id = parent.and_then(|_| element.required("id")?.number());
        let name = self.pd_name(element);
        let number = |name| element.attribute(name).as_ref().and_then(Value::number);
        let priority = number("priority").unwrap_or(0);
        if priority >= u64::from(INITIALISER_PRIORITY) {
            element.error(
                format!("priority {priority} is too high"),
                format!("choose 0 to {}", INITIALISER_PRIORITY - 1),
            );
        }
        let index = self.system.pds.len();
        self.system.pds.push(ProtectionDomain {
            name,
            at: element.at(),
            parent: parent.map(|pd| Parent {
                pd,
                id: id.unwrap_or(0),
            }),
            priority: u8::try_from(priority).unwrap_or(0),
            stack_size: stack_size(element),
            passive: flag(element, "passive", false),
            image: None,
            maps: Vec::new(),
            irqs: Vec::new(),
            setvars: Vec::new(),
        });
        if let (Some(parent), Some(id)) = (parent, id) {
            self.child_id(element, parent, index, id);
        }
        self.pd_children(element, index);
    }

    fn pd_children(&mut self, element: &Element<'_>, index: usize) {
        for child in element.children() {
            match child.name() {
                "program_image" => self.program_image(&child, index),
                "map" => self.map(&child, index),
                "irq" => self.irq(&child, index),
                "setvar" => self.setvar(&child, index),
                "protection_domain" => self.protection_domain(&child, Some(index)),
                _ => element.misplaced(&child, &CHILDREN),
            }
        }
        let pd = &self.system.pds[index];
        if pd.image.is_none()
            && !element
                .children()
                .iter()
                .any(|c| c.name() == "program_image")
        {
            element.error(
                format!("protection domain '{}' has no program", pd.name),
                "add <program_image path=\"…\" />",
            );
        }
    }

    fn pd_name(&self, element: &Element<'_>) -> String {
        let Some(name) = element.required("name") else {
            return String::new();
        };
        if name.text == "monitor" {
            name.error(
                "the name 'monitor' is taken: it is the SDK's own",
                "choose another name",
            );
        }
        if let Some(first) = self.system.pds.iter().find(|pd| pd.name == name.text) {
            name.error(
                format!("protection domain '{}' exists already", name.text),
                format!(
                    "it stands first in line {}; choose another name",
                    first.at.line
                ),
            );
        }
        if name.text.len() > MAX_NAME {
            name.remark(
                format!(
                    "the name has {} bytes; the program sees the first {MAX_NAME}",
                    name.text.len()
                ),
                "shorten it",
            );
        }
        name.text.to_owned()
    }

    fn child_id(&mut self, element: &Element<'_>, parent: usize, index: usize, id: u64) {
        let Some(value) = element.attribute("id") else {
            return;
        };
        if id > MAX_ID {
            value.error(
                format!("child id {id} is too high"),
                format!("choose 0 to {MAX_ID}"),
            );
        }
        let wanted = Some(Parent { pd: parent, id });
        let mut others = self.system.pds[..index].iter();
        if let Some(first) = others.find(|pd| pd.parent == wanted) {
            value.error(
                format!("child id {id} is taken by '{}'", first.name),
                "give each child of a protection domain its own id",
            );
        }
        if let Some(symbol) = element.attribute("setvar_id") {
            self.add_setvar(parent, number_setvar(&symbol, id));
        }
    }

    fn program_image(&mut self, element: &Element<'_>, index: usize) {
        element.allow(&["path", "path_for_symbols"]);
        self.no_children(element);
        let Some(path) = element.required("path") else {
            return;
        };
        let pd = &mut self.system.pds[index];
        if pd.image.is_some() {
            element.error(
                format!("protection domain '{}' has a second program", pd.name),
                "leave one <program_image>",
            );
            return;
        }
        pd.image = Some(ProgramImage {
            path: path.text.to_owned(),
            path_for_symbols: element
                .attribute("path_for_symbols")
                .map(|v| v.text.to_owned()),
            at: element.at(),
        });
    }

    fn map(&mut self, element: &Element<'_>, index: usize) {
        element.allow(&[
            "mr",
            "vaddr",
            "perms",
            "cached",
            "setvar_vaddr",
            "setvar_size",
            "setvar_prefill_size",
        ]);
        self.no_children(element);
        let region = element.required("mr").and_then(|mr| self.find_region(&mr));
        let vaddr = element.required("vaddr").and_then(|v| v.number());
        let rights = permissions(element);
        let cached = flag(element, "cached", true);
        let (Some(region), Some(vaddr)) = (region, vaddr) else {
            return;
        };
        for (attribute, value) in [
            ("setvar_vaddr", SetVarValue::Number(vaddr)),
            ("setvar_size", SetVarValue::RegionSize(region)),
            ("setvar_prefill_size", SetVarValue::PrefillSize(region)),
        ] {
            let Some(symbol) = element.attribute(attribute) else {
                continue;
            };
            let region = &self.system.regions[region];
            if attribute == "setvar_prefill_size" && region.prefill.is_none() {
                symbol.error(
                    format!("memory region '{}' is not prefilled", region.name),
                    "add prefill_path=\"…\" to the region, or remove setvar_prefill_size",
                );
            }
            let setvar = SetVar {
                symbol: symbol.text.to_owned(),
                value,
                at: symbol.at,
            };
            self.add_setvar(index, setvar);
        }
        self.system.pds[index].maps.push(Map {
            region,
            vaddr,
            rights,
            cached,
            at: element.at(),
        });
    }

    fn irq(&mut self, element: &Element<'_>, index: usize) {
        if element.attribute("pin").is_some() || element.attribute("pcidev").is_some() {
            element.error(
                "x86 interrupts do not exist on this board",
                "name an interrupt by irq=\"…\"",
            );
            return;
        }
        element.allow(&["irq", "id", "setvar_id", "trigger"]);
        self.no_children(element);
        let id = element.required("id").and_then(|v| v.decimal(MAX_ID));
        let number = element.required("irq").and_then(|v| v.decimal(MAX_IRQ));
        if let Some(trigger) = element.attribute("trigger") {
            match trigger.text {
                "level" => {}
                "edge" => trigger.remark(
                    "this kernel cannot set the trigger mode; it stays as the interrupt controller has it",
                    "nothing, if the device works so; otherwise use an official Microkit SDK",
                ),
                other => trigger.error(
                    format!("trigger=\"{other}\" is neither level nor edge"),
                    "write \"level\" or \"edge\"",
                ),
            }
        }
        let (Some(id), Some(number)) = (id, number) else {
            return;
        };
        if let Some(symbol) = element.attribute("setvar_id") {
            self.add_setvar(index, number_setvar(&symbol, id));
        }
        self.system.pds[index].irqs.push(Irq {
            id,
            number,
            at: element.at(),
        });
    }

    fn setvar(&mut self, element: &Element<'_>, index: usize) {
        element.allow(&["symbol", "region_paddr"]);
        self.no_children(element);
        let symbol = element.required("symbol");
        let region = element
            .required("region_paddr")
            .and_then(|name| self.find_region(&name));
        let (Some(symbol), Some(region)) = (symbol, region) else {
            return;
        };
        let setvar = SetVar {
            symbol: symbol.text.to_owned(),
            value: SetVarValue::RegionPaddr(region),
            at: symbol.at,
        };
        self.add_setvar(index, setvar);
    }

    fn no_children(&self, element: &Element<'_>) {
        for child in element.children() {
            child.error(
                format!("unknown element '{}' in '{}'", child.name(), element.name()),
                format!("'{}' holds no elements", element.name()),
            );
        }
    }
}

fn number_setvar(symbol: &Value<'_>, number: u64) -> SetVar {
    SetVar {
        symbol: symbol.text.to_owned(),
        value: SetVarValue::Number(number),
        at: symbol.at,
    }
}
