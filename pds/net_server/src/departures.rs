// SPDX-License-Identifier: BSD-2-Clause

//! What the supervisor says about clients: the life of one is over. It may start again at once,
//! later, or not at all.

use net_config::MAX_CLIENTS;
use sel4_microkit::ChannelSet;

/// The channel on which the supervisor says so of the client of slot n is this plus n.
const FIRST_CHANNEL: usize = 20;

/// The slots of the clients whose lives are over.
pub fn slots(channels: ChannelSet) -> impl Iterator<Item = usize> {
    channels
        .iter()
        .filter_map(|channel| channel.index().checked_sub(FIRST_CHANNEL))
        .filter(|&slot| slot < MAX_CLIENTS)
}
