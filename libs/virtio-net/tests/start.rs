// SPDX-License-Identifier: BSD-2-Clause
//! Bringing a device up, and refusing one that cannot be.

mod fake;

use fake::{Entry, FakeDevice, MAC, Pages, Shared};
use virtio_drivers::transport::DeviceType;
use virtio_net::StartError;

fn refused(change: impl Fn(&mut FakeDevice)) -> (StartError, Shared) {
    let device = FakeDevice::new();
    change(&mut device.borrow_mut());
    let error = Pages::new()
        .0
        .start_driver(&device)
        .err()
        .expect("this device cannot be used");
    (error, device)
}

#[test]
fn device_is_reset_and_only_known_features_are_taken() {
    let device = FakeDevice::new();
    let world = fake::World::new(device.clone());
    assert_eq!(device.borrow().accepted, 1 << 5 | 1 << 16 | 1 << 32);
    let state = world.server.device();
    assert_eq!((state.mac, state.mtu, state.link_up), (MAC, 1500, true));
}

#[test]
fn the_first_thing_is_a_reset() {
    let device = FakeDevice::new();
    let _driver = Pages::new().0.start_driver(&device).unwrap();
    assert_eq!(device.borrow().diary, [Entry::Reset, Entry::Started]);
}

#[test]
fn a_device_without_status_is_connected() {
    let device = FakeDevice::new();
    device.borrow_mut().offered &= !(1 << 16);
    device.borrow_mut().link_status = 0;
    assert!(fake::World::new(device).server.device().link_up);
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(
        refused(|device| device.device_type = DeviceType::Block).0,
        StartError::NotNetwork
    );
    assert_eq!(refused(|device| device.legacy = true).0, StartError::Legacy);
    assert_eq!(
        refused(|device| device.offered &= !(1 << 5)).0,
        StartError::Missing(1 << 5)
    );
    assert_eq!(
        refused(|device| device.offered &= !(1 << 32)).0,
        StartError::Missing(1 << 32)
    );
    assert_eq!(
        refused(|device| device.refuses_features = true).0,
        StartError::FeaturesRefused
    );
    let small = StartError::QueueTooSmall {
        queue: 0,
        offered: 4,
        needed: 8,
    };
    assert_eq!(refused(|device| device.max_queue_size = 4).0, small);
}

#[test]
fn a_device_that_does_not_stop_is_not_used() {
    let (error, device) = refused(|device| {
        device.status = 15;
        device.hangs_in_reset = true;
    });
    assert_eq!(error, StartError::ResetTimeout);
    assert_eq!(device.borrow().count(Entry::Started), 0);
}
