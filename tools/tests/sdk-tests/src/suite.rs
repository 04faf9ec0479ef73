// SPDX-License-Identifier: BSD-2-Clause

//! The tests: which system, and what it must print.

use sel4_abi::Abi;

/// One system.
pub struct Test {
    /// Name of the test and of its description in `systems/`.
    pub name: &'static str,
    /// Parts of lines in the order in which they must come.
    lines: &'static [Line],
}

/// Part of a line, and on which kernels it must come.
enum Line {
    /// On all.
    All(&'static str),
    /// Where this holds.
    Where(fn(&Abi) -> bool, &'static str),
}

use Line::{All, Where};

/// The kernel has a console of its own.
fn prints(abi: &Abi) -> bool {
    abi.printing
}

/// The registry SDK: its kernel has no MCS.
fn registry(abi: &Abi) -> bool {
    !abi.mcs
}

/// Any PD may use the physical timer.
fn timer_for_all(abi: &Abi) -> bool {
    abi.timer_for_all
}

/// The PD that has the timer's interrupt may use it, and no other.
fn timer_for_owner(abi: &Abi) -> bool {
    !abi.timer_for_all
}

impl Test {
    /// What a system on this kernel must print.
    pub fn expected(&self, abi: &Abi) -> Vec<&'static str> {
        self.lines
            .iter()
            .filter_map(|line| match line {
                All(text) => Some(*text),
                Where(holds, text) => holds(abi).then_some(*text),
            })
            .collect()
    }
}

/// All tests, what is simple first.
pub const SUITE: &[Test] = &[
    Test {
        name: "hello",
        lines: &[
            Where(prints, "hello from the debug console"),
            All("greeter: my name is right"),
            All("greeter: memory is right"),
        ],
    },
    Test {
        name: "memory",
        lines: &[
            All("copier: 2010 copies and fills are right"),
            All("copier: 1500 bytes in "),
        ],
    },
    Test {
        name: "setvar",
        lines: &[
            All("vars: region vaddr 0x2345000"),
            All("vars: region size 0x2000"),
            All("vars: prefill size 5000"),
            All("vars: channel 42"),
            All("vars: interrupt 17"),
            All("vars: child 60"),
            All("vars: paddr 0xa002000"),
            All("vars: not set -5"),
        ],
    },
    Test {
        name: "sizes",
        lines: &[
            All("fits: the ring is there"),
            All("too_small: panicked at"),
            All("region ring: 16384 bytes are needed, the region has 4096"),
        ],
    },
    Test {
        name: "prefill",
        lines: &[
            All("reader: 5000 bytes of the file, 3192 zeros"),
            All("reader: 12288 zeros"),
        ],
    },
    Test {
        name: "notify",
        lines: &[
            All("low: 1000 rounds"),
            All("low: signals came as one: {0, 5, 61}"),
        ],
    },
    Test {
        name: "ppc",
        lines: &[
            All("client: 0 to 64 words are right"),
            All("client: labels are right"),
        ],
    },
    Test {
        name: "reply",
        lines: &[
            All("client: 65 answers are right"),
            All("client: signals came with the answers: {3}"),
        ],
    },
    Test {
        name: "priorities",
        lines: &[
            All("highest: started"),
            All("middle: started"),
            All("low: started"),
            All("lowest: started"),
            All("lowest: signals upwards"),
            All("highest: woken by {1}"),
            All("highest: goes on"),
            All("lowest: goes on"),
            All("lowest: woken by {1}"),
        ],
    },
    Test {
        name: "timer",
        lines: &[
            All("timer: 20 interrupts"),
            All("timer: no interrupt without acknowledgement"),
            All("timer: acknowledged, it came"),
        ],
    },
    Test {
        name: "timer_owner",
        lines: &[
            Where(timer_for_owner, "owner: refused: read the control register"),
            Where(timer_for_owner, "owner: refused: switch the timer off"),
            Where(timer_for_owner, "owner: refused: move the deadline"),
            Where(
                timer_for_owner,
                "owner: refused: switch it off after a call",
            ),
            Where(
                timer_for_owner,
                "owner: refused: switch it off after a signal",
            ),
            Where(timer_for_owner, "owner: interrupts came all the while"),
            Where(timer_for_all, "thief: could read the control register"),
            Where(timer_for_all, "thief: could switch the timer off"),
            Where(timer_for_all, "thief: could move the deadline"),
            Where(timer_for_all, "thief: could switch it off after a call"),
            Where(timer_for_all, "thief: could switch it off after a signal"),
        ],
    },
    Test {
        name: "rights",
        lines: &[
            All("parent: refused: write to a read-only region"),
            All("parent: refused: write to .text"),
            All("parent: refused: write to .rodata"),
            All("parent: refused: write below the stack"),
            All("parent: refused: read above the stack"),
            All("parent: refused: read at 0"),
            All("parent: refused: read of the kernel"),
            All("parent: refused: execute .data"),
            All("parent: refused: execute a region"),
            All("parent: refused: receive on a peer's notification"),
            All("child: nothing in the slots of what it may not do"),
            All("child: the whole stack is there"),
            All("parent: the child is through: {3}"),
        ],
    },
    Test {
        name: "fault",
        lines: &[
            All("parent: read of nothing at 0x70000008"),
            All("parent: write to nothing at 0x70000008"),
            All("parent: undefined instruction"),
            All("parent: capability that is not there"),
            All("parent: unknown system call"),
            All("child: the call was answered"),
            All("child: panicked at"),
            All("a message on purpose"),
            All("parent: panic"),
            All("child: panicked at"),
            All("the handler returned an error: on purpose"),
            All("parent: error of a handler"),
            All("inside of the hook"),
            All("parent: stack overflow, stack_size=0x2000 is too small"),
            All("parent: stopped and resumed"),
            All("parent: made to fault at 0x666000, 9 faults in all"),
        ],
    },
    Test {
        name: "unhandled",
        // The registry SDK's monitor has a lower priority than both PDs, and nothing but its
        // endpoint.
        lines: &[
            All("unlucky: faults"),
            Where(|abi| abi.mcs && abi.printing, "unlucky"),
            All("lucky: goes on"),
            Where(
                |abi| registry(abi) && prints(abi),
                "monitor: holds 1 capability",
            ),
            Where(
                registry,
                "monitor: PD 'unlucky' faulted: memory fault, data write at 0x76543210 (not mapped)",
            ),
        ],
    },
    Test {
        name: "restart",
        lines: &[
            All("breaker: 1000 restarts: "),
            All("breaker: the child is well"),
        ],
    },
    Test {
        name: "orphan",
        lines: &[
            All("supervisor: the callee faulted"),
            All("client: told of the restart after a fault"),
            All("server: panicked at"),
            All("supervisor: the callee faulted"),
            All("client: told of the restart after a panic"),
            All("supervisor: restarts the callee"),
            All("client: told of the restart after an endless loop"),
            All("supervisor: restarts the caller"),
            All("client: called again after its own restart"),
        ],
    },
    Test {
        name: "orphans",
        lines: &[
            All("breaker: 1000 restarts: "),
            All("breaker: the child is well"),
            All("client: no call is left hanging"),
        ],
    },
    Test {
        name: "park",
        lines: &[
            All("client: parked while it waited: every call is answered"),
            All("client: parked in a call: its caller is told"),
            All("supervisor: the callee faulted"),
            All("client: parked with its memory spoilt: every call is answered"),
            All("supervisor: the callee cannot start"),
            All("client: parked again"),
        ],
    },
    Test {
        name: "dma",
        lines: &[All("driver: the device found 288 pages")],
    },
    Test {
        name: "bigpage",
        lines: &[
            All("writer: filled 0x600000 bytes"),
            All("writer: a heap of 0x400000 bytes"),
            All("reader: read 0x600000 bytes"),
        ],
    },
    Test {
        name: "fp",
        lines: &[All("judge: floating point is right")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_description_is_a_test_and_the_reverse() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/systems");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        let mut tests: Vec<&str> = SUITE.iter().map(|test| test.name).collect();
        files.sort();
        tests.sort_unstable();
        assert_eq!(files, tests);
    }

    #[test]
    fn a_kernel_that_does_not_print_is_not_waited_for() {
        let hello = &SUITE[0];
        assert_eq!(hello.expected(&abi(true, false)).len(), 3);
        assert_eq!(
            hello.expected(&abi(false, false)),
            ["greeter: my name is right", "greeter: memory is right"]
        );
    }

    #[test]
    fn what_is_refused_depends_on_the_kernel() {
        let test = SUITE
            .iter()
            .find(|test| test.name == "timer_owner")
            .unwrap();
        let closed = test.expected(&abi(true, false));
        let open = test.expected(&abi(true, true));
        assert!(closed.iter().all(|line| line.starts_with("owner: ")) && closed.len() == 6);
        assert!(open.iter().all(|line| line.starts_with("thief: could")) && open.len() == 5);
    }

    fn abi(printing: bool, timer_for_all: bool) -> Abi {
        Abi {
            mcs: false,
            printing,
            timer_for_all,
            user_top: 0,
            labels: [0; sel4_abi::LABELS.len()],
        }
    }
}
