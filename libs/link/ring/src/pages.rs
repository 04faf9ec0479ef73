// SPDX-License-Identifier: BSD-2-Clause
//! Each end's page: all that it writes for the other.

use crate::device::DeviceWords;
use crate::pool::CAPACITY;
use crate::sync::Line;
use crate::{ConsumerHalf, FilterWords, LinkWords, ProducerHalf};

shm::shared_struct! {
    /// What the driver writes (region `driver_rings`).
    #[derive(Debug)]
    pub struct DriverHalves<const N: usize> {
        pub(crate) link: LinkWords,
        pub(crate) device: DeviceWords,
        /// Changes when the driver wants to be notified at once (S6).
        pub(crate) again: Line,
        /// The server's epoch that the frames in rx_active are for (B5).
        pub(crate) lender: Line,
        pub(crate) rx_free: ConsumerHalf,
        pub(crate) tx_active: ConsumerHalf,
        pub(crate) rx_active: ProducerHalf<N>,
        pub(crate) tx_free: ProducerHalf<N>,
    }
}

shm::shared_struct! {
    /// What the server writes (region `server_rings`).
    #[derive(Debug)]
    pub struct ServerHalves<const N: usize> {
        pub(crate) link: LinkWords,
        pub(crate) filter: FilterWords,
        pub(crate) rx_active: ConsumerHalf,
        pub(crate) tx_free: ConsumerHalf,
        pub(crate) rx_free: ProducerHalf<N>,
        pub(crate) tx_active: ProducerHalf<N>,
    }
}

/// The driver's page in the system.
pub type DriverPage = DriverHalves<CAPACITY>;
/// The server's page in the system.
pub type ServerPage = ServerHalves<CAPACITY>;

/// Size in bytes of each of the regions `driver_rings` and `server_rings`.
#[cfg(not(loom))]
const REGION: usize = 0x1_0000;

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<DriverPage>() == 4 * 64 + 2 * 128 + 2 * (64 + CAPACITY * 16));
    let filter = (8 + crate::GROUPS * 8).next_multiple_of(64);
    assert!(size_of::<ServerPage>() == 64 + filter + 2 * 128 + 2 * (64 + CAPACITY * 16));
    assert!(size_of::<DriverPage>() <= REGION && size_of::<ServerPage>() <= REGION);
};
