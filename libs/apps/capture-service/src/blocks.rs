// SPDX-License-Identifier: BSD-2-Clause

//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in the byte order of the machine, which
//! the first one tells.

use heapless::Vec;
use socket_client::layouts::CaptureRecord;

/// Types of blocks (sections 4.1 to 4.3 and 4.6).
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// LINKTYPE_ETHERNET.
const ETHERNET: u32 = 1;

/// Options of these blocks.
const SECTION_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_RESOLUTION: u16 = 9;
const PACKET_FLAGS: u16 = 2;
const STATISTICS_DROPPED: u16 = 5;

/// The interfaces, by their numbers.
const INTERFACES: [&str; 2] = ["eth0", "lo"];

/// Bytes that the block of a frame has beyond its record.
const MORE: usize = 20;
/// Bytes of a block of statistics.
const STATISTICS_SIZE: usize = 40;

/// Bytes of the blocks for so many bytes of records; each record has 24 bytes or more.
pub const fn blocks_for(records: usize) -> usize {
    records + records / CaptureRecord::SIZE * MORE + STATISTICS_SIZE
}

/// Blocks, one behind the other. What has no room is left out.
#[derive(Default)]
pub struct Blocks<const N: usize>(Vec<u8, N>);

impl<const N: usize> Blocks<N> {
    /// Makes a buffer without blocks.
    pub const fn new() -> Self {
        Blocks(Vec::new())
    }

    /// Their bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What a file begins with: a section of unknown length, and its interfaces.
    pub fn header(&mut self) {
        self.block(SECTION_HEADER, |block| {
            block.word(BYTE_ORDER)?;
            // Version 1.0.
            block.word(1)?;
            block.bytes_of(&u64::MAX.to_ne_bytes())?;
            block.option(SECTION_APPLICATION, b"Isthmus")?;
            block.end_of_options()
        });
        for name in INTERFACES {
            self.block(INTERFACE, |block| {
                block.word(ETHERNET)?;
                // Frames have any length.
                block.word(0)?;
                block.option(INTERFACE_NAME, name.as_bytes())?;
                // Times are in nanoseconds.
                block.option(INTERFACE_RESOLUTION, &[9])?;
                block.end_of_options()
            });
        }
    }

    /// A frame.
    pub fn frame(&mut self, record: &CaptureRecord, frame: &[u8]) {
        self.block(ENHANCED_PACKET, |block| {
            block.word(record.interface)?;
            block.time(record.time)?;
            block.word(frame.len() as u32)?;
            block.word(record.wire_length)?;
            block.padded(frame)?;
            // The lowest two bits are the direction.
            block.option(PACKET_FLAGS, &record.direction.to_ne_bytes())?;
            block.end_of_options()
        });
    }

    /// How many frames have been lost so far.
    pub fn dropped(&mut self, time: u64, count: u64) {
        self.block(STATISTICS, |block| {
            block.word(0)?;
            block.time(time)?;
            block.option(STATISTICS_DROPPED, &count.to_ne_bytes())?;
            block.end_of_options()
        });
    }

    /// Writes a block, with its length at both ends; all of it or nothing.
    fn block(&mut self, kind: u32, fill: impl FnOnce(&mut Self) -> Option<()>) {
        let start = self.0.len();
        if self.fill_block(start, kind, fill).is_none() {
            self.0.truncate(start);
        }
    }

    fn fill_block(
        &mut self,
        start: usize,
        kind: u32,
        fill: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.word(kind)?;
        self.word(0)?;
        fill(self)?;
        let length = (self.0.len() + 4 - start) as u32;
        self.word(length)?;
        let place = self.0.get_mut(start + 4..start + 8)?;
        place.copy_from_slice(&length.to_ne_bytes());
        Some(())
    }

    fn word(&mut self, word: u32) -> Option<()> {
        self.bytes_of(&word.to_ne_bytes())
    }

    /// The high half first, in either byte order.
    fn time(&mut self, time: u64) -> Option<()> {
        self.word((time >> 32) as u32)?;
        self.word(time as u32)
    }

    fn option(&mut self, code: u16, value: &[u8]) -> Option<()> {
        self.bytes_of(&code.to_ne_bytes())?;
        self.bytes_of(&(value.len() as u16).to_ne_bytes())?;
        self.padded(value)
    }

    fn end_of_options(&mut self) -> Option<()> {
        self.word(0)
    }

    /// Bytes, and zeros up to a multiple of 4.
    fn padded(&mut self, bytes: &[u8]) -> Option<()> {
        self.bytes_of(bytes)?;
        let zeros = bytes.len().next_multiple_of(4) - bytes.len();
        self.bytes_of(&[0; 3][..zeros])
    }

    fn bytes_of(&mut self, bytes: &[u8]) -> Option<()> {
        self.0.extend_from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_records_fit() {
        // Frames of no byte have the most blocks.
        let mut blocks = Blocks::<{ blocks_for(240) }>::new();
        for _ in 0..10 {
            blocks.frame(&CaptureRecord::default(), &[]);
        }
        blocks.dropped(1, 2);
        assert_eq!(blocks.bytes().len(), 10 * 44 + 40);
        assert!(blocks.bytes().len() <= blocks_for(240));
    }

    #[test]
    fn what_has_no_room_is_left_out() {
        let mut blocks = Blocks::<50>::new();
        blocks.frame(&CaptureRecord::default(), &[1, 2, 3]);
        assert_eq!(blocks.bytes().len(), 48);
        blocks.frame(&CaptureRecord::default(), &[]);
        assert_eq!(blocks.bytes().len(), 48);
    }
}
