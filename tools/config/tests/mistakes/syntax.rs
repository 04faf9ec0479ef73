// SPDX-License-Identifier: BSD-2-Clause
//! Mistakes in the form of system.xml.

use crate::sample::{CONFIG, SYSTEM, errors};

/// Replaces one occurrence in system.xml and expects this error.
#[track_caller]
fn expect(from: &str, to: &str, at: (usize, usize), message: &str, help: &str) {
    assert_eq!(SYSTEM.matches(from).count(), 1, "{from:?} must occur once");
    let found = errors(CONFIG, &SYSTEM.replace(from, to));
    let [error] = &found[..] else {
        panic!("expected one error, found {found:#?}");
    };
    assert_eq!(
        (
            &*error.file,
            (error.line, error.column),
            &*error.message,
            &*error.help
        ),
        ("system.xml", at, message, help)
    );
}

#[test]
fn elements_that_are_not_closed() {
    expect(
        "<map mr=\"echo_ready\" perms=\"r\" setvar_vaddr=\"net_ready_vaddr\" setvar_size=\"net_ready_size\" />",
        "<map mr=\"echo_ready\" perms=\"r\" setvar_vaddr=\"net_ready_vaddr\" setvar_size=\"net_ready_size\" >",
        (17, 1),
        "expected 'map' tag, not 'protection_domain'",
        "close <map> of line 16, or an element inside it, above this line",
    );
    expect(
        "</protection_domain>\n<protection_domain name=\"web\" id=\"2\" setvar_id=\"web_child\">",
        "<protection_domain name=\"web\" id=\"2\" setvar_id=\"web_child\">",
        (34, 1),
        "expected 'protection_domain' tag, not 'system'",
        "close <protection_domain> of line 3, or an element inside it, above this line",
    );
    expect(
        "</system>",
        "",
        (1, 1),
        "the root node was opened but never closed",
        "look for an element, comment or quoted text that is not closed",
    );
}

#[test]
fn a_tag_too_many() {
    expect(
        "setvar_vaddr=\"heap_vaddr\" />",
        "setvar_vaddr=\"heap_vaddr\" /></map>",
        (5, 56),
        "expected 'protection_domain' tag, not 'map'",
        "remove this tag: no <map> is open here",
    );
}

#[test]
fn other_mistakes_name_their_place_once() {
    expect(
        "mr=\"heap\"",
        "mr=\"heap\" mr=\"heap\"",
        (5, 16),
        "attribute 'mr' is already defined",
        "correct the XML",
    );
    expect(
        "name=\"heap\"",
        "name=\"heap",
        (2, 33),
        "expected a whitespace not '0'",
        "correct the XML",
    );
}
