// SPDX-License-Identifier: BSD-2-Clause

//! The bytes of `/bytes/N`.
//!
//! The byte at offset `i` is `a ^ 167·b ^ 13·c` (modulo 256), where `a`, `b` and `c` are bits 0..8,
//! 8..16 and 16..24 of `i`. So it differs between places that a lost, doubled or moved block would
//! bring together, and within 256 aligned bytes it is a counter combined with one constant, which
//! makes it cheap: eight bytes are one load, one XOR and one store.

/// The most bytes that can be asked for: 1 GiB.
pub const MAX_LEN: u32 = 1 << 30;

/// Bytes over which only the low byte of the offset changes.
const BLOCK: usize = 256;
/// Bytes handled at once.
const LANE: usize = size_of::<u64>();

/// The bytes 0, 1, … 7 as a little-endian word.
const FIRST: u64 = 0x0706_0504_0302_0100;
/// 1 in every byte.
const EACH: u64 = u64::MAX / 0xff;
/// The bytes 0, 1, … 255 as little-endian words.
const COUNTER: [u64; BLOCK / LANE] = {
    let mut words = [0; BLOCK / LANE];
    let mut i = 0;
    while i < BLOCK / LANE {
        words[i] = FIRST + (i * LANE) as u64 * EACH;
        i += 1;
    }
    words
};

/// The part of a byte that is the same within a block.
const fn block_constant(offset: u32) -> u8 {
    let [_, b, c, _] = offset.to_le_bytes();
    b.wrapping_mul(167) ^ c.wrapping_mul(13)
}

/// The byte at an offset.
#[must_use]
pub const fn byte(offset: u32) -> u8 {
    offset as u8 ^ block_constant(offset)
}

/// Writes the bytes from `offset` on.
pub fn fill(offset: u32, into: &mut [u8]) {
    // Up to the first whole block, byte by byte.
    let before = (offset as usize)
        .wrapping_neg()
        .rem_euclid(BLOCK)
        .min(into.len());
    let (head, rest) = into.split_at_mut(before);
    fill_bytes(offset, head);
    let mut at = offset.wrapping_add(before as u32);
    let mut blocks = rest.chunks_exact_mut(BLOCK);
    for block in &mut blocks {
        let constant = u64::from_ne_bytes([block_constant(at); LANE]);
        let (lanes, _) = block.as_chunks_mut::<LANE>();
        for (lane, counter) in lanes.iter_mut().zip(COUNTER) {
            *lane = (counter ^ constant).to_le_bytes();
        }
        at = at.wrapping_add(BLOCK as u32);
    }
    fill_bytes(at, blocks.into_remainder());
}

fn fill_bytes(offset: u32, into: &mut [u8]) {
    for (at, into) in (offset..).zip(into) {
        *into = byte(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_formula_is_the_documented_one() {
        for (offset, expected) in [
            (0, 0),
            (1, 1),
            (255, 255),
            (256, 167),
            (0x1_0000, 13),
            (
                0x123_4567,
                0x67 ^ 0x45u8.wrapping_mul(167) ^ 0x23u8.wrapping_mul(13),
            ),
        ] {
            assert_eq!(byte(offset), expected, "at {offset:#x}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_same_as_single_bytes(offset in 0..MAX_LEN, len in 0usize..1500) {
            let mut piece = vec![0; len];
            fill(offset, &mut piece);
            for (at, got) in (offset..).zip(piece) {
                prop_assert_eq!(got, byte(at));
            }
        }
    }
}
