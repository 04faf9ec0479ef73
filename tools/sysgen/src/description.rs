// SPDX-License-Identifier: BSD-2-Clause
//! Writing system.xml: for Microkit's tool, and for reading.

use std::fmt::Write;

use crate::Source;
use crate::declaration::{Declaration, HEAP_PAGE};
use crate::fragment::Fragment;
use crate::plan::{Channel, Plan, Region};

/// The description as text. `made_from` is the declaration's file name.
pub fn write(
    declaration: &Declaration<'_>,
    plan: &Plan,
    fragment: &Fragment,
    made_from: &str,
) -> Source {
    let mut out = Source::new("system.xml", "");
    out.push(&format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!-- SPDX-License-Identifier: BSD-2-Clause -->\n\
         <!-- Made from {made_from} by sysgen (`make image`): change that file, not this one. -->\n\
         <system>\n"
    ));
    for region in &plan.regions {
        out.push(&memory_region(region));
    }
    out.push("\n");
    match plan.parent {
        Some(parent) => {
            open(declaration, plan, parent, "    ", &mut out);
            content(declaration, plan, fragment, parent, "        ", &mut out);
            for pd in (0..declaration.pds.len()).filter(|&pd| pd != parent) {
                out.push("\n");
                whole(declaration, plan, fragment, pd, "        ", &mut out);
            }
            out.push("    </protection_domain>\n");
        }
        None => {
            for pd in 0..declaration.pds.len() {
                whole(declaration, plan, fragment, pd, "    ", &mut out);
            }
        }
    }
    out.push("\n");
    for planned in &plan.channels {
        out.push(&channel(declaration, planned));
    }
    fragment.write_top(&mut out);
    out.push("</system>\n");
    out
}

fn memory_region(region: &Region) -> String {
    let mut line = format!(
        "    <memory_region name=\"{}\" size=\"{:#x}\"",
        region.name, region.size
    );
    // A String takes everything.
    let _ = match (region.device, &region.prefill) {
        (Some(at), _) => write!(line, " phys_addr=\"{at:#x}\""),
        (None, Some(file)) => write!(line, " prefill_path=\"{file}\""),
        (None, None) if region.large => write!(line, " page_size=\"{HEAP_PAGE:#x}\""),
        (None, None) => Ok(()),
    };
    line + " />\n"
}

fn open(declaration: &Declaration<'_>, plan: &Plan, index: usize, indent: &str, out: &mut Source) {
    let pd = &declaration.pds[index];
    let id = match plan.parent {
        Some(parent) if parent != index => format!(" id=\"{}\"", plan.pds[index].number),
        _ => String::new(),
    };
    if !pd.about.is_empty() {
        // "--" ends a comment too early.
        out.push(&format!(
            "{indent}<!-- {} -->\n",
            pd.about.replace("--", "- -")
        ));
    }
    out.push(&format!(
        "{indent}<protection_domain name=\"{}\"{id} priority=\"{}\" stack_size=\"{:#x}\">\n",
        pd.name, pd.priority, pd.stack
    ));
}

fn whole(
    declaration: &Declaration<'_>,
    plan: &Plan,
    fragment: &Fragment,
    index: usize,
    indent: &str,
    out: &mut Source,
) {
    open(declaration, plan, index, indent, out);
    content(
        declaration,
        plan,
        fragment,
        index,
        &format!("{indent}    "),
        out,
    );
    out.push(&format!("{indent}</protection_domain>\n"));
}

fn content(
    declaration: &Declaration<'_>,
    plan: &Plan,
    fragment: &Fragment,
    index: usize,
    indent: &str,
    out: &mut Source,
) {
    let pd = &plan.pds[index];
    out.push(&format!(
        "{indent}<program_image path=\"{}\" />\n",
        declaration.pds[index].program
    ));
    for map in &pd.maps {
        let region = &plan.regions[map.region];
        let cached = if region.device.is_some() {
            " cached=\"false\""
        } else {
            ""
        };
        let symbols = map.symbols.map_or(String::new(), |(address, size)| {
            format!(" setvar_vaddr=\"{address}\" setvar_size=\"{size}\"")
        });
        out.push(&format!(
            "{indent}<map mr=\"{}\" vaddr=\"{:#x}\" perms=\"{}\"{cached}{symbols} />\n",
            region.name,
            map.vaddr,
            if map.writable { "rw" } else { "r" }
        ));
    }
    for (symbol, region) in &pd.paddrs {
        out.push(&format!(
            "{indent}<setvar symbol=\"{symbol}\" region_paddr=\"{}\" />\n",
            plan.regions[*region].name
        ));
    }
    for irq in &pd.irqs {
        out.push(&format!(
            "{indent}<irq irq=\"{}\" id=\"{}\" trigger=\"level\" />\n",
            irq.number, irq.id
        ));
    }
    fragment.write_inside(index, indent, out);
}

fn channel(declaration: &Declaration<'_>, channel: &Channel) -> String {
    let ends = channel.ends.map(|end| {
        let call = if end.calls { " pp=\"true\"" } else { "" };
        let notify = if end.notifies {
            ""
        } else {
            " notify=\"false\""
        };
        let pd = declaration.pds[end.pd].name;
        format!(
            "        <end pd=\"{pd}\" id=\"{}\"{call}{notify} />\n",
            end.id
        )
    });
    format!(
        "    <channel> <!-- {} -->\n{}    </channel>\n",
        channel.role,
        ends.concat()
    )
}
