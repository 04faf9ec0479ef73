// SPDX-License-Identifier: BSD-2-Clause

//! What the test PDs share: a way to print that works on every kernel, the generic timer, and a
//! panic that the runner sees.
//!
//! A test says what it found with [`say!`]; the runner knows which lines must come, in which order.
//! A check that fails is a panic, and its line ends the test as failed.

#![no_std]

pub mod timer;
mod uart;
mod upstream;
mod words;

pub use uart::print;
pub use words::{Words, words_at};

use core::panic::PanicInfo;

use sel4_microkit::{panicking, pd_name};

/// Prints a line: the PD's name, then the text. Through the PL011, so that it also works on a
/// kernel that prints nothing.
#[macro_export]
macro_rules! say {
    ($($arguments:tt)*) => {
        $crate::print(::core::format_args!($($arguments)*))
    };
}

/// To be called first in every `init`.
pub fn begin() {
    panicking::set_hook(&hook);
}

fn hook(info: &PanicInfo<'_>) {
    say!("{info}");
}

/// Name of this PD.
pub fn name() -> &'static str {
    pd_name().unwrap_or("?")
}

/// What the callee of test `ppc` makes of word `i` of a call that came on its channel `id`.
pub fn answer_word(word: u64, i: usize, id: usize) -> u64 {
    word.rotate_left(i as u32) ^ id as u64
}

/// What the callee of test `ppc` makes of a label.
pub fn answer_label(label: u64) -> u64 {
    label ^ 0x5_a5a5
}

/// Test `fault`: what parent and child call the child's steps, and the words in the page that the
/// child writes.
pub mod fault_step {
    /// Word: the current step.
    pub const STEP: usize = 0;
    /// Word: the address, slot or number that the fault must name.
    pub const ADDRESS: usize = 1;
    /// Word: signals that the child has received.
    pub const TURNS: usize = 2;

    /// Reads where nothing is mapped.
    pub const READ: u64 = 1;
    /// Writes where nothing is mapped.
    pub const WRITE: u64 = 2;
    /// Executes an undefined instruction.
    pub const UNDEFINED: u64 = 3;
    /// Receives from an empty slot.
    pub const NO_CAP: u64 = 4;
    /// Makes a system call that the kernel does not know, and goes on.
    pub const UNKNOWN_SYSCALL: u64 = 5;
    /// Panics, as a program does.
    pub const PANIC: u64 = 6;
    /// Returns an error from its handler.
    pub const ERROR: u64 = 7;
    /// Panics inside of its panic hook.
    pub const HOOK: u64 = 8;
    /// Uses up its stack.
    pub const OVERFLOW: u64 = 9;
    /// Has nothing left to do.
    pub const DONE: u64 = 10;
}

/// Test `rights`: what parent and child call the child's steps, and the words in the page that the
/// child writes.
pub mod rights_step {
    /// Word: the current step.
    pub const STEP: usize = 0;
    /// Word: the address or slot that the fault must name.
    pub const ADDRESS: usize = 1;

    /// Steps, as indices into [`NAMES`].
    pub const WRITE_READ_ONLY: u64 = 0;
    /// As above.
    pub const WRITE_TEXT: u64 = 1;
    /// As above.
    pub const WRITE_RODATA: u64 = 2;
    /// As above.
    pub const WRITE_BELOW_STACK: u64 = 3;
    /// As above.
    pub const READ_ABOVE_STACK: u64 = 4;
    /// As above.
    pub const READ_NULL: u64 = 5;
    /// As above.
    pub const READ_KERNEL: u64 = 6;
    /// As above.
    pub const EXECUTE_DATA: u64 = 7;
    /// As above.
    pub const EXECUTE_REGION: u64 = 8;
    /// As above; from here on faults are of capabilities.
    pub const RECEIVE_NOTIFICATION: u64 = 9;
    /// As above.
    pub const RECEIVE_ENDPOINT: u64 = 10;

    /// For people.
    pub const NAMES: [&str; 11] = [
        "write to a read-only region",
        "write to .text",
        "write to .rodata",
        "write below the stack",
        "read above the stack",
        "read at 0",
        "read of the kernel",
        "execute .data",
        "execute a region",
        "receive on a peer's notification",
        "receive on a peer's endpoint",
    ];
}

/// Test `timer_owner`: what the thief tries, and the word in the page that it writes.
pub mod timer_step {
    /// Word: the current step.
    pub const STEP: usize = 0;

    /// Steps, as indices into [`NAMES`]. The others switch the timer off.
    pub const READ: u64 = 0;
    /// As above.
    pub const MOVE: u64 = 2;
    /// As above; the owner's reply is the kernel's fastpath.
    pub const AFTER_CALL: u64 = 3;
    /// As above.
    pub const AFTER_SIGNAL: u64 = 4;

    /// For people.
    pub const NAMES: [&str; 5] = [
        "read the control register",
        "switch the timer off",
        "move the deadline",
        "switch it off after a call",
        "switch it off after a signal",
    ];
}

/// Tests `restart` and `orphans`: the words in the page that parent and child share.
pub mod restart_page {
    /// Lives that reached Rust code.
    pub const LIVES: usize = 0;
    /// Restarts that the runtime counted.
    pub const COUNTED: usize = 1;
    /// 1 once a life has done its initialisation; the parent clears it.
    pub const READY: usize = 2;
    /// Rounds of work.
    pub const ROUNDS: usize = 3;
    /// 1 once the parent restarts no more.
    pub const FINISHED: usize = 4;
}

/// Test `orphan`: labels of calls to the server.
pub mod orphan_call {
    /// Answers at once.
    pub const ANSWER: u64 = 1;
    /// The server faults.
    pub const FAULT: u64 = 2;
    /// The server panics.
    pub const PANIC: u64 = 3;
    /// Never answers.
    pub const SPIN: u64 = 4;
    /// Answers after 30 ms.
    pub const SLOW: u64 = 5;
    /// Label of every answer.
    pub const DONE: u64 = 6;

    /// For people.
    pub fn who(server: bool) -> &'static str {
        if server { "the callee" } else { "the caller" }
    }
}

/// Test `fp`: the words in the page of each worker.
pub mod fp_page {
    /// Turns done.
    pub const TURNS: usize = 0;
    /// Times that the other worker had run meanwhile.
    pub const SWITCHES: usize = 1;
    /// Registers and results that were not as they must be.
    pub const WRONG: usize = 2;
}

/// Test `bigpage`: word `i` of the region.
pub fn big_word(i: usize) -> u64 {
    (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Labels of the calls in test `park`.
pub mod park_call {
    /// Answers at once.
    pub const ANSWER: u64 = 1;
    /// Lets the supervisor park the callee in the middle of the call.
    pub const LINGER: u64 = 2;
    /// Overwrites its own data and faults.
    pub const SPOIL: u64 = 3;
    /// Label of every answer.
    pub const DONE: u64 = 4;
}
