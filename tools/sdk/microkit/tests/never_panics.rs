// SPDX-License-Identifier: BSD-2-Clause
//! Whatever the description or a program is: a result or diagnostics, never a panic.

mod common;

use common::{Elf, Memory, settle};
use microkit::elf::Program;
use proptest::prelude::*;

const SEED: &str = r#"<?xml version="1.0"?>
<!-- seed -->
<system>
    <memory_region name="m" size="0x200000" page_size="0x1000" phys_addr="0x60000000"/>
    <memory_region name="n" size="0x1000" prefill_path="data.bin"/>
    <memory_region name="o" size="0x4000"/>
    <protection_domain name="a" priority="200" stack_size="0x2000" budget="5" period="6" passive="true" fpu="true" cpu="0">
        <program_image path="a.elf" path_for_symbols="a.elf"/>
        <map mr="m" vaddr="0x10000000" perms="rw" cached="true" setvar_vaddr="word"/>
        <map mr="n" vaddr="0x20000000" perms="rx" setvar_prefill_size="word2"/>
        <map mr="o" vaddr="0x30000000"/>
        <setvar symbol="word3" region_paddr="o"/>
        <irq irq="48" id="0" trigger="level"/>
        <protection_domain name="b" id="1" priority="3"><program_image path="a.elf"/></protection_domain>
    </protection_domain>
    <channel><end pd="b" id="1" pp="true"/><end pd="a" id="2" notify="false"/></channel>
</system>"#;

/// Pieces that reach deeper than random characters do.
const PIECES: &[&str] = &[
    "",
    "\"",
    "<",
    "/>",
    "&#0;",
    "&x;",
    "é",
    "0",
    "-1",
    "0x",
    "18446744073709551615",
    "0xffff_ffff_ffff_f000",
    "0x200000",
    "true",
    "a",
    "b",
    "m",
    "o",
    "monitor",
    "<system>",
    "</system>",
    "<map/>",
    "<end pd=\"a\" id=\"1\"/>",
    "<protection_domain name=\"c\" id=\"1\">",
    "</protection_domain>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    " name=\"x\"",
    " phys_addr=\"0xBFFFF000\"",
    " size=\"0xfffffffffffff000\"",
    " vaddr=\"0xFFFFFFE000\"",
];

fn replace(text: &mut String, at: usize, len: usize, with: &str) {
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(at % (text.len() + 1));
    let end = floor((start + len).min(text.len())).max(start);
    text.replace_range(start..end, with);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_descriptions(edits in prop::collection::vec((any::<u16>(), 0usize..30, 0..PIECES.len()), 1..5)) {
        let mut text = SEED.to_owned();
        for (at, len, piece) in edits {
            replace(&mut text, usize::from(at), len, PIECES[piece]);
        }
        let (settled, printed) = settle(&text, &Memory::new());
        prop_assert_eq!(settled.is_none(), printed.contains(": error: "));
        if let Some(settled) = settled {
            prop_assert!(!microkit::spec::encode(&settled).is_empty());
        }
    }

    #[test]
    fn replaced_values(attribute in any::<prop::sample::Index>(), value in "[ -~é]{0,12}|0x[0-9a-f]{1,17}|[0-9]{1,21}") {
        // Every attribute of the seed with every sort of value.
        let starts: Vec<_> = SEED.match_indices("=\"").map(|(at, _)| at + 2).collect();
        let start = starts[attribute.index(starts.len())];
        let end = start + SEED[start..].find('"').unwrap_or(0);
        let text = format!("{}{value}{}", &SEED[..start], &SEED[end..]);
        let (settled, printed) = settle(&text, &Memory::new());
        prop_assert_eq!(settled.is_none(), printed.contains(": error: "));
    }

    #[test]
    fn arbitrary_text(text in "\\PC{0,200}") {
        let (settled, _) = settle(&text, &Memory::new());
        prop_assert!(settled.is_none());
    }

    #[test]
    fn mutated_programs(edits in prop::collection::vec((any::<u16>(), any::<u8>()), 1..8)) {
        let mut bytes = Elf::default().bytes();
        let len = bytes.len();
        for (at, value) in edits {
            bytes[usize::from(at) % len] = value;
        }
        if let Ok(mut program) = Program::parse(&bytes, None) {
            let _ = program.write_word("word", 1);
            let _ = program.write("microkit_name", b"name");
        }
        settle(SEED, &Memory::new().with("a.elf", bytes));
    }
}

#[test]
fn deep_nesting_is_an_error_or_a_system() {
    let depth = 3000;
    let text = format!(
        "<system>{}{}</system>",
        "<protection_domain name=\"x\" id=\"1\">".repeat(depth),
        "</protection_domain>".repeat(depth)
    );
    let (settled, printed) = settle(&text, &Memory::new());
    assert!(settled.is_none() && printed.contains("error"));
}

#[test]
fn the_seed_itself_is_good() {
    let (settled, printed) = settle(SEED, &Memory::new());
    assert!(settled.is_some(), "{printed}");
}
