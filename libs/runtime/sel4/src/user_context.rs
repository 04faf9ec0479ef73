// SPDX-License-Identifier: BSD-2-Clause

//! The registers of another thread.

use crate::Word;

/// Registers in the order of `seL4_UserContext`: the 34 that both kernels know (seL4 16 has
/// `tpidr_el0` and `tpidrro_el0` after them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserContext(pub(crate) [Word; UserContext::COUNT]);

/// The positions of `x0..=x30` in a [`UserContext`] (libsel4's `sel4arch.xml`, the same in both
/// kernels).
const GPR: [usize; 31] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 17, 18, 19, 20, 21, 22, 23, 12, 13, 14, 24, 25, 26, 27, 28, 29,
    30, 31, 32, 33, 15, 16,
];

impl UserContext {
    pub(crate) const COUNT: usize = 34;

    /// Program counter.
    pub fn pc(&self) -> &Word {
        &self.0[0]
    }

    /// Program counter.
    pub fn pc_mut(&mut self) -> &mut Word {
        &mut self.0[0]
    }

    /// Stack pointer.
    pub fn sp(&self) -> &Word {
        &self.0[1]
    }

    /// Stack pointer.
    pub fn sp_mut(&mut self) -> &mut Word {
        &mut self.0[1]
    }

    /// Saved program status.
    pub fn spsr(&self) -> &Word {
        &self.0[2]
    }

    /// Saved program status.
    pub fn spsr_mut(&mut self) -> &mut Word {
        &mut self.0[2]
    }

    /// General register `x<index>`.
    ///
    /// # Panics
    /// If there is none: `index` > 30.
    pub fn gpr(&self, index: usize) -> &Word {
        &self.0[GPR[index]]
    }

    /// General register `x<index>`.
    ///
    /// # Panics
    /// If there is none: `index` > 30.
    pub fn gpr_mut(&mut self, index: usize) -> &mut Word {
        &mut self.0[GPR[index]]
    }
}

impl Default for UserContext {
    fn default() -> Self {
        Self([0; Self::COUNT])
    }
}
