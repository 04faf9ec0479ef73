// SPDX-License-Identifier: BSD-2-Clause

//! Puts fragments together (RFC 791 section 3.2, RFC 8200 section 4.5). Memory is a pool of blocks,
//! so that a first fragment of which nothing more comes holds little of it. When the pool is used
//! up, the datagram goes that has waited longest for its next fragment: in a flood, a sender whose
//! fragments follow one another closely still gets its datagrams through.

use super::address::Address;
use crate::tables::id::{BlockId, PartialId};
use crate::tables::list::Lists;
use crate::tables::map::{Key, Map, mix};
use crate::tables::pool::Pool;
use crate::time::{Duration, Instant};

/// Longest payload of an IPv4 packet whose header has no options, in bytes. What IPv6 has room for
/// beyond that is not taken.
pub const PAYLOAD_MAX: usize = 65_515;
/// How long fragments wait for the rest.
const PATIENCE: Duration = Duration::from_secs(15);
/// Datagrams in progress at once.
const DATAGRAMS: usize = 128;
/// Of these, from one source.
const SOURCE_DATAGRAMS: usize = 8;
/// Bytes of a block.
const BLOCK: usize = 2048;
/// Blocks of one datagram.
const BLOCKS: usize = PAYLOAD_MAX.div_ceil(BLOCK);
/// Blocks of all datagrams.
const POOL: usize = 512;
/// Offsets of fragments count units of so many bytes.
const UNIT: usize = 8;
/// Words of 64 units that say what of a block is there.
const WORDS: usize = BLOCK / UNIT / 64;

/// Names a datagram of which fragments come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentKey {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Protocol number.
    pub protocol: u8,
    /// The sender's number for the datagram.
    pub ident: u32,
}

impl Key for FragmentKey {
    fn hash(&self, seed: u64) -> u64 {
        let number = u64::from(self.protocol) << 32 | u64::from(self.ident);
        mix(self.destination.hash(self.source.hash(seed)), number)
    }
}

/// Which part of a datagram's payload a fragment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The datagram.
    pub key: FragmentKey,
    /// Where the part starts, in bytes.
    pub offset: usize,
    /// Whether another part follows.
    pub more: bool,
}

/// What came of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More are needed.
    Waiting,
    /// The datagram is complete; its payload has so many bytes.
    Complete(usize),
    /// The fragment contradicts itself or an earlier one; what there was of the datagram is gone.
    Refused,
}

struct Block {
    present: [u64; WORDS],
    bytes: [u8; BLOCK],
}

struct Datagram {
    key: FragmentKey,
    blocks: [Option<BlockId>; BLOCKS],
    /// Units that are there.
    units: usize,
    /// The payload's length, once the last fragment has come.
    length: Option<usize>,
    /// End of what is there, in bytes.
    end: usize,
    until: Instant,
}

/// Datagrams in progress.
pub struct Reassembly {
    table: Map<FragmentKey, PartialId>,
    datagrams: Pool<PartialId, Datagram>,
    /// One list, of all; the one whose last fragment came first is at its front.
    waiting: Lists<PartialId>,
    blocks: Pool<BlockId, Block>,
    /// Datagrams given up: too old, pushed out, or contradictory.
    pub dropped: u64,
    /// Of these, datagrams given up for the blocks of another.
    pub pushed_out: u64,
    /// Most blocks that were in use at once.
    pub peak: usize,
}

impl Reassembly {
    /// This is the only allocation.
    pub fn new(seed: u64) -> Self {
        let datagram = || Datagram {
            key: FragmentKey {
                source: Address::ANY4,
                destination: Address::ANY4,
                protocol: 0,
                ident: 0,
            },
            blocks: [None; BLOCKS],
            units: 0,
            length: None,
            end: 0,
            until: Instant::ZERO,
        };
        let block = || Block {
            present: [0; WORDS],
            bytes: [0; BLOCK],
        };
        Reassembly {
            table: Map::new(DATAGRAMS, seed),
            datagrams: Pool::new(DATAGRAMS, datagram),
            waiting: Lists::new(DATAGRAMS, 1),
            blocks: Pool::new(POOL, block),
            dropped: 0,
            pushed_out: 0,
            peak: 0,
        }
    }

    /// Number of entries in use, by each table.
    #[cfg(feature = "audit")]
    pub(crate) fn used(&self) -> [usize; 3] {
        [self.table.len(), self.datagrams.used(), self.blocks.used()]
    }

    /// Blocks that there are, and those that are not in use.
    pub fn blocks(&self) -> (usize, usize) {
        (POOL, POOL - self.blocks.used())
    }

    /// A fragment has come, and its destination has been checked. If it completes its datagram, the
    /// payload is written to the beginning of `into`, which has room for [`PAYLOAD_MAX`] bytes.
    pub fn add(
        &mut self,
        fragment: Fragment,
        payload: &[u8],
        now: Instant,
        into: &mut [u8],
    ) -> Progress {
        let end = fragment.offset + payload.len();
        // All but the last consist of whole units, and the sum is a length that a packet can have.
        let whole = !fragment.more || payload.len().is_multiple_of(UNIT);
        let misaligned = !fragment.offset.is_multiple_of(UNIT);
        if payload.is_empty() || end > PAYLOAD_MAX || !whole || misaligned {
            if let Some(index) = self.table.get(&fragment.key) {
                self.give_up(index);
            }
            return Progress::Refused;
        }
        let index = self.datagram(fragment.key, now);
        self.waiting.put(index, 0);
        if !self.agrees(index, &fragment, end) || !self.store(index, fragment.offset, payload) {
            self.give_up(index);
            return Progress::Refused;
        }
        let datagram = &mut self.datagrams[index];
        datagram.end = datagram.end.max(end);
        match datagram.length {
            Some(length) if datagram.units == length.div_ceil(UNIT) => {
                self.assemble(index, length, into);
                Progress::Complete(length)
            }
            _ => Progress::Waiting,
        }
    }

    /// Returns the datagram that a key names, or a new one if there is none or it is too old.
    fn datagram(&mut self, key: FragmentKey, now: Instant) -> PartialId {
        if let Some(index) = self.table.get(&key) {
            if now < self.datagrams[index].until {
                return index;
            }
            self.give_up(index);
        }
        // Nothing is waited for until a new one comes: they are few.
        while let Some(oldest) = self.waiting[0].front()
            && self.datagrams[oldest].until <= now
        {
            self.give_up(oldest);
        }
        self.limit_source(key.source);
        if self.datagrams.is_full()
            && let Some(oldest) = self.waiting[0].front()
        {
            self.give_up(oldest);
        }
        let Some(index) = self.datagrams.take() else {
            unreachable!("either all are waiting, or one is free");
        };
        let datagram = &mut self.datagrams[index];
        datagram.key = key;
        datagram.units = 0;
        datagram.length = None;
        datagram.end = 0;
        datagram.until = now + PATIENCE;
        // There are as many entries as datagrams.
        let _ = self.table.insert(key, index);
        index
    }

    /// Makes room among the datagrams of a source: its oldest goes.
    fn limit_source(&mut self, source: Address) {
        let datagrams = &self.datagrams;
        let own = |&index: &PartialId| datagrams[index].key.source == source;
        let mut from_source = self.waiting.iter(0).filter(own);
        if let Some(oldest) = from_source.next()
            && from_source.count() + 1 >= SOURCE_DATAGRAMS
        {
            self.give_up(oldest);
        }
    }

    /// Whether a fragment agrees with what is known of the datagram's length, and notes what it
    /// says about that.
    fn agrees(&mut self, index: PartialId, fragment: &Fragment, end: usize) -> bool {
        let datagram = &mut self.datagrams[index];
        if !fragment.more {
            let same = datagram.length.is_none_or(|length| length == end);
            datagram.length = Some(end);
            return same && datagram.end <= end;
        }
        datagram.length.is_none_or(|length| end < length)
    }

    /// Copies a fragment to its blocks. Returns false if it overlaps with others (RFC 5722: no
    /// honest sender does that), unless it is one that has come before.
    fn store(&mut self, index: PartialId, offset: usize, payload: &[u8]) -> bool {
        let units = payload.len().div_ceil(UNIT);
        let first = offset / UNIT;
        let present = (first..first + units).filter(|&unit| self.has_unit(index, unit));
        match present.count() {
            0 => {}
            count => return count == units && self.is_same(index, offset, payload),
        }
        for (number, start, piece) in pieces(offset, payload) {
            let Some(block) = self.block(index, number) else {
                return false;
            };
            let block = &mut self.blocks[block];
            let end = start + piece.len();
            block.bytes[start..end].copy_from_slice(piece);
            for unit in start / UNIT..end.div_ceil(UNIT) {
                block.present[unit / 64] |= 1 << (unit % 64);
            }
        }
        self.datagrams[index].units += units;
        true
    }

    fn has_unit(&self, index: PartialId, unit: usize) -> bool {
        let per_block = BLOCK / UNIT;
        self.datagrams[index].blocks[unit / per_block].is_some_and(|block| {
            let unit = unit % per_block;
            self.blocks[block].present[unit / 64] >> (unit % 64) & 1 == 1
        })
    }

    /// Whether what is there is the same as what has come again.
    fn is_same(&self, index: PartialId, offset: usize, payload: &[u8]) -> bool {
        pieces(offset, payload).all(|(number, start, piece)| {
            self.bytes(index, number)[start..start + piece.len()] == *piece
        })
    }

    /// The bytes of a datagram's block with this number, which is there.
    fn bytes(&self, index: PartialId, number: usize) -> &[u8] {
        match self.datagrams[index].blocks[number] {
            Some(block) => &self.blocks[block].bytes,
            None => &[0; BLOCK],
        }
    }

    /// The block of a datagram with this number; a new one, for which others may have to go.
    fn block(&mut self, index: PartialId, number: usize) -> Option<BlockId> {
        let block = self.datagrams[index].blocks[number];
        if block.is_some() {
            return block;
        }
        while self.blocks.is_full() {
            // This datagram is the last in the list. One alone never needs all blocks.
            let oldest = self.waiting[0].front().filter(|&oldest| oldest != index)?;
            self.give_up(oldest);
            self.pushed_out += 1;
        }
        let block = self.blocks.take()?;
        self.peak = self.peak.max(self.blocks.used());
        self.datagrams[index].blocks[number] = Some(block);
        self.blocks[block].present = [0; WORDS];
        Some(block)
    }

    fn assemble(&mut self, index: PartialId, length: usize, into: &mut [u8]) {
        for (number, into) in into[..length].chunks_mut(BLOCK).enumerate() {
            into.copy_from_slice(&self.bytes(index, number)[..into.len()]);
        }
        self.release(index);
    }

    fn give_up(&mut self, index: PartialId) {
        self.dropped += 1;
        self.release(index);
    }

    fn release(&mut self, index: PartialId) {
        let datagram = &mut self.datagrams[index];
        for block in datagram.blocks.iter_mut().filter_map(Option::take) {
            self.blocks.put_back(block);
        }
        self.table.remove(&datagram.key);
        self.waiting.remove(index);
        self.datagrams.put_back(index);
    }
}

/// A fragment cut up by blocks: of each piece the number of its block, where in the block it lies,
/// and its bytes.
fn pieces(offset: usize, payload: &[u8]) -> impl Iterator<Item = (usize, usize, &[u8])> {
    let (first, rest) = payload.split_at(payload.len().min(BLOCK - offset % BLOCK));
    let others = rest.chunks(BLOCK).enumerate();
    let others = others.map(move |(number, piece)| (offset / BLOCK + 1 + number, 0, piece));
    core::iter::once((offset / BLOCK, offset % BLOCK, first)).chain(others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn key(source: u32, ident: u16) -> FragmentKey {
        FragmentKey {
            source: Ipv4Addr::from_bits(source).into(),
            destination: Ipv4Addr::new(10, 0, 0, 1).into(),
            protocol: 17,
            ident: ident.into(),
        }
    }

    fn at(millis: i64) -> Instant {
        Instant::from_millis(millis)
    }

    fn byte(ident: u16, position: usize) -> u8 {
        (position as u32)
            .wrapping_mul(0x9e37_79b9)
            .wrapping_add(u32::from(ident) * 77)
            .to_be_bytes()[0]
    }

    fn payload(ident: u16, offset: usize, length: usize) -> Vec<u8> {
        (offset..offset + length).map(|p| byte(ident, p)).collect()
    }

    /// Sends a part of a datagram whose bytes follow from its number.
    fn add(
        reassembly: &mut Reassembly,
        key: FragmentKey,
        offset: usize,
        length: usize,
        more: bool,
        now: Instant,
    ) -> Progress {
        let mut into = vec![0; PAYLOAD_MAX];
        let fragment = Fragment { key, offset, more };
        let payload = payload(key.ident as u16, offset, length);
        let progress = reassembly.add(fragment, &payload, now, &mut into);
        if let Progress::Complete(length) = progress {
            let expected = (0..length).map(|p| byte(key.ident as u16, p));
            assert!(expected.eq(into[..length].iter().copied()));
        }
        progress
    }

    /// What a datagram is, with no regard for memory: each byte that has come.
    #[derive(Default)]
    struct Model {
        bytes: HashMap<usize, ()>,
        length: Option<usize>,
        end: usize,
    }

    impl Model {
        fn add(&mut self, offset: usize, length: usize, more: bool) -> Progress {
            let end = offset + length;
            let padded = offset + length.div_ceil(8) * 8;
            if (more && !length.is_multiple_of(8)) || length == 0 || end > PAYLOAD_MAX {
                return Progress::Refused;
            }
            let agrees = match (self.length, more) {
                (Some(known), true) => end < known,
                (Some(known), false) => end == known,
                (None, true) => true,
                (None, false) => self.end <= end,
            };
            let there = (offset..padded)
                .filter(|p| self.bytes.contains_key(p))
                .count();
            if !agrees || (there != 0 && there != padded - offset) {
                return Progress::Refused;
            }
            self.bytes.extend((offset..padded).map(|p| (p, ())));
            self.end = self.end.max(end);
            if !more {
                self.length = Some(end);
            }
            match self.length {
                Some(length) if self.bytes.len() == length.div_ceil(8) * 8 => {
                    Progress::Complete(length)
                }
                _ => Progress::Waiting,
            }
        }
    }

    proptest! {
        #[test]
        fn behaves_like_a_map_of_bytes(
            steps in prop::collection::vec(
                (0u16..3, 0usize..40, prop_oneof![Just(0usize), 1usize..400, Just(1480)], any::<bool>(), any::<bool>()),
                1..120,
            ),
        ) {
            let mut reassembly = Reassembly::new(1);
            let mut models: HashMap<u16, Model> = HashMap::new();
            for (ident, offset, length, round, more) in steps {
                let length = if round { length.next_multiple_of(8) } else { length };
                let offset = offset * 8 * 8;
                let expected = models.entry(ident).or_default().add(offset, length, more);
                if expected != Progress::Waiting {
                    models.remove(&ident);
                }
                let got = add(&mut reassembly, key(1, ident), offset, length, more, at(0));
                prop_assert_eq!(got, expected);
            }
        }

        #[test]
        fn any_order_completes_and_memory_comes_back(sizes in prop::collection::vec(1usize..185, 1..60), seed: u64) {
            let mut reassembly = Reassembly::new(seed);
            for ident in 0..20u16 {
                let mut parts = Vec::new();
                let mut offset = 0;
                for (i, size) in sizes.iter().enumerate() {
                    let last = i == sizes.len() - 1;
                    let length = size * 8 - if last { usize::from(ident % 8) } else { 0 };
                    parts.push((offset, length, !last));
                    offset += length;
                }
                let mut random = seed | 1;
                for i in (1..parts.len()).rev() {
                    random = mix(random, i as u64);
                    parts.swap(i, random as usize % (i + 1));
                }
                let count = parts.len();
                for (i, (offset, length, more)) in parts.into_iter().enumerate() {
                    let progress = add(&mut reassembly, key(1, ident), offset, length, more, at(0));
                    let complete = matches!(progress, Progress::Complete(_));
                    prop_assert_eq!(complete, i == count - 1);
                }
                prop_assert_eq!(reassembly.blocks.used(), 0);
            }
        }
    }

    #[test]
    fn the_longest_datagram_fits_and_one_longer_is_refused() {
        let mut reassembly = Reassembly::new(1);
        for offset in (0..65_512).step_by(8) {
            let progress = add(&mut reassembly, key(1, 1), offset, 8, true, at(0));
            assert_eq!(progress, Progress::Waiting);
        }
        let last = add(&mut reassembly, key(1, 1), 65_512, 3, false, at(0));
        assert_eq!(last, Progress::Complete(PAYLOAD_MAX));
        let longer = add(&mut reassembly, key(1, 2), 65_512, 4, false, at(0));
        assert_eq!(longer, Progress::Refused);
    }

    #[test]
    fn an_overlap_ends_the_datagram_and_a_copy_does_not() {
        let mut reassembly = Reassembly::new(1);
        add(&mut reassembly, key(1, 1), 0, 1480, true, at(0));
        let copy = add(&mut reassembly, key(1, 1), 0, 1480, true, at(0));
        assert_eq!(copy, Progress::Waiting);
        let other = Fragment {
            key: key(1, 1),
            offset: 0,
            more: true,
        };
        let forged = reassembly.add(other, &[9; 1480], at(0), &mut [0; PAYLOAD_MAX]);
        assert_eq!(forged, Progress::Refused);
        let rest = add(&mut reassembly, key(1, 1), 1480, 100, false, at(0));
        assert_eq!(rest, Progress::Waiting, "the first part is gone");
        assert_eq!(reassembly.dropped, 1);
    }

    #[test]
    fn fragments_do_not_wait_for_ever() {
        let mut reassembly = Reassembly::new(1);
        add(&mut reassembly, key(1, 1), 0, 1480, true, at(0));
        let late = add(&mut reassembly, key(1, 1), 1480, 100, false, at(15_000));
        assert_eq!(late, Progress::Waiting);
    }

    #[test]
    fn a_flood_of_first_fragments_does_not_stop_an_honest_sender() {
        for sources in [1u32, 50, 1 << 20] {
            let mut reassembly = Reassembly::new(1);
            let mut flood = 0u32;
            for ident in 0..50 {
                let mut last = Progress::Waiting;
                for part in 0..41 {
                    // Fifty of the flood for each of the honest fragments.
                    for _ in 0..50 {
                        flood += 1;
                        let attacker = key(0x0b00_0000 + flood % sources, flood as u16);
                        add(&mut reassembly, attacker, 0, 1480, true, at(0));
                    }
                    let progress = add(
                        &mut reassembly,
                        key(7, ident),
                        part * 1480,
                        1480,
                        part < 40,
                        at(0),
                    );
                    last = progress;
                }
                assert_eq!(last, Progress::Complete(41 * 1480), "{sources} sources");
            }
        }
    }
}
