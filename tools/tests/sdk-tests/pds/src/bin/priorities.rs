// SPDX-License-Identifier: BSD-2-Clause

//! Test `priorities`: four PDs of this program start in the order of their priorities; a signal
//! upwards is delivered at once, one downwards waits.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, name, say};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain};

/// Between `lowest` and `highest`.
const OTHER: Channel = Channel::new(1);

struct Pd;

#[protection_domain]
fn init() -> Pd {
    begin();
    say!("started");
    if name() == "lowest" {
        say!("signals upwards");
        OTHER.notify();
        say!("goes on");
    }
    Pd
}

impl Handler for Pd {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        say!("woken by {}", channels.display());
        if name() == "highest" {
            OTHER.notify();
            say!("goes on");
        }
        Ok(())
    }
}
