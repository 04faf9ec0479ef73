// SPDX-License-Identifier: BSD-2-Clause
//! The one line that a fault leaves in the log.

use core::fmt;
use core::time::Duration;

use crate::Streak;

/// The fate of a child that faulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was restarted and its initialisation is done.
    Ready {
        /// The number of that restart in its life.
        number: u64,
        /// The time from the fault to being ready.
        after: Duration,
    },
    /// It was restarted, and faulted again before it was ready.
    Unready {
        /// The number of that restart in its life.
        number: u64,
    },
    /// It faults too often, and is started again after a pause.
    Parked {
        /// The pause.
        pause: Duration,
    },
    /// The kernel refused to restart it.
    Refused,
}

/// A line of the log: the child, its fault, the place, and its fate.
#[derive(Clone, Copy)]
pub struct FaultLine<'a> {
    /// Name of the child.
    pub name: &'a dyn fmt::Display,
    /// Its fault, and how often it occurred.
    pub streak: &'a Streak,
    /// Its fate.
    pub outcome: Outcome,
}

impl fmt::Display for FaultLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Streak { report, times } = self.streak;
        write!(f, "fault: {}: {report}; ", self.name)?;
        if *times > 1 {
            write!(f, "{times} times; ")?;
        }
        match self.outcome {
            Outcome::Ready { number, after } => {
                write!(f, "restart {number}, ready after {after:.2?}")
            }
            Outcome::Unready { number } => {
                write!(f, "restart {number}, not ready before its next fault")
            }
            Outcome::Parked { pause } => {
                write!(f, "it faults too often, next start in {pause:.2?}")
            }
            Outcome::Refused => f.write_str("the kernel refused to restart it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, FaultReport, Place};

    #[test]
    fn one_line_says_all() {
        let line = |times, outcome| {
            let place = Some(Place {
                pc: 0x10,
                lr: 0x20,
                sp: 0x30,
            });
            let cause = Cause::Hang;
            let report = FaultReport { cause, place };
            FaultLine {
                name: &"net_driver",
                streak: &Streak { report, times },
                outcome,
            }
            .to_string()
        };
        let fault = "fault: net_driver: turns without end, pc 0x10, lr 0x20, sp 0x30; ";
        let ready = Outcome::Ready {
            number: 3,
            after: Duration::from_nanos(12_345_678),
        };
        assert_eq!(
            line(1, ready),
            format!("{fault}restart 3, ready after 12.35ms")
        );
        assert_eq!(
            line(1, Outcome::Unready { number: 4 }),
            format!("{fault}restart 4, not ready before its next fault")
        );
        let parked = Outcome::Parked {
            pause: Duration::from_secs(1),
        };
        assert_eq!(
            line(5, parked),
            format!("{fault}5 times; it faults too often, next start in 1.00s")
        );
    }
}
