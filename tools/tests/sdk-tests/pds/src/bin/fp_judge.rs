// SPDX-License-Identifier: BSD-2-Clause

//! Test `fp`, the judge: hears from both workers.

#![no_std]
#![no_main]

use core::sync::atomic::Ordering::Relaxed;

use sdk_test_pds::{begin, fp_page, say, words};
use sel4_microkit::{ChannelSet, Handler, Infallible, protection_domain};

#[derive(Default)]
struct Judge {
    heard: usize,
}

#[protection_domain]
fn init() -> Judge {
    begin();
    Judge::default()
}

impl Handler for Judge {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        self.heard += channels.iter().count();
        if self.heard == 2 {
            for worker in [words!(first_vaddr), words!(second_vaddr)] {
                let [turns, switches, wrong] = [fp_page::TURNS, fp_page::SWITCHES, fp_page::WRONG]
                    .map(|i| worker[i].load(Relaxed));
                say!("{turns} turns, {switches} switches seen, {wrong} wrong");
                assert!(wrong == 0 && switches >= 5);
            }
            say!("floating point is right");
        }
        Ok(())
    }
}
