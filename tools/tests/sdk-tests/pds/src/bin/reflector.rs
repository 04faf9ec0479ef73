// SPDX-License-Identifier: BSD-2-Clause

//! Sends every signal back.

#![no_std]
#![no_main]

use sel4_microkit::{ChannelSet, Handler, Infallible, protection_domain};

struct Reflector;

#[protection_domain]
fn init() -> Reflector {
    Reflector
}

impl Handler for Reflector {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        channels.iter().for_each(|channel| channel.notify());
        Ok(())
    }
}
