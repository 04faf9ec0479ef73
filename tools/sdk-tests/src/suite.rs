// SPDX-License-Identifier: BSD-2-Clause

//! The tests: which system, and what it must print.

/// One system.
pub struct Test {
    /// Name of the test and of its description in `systems/`.
    pub name: &'static str,
    /// Parts of lines in the order in which they must come. Those that begin with `?` come from the kernel's console, so only where it prints.
    lines: &'static [&'static str],
}

impl Test {
    /// What a system on this kernel must print.
    pub fn expected(&self, printing: bool) -> Vec<&'static str> {
        self.lines
            .iter()
            .filter_map(|line| match line.strip_prefix('?') {
                None => Some(*line),
                Some(line) => printing.then_some(line),
            })
            .collect()
    }
}

/// All tests, what is simple first.
pub const SUITE: &[Test] = &[
    Test {
        name: "hello",
        lines: &[
            "?hello from the debug console",
            "greeter: my name is right",
            "greeter: memory is right",
        ],
    },
    Test {
        name: "memory",
        lines: &[
            "copier: 2010 copies and fills are right",
            "copier: 1500 bytes in ",
        ],
    },
    Test {
        name: "setvar",
        lines: &[
            "vars: region vaddr 0x2345000",
            "vars: region size 0x2000",
            "vars: prefill size 5000",
            "vars: channel 42",
            "vars: interrupt 17",
            "vars: child 60",
            "vars: paddr 0xa002000",
            "vars: not set -5",
        ],
    },
    Test {
        name: "prefill",
        lines: &[
            "reader: 5000 bytes of the file, 3192 zeros",
            "reader: 12288 zeros",
        ],
    },
    Test {
        name: "notify",
        lines: &["low: 1000 rounds", "low: signals came as one: {0, 5, 61}"],
    },
    Test {
        name: "ppc",
        lines: &[
            "client: 0 to 64 words are right",
            "client: labels are right",
        ],
    },
    Test {
        name: "reply",
        lines: &[
            "client: 65 answers are right",
            "client: signals came with the answers: {3}",
        ],
    },
    Test {
        name: "priorities",
        lines: &[
            "highest: started",
            "middle: started",
            "low: started",
            "lowest: started",
            "lowest: signals upwards",
            "highest: woken by {1}",
            "highest: goes on",
            "lowest: goes on",
            "lowest: woken by {1}",
        ],
    },
    Test {
        name: "timer",
        lines: &[
            "timer: 20 interrupts",
            "timer: no interrupt without acknowledgement",
            "timer: acknowledged, it came",
        ],
    },
    Test {
        name: "rights",
        lines: &[
            "parent: refused: write to a read-only region",
            "parent: refused: write to .text",
            "parent: refused: write to .rodata",
            "parent: refused: write below the stack",
            "parent: refused: read above the stack",
            "parent: refused: read at 0",
            "parent: refused: read of the kernel",
            "parent: refused: execute .data",
            "parent: refused: execute a region",
            "parent: refused: receive on a peer's notification",
            "child: nothing in the slots of what it may not do",
            "child: the whole stack is there",
            "parent: the child is through: {3}",
        ],
    },
    Test {
        name: "fault",
        lines: &[
            "parent: read of nothing at 0x70000008",
            "parent: write to nothing at 0x70000008",
            "parent: undefined instruction",
            "parent: capability that is not there",
            "parent: unknown system call",
            "child: the call was answered",
            "child: panicked at",
            "a message on purpose",
            "parent: panic",
            "child: panicked at",
            "the handler returned an error: on purpose",
            "parent: error of a handler",
            "parent: stopped and resumed",
            "parent: made to fault at 0x666000, 7 faults in all",
        ],
    },
    Test {
        name: "unhandled",
        lines: &["unlucky: faults", "?unlucky", "lucky: goes on"],
    },
    Test {
        name: "restart",
        lines: &["breaker: 1000 restarts: ", "breaker: the child is well"],
    },
    Test {
        name: "orphan",
        lines: &[
            "supervisor: the callee faulted",
            "client: told of the restart after a fault",
            "server: panicked at",
            "supervisor: the callee faulted",
            "client: told of the restart after a panic",
            "supervisor: restarts the callee",
            "client: told of the restart after an endless loop",
            "supervisor: restarts the caller",
            "client: called again after its own restart",
        ],
    },
    Test {
        name: "orphans",
        lines: &[
            "breaker: 1000 restarts: ",
            "breaker: the child is well",
            "client: no call is left hanging",
        ],
    },
    Test {
        name: "park",
        lines: &[
            "client: parked while it waited: every call is answered",
            "client: parked in a call: its caller is told",
            "supervisor: the callee faulted",
            "client: parked with its memory spoilt: every call is answered",
            "supervisor: the callee cannot start",
            "client: parked again",
        ],
    },
    Test {
        name: "dma",
        lines: &["driver: the device found 288 pages"],
    },
    Test {
        name: "bigpage",
        lines: &[
            "writer: filled 0x600000 bytes",
            "writer: a heap of 0x400000 bytes",
            "reader: read 0x600000 bytes",
        ],
    },
    Test {
        name: "fp",
        lines: &["judge: floating point is right"],
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
        assert_eq!(hello.expected(true).len(), 3);
        assert_eq!(
            hello.expected(false),
            ["greeter: my name is right", "greeter: memory is right"]
        );
    }
}
