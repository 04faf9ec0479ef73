// SPDX-License-Identifier: BSD-2-Clause
//! How the console tells the supervisor, in images made for tests, that a child shall crash or
//! hang: a page that the console writes, then a notification.
//!
//! The page is an array of words. The console stores action and name, then (release) the serial
//! number; the supervisor looks at the serial number (acquire) and takes a request whose number it
//! has not seen. What is in the page may be anything: the supervisor compares it with what it
//! knows.

use core::sync::atomic::{AtomicU64, Ordering};

/// Longest name in bytes.
pub const MAX_CHILD_NAME: usize = 32;

const NAME_WORDS: usize = MAX_CHILD_NAME / 8;

/// What shall become of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It faults at whatever instruction it has reached.
    Crash,
    /// The turn that it is in does not end. Refused if it waits.
    Hang,
    /// It is started again, and its start does not end.
    Stall,
}

impl Action {
    /// All, in the order of their numbers in the page.
    pub const ALL: [Self; 3] = [Self::Crash, Self::Hang, Self::Stall];

    /// The command on the console.
    pub const fn word(self) -> &'static str {
        match self {
            Action::Crash => "crash",
            Action::Hang => "hang",
            Action::Stall => "stall",
        }
    }
}

/// A request that names no known action or child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal;

shm::shared_struct! {
    /// The page as it lies in shared memory.
    pub struct FaultRequest {
        serial: AtomicU64,
        action: AtomicU64,
        name: [AtomicU64; NAME_WORDS],
    }
}

impl FaultRequest {
    /// An empty page in ordinary memory, for tests.
    pub fn new() -> Self {
        Self {
            serial: AtomicU64::new(0),
            action: AtomicU64::new(0),
            name: core::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Asks for something to become of a child. `false` if the name is longer than any child's.
    /// Notify the supervisor afterwards.
    pub fn ask(&self, action: Action, name: &str) -> bool {
        let mut bytes = [0; MAX_CHILD_NAME];
        let Some(to) = bytes.get_mut(..name.len()) else {
            return false;
        };
        to.copy_from_slice(name.as_bytes());
        for (word, chunk) in self.name.iter().zip(bytes.as_chunks::<8>().0) {
            word.store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
        }
        self.action.store(action as u64, Ordering::Relaxed);
        let next = self.serial.load(Ordering::Relaxed).wrapping_add(1);
        self.serial.store(next, Ordering::Release);
        true
    }

    /// Takes a request that is newer than `seen` and remembers it there: what to do, and the
    /// position of its name in `names`.
    pub fn take(&self, seen: &mut u64, names: &[&str]) -> Option<Result<(Action, usize), Refusal>> {
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
        let number = self.action.load(Ordering::Relaxed);
        let action = Action::ALL.into_iter().find(|a| *a as u64 == number);
        Some(action.zip(known).ok_or(Refusal))
    }
}

impl Default for FaultRequest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_taken_once() {
        let page = FaultRequest::new();
        let names = ["timer_driver", "net_driver"];
        let mut seen = 0;
        assert_eq!(page.take(&mut seen, &names), None);
        for action in Action::ALL {
            assert!(page.ask(action, "net_driver"));
            assert_eq!(page.take(&mut seen, &names), Some(Ok((action, 1))));
            assert_eq!(page.take(&mut seen, &names), None);
        }
        assert!(page.ask(Action::Crash, "net"));
        assert_eq!(page.take(&mut seen, &names), Some(Err(Refusal)));
        assert!(!page.ask(Action::Crash, &"x".repeat(MAX_CHILD_NAME + 1)));
        assert_eq!(page.take(&mut seen, &names), None);
        let longest = "x".repeat(MAX_CHILD_NAME);
        assert!(page.ask(Action::Hang, &longest));
        assert_eq!(
            page.take(&mut seen, &[&longest]),
            Some(Ok((Action::Hang, 0)))
        );
        // Another build's console, or one that writes garbage.
        page.ask(Action::Hang, "net_driver");
        page.action
            .store(Action::ALL.len() as u64, Ordering::Relaxed);
        assert_eq!(page.take(&mut seen, &names), Some(Err(Refusal)));
    }
}
