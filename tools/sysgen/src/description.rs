// SPDX-License-Identifier: BSD-2-Clause
//! Writing system.xml: for Microkit's tool, and for reading.

use std::fmt::Display;

use crate::diagnostic::Source;
use crate::fragment::Fragment;
use crate::plan::{Channel, Content, LARGE_PAGE, Plan, Region};

/// Returns the description as text. `made_from` is the declaration's file name.
pub fn write(plan: &Plan<'_>, fragment: &Fragment, made_from: &str) -> Source {
    let mut writer = Writer {
        plan,
        fragment,
        out: Source::new("system.xml", ""),
        depth: 0,
    };
    writer.line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    writer.line("<!-- SPDX-License-Identifier: BSD-2-Clause -->");
    writer.line(format!(
        "<!-- Made from {made_from} by sysgen (`make image`): change that file, not this one. -->"
    ));
    writer.line("<system>");
    writer.depth = 1;
    for region in &plan.regions {
        writer.region(region);
    }
    writer.out.push("\n");
    match plan.parent {
        Some(parent) => writer.pd(parent),
        None => (0..plan.pds.len()).for_each(|pd| writer.pd(pd)),
    }
    writer.out.push("\n");
    for channel in &plan.channels {
        writer.channel(channel);
    }
    fragment.write(None, "    ", &mut writer.out);
    writer.depth = 0;
    writer.line("</system>");
    writer.out
}

struct Writer<'a> {
    plan: &'a Plan<'a>,
    fragment: &'a Fragment,
    out: Source,
    depth: usize,
}

impl Writer<'_> {
    fn line(&mut self, text: impl Display) {
        let indent = "    ".repeat(self.depth);
        self.out.push(&format!("{indent}{text}\n"));
    }

    fn region(&mut self, region: &Region) {
        let content = match &region.content {
            Content::Zeros => String::new(),
            Content::LargePages => format!(" page_size=\"{LARGE_PAGE:#x}\""),
            Content::Device(at) => format!(" phys_addr=\"{at:#x}\""),
            Content::File(file) => format!(" prefill_path=\"{file}\""),
        };
        let (name, size) = (&region.name, region.size);
        self.line(format!(
            "<memory_region name=\"{name}\" size=\"{size:#x}\"{content} />"
        ));
    }

    /// A PD, with all others in it if it is their parent.
    fn pd(&mut self, index: usize) {
        let plan = self.plan;
        let (declared, planned) = (&plan.declaration.pds[index], &plan.pds[index]);
        if !declared.about.is_empty() {
            // "--" ends a comment too early.
            self.line(format!("<!-- {} -->", declared.about.replace("--", "- -")));
        }
        let is_child = plan.parent.is_some_and(|parent| parent != index);
        let id = attribute(is_child, format!("id=\"{}\"", planned.number));
        let (name, priority, stack) = (&declared.name, *declared.priority, *declared.stack);
        self.line(format!(
            "<protection_domain name=\"{name}\"{id} priority=\"{priority}\" stack_size=\"{stack:#x}\">"
        ));
        self.depth += 1;
        self.line(format!("<program_image path=\"{}\" />", declared.program()));
        for map in &planned.maps {
            let region = &plan.regions[map.region];
            let is_device = matches!(region.content, Content::Device(_));
            let cached = attribute(is_device, "cached=\"false\"");
            let symbols = map.symbols.map_or(String::new(), |[address, size]| {
                format!(" setvar_vaddr=\"{address}\" setvar_size=\"{size}\"")
            });
            let (name, vaddr) = (&region.name, map.vaddr);
            let perms = if map.writable { "rw" } else { "r" };
            self.line(format!(
                "<map mr=\"{name}\" vaddr=\"{vaddr:#x}\" perms=\"{perms}\"{cached}{symbols} />"
            ));
        }
        for (symbol, region) in &planned.paddrs {
            let name = &plan.regions[*region].name;
            self.line(format!(
                "<setvar symbol=\"{symbol}\" region_paddr=\"{name}\" />"
            ));
        }
        for irq in &planned.irqs {
            let (number, id) = (irq.number, irq.id);
            self.line(format!(
                "<irq irq=\"{number}\" id=\"{id}\" trigger=\"level\" />"
            ));
        }
        let indent = "    ".repeat(self.depth);
        self.fragment.write(Some(index), &indent, &mut self.out);
        if plan.parent == Some(index) {
            for child in (0..plan.pds.len()).filter(|&pd| pd != index) {
                self.out.push("\n");
                self.pd(child);
            }
        }
        self.depth -= 1;
        self.line("</protection_domain>");
    }

    fn channel(&mut self, channel: &Channel<'_>) {
        self.line(format!("<channel> <!-- {} -->", channel.role));
        self.depth += 1;
        for end in channel.ends {
            let (pd, id) = (&self.plan.declaration.pds[end.pd].name, end.id);
            let call = attribute(end.calls, "pp=\"true\"");
            let notify = attribute(!end.notifies, "notify=\"false\"");
            self.line(format!("<end pd=\"{pd}\" id=\"{id}\"{call}{notify} />"));
        }
        self.depth -= 1;
        self.line("</channel>");
    }
}

/// Returns an attribute with a blank in front, if it is to be there.
fn attribute(is_there: bool, attribute: impl Display) -> String {
    if is_there {
        format!(" {attribute}")
    } else {
        String::new()
    }
}
