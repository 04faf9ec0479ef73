// SPDX-License-Identifier: BSD-2-Clause

//! What the supervisor says about clients: the life of one is over. It may start again at once,
//! later, or not at all.

use net_config::MAX_CLIENTS;
use sel4_microkit::{Channel, ChannelSet};

/// The channel on which the supervisor says so of the client of slot n is this plus n.
const FIRST_CHANNEL: usize = 20;

/// The slots of the clients whose lives are over.
pub fn slots(channels: ChannelSet) -> impl Iterator<Item = usize> {
    (0..MAX_CLIENTS).filter(move |slot| channels.contains(Channel::new(FIRST_CHANNEL + slot)))
}
