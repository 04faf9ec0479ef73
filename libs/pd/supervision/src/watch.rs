// SPDX-License-Identifier: BSD-2-Clause
//! Finds the child that turns without end.
//!
//! A child shows a word that is odd while it is at work and changes with each of its turns. At a
//! tick, of the children that are at work those of the highest priority are the ones that run: all
//! above them wait for something. Only they are judged then. A child below them may just not get
//! the processor, or wait inside a call to one of them.
//!
//! The word is the child's own allegation. A child that lies can defeat its own watch, be restarted
//! without need, or cover for those of lower priority by alleging work; it cannot have one of
//! higher priority restarted.

use stats::Beat;

/// A child at work that has shown the same word at so many further ticks is taken to turn without
/// end.
pub const PATIENCE: u32 = 3;

/// The state of a child at a tick.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Its priority in the system description.
    pub priority: u8,
    /// Its word.
    pub beat: Beat,
    /// It has been restarted and is not ready yet, so it is at work whatever the word says.
    pub starting: bool,
}

impl Sight {
    fn is_working(&self) -> bool {
        self.starting || self.beat.is_working()
    }
}

/// The memory of earlier ticks, by child.
#[derive(Clone, Debug)]
pub struct Watch<const N: usize> {
    seen: [Seen; N],
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    beat: Beat,
    /// Ticks at which the child could run and had not got further.
    ticks: u32,
}

impl<const N: usize> Watch<N> {
    /// Begins without a tick.
    #[allow(clippy::new_without_default)] // arrays of any length have no default
    pub fn new() -> Self {
        let seen = Seen {
            beat: Beat::from(0),
            ticks: 0,
        };
        Self { seen: [seen; N] }
    }

    /// Takes the states at a tick; `None` is a child that is not watched or is parked. Returns a
    /// child that turns without end, one a tick at most.
    pub fn tick(&mut self, sights: &[Option<Sight>; N]) -> Option<usize> {
        let runs = sights
            .iter()
            .flatten()
            .filter(|sight| sight.is_working())
            .map(|sight| sight.priority)
            .max();
        let mut hung = None;
        for (id, (sight, seen)) in sights.iter().zip(&mut self.seen).enumerate() {
            let Some(sight) = sight.filter(Sight::is_working) else {
                seen.ticks = 0;
                continue;
            };
            if sight.beat != seen.beat {
                seen.beat = sight.beat;
                seen.ticks = 0;
            } else if Some(sight.priority) == runs {
                seen.ticks += 1;
            }
            if seen.ticks >= PATIENCE && hung.is_none() {
                seen.ticks = 0;
                hung = Some(id);
            }
        }
        hung
    }
}
