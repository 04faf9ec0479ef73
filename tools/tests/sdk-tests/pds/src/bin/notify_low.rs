// SPDX-License-Identifier: BSD-2-Clause

//! Test `notify`, the side with the lower priority: 1,000 rounds of signals, then several at once.

#![no_std]
#![no_main]

use sdk_test_pds::{begin, say};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain};

const ROUNDS: Channel = Channel::new(0);
const ASK_FOR_THREE: Channel = Channel::new(5);
const LAST_ID: Channel = Channel::new(61);

struct Low {
    rounds: u64,
}

#[protection_domain]
fn init() -> Low {
    begin();
    ROUNDS.notify();
    Low { rounds: 0 }
}

impl Handler for Low {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        assert!(channels.contains(ROUNDS), "signals {}", channels.display());
        if self.rounds < 1000 {
            assert_eq!(channels.iter().count(), 1, "signals {}", channels.display());
            self.rounds += 1;
            if self.rounds == 1000 {
                say!("1000 rounds");
                ASK_FOR_THREE.notify();
            } else {
                ROUNDS.notify();
            }
        } else {
            assert!(channels.contains(ASK_FOR_THREE) && channels.contains(LAST_ID));
            say!("signals came as one: {}", channels.display());
        }
        Ok(())
    }
}
