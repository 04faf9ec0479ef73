// SPDX-License-Identifier: BSD-2-Clause
//! Memory as the device sees it. Physical addresses are the test's own addresses.

use std::ptr::{NonNull, with_exposed_provenance_mut};

use virtio_drivers::PhysAddr;

/// Memory of the given size that lives as long as the test.
pub fn leak(len: usize) -> NonNull<u8> {
    let pointer = NonNull::from(Box::leak(vec![0u8; len].into_boxed_slice())).cast::<u8>();
    pointer.as_ptr().expose_provenance();
    pointer
}

/// DMA by the device.
pub fn read(address: PhysAddr, len: usize) -> Vec<u8> {
    let pointer = with_exposed_provenance_mut::<u8>(address as usize);
    let mut bytes = vec![0; len];
    // SAFETY: an address and a length that the driver has put into a descriptor, in memory that
    // lives as long as the test, which has one thread.
    unsafe { pointer.copy_to_nonoverlapping(bytes.as_mut_ptr(), len) };
    bytes
}

/// DMA by the device.
pub fn write(address: PhysAddr, bytes: &[u8]) {
    let pointer = with_exposed_provenance_mut::<u8>(address as usize);
    // SAFETY: as for `read`.
    unsafe { pointer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

fn read_u16(address: PhysAddr) -> u16 {
    u16::from_le_bytes(read(address, 2).try_into().unwrap())
}

/// The device's side of a split virtqueue (virtio 1.2 section 2.7).
pub struct Ring {
    size: u16,
    descriptors: PhysAddr,
    available: PhysAddr,
    used: PhysAddr,
    next_available: u16,
    next_used: u16,
}

/// Address, length, and whether the device may write.
pub type Part = (PhysAddr, usize, bool);

impl Ring {
    /// A queue of that size, where the driver has put its three parts.
    ///
    /// # Panics
    /// If the size is no power of two or a part is not aligned (virtio 1.2 section 2.7).
    pub fn new(size: u16, descriptors: PhysAddr, available: PhysAddr, used: PhysAddr) -> Self {
        assert!(
            size.is_power_of_two()
                && [(descriptors, 16), (available, 2), (used, 4)]
                    .iter()
                    .all(|(address, by)| address % by == 0)
        );
        Self {
            size,
            descriptors,
            available,
            used,
            next_available: 0,
            next_used: 0,
        }
    }

    /// Number of entries.
    pub fn size(&self) -> u16 {
        self.size
    }

    /// Whether the driver has made available no more than the device has taken.
    pub fn is_empty(&self) -> bool {
        read_u16(self.available + 2) == self.next_available
    }

    /// The next chain that the driver has made available: its id and its parts.
    pub fn next_available(&mut self) -> Option<(u32, Vec<Part>)> {
        if self.is_empty() {
            return None;
        }
        let slot = u64::from(self.next_available % self.size);
        self.next_available = self.next_available.wrapping_add(1);
        let head = read_u16(self.available + 4 + 2 * slot);
        let (mut parts, mut index) = (Vec::new(), head);
        loop {
            let descriptor = read(self.descriptors + 16 * u64::from(index), 16);
            let address = u64::from_le_bytes(descriptor[..8].try_into().unwrap());
            let len = u32::from_le_bytes(descriptor[8..12].try_into().unwrap());
            let flags = u16::from_le_bytes(descriptor[12..14].try_into().unwrap());
            parts.push((address, len as usize, flags & 2 != 0));
            if flags & 1 == 0 {
                return Some((head.into(), parts));
            }
            index = u16::from_le_bytes(descriptor[14..].try_into().unwrap());
        }
    }

    /// Puts an entry into the used ring, true or not. Returns whether the driver wants an
    /// interrupt.
    pub fn push_used(&mut self, id: u32, len: u32) -> bool {
        let element = self.used + 4 + 8 * u64::from(self.next_used % self.size);
        write(element, &id.to_le_bytes());
        write(element + 4, &len.to_le_bytes());
        self.set_used_index(self.next_used.wrapping_add(1));
        self.wants_interrupt()
    }

    /// Sets the index of the used ring, true or not.
    pub fn set_used_index(&mut self, index: u16) {
        self.next_used = index;
        write(self.used + 2, &index.to_le_bytes());
    }

    /// Whether the driver wants an interrupt.
    pub fn wants_interrupt(&self) -> bool {
        read_u16(self.available) & 1 == 0
    }

    /// Tells the driver whether it need not notify.
    pub fn suppress_doorbells(&self, on: bool) {
        write(self.used, &u16::from(on).to_le_bytes());
    }
}
