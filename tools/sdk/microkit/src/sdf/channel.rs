// SPDX-License-Identifier: BSD-2-Clause
//! `channel` and its two `end`s.

use sdk_spec::abi::MAX_ID;

use super::Reader;
use super::model::{Channel, End, SetVar, SetVarValue};
use crate::xml::Element;

impl Reader<'_> {
    pub(super) fn channel(&mut self, element: &Element<'_>) {
        element.allow(&[]);
        let children = element.children();
        let (ends, others): (Vec<_>, Vec<_>) = children.iter().partition(|c| c.name() == "end");
        for child in others {
            element.misplaced(child, &["end"]);
        }
        let count = ends.len();
        if count != 2 {
            element.error(
                format!("a channel has two ends, this one {count}"),
                "write exactly two <end> elements",
            );
        }
        let ends: Vec<_> = ends.into_iter().filter_map(|end| self.end(end)).collect();
        if let ([a, b], 2) = (ends.as_slice(), count) {
            self.system.channels.push(Channel {
                ends: [*a, *b],
                at: element.at(),
            });
        }
    }

    fn end(&mut self, element: &Element<'_>) -> Option<End> {
        element.allow(&["pd", "id", "pp", "notify", "setvar_id"]);
        for child in element.children() {
            child.error(
                format!("unknown element '{}' in 'end'", child.name()),
                "'end' holds no elements",
            );
        }
        let name = element.required("pd");
        let id = element.required("id").and_then(|v| v.decimal(MAX_ID));
        let flag = |name, default| {
            element
                .attribute(name)
                .and_then(|v| v.boolean())
                .unwrap_or(default)
        };
        let (pp, notify) = (flag("pp", false), flag("notify", true));
        let name = name?;
        let pds = &self.system.pds;
        let Some(pd) = pds.iter().position(|pd| pd.name == name.text) else {
            let known: Vec<_> = pds.iter().map(|pd| pd.name.as_str()).collect();
            name.error(
                format!("there is no protection domain '{}'", name.text),
                super::suggest(
                    name.text,
                    &known,
                    "add a <protection_domain> with this name",
                ),
            );
            return None;
        };
        let id = id?;
        if let Some(symbol) = element.attribute("setvar_id") {
            let setvar = SetVar {
                symbol: symbol.text.to_owned(),
                value: SetVarValue::Number(id),
                at: symbol.at,
            };
            self.add_setvar(pd, setvar);
        }
        Some(End {
            pd,
            id,
            pp,
            notify,
            at: element.at(),
        })
    }
}
