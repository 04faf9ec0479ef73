// SPDX-License-Identifier: BSD-2-Clause
//! A user's own part of the system description: protection domains, regions and channels that the
//! declaration knows nothing of, and additions to those that it does know. It goes into system.xml
//! as it is.

use std::ops::Range;

use roxmltree::Node;

use crate::declaration::Declaration;
use crate::diagnostic::{Result, Source};
use crate::xml;

/// A fragment that was read.
#[derive(Default)]
pub struct Fragment {
    source: Source,
    /// Bytes of its elements, and the declared PD that each is for, by index.
    elements: Vec<(Option<usize>, Range<usize>)>,
    /// Ids of channels and interrupts that declared PDs have here.
    pub reserved: Vec<(usize, usize)>,
}

impl Fragment {
    /// Reads a fragment of a declaration.
    ///
    /// # Errors
    /// It is no XML, or no `<system>`, or changes what is declared elsewhere.
    pub fn parse(source: Source, declaration: &Declaration) -> Result<Self> {
        let mut fragment = Fragment::default();
        let document = xml::parse(&source)?;
        let root = document.root_element();
        if !root.has_tag_name("system") {
            return Err(vec![source.at(
                root.range().start,
                format!("<{}> instead of <system>", root.tag_name().name()),
                "write a system description with what is to be added: <system> … </system>",
            )]);
        }
        let find = |node: Node<'_, '_>, name| declaration.find(node.attribute(name)?);
        for node in root.children().filter(Node::is_element) {
            let extended = find(node, "name").filter(|_| node.has_tag_name("protection_domain"));
            let Some(pd) = extended else {
                fragment.add(None, node);
                for end in node.children().filter(|child| child.has_tag_name("end")) {
                    fragment.reserve(find(end, "pd"), end);
                }
                continue;
            };
            if let Some(other) = node
                .attributes()
                .find(|attribute| attribute.name() != "name")
            {
                return Err(vec![source.at(
                    other.range().start,
                    format!(
                        "{} of {} is declared elsewhere",
                        other.name(),
                        declaration.pds[pd].name
                    ),
                    "remove it here, and set it in the PD's block of the declaration",
                )]);
            }
            for child in node.children().filter(Node::is_element) {
                fragment.add(Some(pd), child);
                if child.has_tag_name("irq") {
                    fragment.reserve(Some(pd), child);
                }
            }
        }
        drop(document);
        fragment.source = source;
        Ok(fragment)
    }

    /// Adds an element, with the comment in front of it: it says why, and may mark a region as
    /// shared.
    fn add(&mut self, pd: Option<usize>, node: Node<'_, '_>) {
        let first = xml::comment_before(node).unwrap_or(node);
        self.elements
            .push((pd, first.range().start..node.range().end));
    }

    fn reserve(&mut self, pd: Option<usize>, node: Node<'_, '_>) {
        let id = node.attribute("id").and_then(|id| id.parse().ok());
        self.reserved.extend(pd.zip(id));
    }

    /// Adds the elements for a PD to a description, or those that stand by themselves.
    pub fn write(&self, pd: Option<usize>, indent: &str, to: &mut Source) {
        for (_, range) in self.elements.iter().filter(|(owner, _)| *owner == pd) {
            to.push(indent);
            to.push_part(&self.source, range.clone());
            to.push("\n");
        }
    }
}
