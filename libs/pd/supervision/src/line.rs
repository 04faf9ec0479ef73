// SPDX-License-Identifier: BSD-2-Clause
//! The one line that a fault leaves in the log.

use core::fmt;

use crate::FaultReport;

/// What became of a child that faulted. Durations in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was restarted and its initialisation is done.
    Ready {
        /// Which restart of its life that was.
        number: u64,
        /// From the fault to being ready.
        nanos: u64,
    },
    /// It was restarted, and faulted again before it was ready.
    Unready {
        /// Which restart of its life that was.
        number: u64,
    },
    /// It faults too often, and is started again after a pause.
    Parked {
        /// The pause.
        nanos: u64,
    },
    /// The kernel refused to restart it.
    Refused,
}

/// Says who, what, where, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct FaultLine<'a> {
    /// Name of the child.
    pub name: &'a str,
    /// What it did.
    pub report: FaultReport,
    /// What became of it.
    pub outcome: Outcome,
}

impl fmt::Display for FaultLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault: {}: {}; ", self.name, self.report)?;
        match self.outcome {
            Outcome::Ready { number, nanos } => {
                write!(f, "restart {number}, ready after {}", Milliseconds(nanos))
            }
            Outcome::Unready { number } => {
                write!(f, "restart {number}, not ready before its next fault")
            }
            Outcome::Parked { nanos } => write!(
                f,
                "it faults too often, next start in {}",
                Milliseconds(nanos)
            ),
            Outcome::Refused => f.write_str("the kernel refused to restart it"),
        }
    }
}

/// Nanoseconds shown as milliseconds with two digits behind the point.
struct Milliseconds(u64);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.0 / 10_000;
        write!(f, "{}.{:02} ms", hundredths / 100, hundredths % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, FaultKind};

    #[test]
    fn one_line_says_all() {
        let line = |outcome| {
            FaultLine {
                name: "net_driver",
                report: FaultReport {
                    kind: FaultKind::Vm {
                        address: 0x10,
                        access: Access::Execute,
                        syndrome: 0x8200_0006,
                    },
                    pc: Some(0x10),
                },
                outcome,
            }
            .to_string()
        };
        let fault =
            "fault: net_driver: vm fault at 0x10, pc 0x10 (instruction fetch, not mapped); ";
        assert_eq!(
            line(Outcome::Ready {
                number: 3,
                nanos: 12_345_678
            }),
            format!("{fault}restart 3, ready after 12.34 ms")
        );
        assert_eq!(
            line(Outcome::Unready { number: 4 }),
            format!("{fault}restart 4, not ready before its next fault")
        );
        assert_eq!(
            line(Outcome::Parked {
                nanos: 1_000_000_000
            }),
            format!("{fault}it faults too often, next start in 1000.00 ms")
        );
    }
}
