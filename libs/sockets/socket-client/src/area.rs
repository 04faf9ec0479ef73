// SPDX-License-Identifier: BSD-2-Clause

//! Areas: parts of a half of the window that keep their content between calls.
//!
//! A half is divided into 64 equal blocks. The first 32 are scratch space, the others are given
//! out, contiguous, first fit. Sockets that need an area take it when they are made, so running out
//! is an error at that place and never later.

use core::cell::Cell;

use socket_proto::Errno;

/// Blocks in a half; one bit each in a word.
const BLOCKS: u32 = 64;
/// Of these, scratch space.
const SCRATCH_BLOCKS: u32 = 32;

/// A part of a half of the window. Dropping it gives it back.
#[derive(Debug)]
pub struct Area<'c> {
    areas: &'c Areas,
    start: usize,
    len: usize,
}

#[expect(clippy::len_without_is_empty, reason = "none is empty")]
impl Area<'_> {
    /// First byte, counted from the start of its half.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Area<'_> {
    fn drop(&mut self) {
        let (first, count) = (self.start / self.areas.block, self.len / self.areas.block);
        let mask = (1u64 << count) - 1;
        let taken = &self.areas.taken;
        taken.set(taken.get() & !(mask << first));
    }
}

/// Which blocks of a half are given out.
#[derive(Debug)]
pub(crate) struct Areas {
    block: usize,
    taken: Cell<u64>,
}

impl Areas {
    pub(crate) fn new(half_len: usize) -> Self {
        Areas {
            block: half_len / BLOCKS as usize,
            taken: Cell::new((1 << SCRATCH_BLOCKS) - 1),
        }
    }

    /// Bytes of scratch space at the start of the half.
    pub(crate) fn scratch_len(&self) -> usize {
        self.block * SCRATCH_BLOCKS as usize
    }

    /// Takes an area of at least `len` bytes.
    ///
    /// # Errors
    /// `ENOBUFS` if no contiguous blocks of that size are free.
    pub(crate) fn allocate(&self, len: usize) -> Result<Area<'_>, Errno> {
        if len > self.block * (BLOCKS - SCRATCH_BLOCKS) as usize || self.block == 0 {
            return Err(Errno::ENOBUFS);
        }
        let count = len.div_ceil(self.block).max(1) as u32;
        let mask = (1u64 << count) - 1;
        let first = (SCRATCH_BLOCKS..=BLOCKS - count)
            .find(|&first| self.taken.get() & (mask << first) == 0)
            .ok_or(Errno::ENOBUFS)?;
        self.taken.set(self.taken.get() | mask << first);
        Ok(Area {
            areas: self,
            start: first as usize * self.block,
            len: count as usize * self.block,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scratch_is_never_given_out_and_all_of_the_rest_is() {
        let areas = Areas::new(64 * 4096);
        assert_eq!(areas.scratch_len(), 32 * 4096);
        let all: Vec<Area> = (0..32).map(|_| areas.allocate(1).unwrap()).collect();
        assert!(all.iter().all(|area| area.start() >= 32 * 4096));
        assert_eq!(areas.allocate(1).err(), Some(Errno::ENOBUFS));
        drop(all);
        assert_eq!(areas.allocate(32 * 4096).unwrap().len(), 32 * 4096);
    }

    #[test]
    fn a_half_too_small_for_blocks_has_no_areas() {
        let areas = Areas::new(63);
        assert_eq!(areas.scratch_len(), 0);
        assert_eq!(areas.allocate(1).err(), Some(Errno::ENOBUFS));
    }

    proptest! {
        #[test]
        fn areas_never_overlap(steps in prop::collection::vec((any::<bool>(), 0usize..40_000), 1..60)) {
            let areas = Areas::new(64 * 1024);
            let mut held: Vec<Area> = Vec::new();
            for (give_back, number) in steps {
                if give_back && !held.is_empty() {
                    let index = number % held.len();
                    drop(held.swap_remove(index));
                } else if let Ok(area) = areas.allocate(number) {
                    prop_assert!(area.len() >= number);
                    prop_assert!(area.start() >= areas.scratch_len());
                    prop_assert!(area.start() + area.len() <= 64 * 1024);
                    for other in &held {
                        prop_assert!(
                            area.start() + area.len() <= other.start()
                                || other.start() + other.len() <= area.start()
                        );
                    }
                    held.push(area);
                }
            }
        }
    }
}
