// SPDX-License-Identifier: BSD-2-Clause
//! Programs: which files are refused, what is written into symbols.

mod common;

use common::{Elf, Memory, Part, R, W, X, good, settle};
use microkit::elf::{ElfError, Program};

fn parse(change: impl FnOnce(&mut Elf)) -> Result<Program, ElfError> {
    let mut elf = Elf::default();
    change(&mut elf);
    Program::parse(&elf.bytes(), None)
}

#[test]
fn a_good_program() {
    let program = parse(|_| ()).expect("the default is good");
    assert_eq!(program.entry, 0x20_0010);
    let pages: Vec<_> = program.segments.iter().map(|s| s.pages()).collect();
    assert_eq!(pages, [0x20_0000..0x20_1000, 0x20_1000..0x20_2000]);
}

#[test]
fn refused_files() {
    assert_eq!(parse(|e| e.machine = 62).err(), Some(ElfError::Machine(62)));
    assert!(matches!(parse(|e| e.kind = 3), Err(ElfError::NotStatic(_))));
    assert!(matches!(parse(|e| e.kind = 1), Err(ElfError::NotStatic(_))));
    assert!(matches!(
        parse(|e| e.interpreter = true),
        Err(ElfError::NotStatic(_))
    ));
    assert_eq!(parse(|e| e.symbols.clear()).err(), Some(ElfError::Stripped));
    assert_eq!(parse(|e| e.parts.clear()).err(), Some(ElfError::Empty));
    assert_eq!(
        parse(|e| e.entry = 0x20_1000).err(),
        Some(ElfError::Entry(0x20_1000))
    );
    assert_eq!(
        parse(|e| e.parts[1].flags = W).err(),
        Some(ElfError::Unreadable(0x20_1000))
    );
    assert_eq!(
        parse(|e| e.parts[1].vaddr = 0x20_0800).err(),
        Some(ElfError::SharedPage(0x20_0000, 0x20_0800))
    );
    // What is set there would have to be written behind as many zeros.
    assert_eq!(
        parse(|e| e.parts[1].size = 0x8000_0001).err(),
        Some(ElfError::TooLarge {
            vaddr: 0x20_1000,
            size: 0x8000_0001
        })
    );
    assert!(matches!(
        parse(|e| e.parts[1].size = u64::MAX),
        Err(ElfError::Malformed(_))
    ));
    assert!(matches!(
        parse(|e| e.parts[1].size = 8),
        Err(ElfError::Malformed(_))
    ));
    assert!(matches!(
        Program::parse(b"hello", None),
        Err(ElfError::Malformed(_))
    ));
}

#[test]
fn every_truncation_is_refused_or_read() {
    let whole = Elf::default().bytes();
    for len in 0..whole.len() {
        // The tables lie at the end, so that nothing but the whole file has them all.
        assert!(Program::parse(&whole[..len], None).is_err(), "{len} bytes");
    }
}

const ONE_PD: &str = "<system><protection_domain name=\"a\">\n<program_image path=\"a.elf\"/></protection_domain></system>";

#[test]
fn a_refused_file_is_reported_at_its_element() {
    let stripped = Elf {
        symbols: Vec::new(),
        ..Elf::default()
    };
    let (_, printed) = settle(ONE_PD, &Memory::default().with("a.elf", stripped.bytes()));
    assert_eq!(
        printed,
        "s.xml:2:1: error: 'a.elf' cannot be a program: it has no symbol table\n  help: do not strip it, or name an unstripped twin with path_for_symbols=\"…\"\n"
    );
    let (_, printed) = settle(ONE_PD, &Memory::default());
    assert!(
        printed.starts_with("s.xml:2:1: error: file 'a.elf' is in none of the search paths\n"),
        "{printed}"
    );
}

#[test]
fn symbols_come_from_the_twin() {
    let stripped = Elf {
        symbols: Vec::new(),
        ..Elf::default()
    };
    let files = Memory::new().with("stripped.elf", stripped.bytes());
    let xml = "<system><protection_domain name=\"abc\"><program_image path=\"stripped.elf\" path_for_symbols=\"a.elf\"/></protection_domain></system>";
    let settled = good(xml, &files);
    assert_eq!(word_bytes(&settled, 0, 0x20_1000, 3), b"abc");
}

#[test]
fn each_runtime_symbol_must_be_there_and_large_enough() {
    for missing in [
        "microkit_name",
        "microkit_passive",
        "microkit_irqs",
        "microkit_notifications",
        "microkit_pps",
        "microkit_ioports",
    ] {
        let mut elf = Elf::default();
        elf.symbols.retain(|(name, ..)| name != missing);
        let (_, printed) = settle(ONE_PD, &Memory::default().with("a.elf", elf.bytes()));
        assert!(
            printed.contains(&format!(
                "s.xml:2:1: error: 'a.elf': there is no symbol '{missing}'"
            )),
            "{printed}"
        );
        for (name, _, size) in &mut elf.symbols {
            if name == missing {
                *size = 0;
            }
        }
        let small = elf.with_symbol(missing, 0x20_1000, 0);
        let (_, printed) = settle(ONE_PD, &Memory::default().with("a.elf", small.bytes()));
        assert!(
            printed.contains(&format!("symbol '{missing}' has 0 bytes")),
            "{printed}"
        );
    }
}

#[test]
fn ambiguous_and_unloaded_symbols() {
    let xml = "<system><memory_region name=\"m\" size=\"0x1000\"/><protection_domain name=\"a\"><program_image path=\"a.elf\"/><map mr=\"m\" vaddr=\"0\" setvar_vaddr=\"v\"/></protection_domain></system>";
    let twice = Elf::default()
        .with_symbol("v", 0x20_1100, 8)
        .with_symbol("v", 0x20_1108, 8);
    let (_, printed) = settle(xml, &Memory::default().with("a.elf", twice.bytes()));
    assert!(
        printed.contains("there are several symbols 'v'"),
        "{printed}"
    );
    for address in [0x20_1200 - 4, 0x30_0000, u64::MAX - 7] {
        let outside = Elf::default().with_symbol("v", address, 8);
        let (_, printed) = settle(xml, &Memory::default().with("a.elf", outside.bytes()));
        assert!(
            printed.contains("symbol 'v' lies in no loaded segment"),
            "{printed}"
        );
    }
}

fn word_bytes(settled: &microkit::spec::Settled, pd: usize, address: u64, len: usize) -> Vec<u8> {
    let program = settled.programs[pd].as_ref().expect("read");
    let segment = program
        .segments
        .iter()
        .find(|s| s.range().contains(&address))
        .expect("loaded");
    let start = (address - segment.vaddr) as usize;
    let mut bytes = segment.data.clone();
    bytes.resize(bytes.len().max(start + len), 0);
    bytes[start..start + len].to_vec()
}

fn word(settled: &microkit::spec::Settled, pd: usize, address: u64) -> u64 {
    u64::from_le_bytes(
        word_bytes(settled, pd, address, 8)
            .try_into()
            .expect("8 bytes"),
    )
}

#[test]
fn runtime_symbols_say_what_the_channels_are() {
    let xml = r#"<system>
        <protection_domain name="low" passive="true"><program_image path="a.elf"/>
            <irq irq="40" id="5"/><irq irq="41" id="61"/></protection_domain>
        <protection_domain name="high" priority="9"><program_image path="a.elf"/></protection_domain>
        <channel><end pd="low" id="0" pp="true" notify="false"/><end pd="high" id="7"/></channel>
        <channel><end pd="high" id="60" notify="false"/><end pd="low" id="3"/></channel></system>"#;
    let (settled, _) = settle(xml, &Memory::new());
    let settled = settled.expect("only a remark about passive");
    assert_eq!(word_bytes(&settled, 0, 0x20_1000, 5), b"low\xBB\xBB");
    let words = |pd| [0x20_1048, 0x20_1050, 0x20_1058, 0x20_1060].map(|at| word(&settled, pd, at));
    assert_eq!(word_bytes(&settled, 0, 0x20_1040, 2), [1, 0xBB]);
    assert_eq!(words(0), [1 << 5 | 1 << 61, 1 << 3, 1, 0]);
    assert_eq!(word_bytes(&settled, 1, 0x20_1040, 1), [0]);
    assert_eq!(words(1), [0, 1 << 7, 0, 0]);
}

#[test]
fn setvars_of_every_kind() {
    let mut elf = Elf::default();
    let names = [
        "vaddr", "size", "prefill", "paddr", "irq", "child", "channel",
    ];
    for (index, name) in names.iter().enumerate() {
        elf = elf.with_symbol(name, 0x20_1120 + 8 * index as u64, 8);
    }
    let files = Memory::new().with("s.elf", elf.bytes());
    let xml = r#"<system>
        <memory_region name="m" size="0x3000" prefill_path="data.bin"/>
        <memory_region name="dma" size="0x4000"/>
        <memory_region name="device" size="0x1000" phys_addr="0x9000000"/>
        <protection_domain name="a" priority="1"><program_image path="s.elf"/>
            <map mr="m" vaddr="0x1_0000_0000" setvar_vaddr="vaddr" setvar_size="size" setvar_prefill_size="prefill"/>
            <map mr="dma" vaddr="0x2000000"/>
            <map mr="device" vaddr="0x3000000" setvar_vaddr="word"/>
            <setvar symbol="paddr" region_paddr="dma"/>
            <setvar symbol="word2" region_paddr="device"/>
            <irq irq="30" id="11" setvar_id="irq"/>
            <protection_domain name="c" id="0x1f" setvar_id="child"><program_image path="s.elf"/></protection_domain>
        </protection_domain>
        <channel><end pd="a" id="33" setvar_id="channel"/><end pd="c" id="1"/></channel></system>"#;
    let settled = good(xml, &files);
    let found = [0, 1, 2, 3, 4, 5, 6].map(|n| word(&settled, 0, 0x20_1120 + 8 * n));
    assert_eq!(
        found,
        [0x1_0000_0000, 0x3000, 5, 0xB000_0000 - 0x4000, 11, 0x1F, 33]
    );
    assert_eq!(word(&settled, 0, 0x20_1100), 0x300_0000);
    assert_eq!(word(&settled, 0, 0x20_1108), 0x900_0000);
    // The child has the same program, but a copy of its own: nothing but the runtime's symbols is
    // written there.
    assert_eq!(word(&settled, 1, 0x20_1120), 0);
}

#[test]
fn a_program_may_not_reach_into_the_stack() {
    let mut elf = Elf::default();
    elf.parts.push(Part {
        vaddr: 0xFF_FFFF_B000,
        flags: R | X,
        data: vec![0],
        size: 0x1001,
    });
    let (_, printed) = settle(ONE_PD, &Memory::default().with("a.elf", elf.bytes()));
    assert!(
        printed
            .contains("s.xml:2:1: error: 'a.elf' reaches to 0xffffffd000, into the stack of 'a'"),
        "{printed}"
    );
    elf.parts[2].size = 0x1000;
    let settled = good(ONE_PD, &Memory::default().with("a.elf", elf.bytes()));
    assert_eq!(settled.programs.len(), 1);
}
