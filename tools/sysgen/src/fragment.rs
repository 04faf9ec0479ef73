// SPDX-License-Identifier: BSD-2-Clause
//! A user's own part of the system description: protection domains, regions and channels that the
//! declaration knows nothing of, and additions to those that it does know. It goes into system.xml
//! as it is.

use std::collections::BTreeMap;
use std::ops::Range;

use roxmltree::{Document, Node};

use crate::{Diagnostic, Source, xml};

/// A fragment that was read.
#[derive(Default)]
pub struct Fragment {
    source: Source,
    /// Elements that stand by themselves: bytes of the source.
    top: Vec<Range<usize>>,
    /// Elements for a declared PD, by its index.
    inside: BTreeMap<usize, Vec<Range<usize>>>,
    /// Ids of channels and interrupts that declared PDs have here.
    pub reserved: Vec<(usize, u32)>,
}

impl Fragment {
    /// Reads a fragment. `declared` are the names of the declared PDs.
    ///
    /// # Errors
    /// It is no XML, or no `<system>`, or changes what is declared elsewhere.
    pub fn parse(source: Source, declared: &[&str]) -> Result<Self, Diagnostic> {
        let mut fragment = Fragment::default();
        let document =
            Document::parse(&source.text).map_err(|error| xml::mistake(&source, &error))?;
        let root = document.root_element();
        if !root.has_tag_name("system") {
            return Err(source.at(
                root.range().start,
                format!("<{}> instead of <system>", root.tag_name().name()),
                "write a system description with what is to be added: <system> … </system>",
            ));
        }
        let index_of = |name: Option<&str>| declared.iter().position(|known| Some(*known) == name);
        for node in root.children().filter(Node::is_element) {
            let extended =
                index_of(node.attribute("name")).filter(|_| node.has_tag_name("protection_domain"));
            let Some(pd) = extended else {
                fragment.top.push(node.range());
                fragment.reserve_ends(node, &index_of);
                continue;
            };
            if let Some(other) = node
                .attributes()
                .find(|attribute| attribute.name() != "name")
            {
                return Err(source.at(
                    other.range().start,
                    format!("{} of {} is declared elsewhere", other.name(), declared[pd]),
                    "remove it here, and set it in the PD's block of the declaration",
                ));
            }
            for child in node.children().filter(Node::is_element) {
                fragment.inside.entry(pd).or_default().push(child.range());
                if child.has_tag_name("irq")
                    && let Some(id) = number(child, "id")
                {
                    fragment.reserved.push((pd, id));
                }
            }
        }
        drop(document);
        fragment.source = source;
        Ok(fragment)
    }

    fn reserve_ends(
        &mut self,
        node: Node<'_, '_>,
        index_of: &impl Fn(Option<&str>) -> Option<usize>,
    ) {
        for end in node.children().filter(|child| child.has_tag_name("end")) {
            if let (Some(pd), Some(id)) = (index_of(end.attribute("pd")), number(end, "id")) {
                self.reserved.push((pd, id));
            }
        }
    }

    /// Adds the elements that stand by themselves to a description.
    pub fn write_top(&self, to: &mut Source) {
        self.write(&self.top, "    ", to);
    }

    /// Adds the elements for a PD to a description.
    pub fn write_inside(&self, pd: usize, indent: &str, to: &mut Source) {
        self.write(self.inside.get(&pd).map_or(&[], Vec::as_slice), indent, to);
    }

    fn write(&self, elements: &[Range<usize>], indent: &str, to: &mut Source) {
        for range in elements {
            to.push(indent);
            if let Some(comment) = self.comment_before(range.start) {
                to.push_part(&self.source, comment);
                to.push("\n");
                to.push(indent);
            }
            to.push_part(&self.source, range.clone());
            to.push("\n");
        }
    }

    /// The comment directly in front of an element: it says why, and may mark a region as shared.
    fn comment_before(&self, start: usize) -> Option<Range<usize>> {
        let before = self.source.text[..start].trim_end();
        let open = before.ends_with("-->").then(|| before.rfind("<!--"))??;
        Some(open..before.len())
    }
}

fn number(node: Node<'_, '_>, attribute: &str) -> Option<u32> {
    node.attribute(attribute)?.parse().ok()
}
