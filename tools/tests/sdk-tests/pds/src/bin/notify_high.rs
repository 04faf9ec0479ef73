// SPDX-License-Identifier: BSD-2-Clause

//! Test `notify`, the side with the higher priority: answers signals, at once or with the next
//! receive.

#![no_std]
#![no_main]

use sdk_test_pds::begin;
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError,
    protection_domain,
};

const ROUNDS: Channel = Channel::new(0);
const LOWS_61: Channel = Channel::new(5);
const LOWS_5: Channel = Channel::new(61);

#[derive(Default)]
struct High {
    rounds: u64,
    deferred: DeferredActionSlot,
}

#[protection_domain]
fn init() -> High {
    begin();
    High::default()
}

impl Handler for High {
    type Error = IrqAckError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        if channels.contains(ROUNDS) {
            self.rounds += 1;
            if self.rounds.is_multiple_of(2) {
                self.deferred.defer_notify(ROUNDS)?;
            } else {
                ROUNDS.notify();
            }
        }
        if channels.contains(LOWS_5) {
            // The peer cannot run before this turn ends, so it gets all three at once, one of them
            // deferred.
            LOWS_5.notify();
            LOWS_61.notify();
            self.deferred.defer_notify(ROUNDS)?;
        }
        assert!(!channels.contains(LOWS_61), "nobody signals there");
        Ok(())
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}
