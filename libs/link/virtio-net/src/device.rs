// SPDX-License-Identifier: BSD-2-Clause
//! The device: its features and its configuration (virtio 1.2 section 5.1).

use crate::{DmaMemory, Queues, StartError};
use ring::DeviceState;
use virtio::Registers;
use virtio_drivers::transport::{DeviceType, Transport};

/// Feature bits that are taken when they are offered (virtio 1.2 section 5.1.3): the device has an
/// address, and reports the link's status. Checksums and segmentation are not among them yet: they
/// need a separate header for each frame, and a way to tell the server about them.
const MAC: u64 = 1 << 5;
const STATUS: u64 = 1 << 16;
/// And it can be told which frames to receive (`VIRTIO_NET_F_CTRL_VQ`, `VIRTIO_NET_F_CTRL_RX`).
const FILTER: u64 = 1 << 17 | 1 << 18;

/// The address of a device that has none of its own: locally administered (IEEE 802, bit 1 of the
/// first byte). All such devices have the same, so there can be one on a link.
pub const FALLBACK_MAC: [u8; 6] = [0x02, b'i', b's', b't', b'h', b'm'];

/// Offsets in the configuration (virtio 1.2 section 5.1.4).
const CONFIG_MAC: usize = 0;
const CONFIG_STATUS: usize = 6;
const STATUS_LINK_UP: u16 = 1;

/// Payload of an Ethernet frame, in bytes.
const MTU: u16 = 1500;

/// Looks at the status register before a reset counts as failed.
const RESET_LOOKS: usize = 1_000_000;
/// Attempts to read a configuration that does not change meanwhile (virtio 1.2 section 2.5.1).
const CONFIG_LOOKS: usize = 100;

/// A network device.
pub(crate) struct Device<T: Transport> {
    pub(crate) registers: Registers<T>,
    /// The features that were accepted.
    features: u64,
}

impl<T: Transport> Device<T> {
    /// Takes the device and resets it.
    pub(crate) fn take(transport: T) -> Result<Self, StartError> {
        Ok(Self {
            registers: Registers::take(transport, DeviceType::Network, RESET_LOOKS)?,
            features: 0,
        })
    }

    /// Negotiates, sets the queues up and starts the device, which has been reset.
    pub(crate) fn bring_up<'a, const RX: usize, const TX: usize>(
        &mut self,
        memory: DmaMemory<'a, RX, TX>,
    ) -> Result<(DeviceState, Queues<'a, RX, TX>), StartError> {
        let features = &mut self.features;
        self.registers
            .bring_up(MAC | STATUS | FILTER, |transport, accepted| {
                *features = accepted;
                let state = DeviceState {
                    mac: if accepted & MAC != 0 {
                        read_mac(transport)?
                    } else {
                        FALLBACK_MAC
                    },
                    mtu: MTU,
                    link_up: read_link(transport, accepted)?,
                };
                let filters = accepted & FILTER == FILTER;
                Ok((state, Queues::new(transport, memory, filters)?))
            })
    }

    /// Whether the device has an address of its own; else it has [`FALLBACK_MAC`].
    pub(crate) fn has_mac(&self) -> bool {
        self.features & MAC != 0
    }

    /// Whether the device says that the link is up.
    pub(crate) fn link_up(&self) -> Result<bool, StartError> {
        read_link(&self.registers.transport, self.features)
    }
}

fn read_mac(transport: &impl Transport) -> Result<[u8; 6], StartError> {
    for _ in 0..CONFIG_LOOKS {
        let before = transport.read_config_generation();
        let mut mac = [0; 6];
        for (i, byte) in mac.iter_mut().enumerate() {
            *byte = transport.read_config_space::<u8>(CONFIG_MAC + i)?;
        }
        if transport.read_config_generation() == before {
            return Ok(mac);
        }
    }
    Err(StartError::ConfigUnstable)
}

/// Whether the link is up; a device that does not say is taken to be connected.
fn read_link(transport: &impl Transport, features: u64) -> Result<bool, StartError> {
    if features & STATUS == 0 {
        return Ok(true);
    }
    let status: u16 = transport.read_config_space(CONFIG_STATUS)?;
    Ok(status & STATUS_LINK_UP != 0)
}
