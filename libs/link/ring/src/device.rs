// SPDX-License-Identifier: BSD-2-Clause
//! What the driver tells the server about the device, in the driver's page.

use shm::atomic::{AtomicU32, AtomicU64, Ordering};

/// What says that the link is down. A page that was overwritten with zeros or garbage does not say
/// so: the server would send nothing until the link changes.
const LINK_DOWN: u32 = u32::from_le_bytes(*b"DOWN");

/// The device as the driver sees it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DeviceState {
    /// Ethernet address.
    pub mac: [u8; 6],
    /// Largest payload of an Ethernet frame, in bytes.
    pub mtu: u16,
    /// Whether the device reports its link as up.
    pub link_up: bool,
}

shm::shared_struct! {
    /// [`DeviceState`] in shared memory. MAC address and MTU are written before the
    /// driver's epoch and hold for it; the link status may change.
    #[derive(Debug)]
    #[repr(align(64))]
    pub struct DeviceWords {
        /// Bits 0..48 the MAC address, its first byte lowest; 48..64 the MTU.
        identity: AtomicU64,
        /// [`LINK_DOWN`], or anything else if the link is up.
        link: AtomicU32,
    }
}

impl DeviceWords {
    pub(crate) fn write(&self, state: DeviceState) {
        let [a, b, c, d, e, f] = state.mac;
        let [g, h] = state.mtu.to_le_bytes();
        self.identity.store(
            u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            Ordering::Relaxed,
        );
        self.set_link_up(state.link_up);
    }

    pub(crate) fn set_link_up(&self, up: bool) {
        let word = if up { 0 } else { LINK_DOWN };
        self.link.store(word, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> DeviceState {
        let [a, b, c, d, e, f, g, h] = self.identity.load(Ordering::Relaxed).to_le_bytes();
        DeviceState {
            mac: [a, b, c, d, e, f],
            mtu: u16::from_le_bytes([g, h]),
            link_up: self.link.load(Ordering::Relaxed) != LINK_DOWN,
        }
    }
}
