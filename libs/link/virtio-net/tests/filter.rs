// SPDX-License-Identifier: BSD-2-Clause
//! Which frames the device is told to receive.

mod device;

use device::{CONTROL, Entry, Network, World, filtering, network};
use ring::{Filter, GROUPS};
use stats::NetDriver as Counter;

const PROMISCUOUS: [u8; 3] = [0, 0, 1];
const SELECTIVE: [u8; 3] = [0, 0, 0];
const ALL_GROUPS: [u8; 3] = [0, 1, 1];
const SOME_GROUPS: [u8; 3] = [0, 1, 0];

fn group(n: u8) -> [u8; 6] {
    [0x33, 0x33, 0, 0, 0, n]
}

fn filter(groups: u8) -> Filter {
    let mut filter = Filter::default();
    (0..groups).for_each(|n| filter.add(group(n)));
    filter
}

/// The command that sets a table of these groups.
fn table(groups: u8) -> Vec<u8> {
    let mut command = vec![1, 0, 0, 0, 0, 0, groups, 0, 0, 0];
    (0..groups).for_each(|n| command.extend(group(n)));
    command
}

/// The server wants this; the driver hears of it.
fn want(world: &mut World, filter: Filter) {
    world.server.set_filter(filter);
    world.server_notified = true;
    world.settle();
}

fn commands(world: &mut World) -> Vec<Vec<u8>> {
    world.device.borrow_mut().obey(0)
}

#[test]
fn a_filter_takes_three_commands() {
    let mut world = World::new(filtering());
    assert_eq!(
        commands(&mut world),
        [[0; 0]; 0],
        "before the server says so"
    );
    want(&mut world, filter(2));
    let expected = [&table(2)[..], &SOME_GROUPS, &SELECTIVE];
    assert_eq!(commands(&mut world), expected);
    assert_eq!(world.device.borrow().count(Entry::Doorbell(CONTROL)), 1);
    assert!(world.take_interrupt().is_some());
    assert_eq!(world.counter(Counter::IrqsControl), 1);
    want(&mut world, filter(2));
    assert_eq!(commands(&mut world), [[0; 0]; 0], "nothing has changed");
    want(
        &mut world,
        Filter {
            promiscuous: true,
            ..filter(0)
        },
    );
    let expected = [&table(0)[..], &SOME_GROUPS, &PROMISCUOUS];
    assert_eq!(commands(&mut world), expected);
    world.settle();
    want(&mut world, filter(GROUPS as u8 + 1));
    let expected = [&table(GROUPS as u8)[..], &ALL_GROUPS, &SELECTIVE];
    assert_eq!(commands(&mut world), expected);
    world.settle();
    assert_eq!(world.counter(Counter::FiltersSet), 3);
    assert_eq!(world.counter(Counter::FilterGroups), GROUPS as u64);
    assert_eq!(world.counter(Counter::FiltersRefused), 0);
}

#[test]
fn the_last_of_several_filters_comes_when_the_device_is_done() {
    let mut world = World::new(filtering());
    for groups in 1..5 {
        want(&mut world, filter(groups));
    }
    assert_eq!(commands(&mut world)[0], table(1));
    world.settle();
    assert_eq!(commands(&mut world)[0], table(4));
    world.settle();
    assert_eq!(commands(&mut world), [[0; 0]; 0]);
}

#[test]
fn frames_go_on_meanwhile() {
    let mut world = World::new(filtering());
    want(&mut world, filter(1));
    assert!(world.device.borrow_mut().deliver(&[7; 60]));
    assert!(world.submit(&[8; 60]));
    world.server_notified = true;
    world.settle();
    assert_eq!(world.got, [[7; 60]]);
    assert_eq!(world.device.borrow_mut().transmit(), [[8; 60]]);
    assert_eq!(commands(&mut world).len(), 3);
}

#[test]
fn it_survives_a_restart_of_either() {
    let mut world = World::new(filtering());
    want(&mut world, filter(2));
    commands(&mut world);
    world.restart_driver();
    world.settle();
    assert_eq!(commands(&mut world)[0], table(2));
    world.settle();
    world.server = ring::ServerEnd::start(world.pages.server, world.pages.driver);
    want(&mut world, filter(3));
    // A device that breaks the rules is reset, and has no filter then.
    world.device.borrow_mut().give_back(CONTROL, 7, 1);
    world.settle();
    assert_eq!(world.counter(Counter::DeviceErrors), 1);
    assert_eq!(commands(&mut world)[0], table(3));
}

#[test]
fn a_device_that_refuses_is_told_to_receive_all() {
    let mut world = World::new(filtering());
    want(&mut world, filter(2));
    assert_eq!(world.device.borrow_mut().obey(1).len(), 3);
    world.settle();
    let expected = [&table(0)[..], &SOME_GROUPS, &PROMISCUOUS];
    assert_eq!(world.device.borrow_mut().obey(1), expected);
    world.settle();
    assert_eq!(commands(&mut world), [[0; 0]; 0], "it is left alone");
    assert_eq!(world.counter(Counter::FiltersRefused), 6);
    assert_eq!(world.counter(Counter::Promiscuous), 1);
}

#[test]
fn without_the_queue_all_is_received() {
    let lame = filtering();
    lame.borrow_mut().offered &= !(1 << 18);
    for device in [network(), lame] {
        let mut world = World::new(device);
        want(&mut world, filter(2));
        assert_eq!(world.counter(Counter::FiltersSet), 0);
        assert!(world.device.borrow_mut().deliver(&[7; 60]));
        world.settle();
        assert_eq!(world.got.len(), 1);
    }
}

#[test]
fn what_is_no_group_is_left_out() {
    let mut world = World::new(filtering());
    let mut wanted = filter(1);
    wanted.add([2, 0, 0, 0, 0, 1]);
    want(&mut world, wanted);
    assert_eq!(commands(&mut world)[0], table(1));
}
