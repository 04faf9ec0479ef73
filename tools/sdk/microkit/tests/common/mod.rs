// SPDX-License-Identifier: BSD-2-Clause
//! Small ELF files, files in memory, a board, and the way from a description to diagnostics.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod sdk;

use std::collections::HashMap;
use std::path::PathBuf;

use microkit::diagnostics::Diagnostics;
use microkit::files::{FileError, Files};
use microkit::platform::Platform;
use microkit::spec::Settled;
use object::LittleEndian as LE;
use object::elf;
use object::pod::bytes_of;
use object::{U16, U32, U64};

/// Segment flags.
pub const R: u32 = 4;
pub const W: u32 = 2;
pub const X: u32 = 1;

/// Loaded memory of a test program.
#[derive(Clone)]
pub struct Part {
    pub vaddr: u64,
    pub flags: u32,
    pub data: Vec<u8>,
    pub size: u64,
}

/// A test program. The default is a good one: code at 0x200000, data at 0x201000 with the runtime's
/// symbols and `word` at 0x201100 (8 bytes, in .bss).
#[derive(Clone)]
pub struct Elf {
    pub machine: u16,
    pub kind: u16,
    pub entry: u64,
    pub parts: Vec<Part>,
    pub symbols: Vec<(String, u64, u64)>,
    pub interpreter: bool,
    /// Virtual minus physical addresses.
    pub offset: u64,
}

impl Default for Elf {
    fn default() -> Self {
        let symbol = |name: &str, address, size| (name.to_owned(), address, size);
        Self {
            machine: elf::EM_AARCH64.0,
            kind: elf::ET_EXEC.0,
            entry: 0x20_0010,
            parts: vec![
                Part {
                    vaddr: 0x20_0000,
                    flags: R | X,
                    data: vec![0xAA; 0x40],
                    size: 0x40,
                },
                Part {
                    vaddr: 0x20_1000,
                    flags: R | W,
                    data: vec![0xBB; 0x80],
                    size: 0x200,
                },
            ],
            symbols: vec![
                symbol("microkit_name", 0x20_1000, 64),
                symbol("microkit_passive", 0x20_1040, 1),
                symbol("microkit_irqs", 0x20_1048, 8),
                symbol("microkit_notifications", 0x20_1050, 8),
                symbol("microkit_pps", 0x20_1058, 8),
                symbol("microkit_ioports", 0x20_1060, 8),
                symbol("word", 0x20_1100, 8),
                symbol("word2", 0x20_1108, 8),
                symbol("word3", 0x20_1110, 8),
                symbol("half", 0x20_1118, 4),
            ],
            interpreter: false,
            offset: 0,
        }
    }
}

impl Elf {
    /// Adds a symbol of 8 bytes.
    pub fn with_symbol(mut self, name: &str, address: u64, size: u64) -> Self {
        self.symbols.push((name.to_owned(), address, size));
        self
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let count = self.parts.len() + usize::from(self.interpreter);
        let mut data = vec![0u8; 64 + 56 * count];
        let mut headers = Vec::new();
        for part in &self.parts {
            headers.extend_from_slice(bytes_of(&elf::ProgramHeader64::<LE> {
                p_type: U32::new(LE, elf::PT_LOAD),
                p_flags: U32::new(LE, elf::ProgramFlags(part.flags)),
                p_offset: U64::new(LE, data.len() as u64),
                p_vaddr: U64::new(LE, part.vaddr),
                p_paddr: U64::new(LE, part.vaddr.wrapping_sub(self.offset)),
                p_filesz: U64::new(LE, part.data.len() as u64),
                p_memsz: U64::new(LE, part.size),
                p_align: U64::new(LE, 0x1000),
            }));
            data.extend_from_slice(&part.data);
        }
        if self.interpreter {
            headers.extend_from_slice(bytes_of(&elf::ProgramHeader64::<LE> {
                p_type: U32::new(LE, elf::PT_INTERP),
                ..zeroed_program_header()
            }));
        }
        data[64..64 + headers.len()].copy_from_slice(&headers);
        let sections = self.symbol_sections(&mut data);
        let header = elf::FileHeader64::<LE> {
            e_ident: elf::Ident {
                magic: elf::ELFMAG,
                class: elf::ELFCLASS64,
                data: elf::ELFDATA2LSB,
                version: elf::EV_CURRENT,
                os_abi: elf::ELFOSABI_NONE,
                abi_version: 0,
                padding: [0; 7],
            },
            e_type: U16::new(LE, elf::FileType(self.kind)),
            e_machine: U16::new(LE, elf::Machine(self.machine)),
            e_version: U32::new(LE, 1),
            e_entry: U64::new(LE, self.entry),
            e_phoff: U64::new(LE, 64),
            e_shoff: U64::new(LE, sections),
            e_flags: U32::new(LE, elf::FileFlags(0)),
            e_ehsize: U16::new(LE, 64),
            e_phentsize: U16::new(LE, 56),
            e_phnum: U16::new(LE, count as u16),
            e_shentsize: U16::new(LE, 64),
            e_shnum: U16::new(LE, 3),
            e_shstrndx: U16::new(LE, elf::SymbolSection(2)),
        };
        data[..64].copy_from_slice(bytes_of(&header));
        data
    }

    /// Appends symbols, strings and three section headers (null, .symtab, .strtab); gives the
    /// headers' offset.
    fn symbol_sections(&self, data: &mut Vec<u8>) -> u64 {
        let mut strings = vec![0u8];
        let mut symbols = vec![0u8; 24];
        for (name, address, size) in &self.symbols {
            symbols.extend_from_slice(bytes_of(&elf::Sym64::<LE> {
                st_name: U32::new(LE, strings.len() as u32),
                st_info: elf::SymbolInfo(0x11),
                st_other: elf::SymbolOther(0),
                st_shndx: U16::new(LE, elf::SymbolSection(0xFFF1)),
                st_value: U64::new(LE, *address),
                st_size: U64::new(LE, *size),
            }));
            strings.extend_from_slice(name.as_bytes());
            strings.push(0);
        }
        data.resize(data.len().next_multiple_of(8), 0);
        let symbols_at = data.len() as u64;
        if self.symbols.is_empty() {
            symbols.clear();
        }
        data.extend_from_slice(&symbols);
        let strings_at = data.len() as u64;
        data.extend_from_slice(&strings);
        data.resize(data.len().next_multiple_of(8), 0);
        let headers_at = data.len() as u64;
        let table = if self.symbols.is_empty() {
            elf::SHT_PROGBITS
        } else {
            elf::SHT_SYMTAB
        };
        let null = section(elf::SHT_NULL, 0, 0, 0, 0);
        let symtab = section(table, symbols_at, symbols.len() as u64, 2, 24);
        let strtab = section(elf::SHT_STRTAB, strings_at, strings.len() as u64, 0, 0);
        for header in [null, symtab, strtab] {
            data.extend_from_slice(bytes_of(&header));
        }
        headers_at
    }
}

fn zeroed_program_header() -> elf::ProgramHeader64<LE> {
    elf::ProgramHeader64 {
        p_type: U32::new(LE, elf::PT_NULL),
        p_flags: U32::new(LE, elf::ProgramFlags(0)),
        p_offset: U64::new(LE, 0),
        p_vaddr: U64::new(LE, 0),
        p_paddr: U64::new(LE, 0),
        p_filesz: U64::new(LE, 0),
        p_memsz: U64::new(LE, 0),
        p_align: U64::new(LE, 0),
    }
}

fn section(
    kind: elf::SectionType,
    offset: u64,
    size: u64,
    link: u32,
    entry: u64,
) -> elf::SectionHeader64<LE> {
    elf::SectionHeader64 {
        sh_name: U32::new(LE, 0),
        sh_type: U32::new(LE, kind),
        sh_flags: U64::new(LE, elf::SectionFlags(0)),
        sh_addr: U64::new(LE, 0),
        sh_offset: U64::new(LE, offset),
        sh_size: U64::new(LE, size),
        sh_link: U32::new(LE, link),
        sh_info: U32::new(LE, 1),
        sh_addralign: U64::new(LE, 8),
        sh_entsize: U64::new(LE, entry),
    }
}

/// Files in memory.
#[derive(Clone, Default)]
pub struct Memory(pub HashMap<String, Vec<u8>>);

impl Memory {
    /// A folder with the good program under `a.elf` and a file `data.bin` of five bytes.
    pub fn new() -> Self {
        Self::default()
            .with("a.elf", Elf::default().bytes())
            .with("data.bin", b"12345".to_vec())
    }

    /// Adds a file.
    pub fn with(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.to_owned(), bytes.into());
        self
    }
}

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.get(path).cloned().ok_or_else(|| FileError::Missing {
            path: path.to_owned(),
            places: vec![PathBuf::from("memory")],
        })
    }
}

/// The board as the SDK describes it.
pub fn platform() -> Platform {
    let ram = 0x4000_0000..0xC000_0000;
    Platform {
        memory: vec![ram],
        devices: vec![0..0x0800_0000, 0x0900_0000..0x4000_0000],
        fixed: 0x6000_0000..0xB000_0000,
        cap_slots: 1 << 17,
        kernel_irqs: vec![27],
    }
}

/// What becomes of a description: the settled system, and the diagnostics as printed.
pub fn settle(xml: &str, files: &Memory) -> (Option<Settled>, String) {
    let diagnostics = Diagnostics::new("s.xml");
    let settled = microkit::settle(xml, files, &platform(), &diagnostics);
    (settled, diagnostics.to_string())
}

/// A system without any problem.
pub fn good(xml: &str, files: &Memory) -> Settled {
    let (settled, printed) = settle(xml, files);
    assert_eq!(printed, "", "{xml}");
    settled.expect("no error was printed")
}
