// SPDX-License-Identifier: BSD-2-Clause

//! Only in images made for tests: what a driver does that was taken over. It has its ring page a
//! second time, as words.

use core::sync::atomic::AtomicU64;

use ::sabotage::{Deed, Garbage, Orders};
use pd_support::{ReadOnly, clock, info, region};
use ring::DriverPage;
use sel4_microkit::memory_region_symbol;

const WORDS: usize = size_of::<DriverPage>() / 8;
/// Turns in which a driver scribbles that was told to.
const TURNS: u32 = 100;

/// Takes orders of the hostile client.
pub struct Sabotage {
    orders: &'static Orders,
    rings: &'static [AtomicU64; WORDS],
    seen: u64,
    turns: u32,
    garbage: Garbage,
}

impl Sabotage {
    /// To be called once.
    ///
    /// # Panics
    /// If the declaration does not give this PD the memory.
    pub fn take() -> Self {
        let orders: &Orders = region::<ReadOnly>("sabotage").page();
        let rings = memory_region_symbol!(raw_rings_vaddr: *mut [AtomicU64; WORDS]);
        Self {
            orders,
            // SAFETY: the fragment of the test image maps the ring page there a second time; all in
            // it is atomics, here and there.
            rings: unsafe { rings.as_ref() },
            seen: orders.last(),
            turns: 0,
            garbage: Garbage::new(clock::now()),
        }
    }

    /// To be called at the end of each turn.
    ///
    /// # Panics
    /// If so ordered.
    pub fn serve(&mut self) {
        match self.orders.take(&mut self.seen) {
            None => {}
            Some(Deed::Scribble) => self.turns = TURNS,
            Some(Deed::Ruin) => {
                self.garbage.fill(self.rings);
                panic!("ordered to");
            }
        }
        if let Some(left) = self.turns.checked_sub(1) {
            self.turns = left;
            self.garbage.sprinkle(self.rings, 64);
            if left == 0 {
                info!("has scribbled");
            }
        }
    }
}
