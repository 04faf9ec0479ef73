// SPDX-License-Identifier: BSD-2-Clause
//! How the console tells the supervisor, in images made for tests, that a child shall crash or
//! hang: a page that the console writes, then a notification.
//!
//! The console stores action and child, then (release) the serial number; the supervisor looks at
//! the serial number (acquire) and takes a request whose number it has not seen. What is in the
//! page may be anything: the supervisor compares it with what it knows.

use core::sync::atomic::{AtomicU64, Ordering};

/// A fate for a child.
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

    /// Returns the command on the console.
    pub const fn word(self) -> &'static str {
        match self {
            Action::Crash => "crash",
            Action::Hang => "hang",
            Action::Stall => "stall",
        }
    }
}

shm::shared_struct! {
    /// The page as it lies in shared memory.
    #[derive(Default)]
    pub struct FaultRequest {
        serial: AtomicU64,
        action: AtomicU64,
        child: AtomicU64,
    }
}

impl FaultRequest {
    /// Asks for an action on the child with this number in the wiring table. Notify the supervisor
    /// afterwards.
    pub fn ask(&self, action: Action, child: usize) {
        self.child.store(child as u64, Ordering::Relaxed);
        self.action.store(action as u64, Ordering::Relaxed);
        let next = self.serial.load(Ordering::Relaxed).wrapping_add(1);
        self.serial.store(next, Ordering::Release);
    }

    /// Takes a request that is newer than `seen`, and remembers it there. Returns the action, if it
    /// is a known one, and the number of the child.
    pub fn take(&self, seen: &mut u64) -> Option<(Option<Action>, usize)> {
        let serial = self.serial.load(Ordering::Acquire);
        if serial == *seen {
            return None;
        }
        *seen = serial;
        let number = self.action.load(Ordering::Relaxed);
        let action = Action::ALL.into_iter().find(|a| *a as u64 == number);
        Some((action, self.child.load(Ordering::Relaxed) as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_taken_once() {
        let page = FaultRequest::default();
        let mut seen = 0;
        assert_eq!(page.take(&mut seen), None);
        for action in Action::ALL {
            page.ask(action, 7);
            assert_eq!(page.take(&mut seen), Some((Some(action), 7)));
            assert_eq!(page.take(&mut seen), None);
        }
        page.ask(Action::Crash, usize::MAX);
        assert_eq!(
            page.take(&mut seen),
            Some((Some(Action::Crash), usize::MAX))
        );
        // Another build's console, or one that writes garbage.
        page.ask(Action::Hang, 1);
        page.action
            .store(Action::ALL.len() as u64, Ordering::Relaxed);
        assert_eq!(page.take(&mut seen), Some((None, 1)));
    }
}
