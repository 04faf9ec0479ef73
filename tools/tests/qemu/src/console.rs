// SPDX-License-Identifier: BSD-2-Clause
//! What a guest prints, line by line, to be waited on.

use std::io::Read;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// A place in the output: what was printed before it is not looked at again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(usize);

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    partial: Vec<u8>,
    closed: bool,
}

/// The lines that a guest has printed so far. A line counts once its line feed has come.
#[derive(Debug, Default)]
pub struct Console {
    state: Mutex<State>,
    changed: Condvar,
}

impl Console {
    /// Reads a stream to its end; `tee` gets every piece as it comes.
    pub(crate) fn follow(&self, mut source: impl Read, mut tee: impl FnMut(&[u8])) {
        let mut buffer = [0; 4096];
        while let Ok(n) = source.read(&mut buffer) {
            let Some(piece) = buffer.get(..n).filter(|piece| !piece.is_empty()) else {
                break;
            };
            tee(piece);
            self.append(piece);
        }
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits until the stream has ended.
    pub(crate) fn wait_closed(&self, timeout: Duration) {
        // Late or not, the caller goes on.
        let _ = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| !state.closed);
    }

    fn append(&self, piece: &[u8]) {
        let mut state = self.lock();
        for &byte in piece {
            if byte == b'\n' {
                let line = String::from_utf8_lossy(&state.partial)
                    .trim_end()
                    .to_owned();
                state.lines.push(line);
                state.partial.clear();
            } else {
                state.partial.push(byte);
            }
        }
        self.changed.notify_all();
    }

    /// A thread that panicked while it held the lock has left whole lines: go on with them.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place behind the last line printed so far.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.lock().lines.len())
    }

    /// All whole lines since a mark.
    #[must_use]
    pub fn lines_since(&self, mark: Mark) -> Vec<String> {
        self.lock().lines.get(mark.0..).unwrap_or_default().to_vec()
    }

    /// Waits for a line behind `mark` that contains all the words, and gives it and the place
    /// behind it.
    ///
    /// # Errors
    /// If none has come within the time or the guest has ended; the message shows the last lines.
    pub fn wait_for(
        &self,
        mark: Mark,
        words: &[&str],
        timeout: Duration,
    ) -> Result<(String, Mark)> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        let mut seen = mark.0;
        loop {
            let new = state.lines.iter().enumerate().skip(seen);
            for (i, line) in new {
                if words.iter().all(|word| line.contains(word)) {
                    return Ok((line.clone(), Mark(i + 1)));
                }
            }
            seen = state.lines.len();
            let left = deadline.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                let from = state.lines.len().saturating_sub(5);
                let last = state.lines.get(from..).unwrap_or_default().join("\n    ");
                let why = if state.closed {
                    "the guest has ended"
                } else {
                    "time is up"
                };
                bail!("no console line with {words:?}: {why}; last lines:\n    {last}");
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    #[test]
    fn lines_are_found_behind_the_mark_only() {
        let console = Console::default();
        console.append(b"net_driver restarted\r\nsecond\nhalf a li");
        let (line, mark) = console
            .wait_for(Mark::default(), &["driver", "restarted"], SOON)
            .unwrap();
        assert_eq!(line, "net_driver restarted");
        assert!(console.wait_for(mark, &["restarted"], SOON).is_err());
        assert!(console.wait_for(mark, &["half"], SOON).is_err());
        console.append(b"ne\n");
        assert_eq!(
            console.wait_for(mark, &["half"], SOON).unwrap().0,
            "half a line"
        );
        assert_eq!(console.lines_since(mark), ["second", "half a line"]);
        assert_eq!(console.mark(), Mark(3));
    }

    #[test]
    fn the_end_of_the_guest_ends_the_wait() {
        let console = Console::default();
        let mut log = Vec::new();
        console.follow(&b"one\ntwo\n"[..], |piece| log.extend_from_slice(piece));
        assert_eq!(log, b"one\ntwo\n");
        let error = console
            .wait_for(Mark::default(), &["three"], Duration::from_secs(3600))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("has ended") && error.contains("two"),
            "{error}"
        );
    }

    #[test]
    fn a_line_printed_later_wakes_the_waiter() {
        let console = Console::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(SOON);
                console.append(b"later\n");
            });
            console
                .wait_for(Mark::default(), &["later"], Duration::from_secs(60))
                .unwrap();
        });
    }
}
