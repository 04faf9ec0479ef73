// SPDX-License-Identifier: BSD-2-Clause
//! How the console tells the supervisor, in images made for tests, that a child shall crash: a page that the console writes, then a notification.
//!
//! The page is an array of words. The console stores the name, then (release) the serial number; the supervisor looks at the serial number (acquire) and takes
//! a request whose number it has not seen. Names in the page may be anything: the supervisor compares them with those it knows.

use core::sync::atomic::{AtomicU64, Ordering};

/// Longest name in bytes.
pub const MAX_CHILD_NAME: usize = 32;

const NAME_WORDS: usize = MAX_CHILD_NAME / 8;

shm::shared_struct! {
    /// The page as it lies in shared memory.
    pub struct CrashRequest {
        serial: AtomicU64,
        name: [AtomicU64; NAME_WORDS],
    }
}

impl CrashRequest {
    /// An empty page in ordinary memory, for tests.
    pub fn new() -> Self {
        Self {
            serial: AtomicU64::new(0),
            name: core::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Asks that a child crash. `false` if the name is longer than any child's. Notify the supervisor afterwards.
    pub fn ask(&self, name: &str) -> bool {
        let mut bytes = [0; MAX_CHILD_NAME];
        let Some(to) = bytes.get_mut(..name.len()) else {
            return false;
        };
        to.copy_from_slice(name.as_bytes());
        for (word, chunk) in self.name.iter().zip(bytes.as_chunks::<8>().0) {
            word.store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
        }
        let next = self.serial.load(Ordering::Relaxed).wrapping_add(1);
        self.serial.store(next, Ordering::Release);
        true
    }

    /// Takes a request that is newer than `seen` and remembers it there: the position of its name in `names`, or `Err` if it is none of them.
    pub fn take(&self, seen: &mut u64, names: &[&str]) -> Option<Result<usize, ()>> {
        let serial = self.serial.load(Ordering::Acquire);
        if serial == *seen {
            return None;
        }
        *seen = serial;
        let mut bytes = [0; MAX_CHILD_NAME];
        for (word, chunk) in self.name.iter().zip(bytes.as_chunks_mut::<8>().0) {
            *chunk = word.load(Ordering::Relaxed).to_le_bytes();
        }
        let len = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        let known = names
            .iter()
            .position(|name| name.as_bytes() == &bytes[..len]);
        Some(known.ok_or(()))
    }
}

impl Default for CrashRequest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_taken_once() {
        let page = CrashRequest::new();
        let names = ["timer_driver", "net_driver"];
        let mut seen = 0;
        assert_eq!(page.take(&mut seen, &names), None);
        assert!(page.ask("net_driver"));
        assert_eq!(page.take(&mut seen, &names), Some(Ok(1)));
        assert_eq!(page.take(&mut seen, &names), None);
        assert!(page.ask("net"));
        assert_eq!(page.take(&mut seen, &names), Some(Err(())));
        assert!(!page.ask(&"x".repeat(MAX_CHILD_NAME + 1)));
        assert_eq!(page.take(&mut seen, &names), None);
        let longest = "x".repeat(MAX_CHILD_NAME);
        assert!(page.ask(&longest));
        assert_eq!(page.take(&mut seen, &[&longest]), Some(Ok(0)));
    }
}
