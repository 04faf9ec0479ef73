// SPDX-License-Identifier: BSD-2-Clause

//! Received datagrams that wait to be read. They lie in blocks of their client's memory, so that a
//! socket has memory for what it has received and for nothing else.

use alloc::vec;
use alloc::vec::Vec;

use crate::ip::address::Address;
use crate::ip::packet::Endpoint;

/// Bytes of a block.
const BLOCK: usize = 512;

/// Behind the last block of a chain.
const END: u16 = u16::MAX;

#[derive(Clone, Copy)]
struct Block {
    /// The next one of its chain. It stands here and not in a table, because a datagram's first
    /// page is touched anyhow.
    next: u16,
    /// Of a datagram's first block: its sender and its length in bytes.
    length: u16,
    from: Endpoint,
    bytes: [u8; BLOCK],
}

/// Blocks in order, each in one chain.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u16,
    last: u16,
    len: u16,
}

impl Chain {
    const EMPTY: Chain = Chain {
        first: END,
        last: END,
        len: 0,
    };

    fn front(&self) -> Option<usize> {
        (self.first != END).then_some(self.first.into())
    }

    fn pop_front(&mut self, blocks: &[Block]) -> Option<usize> {
        let index = self.front()?;
        self.first = blocks[index].next;
        self.len -= 1;
        Some(index)
    }

    fn push_front(&mut self, blocks: &mut [Block], index: usize) {
        blocks[index].next = self.first;
        if self.first == END {
            self.last = index as u16;
        }
        self.first = index as u16;
        self.len += 1;
    }

    fn push_back(&mut self, blocks: &mut [Block], index: usize) {
        blocks[index].next = END;
        match self.first {
            END => self.first = index as u16,
            _ => blocks[usize::from(self.last)].next = index as u16,
        }
        self.last = index as u16;
        self.len += 1;
    }
}

/// The memory of one client.
pub(crate) struct Mail {
    blocks: Vec<Block>,
    /// The block that was given back last is taken first: its memory is likely to be in the cache.
    free: Chain,
    /// Blocks that one socket may have.
    most: usize,
}

/// What one socket has received: the blocks of its datagrams, oldest first.
#[derive(Debug)]
pub(crate) struct Inbox {
    chain: Chain,
    /// Bytes that it may have, if that is less than what every socket may.
    pub most: u32,
}

impl Default for Inbox {
    fn default() -> Self {
        Inbox {
            chain: Chain::EMPTY,
            most: u32::MAX,
        }
    }
}

impl Inbox {
    /// Whether there is something to read.
    pub(crate) fn can_recv(&self) -> bool {
        self.chain.front().is_some()
    }

    /// Number of its blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.chain.len.into()
    }
}

/// Blocks of a datagram with so many bytes; an empty one has a sender, too.
fn blocks(length: usize) -> usize {
    length.div_ceil(BLOCK).max(1)
}

impl Mail {
    /// Memory of so many bytes, of which one socket may have `most`. This is the only allocation.
    pub(crate) fn new(bytes: usize, most: usize) -> Self {
        let count = (bytes / BLOCK).min(usize::from(END));
        let block = Block {
            next: END,
            length: 0,
            from: (Address::ANY4, 0),
            bytes: [0; BLOCK],
        };
        let mut blocks = vec![block; count];
        let mut free = Chain::EMPTY;
        for index in 0..count {
            free.push_back(&mut blocks, index);
        }
        Mail {
            blocks,
            free,
            most: most / BLOCK,
        }
    }

    /// Number of blocks that are in use.
    #[cfg(feature = "audit")]
    pub(crate) fn used(&self) -> usize {
        self.blocks.len() - usize::from(self.free.len)
    }

    /// Bytes that one socket may have.
    pub(crate) fn capacity(&self) -> usize {
        self.most * BLOCK
    }

    /// Adds a datagram. Returns whether there was room for it.
    pub(crate) fn push(&mut self, inbox: &mut Inbox, from: Endpoint, payload: &[u8]) -> bool {
        let needed = blocks(payload.len());
        let most = self.most.min(inbox.most as usize / BLOCK);
        let own = most.saturating_sub(inbox.blocks());
        if needed > own.min(self.free.len.into()) {
            return false;
        }
        for number in 0..needed {
            let Some(index) = self.free.pop_front(&self.blocks) else {
                unreachable!("so many are free");
            };
            let piece = &payload[(number * BLOCK).min(payload.len())..];
            let piece = &piece[..piece.len().min(BLOCK)];
            let block = &mut self.blocks[index];
            block.from = from;
            block.length = payload.len() as u16;
            block.bytes[..piece.len()].copy_from_slice(piece);
            inbox.chain.push_back(&mut self.blocks, index);
        }
        true
    }

    /// The length of a socket's oldest datagram in bytes, and its sender.
    pub(crate) fn front(&self, inbox: &Inbox) -> Option<(usize, Endpoint)> {
        let block = &self.blocks[inbox.chain.front()?];
        Some((block.length.into(), block.from))
    }

    /// Takes a socket's oldest datagram out. `drain` gets its first `most` bytes in pieces: where a
    /// piece starts, and its bytes.
    ///
    /// # Errors
    /// Of `drain`; the datagram is gone.
    pub(crate) fn pop<E>(
        &mut self,
        inbox: &mut Inbox,
        most: usize,
        mut drain: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let length = self.front(inbox).map_or(0, |(length, _)| length);
        let most = most.min(length);
        let mut result = Ok(());
        for number in 0..blocks(length) {
            let Some(index) = inbox.chain.pop_front(&self.blocks) else {
                break;
            };
            let at = number * BLOCK;
            if at < most && result.is_ok() {
                result = drain(at, &self.blocks[index].bytes[..(most - at).min(BLOCK)]);
            }
            self.free.push_front(&mut self.blocks, index);
        }
        result
    }

    /// As [`Self::pop`], and the datagram stays.
    ///
    /// # Errors
    /// Of `drain`.
    pub(crate) fn peek<E>(
        &self,
        inbox: &Inbox,
        most: usize,
        mut drain: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let length = self.front(inbox).map_or(0, |(length, _)| length);
        let most = most.min(length);
        let mut rest = inbox.chain.front();
        for at in (0..blocks(most)).map(|number| number * BLOCK) {
            let Some(block) = rest.map(|index| &self.blocks[index]) else {
                break;
            };
            drain(at, &block.bytes[..(most - at).min(BLOCK)])?;
            rest = Some(block.next.into());
        }
        Ok(())
    }

    /// Forgets all that a socket has received.
    pub(crate) fn clear(&mut self, inbox: &mut Inbox) {
        while let Some(index) = inbox.chain.pop_front(&self.blocks) {
            self.free.push_front(&mut self.blocks, index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #[test]
        fn two_inboxes_are_queues_within_their_memory(
            steps in prop::collection::vec((0usize..2, 0u8..5, 0usize..2000, any::<u8>()), 0..200)
        ) {
            let mut mail = Mail::new(10 * BLOCK + 7, 8 * BLOCK);
            let mut inboxes = [Inbox::default(), Inbox::default()];
            let mut models: [VecDeque<(Endpoint, Vec<u8>)>; 2] = Default::default();
            let used = |model: &VecDeque<(Endpoint, Vec<u8>)>| -> usize {
                model.iter().map(|(_, payload)| blocks(payload.len())).sum()
            };
            for (which, what, length, byte) in steps {
                let (inbox, other) = (&mut inboxes[which], used(&models[1 - which]));
                let model = &mut models[which];
                match what {
                    0..3 => {
                        let from = (Address::LOCALHOST4, byte.into());
                        let payload = vec![byte; length];
                        let own = used(model) + blocks(length);
                        let room = own <= 8 && own + other <= 10;
                        prop_assert_eq!(mail.push(inbox, from, &payload), room);
                        if room {
                            model.push_back((from, payload));
                        }
                    }
                    3 => {
                        let front = model.front().map(|(from, payload)| (payload.len(), *from));
                        prop_assert_eq!(mail.front(inbox), front);
                        let mut seen = Vec::new();
                        let peeked = mail.peek(inbox, 700, |at, bytes| {
                            assert_eq!(at, seen.len());
                            seen.extend_from_slice(bytes);
                            Ok::<(), ()>(())
                        });
                        prop_assert_eq!(peeked, Ok(()));
                        let mut taken = Vec::new();
                        let popped = mail.pop(inbox, 700, |at, bytes| {
                            assert_eq!(at, taken.len());
                            taken.extend_from_slice(bytes);
                            if byte == 0 { Err(()) } else { Ok(()) }
                        });
                        let payload = model.pop_front().map_or(Vec::new(), |(_, payload)| payload);
                        let most = payload.len().min(700);
                        if popped.is_ok() {
                            prop_assert_eq!(&taken[..], &payload[..most]);
                        }
                        prop_assert_eq!(&seen[..], &payload[..most]);
                    }
                    _ => {
                        mail.clear(inbox);
                        model.clear();
                    }
                }
                prop_assert_eq!(inboxes[which].can_recv(), !models[which].is_empty());
            }
        }
    }
}
