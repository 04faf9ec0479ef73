// SPDX-License-Identifier: BSD-2-Clause
//! Each end's page: all that it writes for the other.

use crate::device::DeviceWords;
use crate::pool::CAPACITY;
use crate::sync::{Line, page_struct};
use crate::{ConsumerHalf, LinkWords, ProducerHalf};

page_struct! {
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

impl<const N: usize> DriverHalves<N> {
    /// Ordinary memory for tests and simulations; PDs map it.
    pub fn new() -> Self {
        Self {
            link: LinkWords::new(),
            device: DeviceWords::new(),
            again: Line::new(),
            lender: Line::new(),
            rx_free: ConsumerHalf::new(),
            tx_active: ConsumerHalf::new(),
            rx_active: ProducerHalf::new(),
            tx_free: ProducerHalf::new(),
        }
    }
}

#[cfg(any(test, loom, feature = "fault-injection"))]
impl<const N: usize> DriverHalves<N> {
    /// Writes every word of the page, as a stray pointer or a hostile driver can.
    pub fn overwrite(&self, next: &mut dyn FnMut() -> u64) {
        self.link.overwrite(next);
        self.device.overwrite(next);
        self.again.overwrite(next);
        self.lender.overwrite(next);
        self.rx_free.overwrite(next);
        self.tx_active.overwrite(next);
        self.rx_active.overwrite(next);
        self.tx_free.overwrite(next);
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

#[cfg(any(test, loom, feature = "fault-injection"))]
impl<const N: usize> ServerHalves<N> {
    /// Writes every word of the page, as a stray pointer or a hostile server can.
    pub fn overwrite(&self, next: &mut dyn FnMut() -> u64) {
        self.link.overwrite(next);
        self.rx_active.overwrite(next);
        self.tx_free.overwrite(next);
        self.rx_free.overwrite(next);
        self.tx_active.overwrite(next);
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
    assert!(size_of::<DriverPage>() == 4 * 64 + 2 * 128 + 2 * (64 + CAPACITY * 16));
    assert!(size_of::<ServerPage>() == 64 + 2 * 128 + 2 * (64 + CAPACITY * 16));
    assert!(size_of::<DriverPage>() <= REGION && size_of::<ServerPage>() <= REGION);
};
