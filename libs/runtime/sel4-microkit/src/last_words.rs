// SPDX-License-Identifier: BSD-2-Clause

//! The words that a PD of this runtime leaves in its registers for its parent when it stops itself.
//!
//! A panic is so told from an undefined instruction, and its text reaches the parent even before
//! the PD has anywhere else to write it. All of it is an allegation of the child.

use core::fmt;

use sel4::{UserContext, Word};

/// Marks in x0: values that other code is unlikely to leave there.
const PANIC: Word = 0x4953_5448_4d55_5310;
pub(crate) const STATE_OVERWRITTEN: Word = PANIC + 1;
pub(crate) const BACKUP_DAMAGED: Word = PANIC + 2;

/// Registers that hold text: x1 and those after it.
const WORDS: usize = 24;

/// Why a PD stopped itself. Not upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastWords {
    /// It panicked. The text is empty if the panic hook has told it.
    Panic(PanicText),
    /// The runtime could not start it: it had overwritten the word that says how far its first
    /// start got.
    StateOverwritten,
    /// The runtime could not start it: it had overwritten the copy of its initial data.
    BackupDamaged,
}

impl LastWords {
    /// Reads the registers of a child that is stopped at an undefined instruction. Returns `None`
    /// if it is no PD of this runtime, or did not stop itself.
    pub fn read(registers: &UserContext) -> Option<Self> {
        match *registers.gpr(0) {
            PANIC => Some(Self::Panic(PanicText(core::array::from_fn(|i| {
                *registers.gpr(i + 1)
            })))),
            STATE_OVERWRITTEN => Some(Self::StateOverwritten),
            BACKUP_DAMAGED => Some(Self::BackupDamaged),
            _ => None,
        }
    }

    /// Describes the reason, without the panic's text.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Panic(_) => "panic",
            Self::StateOverwritten => "it has overwritten its runtime's state",
            Self::BackupDamaged => "it has overwritten the copy of its initial data",
        }
    }

    /// Returns a hash of the panic's text.
    pub fn digest(&self) -> u64 {
        match self {
            Self::Panic(PanicText(words)) => words.iter().fold(0, |sum: u64, word| {
                (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            }),
            _ => 0,
        }
    }
}

/// The first 192 bytes of a panic's message. Not upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanicText([Word; WORDS]);

impl PanicText {
    pub(crate) const EMPTY: Self = Self([0; WORDS]);

    /// Formats `text`. Bytes that do not fit are cut off.
    pub(crate) fn new(text: impl fmt::Display) -> Self {
        let mut written = (Self::EMPTY, 0);
        // It fails where the text is cut off.
        let _ = fmt::write(&mut Cut(&mut written), format_args!("{text}"));
        written.0
    }

    /// Returns whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0[0] == 0
    }

    /// Stops the PD at an undefined instruction: a user exception in both kernels, in every
    /// configuration. (A breakpoint would be a debug exception in some.)
    #[cfg(target_os = "none")]
    pub(crate) fn stop(&self) -> ! {
        // SAFETY: the loads are from the array; the last instruction does not return, and a parent
        // that restarts the PD sets the program counter anew.
        unsafe {
            core::arch::asm!(
                "ldp x1, x2, [x25]",
                "ldp x3, x4, [x25, #16]",
                "ldp x5, x6, [x25, #32]",
                "ldp x7, x8, [x25, #48]",
                "ldp x9, x10, [x25, #64]",
                "ldp x11, x12, [x25, #80]",
                "ldp x13, x14, [x25, #96]",
                "ldp x15, x16, [x25, #112]",
                "ldp x17, x18, [x25, #128]",
                "ldp x19, x20, [x25, #144]",
                "ldp x21, x22, [x25, #160]",
                "ldp x23, x24, [x25, #176]",
                "udf #0",
                in("x0") PANIC,
                in("x25") self.0.as_ptr(),
                options(noreturn, nostack),
            )
        }
    }
}

impl fmt::Display for PanicText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.into_iter().flat_map(Word::to_le_bytes);
        for byte in bytes.take_while(|byte| *byte != 0) {
            // Whatever is in the registers, it makes one line.
            let shown = match byte {
                b' '..=b'~' => byte,
                b'\n' => b' ',
                _ => b'?',
            };
            fmt::Write::write_char(f, shown.into())?;
        }
        Ok(())
    }
}

/// Fills a text from the front; the number says how many bytes there are.
struct Cut<'a>(&'a mut (PanicText, usize));

impl fmt::Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (PanicText(words), length) = &mut *self.0;
        for byte in text.bytes() {
            let word = words.get_mut(*length / 8).ok_or(fmt::Error)?;
            *word |= Word::from(byte) << (*length % 8 * 8);
            *length += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    /// As `stop` leaves them.
    fn registers(text: &PanicText) -> UserContext {
        let mut registers = UserContext::default();
        *registers.gpr_mut(0) = PANIC;
        for (i, word) in text.0.iter().enumerate() {
            *registers.gpr_mut(i + 1) = *word;
        }
        registers
    }

    fn told(text: &str) -> std::string::String {
        let words = LastWords::read(&registers(&PanicText::new(text)));
        let Some(LastWords::Panic(text)) = words else {
            panic!("it is a panic");
        };
        text.to_string()
    }

    #[test]
    fn a_panic_is_told_in_one_line_of_what_fits() {
        assert_eq!(told("at a.rs:1:\nno\tα"), "at a.rs:1: no???");
        assert_eq!(told(""), "");
        let long = "0123456789".repeat(30);
        assert_eq!(told(&long), &long[..192]);
    }

    #[test]
    fn registers_of_others_say_nothing() {
        let mut registers = UserContext::default();
        assert_eq!(LastWords::read(&registers), None);
        *registers.gpr_mut(0) = BACKUP_DAMAGED;
        assert_eq!(LastWords::read(&registers), Some(LastWords::BackupDamaged));
        *registers.gpr_mut(0) = STATE_OVERWRITTEN;
        assert_eq!(
            LastWords::read(&registers),
            Some(LastWords::StateOverwritten)
        );
    }
}
