// SPDX-License-Identifier: BSD-2-Clause
//! Bringing a device up, and refusing one that cannot be.

mod device;

use device::{Entry, MAC, N, Network, Pages, Shared, TestDevice, network};
use stats::NetDriver as Counter;
use virtio_drivers::transport::DeviceType;
use virtio_net::{FALLBACK_MAC, StartError};

fn refused(change: impl Fn(&mut TestDevice)) -> (StartError, Shared) {
    let device = network();
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
    let device = network();
    let world = device::World::new(device.clone());
    assert_eq!(device.borrow().accepted, 1 << 5 | 1 << 16 | 1 << 32);
    let state = world.server.device();
    assert_eq!((state.mac, state.mtu, state.link_up), (MAC, 1500, true));
}

#[test]
fn the_first_thing_is_a_reset() {
    let device = network();
    let _driver = Pages::new().0.start_driver(&device).unwrap();
    assert_eq!(device.borrow().diary, [Entry::Reset, Entry::Started]);
}

#[test]
fn a_device_without_status_is_connected() {
    let device = network();
    device.borrow_mut().offered &= !(1 << 16);
    device.borrow_mut().set_link_status(0);
    assert!(device::World::new(device).server.device().link_up);
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(
        refused(|device| device.device_type = DeviceType::Block).0,
        StartError::OtherDevice {
            wanted: DeviceType::Network
        }
    );
    assert_eq!(refused(|device| device.legacy = true).0, StartError::Legacy);
    assert_eq!(
        refused(|device| device.config_changes = true).0,
        StartError::ConfigUnstable
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
#[cfg_attr(miri, ignore = "a million looks at the status")]
fn a_device_that_does_not_stop_is_not_used() {
    let (error, device) = refused(|device| {
        device.status = 15;
        device.hangs_in_reset = true;
    });
    assert_eq!(error, StartError::ResetTimeout);
    assert_eq!(device.borrow().count(Entry::Started), 0);
}

#[test]
fn a_device_without_an_address_gets_one() {
    let device = network();
    device.borrow_mut().offered &= !(1 << 5);
    let world = device::World::new(device);
    assert!(!world.driver.has_mac());
    let mac = world.server.device().mac;
    assert_eq!(mac, FALLBACK_MAC);
    assert_eq!(mac[0] & 3, 2, "locally administered, of one station");
}

#[test]
fn a_device_that_cannot_be_used_is_told() {
    let (_, device) = refused(|device| device.refuses_features = true);
    assert_ne!(device.borrow().status & 128, 0);
    let (_, device) = refused(|device| device.max_queue_size = 4);
    assert_ne!(device.borrow().status & 128, 0);
    assert_eq!(device.borrow().count(Entry::Started), 0);
}

/// Queues that are smaller than the pools, and one that is no power of two.
#[test]
fn a_device_with_few_descriptors_is_driven_with_those() {
    for (offered, used) in [(8, 8), (13, 8), (16, 16), (1024, N as u64)] {
        let device = network();
        device.borrow_mut().max_queue_size = offered;
        let mut world = device::World::new(device);
        assert_eq!(world.counter(Counter::RxBuffersHeld), used);
        for round in 0..if cfg!(miri) { 1 } else { 5 } {
            // More than the queues hold, at once.
            for n in 0..N as u8 {
                assert!(world.submit(&[n + round; 60]), "{offered} descriptors");
            }
            assert!(world.server.flush());
            let mut sent = Vec::new();
            for _ in 0..N {
                world.wake_driver();
                sent.extend(world.device.borrow_mut().transmit());
                world.take_interrupt();
            }
            let expected: Vec<_> = (0..N as u8).map(|n| vec![n + round; 60]).collect();
            assert_eq!(sent, expected, "{offered} descriptors");
            for n in 0..3 * N as u8 {
                assert!(world.device.borrow_mut().deliver(&[n; 60]));
                world.settle();
                assert_eq!(world.got.pop_front(), Some(vec![n; 60]));
            }
            world.settle();
        }
        assert_eq!(world.server.tx().idle(), N);
        assert_eq!(world.counter(Counter::DeviceErrors), 0);
    }
}
