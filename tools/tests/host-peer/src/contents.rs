// SPDX-License-Identifier: BSD-2-Clause
//! Bytes that are sent and compared.

use std::error::Error;
use std::fmt;

/// Bytes that do not repeat and differ for each seed, so that a byte lost, doubled, moved or
/// taken from another connection shows.
#[must_use]
pub fn random(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len.next_multiple_of(8));
    while bytes.len() < len {
        bytes.extend_from_slice(&split_mix(&mut state).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Bytes of /bytes/N over which only the lowest byte of the offset changes.
const BLOCK: u64 = 256;

/// The byte at an offset of /bytes/N: `a ^ 167·b ^ 13·c` modulo 256, where a, b and c are the three
/// lowest bytes of the offset. Neither a block moved by a power of two nor a shifted stream goes
/// unnoticed. Written down a second time here on purpose: the image's own code is what is tested.
#[must_use]
pub fn pattern_byte(offset: u64) -> u8 {
    let [a, ..] = offset.to_le_bytes();
    a ^ pattern_mask(offset)
}

/// What the bytes of a block have in common.
fn pattern_mask(offset: u64) -> u8 {
    let [_, b, c, ..] = offset.to_le_bytes();
    b.wrapping_mul(167) ^ c.wrapping_mul(13)
}

/// Fills a piece with what /bytes/N has from an offset on.
pub fn fill_pattern(mut offset: u64, mut piece: &mut [u8]) {
    while !piece.is_empty() {
        let to_next_block = (BLOCK - offset % BLOCK).min(piece.len() as u64);
        let (block, rest) = piece.split_at_mut(to_next_block as usize);
        let [first, ..] = offset.to_le_bytes();
        let mask = pattern_mask(offset);
        for (byte, low) in block.iter_mut().zip(first..=u8::MAX) {
            *byte = low ^ mask;
        }
        offset += to_next_block;
        piece = rest;
    }
}

/// Bytes are not the expected ones: what a test or a benchmark must never forgive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrong contents: {}", self.0)
    }
}

impl Error for Mismatch {}

/// Compares what came with what should have come.
///
/// # Errors
/// [`Mismatch`], which names the first place where they differ.
pub fn compare(expected: &[u8], got: &[u8]) -> Result<(), Mismatch> {
    if expected == got {
        return Ok(());
    }
    let at = expected.iter().zip(got).position(|(a, b)| a != b);
    Err(Mismatch(match at {
        Some(at) => format!(
            "byte {at} of {} is {:#04x} instead of {:#04x}",
            expected.len(),
            got.get(at).copied().unwrap_or_default(),
            expected.get(at).copied().unwrap_or_default()
        ),
        None => format!("{} bytes instead of {}", got.len(), expected.len()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_lengths_give_different_bytes() {
        assert_ne!(random(1, 64), random(2, 64));
        assert_eq!(random(3, 100).get(..37), Some(&random(3, 37)[..]));
        assert!(random(3, 0).is_empty());
    }

    #[test]
    fn pieces_of_the_pattern_fit_together() {
        for (offset, len) in [
            (0, 1),
            (0, 700),
            (255, 2),
            (256, 256),
            (65_000, 1000),
            (1 << 24, 9),
        ] {
            let mut piece = vec![0; len];
            fill_pattern(offset, &mut piece);
            let expected: Vec<_> = (offset..).take(len).map(pattern_byte).collect();
            assert_eq!(piece, expected, "{len} bytes from {offset}");
        }
        assert_eq!(
            pattern_byte(0x123_4567),
            0x67 ^ 0x45u8.wrapping_mul(167) ^ 0x23u8.wrapping_mul(13)
        );
    }

    #[test]
    fn differences_are_named() {
        assert_eq!(compare(b"abc", b"abc"), Ok(()));
        let message = |got| compare(b"abc", got).unwrap_err().to_string();
        assert!(message(b"axc").contains("byte 1 of 3"));
        assert!(message(b"ab").contains("2 bytes instead of 3"));
    }
}
