// SPDX-License-Identifier: BSD-2-Clause
//! Programs: what is loaded, and where symbols lie.

use std::collections::HashMap;
use std::ops::Range;

use object::LittleEndian;
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use sdk_spec::Rights;
use sdk_spec::abi::SMALL_PAGE;
use sdk_spec::loader::RAM;

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    /// First program counter.
    pub entry: u64,
    /// What is loaded, in order of address.
    pub segments: Vec<Segment>,
    symbols: HashMap<Vec<u8>, Symbol>,
}

/// Memory that is loaded.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The virtual address.
    pub vaddr: u64,
    /// Bytes in memory.
    pub size: u64,
    /// The first of them; the others are zero.
    pub data: Vec<u8>,
    /// Page rights.
    pub rights: Rights,
}

#[derive(Clone, Copy, Debug)]
struct Symbol {
    address: u64,
    size: u64,
    unique: bool,
}

/// Why a file is no program for a PD.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElfError {
    /// Not ELF, or damaged.
    #[error("it is no intact ELF file: {0}")]
    Malformed(String),
    /// For another machine.
    #[error("it is for another machine (e_machine {0}, not AArch64)")]
    Machine(u16),
    /// Not at a fixed address.
    #[error("it is not a static executable: {0}")]
    NotStatic(&'static str),
    /// No symbol table.
    #[error("it has no symbol table")]
    Stripped,
    /// Nothing to load.
    #[error("it has nothing to load")]
    Empty,
    /// Two segments in one page.
    #[error("the segments at {0:#x} and {1:#x} share a page, so their rights cannot differ")]
    SharedPage(u64, u64),
    /// A segment that no memory is large enough for.
    #[error("the segment at {vaddr:#x} has {size:#x} bytes, more than the board has memory")]
    TooLarge {
        /// Its address.
        vaddr: u64,
        /// Bytes in memory.
        size: u64,
    },
    /// A segment that cannot be read.
    #[error("the segment at {0:#x} is not readable")]
    Unreadable(u64),
    /// The entry point is not in executable memory.
    #[error("its entry point {0:#x} is in no executable segment")]
    Entry(u64),
}

impl ElfError {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "name a 64-bit little-endian ELF executable",
            Self::Machine(_) => "build it for aarch64",
            Self::NotStatic(_) => "link it statically at a fixed address (relocation-model=static)",
            Self::Stripped => {
                "do not strip it, or name an unstripped twin with path_for_symbols=\"…\""
            }
            Self::Empty => "check the linker script",
            Self::SharedPage(..) => "align segments to pages: link with -z max-page-size=4096",
            Self::TooLarge { .. } => "make its statics smaller, or use a memory region instead",
            Self::Unreadable(_) => "give every segment read access: the kernel maps none without",
            Self::Entry(_) => "name the entry point in the linker script (ENTRY) or with -e",
        }
    }
}

/// Why a symbol cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolError {
    /// Not there.
    #[error("there is no symbol '{0}'")]
    Missing(String),
    /// More than one of that name.
    #[error("there are several symbols '{0}'")]
    Ambiguous(String),
    /// Another size than what is written needs.
    #[error("symbol '{name}' has {found} bytes, not {wanted}")]
    Size {
        /// Its name.
        name: String,
        /// Its size.
        found: u64,
        /// The size that it must have, or at least have.
        wanted: u64,
    },
    /// Outside all loaded memory.
    #[error("symbol '{0}' lies in no loaded segment")]
    NotLoaded(String),
}

impl Program {
    /// Reads a program; `symbols` is the file to take symbols from, if it is another one.
    ///
    /// # Errors
    /// Why it cannot run as a PD.
    pub fn parse(file: &[u8], symbols: Option<&[u8]>) -> Result<Self, ElfError> {
        let header = header(file)?;
        let segments = segments(header, file)?;
        let entry = header.e_entry.get(LittleEndian);
        let starts = |s: &Segment| s.rights.has(Rights::EXECUTE) && s.range().contains(&entry);
        if !segments.iter().any(starts) {
            return Err(ElfError::Entry(entry));
        }
        Ok(Self {
            entry,
            segments,
            symbols: read_symbols(symbols.unwrap_or(file))?,
        })
    }

    /// Writes `bytes` at the start of a symbol that has at least that size.
    ///
    /// # Errors
    /// The symbol is missing, ambiguous, too small or not loaded.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), SymbolError> {
        let symbol = self.find(name)?;
        if symbol.size < bytes.len() as u64 {
            return Err(SymbolError::Size {
                name: name.to_owned(),
                found: symbol.size,
                wanted: bytes.len() as u64,
            });
        }
        let end = symbol.address.saturating_add(symbol.size);
        let holds = |s: &&mut Segment| s.vaddr <= symbol.address && end <= s.range().end;
        let segment = self.segments.iter_mut().find(holds);
        let segment = segment.ok_or_else(|| SymbolError::NotLoaded(name.to_owned()))?;
        // The offset is below the segment's size, which `segments` has found to fit the board's
        // memory.
        let start = (symbol.address - segment.vaddr) as usize;
        let end = start + bytes.len();
        if segment.data.len() < end {
            segment.data.resize(end, 0);
        }
        segment.data[start..end].copy_from_slice(bytes);
        Ok(())
    }

    /// Writes a word to a symbol of exactly 8 bytes.
    ///
    /// # Errors
    /// The symbol is missing, ambiguous, of another size or not loaded.
    pub fn write_word(&mut self, name: &str, word: u64) -> Result<(), SymbolError> {
        let symbol = self.find(name)?;
        if symbol.size != 8 {
            return Err(SymbolError::Size {
                name: name.to_owned(),
                found: symbol.size,
                wanted: 8,
            });
        }
        self.write(name, &word.to_le_bytes())
    }

    fn find(&self, name: &str) -> Result<Symbol, SymbolError> {
        match self.symbols.get(name.as_bytes()) {
            None => Err(SymbolError::Missing(name.to_owned())),
            Some(symbol) if !symbol.unique => Err(SymbolError::Ambiguous(name.to_owned())),
            Some(symbol) => Ok(*symbol),
        }
    }
}

impl Segment {
    /// Addresses that it fills.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.vaddr..self.vaddr + self.size
    }

    /// Addresses of the pages that it touches.
    #[must_use]
    pub fn pages(&self) -> Range<u64> {
        let end = (self.vaddr + self.size).next_multiple_of(SMALL_PAGE);
        self.vaddr & !(SMALL_PAGE - 1)..end
    }
}

type Header = elf::FileHeader64<LittleEndian>;

fn header(file: &[u8]) -> Result<&Header, ElfError> {
    let malformed = |why: object::read::Error| ElfError::Malformed(why.to_string());
    let header = Header::parse(file).map_err(malformed)?;
    header.endian().map_err(malformed)?;
    let machine = header.e_machine.get(LittleEndian);
    if machine != elf::EM_AARCH64 {
        return Err(ElfError::Machine(machine.0));
    }
    match header.e_type.get(LittleEndian) {
        elf::ET_EXEC => Ok(header),
        elf::ET_DYN => Err(ElfError::NotStatic("it is position-independent")),
        _ => Err(ElfError::NotStatic("it is not linked")),
    }
}

fn segments(header: &Header, file: &[u8]) -> Result<Vec<Segment>, ElfError> {
    let raw = raw_segments(header, file)?;
    let segments: Vec<_> = raw.into_iter().map(segment).collect::<Result<_, _>>()?;
    for pair in segments.windows(2) {
        if pair[0].pages().end > pair[1].pages().start {
            return Err(ElfError::SharedPage(pair[0].vaddr, pair[1].vaddr));
        }
    }
    Ok(segments)
}

fn segment(raw: RawSegment<'_>) -> Result<Segment, ElfError> {
    let RawSegment { vaddr, size, .. } = raw;
    if vaddr + size > sdk_spec::abi::USER_TOP {
        return Err(out_of_bounds(vaddr));
    }
    if size > RAM.end - RAM.start {
        return Err(ElfError::TooLarge { vaddr, size });
    }
    let mut rights = Rights::default();
    for (flag, right) in [
        (elf::PF_R, Rights::READ),
        (elf::PF_W, Rights::WRITE),
        (elf::PF_X, Rights::EXECUTE),
    ] {
        if raw.flags & flag.0 != 0 {
            rights = rights.and(right);
        }
    }
    if !rights.has(Rights::READ) {
        return Err(ElfError::Unreadable(vaddr));
    }
    Ok(Segment {
        vaddr,
        size,
        data: raw.data.to_vec(),
        rights,
    })
}

/// An executable of the SDK itself (kernel, loader, initialiser), which need not follow the rules
/// for PDs.
#[derive(Debug)]
pub struct Executable<'a> {
    /// First program counter.
    pub entry: u64,
    /// What is loaded, in order of address.
    pub segments: Vec<RawSegment<'a>>,
    symbols: HashMap<Vec<u8>, Symbol>,
}

/// Loaded memory as the file has it.
#[derive(Clone, Copy, Debug)]
pub struct RawSegment<'a> {
    /// Virtual address.
    pub vaddr: u64,
    /// Physical address.
    pub paddr: u64,
    /// The first bytes; the others are zero.
    pub data: &'a [u8],
    /// Bytes in memory; `vaddr + size` and `paddr + size` do not overflow.
    pub size: u64,
    flags: u32,
}

impl<'a> Executable<'a> {
    /// Reads an executable.
    ///
    /// # Errors
    /// It is damaged, for another machine or not static.
    pub fn parse(file: &'a [u8]) -> Result<Self, ElfError> {
        let header = header(file)?;
        Ok(Self {
            entry: header.e_entry.get(LittleEndian),
            segments: raw_segments(header, file)?,
            symbols: read_symbols(file).unwrap_or_default(),
        })
    }

    /// Address and size of a symbol.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<(u64, u64)> {
        let symbol = self.symbols.get(name.as_bytes())?;
        symbol.unique.then_some((symbol.address, symbol.size))
    }
}

fn out_of_bounds(vaddr: u64) -> ElfError {
    ElfError::Malformed(format!("segment at {vaddr:#x} is out of bounds"))
}

fn raw_segments<'a>(header: &Header, file: &'a [u8]) -> Result<Vec<RawSegment<'a>>, ElfError> {
    let headers = header
        .program_headers(LittleEndian, file)
        .map_err(|why| ElfError::Malformed(why.to_string()))?;
    let mut segments = Vec::new();
    for program in headers {
        let kind = program.p_type(LittleEndian);
        if kind == elf::PT_INTERP {
            return Err(ElfError::NotStatic("it names an interpreter"));
        }
        let size = program.p_memsz(LittleEndian);
        if kind != elf::PT_LOAD || size == 0 {
            continue;
        }
        let (vaddr, paddr) = (program.p_vaddr(LittleEndian), program.p_paddr(LittleEndian));
        let data = program.data(LittleEndian, file);
        let data = data.map_err(|()| out_of_bounds(vaddr))?;
        let ends = (vaddr.checked_add(size), paddr.checked_add(size));
        if data.len() as u64 > size || !matches!(ends, (Some(_), Some(_))) {
            return Err(out_of_bounds(vaddr));
        }
        segments.push(RawSegment {
            vaddr,
            paddr,
            data,
            size,
            flags: program.p_flags(LittleEndian).0,
        });
    }
    segments.sort_by_key(|segment| segment.vaddr);
    if segments.is_empty() {
        return Err(ElfError::Empty);
    }
    Ok(segments)
}

fn read_symbols(file: &[u8]) -> Result<HashMap<Vec<u8>, Symbol>, ElfError> {
    let malformed = |why: object::read::Error| ElfError::Malformed(why.to_string());
    let sections = header(file)?
        .sections(LittleEndian, file)
        .map_err(malformed)?;
    let table = sections
        .symbols(LittleEndian, file, elf::SHT_SYMTAB)
        .map_err(malformed)?;
    if table.is_empty() {
        return Err(ElfError::Stripped);
    }
    let mut symbols: HashMap<Vec<u8>, Symbol> = HashMap::new();
    for symbol in table.iter() {
        let name = symbol
            .name(LittleEndian, table.strings())
            .map_err(malformed)?;
        if name.is_empty() {
            continue;
        }
        symbols
            .entry(name.to_vec())
            .and_modify(|first| first.unique = false)
            .or_insert(Symbol {
                address: symbol.st_value(LittleEndian),
                size: symbol.st_size(LittleEndian),
                unique: true,
            });
    }
    Ok(symbols)
}
