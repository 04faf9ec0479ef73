// SPDX-License-Identifier: BSD-2-Clause
//! Which frames the server wants from the device, in the server's page.

use heapless::Vec;
use shm::atomic::{AtomicU32, AtomicU64, Ordering};

/// Most groups that a filter names; with more of them it lets all through.
#[cfg(not(loom))]
pub const GROUPS: usize = 64;
#[cfg(loom)]
pub const GROUPS: usize = 1;

/// Bits of the word [`FilterWords::mode`]; the number of groups stands from bit 8 on.
const PROMISCUOUS: u32 = 1;
const ALL_GROUPS: u32 = 1 << 1;
const COUNT: u32 = 8;

/// The frames that the server wants besides those for the device's own address and for all hosts.
/// A device may bring others all the same.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// All frames.
    pub promiscuous: bool,
    /// Frames for any group.
    pub all_groups: bool,
    /// Ethernet addresses of groups.
    pub groups: Vec<[u8; 6], GROUPS>,
}

impl Filter {
    /// Adds a group. When there is no room for it, frames for all groups are wanted.
    pub fn add(&mut self, group: [u8; 6]) {
        if !self.groups.contains(&group) && self.groups.push(group).is_err() {
            self.all_groups = true;
        }
    }
}

shm::shared_struct! {
    /// [`Filter`] in shared memory.
    #[derive(Debug)]
    #[repr(align(64))]
    pub struct FilterWords {
        /// Another value whenever the filter has changed; 0 before there is one.
        version: AtomicU32,
        mode: AtomicU32,
        /// Bits 0..48 an address, its first byte lowest.
        groups: [AtomicU64; GROUPS],
    }
}

impl FilterWords {
    /// Release: a driver that sees the version sees the filter, or a later one.
    pub(crate) fn write(&self, filter: &Filter) {
        for (word, group) in self.groups.iter().zip(&filter.groups) {
            let [a, b, c, d, e, f] = *group;
            let bits = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
            word.store(bits, Ordering::Relaxed);
        }
        let count = (filter.groups.len() as u32) << COUNT;
        let promiscuous = u32::from(filter.promiscuous) * PROMISCUOUS;
        let all_groups = u32::from(filter.all_groups) * ALL_GROUPS;
        let mode = count | promiscuous | all_groups;
        self.mode.store(mode, Ordering::Relaxed);
        let next = self.version().wrapping_add(1).max(1);
        self.version.store(next, Ordering::Release);
    }

    #[inline]
    pub(crate) fn version(&self) -> u32 {
        self.version.load(Ordering::Acquire)
    }

    /// Returns what stands there, without what is no group.
    pub(crate) fn read(&self) -> Filter {
        let mode = self.mode.load(Ordering::Relaxed);
        let words = self.groups.iter().take((mode >> COUNT) as usize);
        let groups = words.map(|word| {
            let [a, b, c, d, e, f, ..] = word.load(Ordering::Relaxed).to_le_bytes();
            [a, b, c, d, e, f]
        });
        Filter {
            promiscuous: mode & PROMISCUOUS != 0,
            all_groups: mode & ALL_GROUPS != 0,
            groups: groups.filter(|group| group[0] & 1 == 1).collect(),
        }
    }
}
