// SPDX-License-Identifier: BSD-2-Clause

//! Test `timer`, a PD of low priority that uses up 50 ms when asked, then says so.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, timer};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain};

const ASKER: Channel = Channel::new(0);

struct Spinner;

#[protection_domain]
fn init() -> Spinner {
    begin();
    Spinner
}

impl Handler for Spinner {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        timer::spin_until(timer::now() + timer::microseconds(50_000));
        ASKER.notify();
        Ok(())
    }
}
