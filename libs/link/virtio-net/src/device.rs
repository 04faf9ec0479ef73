// SPDX-License-Identifier: BSD-2-Clause
//! The device: reset, negotiation, configuration (virtio 1.2 sections 3.1.1 and 5.1).

use crate::{DmaMemory, Queues, StartError};
use core::hint::spin_loop;
use ring::{DeviceState, Leftover};
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};

/// Feature bits that this driver knows (virtio 1.2 sections 5.1.3 and 6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Features(pub u64);

impl Features {
    /// The device has an address.
    pub const MAC: Self = Self(1 << 5);
    /// The device reports the link's status.
    pub const STATUS: Self = Self(1 << 16);
    /// The device speaks virtio 1.
    pub const VERSION_1: Self = Self(1 << 32);

    /// Without these the driver does not work.
    const NEEDED: u64 = Self::VERSION_1.0;
    /// These are taken when they are offered. Checksums and segmentation are not among them yet:
    /// they need a header of its own for each frame, and a way to tell the
    /// server of them.
    const KNOWN: u64 = Self::NEEDED | Self::MAC.0 | Self::STATUS.0;

    fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The address of a device that has none of its own: locally administered (IEEE 802, bit 1 of the
/// first byte). All such devices have the same, so there can be one on a link.
pub const FALLBACK_MAC: [u8; 6] = [0x02, b'i', b's', b't', b'h', b'm'];

/// Offsets in the configuration (virtio 1.2 section 5.1.4).
const CONFIG_MAC: usize = 0;
const CONFIG_STATUS: usize = 6;
const STATUS_LINK_UP: u16 = 1;

/// Payload of an Ethernet frame, in bytes.
const MTU: u16 = 1500;

/// Looks at the status register before a reset counts as failed. A device of QEMU is ready at the
/// first.
const RESET_LOOKS: usize = 1_000_000;
/// Attempts to read a configuration that does not change meanwhile (virtio 1.2 section 2.5.1).
const CONFIG_LOOKS: usize = 100;

/// A network device, with or without queues of at most `RX` and `TX` descriptors.
pub struct Device<'a, T: Transport, const RX: usize, const TX: usize> {
    transport: T,
    memory: DmaMemory<'a, RX, TX>,
    features: Features,
    queues: Option<Queues<'a, RX, TX>>,
}

impl<'a, T: Transport, const RX: usize, const TX: usize> Device<'a, T, RX, TX> {
    /// Takes the device and resets it: whatever an earlier life of this PD had given it, it does
    /// not touch memory any more.
    ///
    /// # Errors
    ///
    /// It is no virtio 1 network device, or does not finish the reset.
    pub fn new(transport: T, memory: DmaMemory<'a, RX, TX>) -> Result<Self, StartError> {
        if transport.device_type() != DeviceType::Network {
            return Err(StartError::NotNetwork);
        }
        if transport.requires_legacy_layout() {
            return Err(StartError::Legacy);
        }
        let mut device = Self {
            transport,
            memory,
            features: Features(0),
            queues: None,
        };
        device.reset()?;
        Ok(device)
    }

    /// Frames that the device has delivered to an earlier life of the driver and that were not
    /// handed on, oldest first. To be asked for between [`new`](Self::new) and
    /// [`bring_up`](Self::bring_up), which clears the queues.
    pub fn leftovers(&self) -> impl Iterator<Item = Leftover> + 'a {
        self.memory.queues.leftovers()
    }

    /// Stops the device and drops the queues. Afterwards no buffer is the device's.
    ///
    /// # Errors
    ///
    /// The device does not finish: it may still be writing.
    pub fn reset(&mut self) -> Result<(), StartError> {
        self.transport.set_status(DeviceStatus::empty());
        for _ in 0..RESET_LOOKS {
            if self.transport.get_status().is_empty() {
                self.queues = None;
                return Ok(());
            }
            spin_loop();
        }
        Err(StartError::ResetTimeout)
    }

    /// Negotiates, sets the queues up and starts the device, which has been reset.
    ///
    /// # Errors
    ///
    /// The device lacks something; it is told that the driver has given up.
    pub fn bring_up(&mut self) -> Result<DeviceState, StartError> {
        let result = self.negotiate();
        if result.is_err() {
            self.give_up();
        }
        result
    }

    /// Tells the device that the driver has given up (virtio 1.2 sections 2.1 and 3.1.1).
    pub fn give_up(&mut self) {
        let status = self.transport.get_status() | DeviceStatus::FAILED;
        self.transport.set_status(status);
    }

    fn negotiate(&mut self) -> Result<DeviceState, StartError> {
        let mut status = DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER;
        self.transport.set_status(status);
        let offered = self.transport.read_device_features();
        if offered & Features::NEEDED != Features::NEEDED {
            return Err(StartError::Missing(Features::NEEDED & !offered));
        }
        self.features = Features(offered & Features::KNOWN);
        self.transport.write_driver_features(self.features.0);
        status |= DeviceStatus::FEATURES_OK;
        self.transport.set_status(status);
        if !self
            .transport
            .get_status()
            .contains(DeviceStatus::FEATURES_OK)
        {
            return Err(StartError::FeaturesRefused);
        }
        let state = self.read_state()?;
        self.queues = Some(Queues::new(&mut self.transport, self.memory)?);
        self.transport.set_status(status | DeviceStatus::DRIVER_OK);
        Ok(state)
    }

    fn read_state(&self) -> Result<DeviceState, StartError> {
        Ok(DeviceState {
            mac: if self.has_mac() {
                self.read_mac()?
            } else {
                FALLBACK_MAC
            },
            mtu: MTU,
            link_up: self.link_up()?,
        })
    }

    /// Whether the device has an address of its own; else it has [`FALLBACK_MAC`].
    pub fn has_mac(&self) -> bool {
        self.features.contains(Features::MAC)
    }

    fn read_mac(&self) -> Result<[u8; 6], StartError> {
        for _ in 0..CONFIG_LOOKS {
            let before = self.transport.read_config_generation();
            let mut mac = [0; 6];
            for (i, byte) in mac.iter_mut().enumerate() {
                *byte = self.transport.read_config_space::<u8>(CONFIG_MAC + i)?;
            }
            if self.transport.read_config_generation() == before {
                return Ok(mac);
            }
        }
        Err(StartError::ConfigUnstable)
    }

    /// Whether the device says that the link is up; a device that does not say is taken to be
    /// connected.
    ///
    /// # Errors
    ///
    /// The configuration is too small to have the word.
    pub fn link_up(&self) -> Result<bool, StartError> {
        if !self.features.contains(Features::STATUS) {
            return Ok(true);
        }
        let status: u16 = self.transport.read_config_space(CONFIG_STATUS)?;
        Ok(status & STATUS_LINK_UP != 0)
    }

    /// Acknowledges what interrupts there are; returns which.
    pub fn acknowledge_interrupt(&mut self) -> InterruptStatus {
        self.transport.ack_interrupt()
    }

    /// Whether the device has given up and wants to be reset.
    pub fn needs_reset(&self) -> bool {
        self.transport
            .get_status()
            .contains(DeviceStatus::DEVICE_NEEDS_RESET)
    }

    /// The queues with the transport that their doorbells need. `None` between
    /// [`reset`](Self::reset) and [`bring_up`](Self::bring_up).
    pub fn queues(&mut self) -> Option<(&mut Queues<'a, RX, TX>, &mut T)> {
        self.queues
            .as_mut()
            .map(|queues| (queues, &mut self.transport))
    }

    /// The transport, for what is asked of it beside the queues.
    pub fn transport(&mut self) -> &mut T {
        &mut self.transport
    }
}
