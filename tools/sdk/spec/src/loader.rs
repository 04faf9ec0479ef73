// SPDX-License-Identifier: BSD-2-Clause
//! What the tool puts behind the loader in `loader.img`, and the checks that the loader makes
//! before it believes it.
//!
//! `loader.img` is entered at [`LOAD_ADDRESS`]. It is the loader (all its segments with their gaps
//! and its `.bss`, so that nothing of it lies beyond), zeroes up to the next multiple of [`PAGE`],
//! and there the *payload*: a [`Header`], its [`Segment`]s and their bytes. The loader's linker
//! script puts the symbol `_payload` at the same place.
//!
//! [`Payload::check`] is run on the target, but it is ordinary code with ordinary tests.

use core::fmt;
use core::ops::Range;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// "ISTHLOAD" in memory order.
pub const MAGIC: u64 = u64::from_le_bytes(*b"ISTHLOAD");
/// Version of this layout.
pub const VERSION: u32 = 1;
/// Where the image is loaded and entered, as with the official SDK on this board.
pub const LOAD_ADDRESS: u64 = 0x7000_0000;
/// RAM of the board with `-m size=2G`; nothing is loaded outside.
pub const RAM: Range<u64> = 0x4000_0000..0xC000_0000;
/// Alignment of the payload and of the root task's image in bytes.
pub const PAGE: u64 = 0x1000;

/// First thing in the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`VERSION`].
    pub version: u32,
    /// Number of [`Segment`]s that follow this header.
    pub segments: u32,
    /// Bytes of the payload, this header included.
    pub total_len: u64,
    /// The kernel's entry point (virtual).
    pub kernel_entry: u64,
    /// The kernel's first virtual address; its physical address is a multiple of 1 GiB, as is
    /// this.
    pub kernel_vaddr: u64,
    /// Physical address of `kernel_vaddr`.
    pub kernel_paddr: u64,
    /// First physical address of the root task's image: page-aligned.
    pub root_start: u64,
    /// End (exclusive) of the root task's image: page-aligned.
    pub root_end: u64,
    /// Virtual address of `root_start` in the root task.
    pub root_vaddr: u64,
    /// The root task's entry point (virtual).
    pub root_entry: u64,
}

/// Memory to fill: `file_len` bytes of the payload, then zeroes up to `mem_len`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Segment {
    /// First physical address.
    pub paddr: u64,
    /// Where the bytes are, from the start of the payload.
    pub offset: u64,
    /// Bytes in the payload.
    pub file_len: u64,
    /// Bytes in memory, at least `file_len`.
    pub mem_len: u64,
}

impl Segment {
    fn memory(&self) -> Option<Range<u64>> {
        Some(self.paddr..self.paddr.checked_add(self.mem_len)?)
    }
}

/// Why a payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadError {
    /// Nothing was put behind the loader, or something else: the first eight bytes are these.
    Magic(u64),
    /// A payload of another version: tool and loader are not of one SDK.
    Version(u32),
    /// The payload is said to be this long, and does not fit into RAM or is shorter than its
    /// tables.
    Length(u64),
    /// Segment `index` has its bytes outside the payload, or more of them than memory.
    Bytes {
        /// Which segment.
        index: usize,
    },
    /// Segment `index` would be written outside RAM.
    OutsideRam {
        /// Which segment.
        index: usize,
        /// Where it would start.
        paddr: u64,
    },
    /// Segment `index` would be written over the running loader or its payload.
    OverLoader {
        /// Which segment.
        index: usize,
        /// Where it would start.
        paddr: u64,
    },
    /// Two segments would be written to the same place.
    Overlap {
        /// One segment.
        first: usize,
        /// The other.
        second: usize,
    },
    /// The kernel's entry point lies in no segment, or its addresses cannot be mapped.
    Kernel(u64),
    /// The root task's image is empty, misaligned, outside RAM, or does not hold its entry point.
    Root(u64),
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic(found) => write!(f, "no payload behind the loader: found {found:#018x}"),
            Self::Version(found) => {
                write!(f, "payload of version {found}, this loader reads {VERSION}")
            }
            Self::Length(len) => write!(
                f,
                "a payload of {len:#x} bytes is too short or does not fit into RAM"
            ),
            Self::Bytes { index } => write!(f, "segment {index} lies outside the payload"),
            Self::OutsideRam { index, paddr } => {
                write!(f, "segment {index} at {paddr:#x} lies outside RAM")
            }
            Self::OverLoader { index, paddr } => write!(
                f,
                "segment {index} at {paddr:#x} would overwrite the loader"
            ),
            Self::Overlap { first, second } => write!(f, "segments {first} and {second} overlap"),
            Self::Kernel(address) => write!(f, "the kernel cannot be entered at {address:#x}"),
            Self::Root(address) => write!(f, "the initialiser cannot be entered at {address:#x}"),
        }
    }
}

impl core::error::Error for PayloadError {}

/// A checked payload: every segment can be copied in any order without touching the loader or
/// another segment.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// The addresses.
    pub header: &'a Header,
    segments: &'a [Segment],
    bytes: &'a [u8],
}

impl<'a> Payload<'a> {
    /// Length of the payload whose first bytes are `start`, before anything else in it is believed.
    ///
    /// # Errors
    /// Not a payload, or a length that does not end within RAM when it starts at `paddr`.
    pub fn length(start: &[u8], paddr: u64) -> Result<u64, PayloadError> {
        let (header, _) = Header::read_from_prefix(start)
            .map_err(|_| PayloadError::Length(start.len() as u64))?;
        if header.magic != MAGIC {
            return Err(PayloadError::Magic(header.magic));
        }
        if header.version != VERSION {
            return Err(PayloadError::Version(header.version));
        }
        match paddr.checked_add(header.total_len) {
            Some(end) if RAM.contains(&paddr) && end <= RAM.end => Ok(header.total_len),
            _ => Err(PayloadError::Length(header.total_len)),
        }
    }

    /// Checks the payload in `bytes` (aligned to 8), read by a loader that occupies `image`,
    /// payload included.
    ///
    /// # Errors
    /// The first rule that does not hold, see [`PayloadError`].
    pub fn check(bytes: &'a [u8], image: Range<u64>) -> Result<Self, PayloadError> {
        let short = PayloadError::Length(bytes.len() as u64);
        let len = usize::try_from(Self::length(bytes, RAM.start)?).map_err(|_| short)?;
        let bytes = bytes.get(..len).ok_or(short)?;
        let (header, rest) = Header::ref_from_prefix(bytes).map_err(|_| short)?;
        let (segments, _) = <[Segment]>::ref_from_prefix_with_elems(rest, header.segments as usize)
            .map_err(|_| short)?;
        let payload = Self {
            header,
            segments,
            bytes,
        };
        for (index, segment) in segments.iter().enumerate() {
            payload.check_segment(index, segment, &image)?;
        }
        payload.check_entries()?;
        Ok(payload)
    }

    /// Segments with their bytes.
    pub fn segments(&self) -> impl Iterator<Item = (&'a Segment, &'a [u8])> + use<'a> {
        let bytes = self.bytes;
        self.segments
            .iter()
            .filter_map(move |segment| Some((segment, file_bytes(bytes, segment)?)))
    }

    fn check_segment(
        &self,
        index: usize,
        segment: &Segment,
        image: &Range<u64>,
    ) -> Result<(), PayloadError> {
        let paddr = segment.paddr;
        if file_bytes(self.bytes, segment).is_none() || segment.file_len > segment.mem_len {
            return Err(PayloadError::Bytes { index });
        }
        let memory = match segment.memory() {
            Some(memory) if memory.start >= RAM.start && memory.end <= RAM.end => memory,
            _ => return Err(PayloadError::OutsideRam { index, paddr }),
        };
        if overlap(&memory, image) {
            return Err(PayloadError::OverLoader { index, paddr });
        }
        for (first, other) in self.segments.iter().enumerate().take(index) {
            if other.memory().is_some_and(|other| overlap(&other, &memory)) {
                return Err(PayloadError::Overlap {
                    first,
                    second: index,
                });
            }
        }
        Ok(())
    }

    fn check_entries(&self) -> Result<(), PayloadError> {
        const GIB: u64 = 1 << 30;
        let header = self.header;
        let kernel_entry = header
            .kernel_entry
            .checked_sub(header.kernel_vaddr)
            .and_then(|at| header.kernel_paddr.checked_add(at));
        let mappable = header.kernel_vaddr.is_multiple_of(GIB)
            && header.kernel_paddr.is_multiple_of(GIB)
            && RAM.contains(&header.kernel_paddr);
        if !mappable || !kernel_entry.is_some_and(|entry| self.is_loaded(entry)) {
            return Err(PayloadError::Kernel(header.kernel_entry));
        }
        let root = header.root_start..header.root_end;
        let root_entry = header
            .root_entry
            .checked_sub(header.root_vaddr)
            .and_then(|at| root.start.checked_add(at));
        let aligned = [root.start, root.end, header.root_vaddr]
            .iter()
            .all(|address| address.is_multiple_of(PAGE));
        let fits = root.start >= RAM.start && root.end <= RAM.end;
        if !aligned
            || !fits
            || !root_entry.is_some_and(|entry| root.contains(&entry) && self.is_loaded(entry))
        {
            return Err(PayloadError::Root(header.root_entry));
        }
        Ok(())
    }

    fn is_loaded(&self, paddr: u64) -> bool {
        self.segments.iter().any(|segment| {
            segment
                .memory()
                .is_some_and(|memory| memory.contains(&paddr))
        })
    }
}

fn file_bytes<'a>(bytes: &'a [u8], segment: &Segment) -> Option<&'a [u8]> {
    let start = usize::try_from(segment.offset).ok()?;
    let len = usize::try_from(segment.file_len).ok()?;
    bytes.get(start..start.checked_add(len)?)
}

fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The payload's bytes for `segments`, given as physical address, bytes and length in memory.
/// `header` needs only its addresses: magic, version, number and length are filled in.
#[cfg(any(feature = "encode", test))]
#[must_use]
pub fn encode(header: &Header, segments: &[(u64, &[u8], u64)]) -> alloc::vec::Vec<u8> {
    let tables = size_of::<Header>() + segments.len() * size_of::<Segment>();
    let mut records = alloc::vec::Vec::new();
    let mut data = alloc::vec::Vec::new();
    for &(paddr, bytes, mem_len) in segments {
        records.push(Segment {
            paddr,
            offset: (tables + data.len()) as u64,
            file_len: bytes.len() as u64,
            mem_len,
        });
        data.extend_from_slice(bytes);
        data.resize(data.len().next_multiple_of(8), 0);
    }
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        segments: u32::try_from(records.len()).unwrap_or(u32::MAX),
        total_len: (tables + data.len()) as u64,
        ..*header
    };
    [header.as_bytes(), records.as_bytes(), &data].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    const IMAGE: Range<u64> = LOAD_ADDRESS..LOAD_ADDRESS + 0x10_0000;

    fn header() -> Header {
        Header {
            magic: 0,
            version: 0,
            segments: 0,
            total_len: 0,
            kernel_entry: 0xFFFF_FF80_0000_0100,
            kernel_vaddr: 0xFFFF_FF80_0000_0000,
            kernel_paddr: 0x4000_0000,
            root_start: 0x4100_0000,
            root_end: 0x4100_3000,
            root_vaddr: 0x20_0000,
            root_entry: 0x20_1000,
        }
    }

    fn good() -> Vec<(u64, Vec<u8>, u64)> {
        vec![
            (0x4000_0000, vec![1; 0x200], 0x3000),
            (0x4100_0000, vec![2; 0x2001], 0x3000),
        ]
    }

    /// Checks what `change` makes of a good payload; the bytes live in words because the format is
    /// 8-aligned.
    fn check(
        change: impl FnOnce(&mut Header, &mut Vec<(u64, Vec<u8>, u64)>),
    ) -> Result<Vec<(u64, usize)>, PayloadError> {
        let (mut header, mut segments) = (header(), good());
        change(&mut header, &mut segments);
        let segments: Vec<_> = segments
            .iter()
            .map(|(at, bytes, len)| (*at, bytes.as_slice(), *len))
            .collect();
        with_aligned(&encode(&header, &segments), |bytes| {
            Payload::check(bytes, IMAGE)
                .map(|p| p.segments().map(|(s, b)| (s.paddr, b.len())).collect())
        })
    }

    fn with_aligned<T>(bytes: &[u8], f: impl FnOnce(&[u8]) -> T) -> T {
        let mut words = vec![0u64; bytes.len().div_ceil(8)];
        words.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
        f(&words.as_bytes()[..bytes.len()])
    }

    #[test]
    fn a_good_payload_gives_its_segments() {
        assert_eq!(
            check(|_, _| ()),
            Ok(vec![(0x4000_0000, 0x200), (0x4100_0000, 0x2001)])
        );
    }

    #[test]
    fn what_lies_behind_a_bare_loader_is_refused() {
        with_aligned(&[0; 256], |bytes| {
            assert_eq!(
                Payload::check(bytes, IMAGE).err(),
                Some(PayloadError::Magic(0))
            )
        });
        with_aligned(&[0; 8], |bytes| {
            assert_eq!(
                Payload::check(bytes, IMAGE).err(),
                Some(PayloadError::Length(8))
            )
        });
    }

    #[test]
    fn every_truncation_is_refused() {
        let segments = good();
        let segments: Vec<_> = segments
            .iter()
            .map(|(at, bytes, len)| (*at, bytes.as_slice(), *len))
            .collect();
        let whole = encode(&header(), &segments);
        for len in (0..whole.len()).step_by(8) {
            with_aligned(&whole[..len], |bytes| {
                assert!(Payload::check(bytes, IMAGE).is_err(), "{len} bytes")
            });
        }
    }

    #[test]
    fn the_length_must_end_in_ram() {
        let whole = encode(&header(), &[]);
        assert_eq!(Payload::length(&whole, IMAGE.start), Ok(whole.len() as u64));
        let too_far = RAM.end - whole.len() as u64 + 1;
        assert_eq!(
            Payload::length(&whole, too_far),
            Err(PayloadError::Length(whole.len() as u64))
        );
    }

    #[test]
    fn segments_stay_in_ram_and_off_the_loader_and_each_other() {
        assert_eq!(
            check(|_, s| s[1].0 = 0x3FFF_F000),
            Err(PayloadError::OutsideRam {
                index: 1,
                paddr: 0x3FFF_F000
            })
        );
        assert_eq!(
            check(|_, s| s[1].2 = u64::MAX),
            Err(PayloadError::OutsideRam {
                index: 1,
                paddr: 0x4100_0000
            })
        );
        assert_eq!(
            check(|_, s| s[1].0 = LOAD_ADDRESS - 0x1000),
            Err(PayloadError::OverLoader {
                index: 1,
                paddr: LOAD_ADDRESS - 0x1000
            })
        );
        assert_eq!(
            check(|_, s| s[1].0 = 0x4000_2FFF),
            Err(PayloadError::Overlap {
                first: 0,
                second: 1
            })
        );
        assert_eq!(
            check(|_, s| s[1].2 = 0x2000),
            Err(PayloadError::Bytes { index: 1 })
        );
    }

    #[test]
    fn entries_must_be_loaded() {
        let kernel = |h: Header| Err(PayloadError::Kernel(h.kernel_entry));
        assert_eq!(
            check(|h, _| h.kernel_entry = h.kernel_vaddr - 4),
            kernel(Header {
                kernel_entry: header().kernel_vaddr - 4,
                ..header()
            })
        );
        assert_eq!(
            check(|h, _| h.kernel_entry = h.kernel_vaddr + 0x3000),
            kernel(Header {
                kernel_entry: header().kernel_vaddr + 0x3000,
                ..header()
            })
        );
        assert_eq!(check(|h, _| h.kernel_paddr = 0x4020_0000), kernel(header()));
        let root = |entry| Err(PayloadError::Root(entry));
        assert_eq!(check(|h, _| h.root_entry = 0x20_3000), root(0x20_3000));
        assert_eq!(check(|h, _| h.root_entry = 0x1F_FFFC), root(0x1F_FFFC));
        assert_eq!(check(|h, _| h.root_start += 8), root(0x20_1000));
        assert_eq!(check(|h, _| h.root_end = RAM.end + PAGE), root(0x20_1000));
    }
}
