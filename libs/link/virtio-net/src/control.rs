// SPDX-License-Identifier: BSD-2-Clause
//! The control queue (virtio 1.2 section 5.1.6.5): which frames the device is to receive.
//!
//! A device that has been reset receives everything that it can, and one without this queue always
//! does. With `VIRTIO_NET_F_CTRL_RX` a filter takes three commands: promiscuous or not, all groups
//! or not, and the table of groups. What `VIRTIO_NET_F_CTRL_RX_EXTRA` has besides can be said with
//! these, and the device keeps its own address, so that feature and `VIRTIO_NET_F_CTRL_MAC_ADDR`
//! are not used.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU64, Ordering};

use ring::{Filter, GROUPS};
use virtio::{NEXT, Queue, QueueMemory, WRITE};
use virtio_drivers::transport::Transport;

use crate::{DeviceError, StartError};

/// Classes of commands, and commands (sections 5.1.6.5.1 and 5.1.6.5.2).
const RECEIVE: u8 = 0;
const PROMISCUOUS: u8 = 0;
const ALL_MULTICAST: u8 = 1;
const MAC: u8 = 1;
const TABLE_SET: u8 = 0;

/// The reply of a device that has done what it was told.
const OK: u8 = 0;

/// Number of the queue in a device with one pair of queues.
const CONTROL: u16 = 2;
/// Descriptors of the queue, and of a chain: the command, and where the reply goes.
const QUEUE: usize = 8;
const STRIDE: u16 = 2;

/// Commands that a filter takes.
const COMMANDS: usize = 3;
/// Bytes of the longest: class and command; no address of hosts, and the table of groups.
const LONGEST: usize = 2 + 4 + 4 + GROUPS * 6;
/// Odd, so that there is no padding.
const WORDS: usize = LONGEST.div_ceil(8) | 1;

shm::shared_struct! {
    /// A command, as the device reads it.
    #[derive(Debug)]
    struct Command {
        /// The first byte is the device's reply.
        reply: AtomicU64,
        bytes: [AtomicU64; WORDS],
    }
}

shm::shared_struct! {
    /// The control queue and its commands.
    #[derive(Debug)]
    pub struct ControlMemory {
        queue: QueueMemory<QUEUE>,
        commands: [Command; COMMANDS],
    }
}

const _: () = assert!(size_of::<ControlMemory>() == 224 + COMMANDS * 8 * (1 + WORDS));

/// What a device has done of what it was told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Done {
    /// Commands that it has replied to.
    pub(crate) commands: usize,
    /// Of these, commands that it has refused.
    pub(crate) refused: usize,
}

/// The queue. To be dropped only when the device has been reset.
pub(crate) struct Control<'a> {
    memory: &'a ControlMemory,
    paddr: u64,
    queue: Queue<'a, usize, QUEUE>,
    /// To be set when the device is done with what it has.
    wanted: Option<Filter>,
}

impl<'a> Control<'a> {
    /// Sets the queue up in a device that has its features. `None` if it is too short.
    ///
    /// # Errors
    /// The device says that the queue is in use.
    pub(crate) fn new<T: Transport>(
        transport: &mut T,
        memory: &'a ControlMemory,
        paddr: u64,
    ) -> Result<Option<Self>, StartError> {
        const NEEDED: u32 = QUEUE as u32;
        if transport.max_queue_size(CONTROL) < NEEDED {
            return Ok(None);
        }
        let at = paddr + offset_of!(ControlMemory, queue) as u64;
        let queue = Queue::new(&memory.queue, at, transport, CONTROL, NEEDED, STRIDE)?;
        Ok(Some(Self {
            memory,
            paddr,
            queue,
            wanted: None,
        }))
    }

    /// Has [`step`](Self::step) set a filter.
    pub(crate) fn want(&mut self, filter: Filter) {
        self.wanted = Some(filter);
    }

    /// Whether the device has commands, or is to get some. Its interrupts for them are always on.
    pub(crate) fn is_busy(&self) -> bool {
        self.wanted.is_some() || self.queue.len() > 0
    }

    /// Takes replies, and when all are there, sets the filter that is wanted.
    ///
    /// # Errors
    /// The device returns what it does not have.
    pub(crate) fn step<T: Transport>(&mut self, transport: &mut T) -> Result<Done, DeviceError> {
        let mut done = Done::default();
        while let Some((number, _)) = self.queue.take()? {
            let reply = self.memory.commands.get(number);
            let reply = reply.map(|command| command.reply.load(Ordering::Relaxed) as u8);
            done.commands += 1;
            done.refused += usize::from(reply != Some(OK));
        }
        if self.queue.len() == 0
            && let Some(filter) = self.wanted.take()
        {
            self.set(&filter)?;
            self.queue.doorbell(transport);
        }
        Ok(done)
    }

    fn set(&mut self, filter: &Filter) -> Result<(), DeviceError> {
        let mut table = [0; LONGEST];
        table[0] = MAC;
        table[1] = TABLE_SET;
        table[6..10].copy_from_slice(&(filter.groups.len() as u32).to_le_bytes());
        let (groups, _) = table[10..].as_chunks_mut();
        for (place, group) in groups.iter_mut().zip(&filter.groups) {
            *place = *group;
        }
        let length = 10 + filter.groups.len() * 6;
        self.post(0, &table[..length])?;
        let all_groups = [RECEIVE, ALL_MULTICAST, filter.all_groups.into()];
        self.post(1, &all_groups)?;
        self.post(2, &[RECEIVE, PROMISCUOUS, filter.promiscuous.into()])
    }

    /// Gives the device a command.
    fn post(&mut self, number: usize, bytes: &[u8]) -> Result<(), DeviceError> {
        let Some(command) = self.memory.commands.get(number) else {
            return Ok(());
        };
        for (word, chunk) in command.bytes.iter().zip(bytes.chunks(8)) {
            let mut value = [0; 8];
            value[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_le_bytes(value), Ordering::Relaxed);
        }
        command.reply.store(u64::MAX, Ordering::Relaxed);
        let part = offset_of!(ControlMemory, commands) + number * size_of::<Command>();
        let at = self.paddr + part as u64;
        self.queue.post(number, |queue, _, id| {
            let content = at + offset_of!(Command, bytes) as u64;
            queue.describe(id, content, bytes.len() as u32, NEXT, id + 1);
            queue.describe(id + 1, at + offset_of!(Command, reply) as u64, 1, WRITE, 0);
        })
    }
}
