// SPDX-License-Identifier: BSD-2-Clause

//! Test `bigpage`, the reader: sees what the writer wrote.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, big_word, say};
use sel4_microkit::{
    ChannelSet, Handler, Infallible, memory_region_symbol, protection_domain, var,
};

struct Reader;

#[protection_domain]
fn init() -> Reader {
    begin();
    Reader
}

impl Handler for Reader {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        let base = memory_region_symbol!(big_vaddr: *mut u64);
        let size = *var!(big_size: usize = 0);
        for i in 0..size / 8 {
            // SAFETY: within the region.
            let word = unsafe { base.add(i).read_volatile() };
            assert_eq!(word, big_word(i), "word {i}");
        }
        say!("read {size:#x} bytes");
        Ok(())
    }
}
