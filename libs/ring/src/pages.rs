// SPDX-License-Identifier: BSD-2-Clause
//! Each end's page: all that it writes for the other.

use crate::device::DeviceWords;
use crate::pool::CAPACITY;
use crate::sync::page_struct;
use crate::{ConsumerHalf, LinkWords, ProducerHalf};

page_struct! {
    /// What the driver writes (region `driver_rings`).
    #[derive(Debug)]
    pub struct DriverHalves<const N: usize> {
        pub(crate) link: LinkWords,
        pub(crate) device: DeviceWords,
        pub(crate) rx_free: ConsumerHalf,
        pub(crate) tx_active: ConsumerHalf,
        pub(crate) rx_active: ProducerHalf<N>,
        pub(crate) tx_free: ProducerHalf<N>,
    }
}

impl<const N: usize> DriverHalves<N> {
    /// Ordinary memory for tests and simulations; PDs map it.
    pub fn new() -> Self {
        Self {
            link: LinkWords::new(),
            device: DeviceWords::new(),
            rx_free: ConsumerHalf::new(),
            tx_active: ConsumerHalf::new(),
            rx_active: ProducerHalf::new(),
            tx_free: ProducerHalf::new(),
        }
    }
}

impl<const N: usize> Default for DriverHalves<N> {
    fn default() -> Self {
        Self::new()
    }
}

page_struct! {
    /// What the server writes (region `server_rings`).
    #[derive(Debug)]
    pub struct ServerHalves<const N: usize> {
        pub(crate) link: LinkWords,
        pub(crate) rx_active: ConsumerHalf,
        pub(crate) tx_free: ConsumerHalf,
        pub(crate) rx_free: ProducerHalf<N>,
        pub(crate) tx_active: ProducerHalf<N>,
    }
}

impl<const N: usize> ServerHalves<N> {
    /// Ordinary memory for tests and simulations; PDs map it.
    pub fn new() -> Self {
        Self {
            link: LinkWords::new(),
            rx_active: ConsumerHalf::new(),
            tx_free: ConsumerHalf::new(),
            rx_free: ProducerHalf::new(),
            tx_active: ProducerHalf::new(),
        }
    }
}

impl<const N: usize> Default for ServerHalves<N> {
    fn default() -> Self {
        Self::new()
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
    assert!(size_of::<DriverPage>() == 64 + 64 + 2 * 128 + 2 * (64 + CAPACITY * 16));
    assert!(size_of::<ServerPage>() == 64 + 2 * 128 + 2 * (64 + CAPACITY * 16));
    assert!(size_of::<DriverPage>() <= REGION && size_of::<ServerPage>() <= REGION);
};
