// SPDX-License-Identifier: BSD-2-Clause
//! `loader.img`: the loader, and behind it the kernel and the initialiser with its spec.

use sdk_spec::abi::{LARGE_PAGE, SMALL_PAGE};
use sdk_spec::loader::{self, Header, LOAD_ADDRESS, PAGE};

use crate::elf::{Executable, RawSegment};

/// Symbol of the initialiser that gets address and length of the spec: two words.
const SPEC_SYMBOL: &str = "sdk_spec";
/// Symbol of the loader at the place where it expects the payload.
const PAYLOAD_SYMBOL: &str = "_payload";
/// The kernel's virtual and physical addresses are aligned to this, because the loader maps it with
/// one block.
const KERNEL_BLOCK: u64 = 1 << 30;

/// What is wrong with the SDK's own files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The loader is linked elsewhere.
    #[error("the loader starts at {0:#x}, not at {LOAD_ADDRESS:#x}")]
    LoaderAddress(u64),
    /// The loader looks for the payload elsewhere.
    #[error("the loader expects its payload at {expected:#x}, but it ends at {end:#x}")]
    LoaderPayload {
        /// Where it looks.
        expected: u64,
        /// Where it ends.
        end: u64,
    },
    /// The initialiser has no place for the spec's address.
    #[error("the initialiser has no symbol {SPEC_SYMBOL} of two words in its data")]
    NoSpecSymbol,
    /// The kernel's segments cannot be mapped by one block.
    #[error(
        "the kernel's segment at {0:#x} does not have the same offset to physical memory as the others"
    )]
    KernelSegment(u64),
}

/// The SDK's executables.
#[derive(Debug)]
pub struct Parts<'a> {
    /// elf/loader.elf.
    pub loader: Executable<'a>,
    /// elf/sel4.elf.
    pub kernel: Executable<'a>,
    /// elf/initialiser.elf.
    pub initialiser: Executable<'a>,
}

/// Where things are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootPlace {
    /// First physical address of the initialiser's image.
    pub start: u64,
    /// Physical end of the image, spec included.
    pub end: u64,
    /// Virtual address of its start.
    pub vaddr: u64,
    /// Virtual address of the spec.
    pub spec: u64,
}

/// Where a spec of `spec_len` bytes makes the initialiser's image lie: right behind the kernel.
#[must_use]
pub fn place(parts: &Parts<'_>, spec_len: u64) -> RootPlace {
    let ends = |segments: &[RawSegment<'_>], address: fn(&RawSegment<'_>) -> u64| {
        let ends = segments.iter().map(|s| address(s) + s.size);
        ends.max().unwrap_or(0).next_multiple_of(PAGE)
    };
    let start = ends(&parts.kernel.segments, |s| s.paddr);
    let initialiser = &parts.initialiser.segments;
    let vaddr = initialiser.first().map_or(0, |s| s.vaddr) & !(PAGE - 1);
    let spec = ends(initialiser, |s| s.vaddr);
    let mut end = (spec + spec_len).next_multiple_of(PAGE);
    // The kernel maps two pages of its own behind the image. All of it stays away from the end of a
    // page table.
    let headroom = 3 * SMALL_PAGE;
    if end.next_multiple_of(LARGE_PAGE) - end < headroom {
        end = end.next_multiple_of(LARGE_PAGE) + SMALL_PAGE;
    }
    RootPlace {
        start,
        end: start + (end - vaddr),
        vaddr,
        spec,
    }
}

/// The bytes of `loader.img`.
///
/// # Errors
/// The SDK's executables do not fit together.
pub fn build(parts: &Parts<'_>, spec: &[u8]) -> Result<Vec<u8>, ImageError> {
    let root = place(parts, spec.len() as u64);
    let kernel = &parts.kernel.segments;
    let base = kernel.first().map_or((0, 0), |s| {
        (s.vaddr & !(KERNEL_BLOCK - 1), s.paddr & !(KERNEL_BLOCK - 1))
    });
    for segment in kernel {
        if segment.vaddr.wrapping_sub(base.0) != segment.paddr.wrapping_sub(base.1) {
            return Err(ImageError::KernelSegment(segment.vaddr));
        }
    }
    let header = Header {
        magic: 0,
        version: 0,
        segments: 0,
        total_len: 0,
        kernel_entry: parts.kernel.entry,
        kernel_vaddr: base.0,
        kernel_paddr: base.1,
        root_start: root.start,
        root_end: root.end,
        root_vaddr: root.vaddr,
        root_entry: parts.initialiser.entry,
    };
    let initialiser = patched_initialiser(parts, root, spec.len() as u64)?;
    let paddr = |vaddr: u64| root.start + (vaddr - root.vaddr);
    let mut segments: Vec<(u64, &[u8], u64)> = Vec::new();
    segments.extend(kernel.iter().map(|s| (s.paddr, s.data, s.size)));
    let loaded = initialiser.iter();
    segments.extend(loaded.map(|(s, data)| (paddr(s.vaddr), data.as_slice(), s.size)));
    segments.push((paddr(root.spec), spec, spec.len() as u64));
    let mut image = flat_loader(&parts.loader)?;
    image.extend_from_slice(&loader::encode(&header, &segments));
    Ok(image)
}

fn patched_initialiser<'a>(
    parts: &Parts<'a>,
    root: RootPlace,
    spec_len: u64,
) -> Result<Vec<(RawSegment<'a>, Vec<u8>)>, ImageError> {
    let symbol = parts.initialiser.symbol(SPEC_SYMBOL);
    let (address, _) = symbol
        .filter(|(_, size)| *size == 16)
        .ok_or(ImageError::NoSpecSymbol)?;
    let words = [root.spec.to_le_bytes(), spec_len.to_le_bytes()].concat();
    let mut patched = false;
    let mut segments = Vec::new();
    for segment in &parts.initialiser.segments {
        let mut data = segment.data.to_vec();
        if let Some(offset) = address.checked_sub(segment.vaddr)
            && offset + 16 <= data.len() as u64
        {
            data[offset as usize..][..16].copy_from_slice(&words);
            patched = true;
        }
        segments.push((*segment, data));
    }
    if patched {
        Ok(segments)
    } else {
        Err(ImageError::NoSpecSymbol)
    }
}

/// The loader as memory: its segments with the gaps between them and its `.bss`, up to the payload.
fn flat_loader(executable: &Executable<'_>) -> Result<Vec<u8>, ImageError> {
    let first = executable.segments.first().map_or(0, |s| s.vaddr);
    if first != LOAD_ADDRESS || executable.entry != LOAD_ADDRESS {
        return Err(ImageError::LoaderAddress(first));
    }
    let mut image = Vec::new();
    for segment in &executable.segments {
        let start = (segment.vaddr - LOAD_ADDRESS) as usize;
        image.resize(image.len().max(start + segment.size as usize), 0);
        image[start..start + segment.data.len()].copy_from_slice(segment.data);
    }
    image.resize(image.len().next_multiple_of(PAGE as usize), 0);
    let end = LOAD_ADDRESS + image.len() as u64;
    match executable.symbol(PAYLOAD_SYMBOL) {
        Some((expected, _)) if expected == end => Ok(image),
        Some((expected, _)) => Err(ImageError::LoaderPayload { expected, end }),
        None => Err(ImageError::LoaderPayload { expected: 0, end }),
    }
}
