// SPDX-License-Identifier: BSD-2-Clause
//! Untyped memory: which piece the next object comes from.
//!
//! The kernel cuts objects off a piece from low to high addresses, and clears a whole piece of RAM
//! when it cuts off the first. So an object at a given physical address needs everything before it
//! cut off first (as smaller pieces, which stay usable), and everything else comes from the
//! smallest piece that has room, so that large ones need no clearing.

use heapless::Vec;

use crate::bootinfo::SlotRegion;
use crate::build::Failure;
use crate::kernel::{Kernel, ObjectType, numbers};

/// The boot pieces, and up to two dozen for every place that was asked for by address.
const MAX_PIECES: usize = 512;

/// A piece of untyped memory. Of device memory only frames can be made, and nobody clears it.
#[derive(Clone, Copy)]
pub struct Piece {
    slot: u64,
    start: u64,
    end: u64,
    /// First address that nothing was cut off yet; the kernel's own count.
    next: u64,
    is_device: bool,
}

/// All untyped memory.
pub struct Memory {
    pieces: Vec<Piece, MAX_PIECES>,
}

impl Memory {
    /// The pieces that the kernel gives to its root task, which are far fewer than there is room
    /// for.
    pub fn new(pieces: impl Iterator<Item = Piece>) -> Self {
        Self {
            pieces: pieces.take(MAX_PIECES).collect(),
        }
    }

    /// Makes `count` objects anywhere in RAM, in the slots from `first` on.
    pub fn allocate(
        &mut self,
        kernel: &mut Kernel,
        kind: ObjectType,
        first: u64,
        count: u64,
    ) -> Result<(), Failure> {
        let bits = kind.size_bits;
        let mut done = 0;
        while done < count {
            let smallest = self
                .pieces
                .iter_mut()
                .filter(|piece| !piece.is_device && piece.room(bits) > 0)
                .min_by_key(|piece| piece.end - piece.start)
                .ok_or(Failure::Memory {
                    bits,
                    count: count - done,
                })?;
            let batch = smallest
                .room(bits)
                .min(count - done)
                .min(numbers::RETYPE_FAN_OUT_LIMIT);
            smallest.cut(kernel, kind, first + done, batch)?;
            done += batch;
        }
        Ok(())
    }

    /// Makes `count` consecutive objects from physical address `paddr` on, in the slots from
    /// `first` on.
    pub fn allocate_at(
        &mut self,
        kernel: &mut Kernel,
        slots: &mut SlotRegion,
        kind: ObjectType,
        paddr: u64,
        (first, count): (u64, u64),
        is_device: bool,
    ) -> Result<(), Failure> {
        let bits = kind.size_bits;
        let mut done = 0;
        while done < count {
            let at = paddr + (done << bits);
            let taken = Failure::NotFree {
                paddr: at,
                is_device,
            };
            let index = self
                .pieces
                .iter()
                .position(|piece| {
                    piece.is_device == is_device && piece.next <= at && at < piece.end
                })
                .ok_or(taken)?;
            self.cut_before(kernel, slots, index, at)?;
            let piece = &mut self.pieces[index];
            let batch = piece
                .room(bits)
                .min(count - done)
                .min(numbers::RETYPE_FAN_OUT_LIMIT);
            if batch == 0 {
                return Err(taken);
            }
            piece.cut(kernel, kind, first + done, batch)?;
            done += batch;
        }
        Ok(())
    }

    /// Cuts smaller pieces off piece `index` until its next object comes to lie at `at`.
    fn cut_before(
        &mut self,
        kernel: &mut Kernel,
        slots: &mut SlotRegion,
        index: usize,
        at: u64,
    ) -> Result<(), Failure> {
        while self.pieces[index].next < at {
            let piece = &mut self.pieces[index];
            let start = piece.next;
            let bits = start.trailing_zeros().min((at - start).ilog2());
            let slot = slots.take(1)?;
            piece.cut(kernel, ObjectType::untyped(bits), slot, 1)?;
            let cut = Piece::new(slot, start, bits, piece.is_device);
            self.pieces.push(cut).map_err(|_| Failure::Pieces)?;
        }
        Ok(())
    }
}

impl Piece {
    /// 2^`bits` bytes at `start`, by the capability in `slot`.
    pub fn new(slot: u64, start: u64, bits: u32, is_device: bool) -> Self {
        Self {
            slot,
            start,
            end: start + (1 << bits),
            next: start,
            is_device,
        }
    }

    /// Returns how many objects of 2^`bits` bytes fit.
    fn room(&self, bits: u8) -> u64 {
        let start = self.next.next_multiple_of(1 << bits);
        self.end.saturating_sub(start) >> bits
    }

    fn cut(
        &mut self,
        kernel: &mut Kernel,
        kind: ObjectType,
        first: u64,
        count: u64,
    ) -> Result<(), Failure> {
        kernel.retype(self.slot, kind, first, count)?;
        let bits = kind.size_bits;
        self.next = self.next.next_multiple_of(1 << bits) + (count << bits);
        Ok(())
    }
}
