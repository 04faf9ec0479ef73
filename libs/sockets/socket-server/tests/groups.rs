// SPDX-License-Identifier: BSD-2-Clause

//! Which frames the device is to receive.

use test_world::{Faults, PEER_MAC, SERVER_IP6, SERVER_MAC, World, config, config6, limits};

const ALL_NODES: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

fn groups(world: &mut World) -> Option<(bool, Vec<[u8; 6]>)> {
    let taken = world.server.take_groups();
    taken.map(|(all, groups)| (all, groups.collect()))
}

/// The group of all hosts whose addresses end so.
fn solicited(low: [u8; 3]) -> [u8; 6] {
    let [a, b, c] = low;
    [0x33, 0x33, 0xff, a, b, c]
}

#[test]
fn without_ipv6_there_is_none() {
    let mut world = World::new(config(), vec![limits(1, 1)], Faults::none());
    assert_eq!(groups(&mut world), Some((false, vec![])));
    world.run_for(1_000_000_000);
    assert_eq!(groups(&mut world), None);
}

#[test]
fn each_address_has_one() {
    let mut world = World::new(config6(), vec![limits(1, 1)], Faults::none());
    let [.., a, b, c] = SERVER_IP6.octets();
    let local = solicited([SERVER_MAC[3], SERVER_MAC[4], SERVER_MAC[5]]);
    let own = solicited([a, b, c]);
    let (all, taken) = groups(&mut world).unwrap();
    assert!(!all);
    assert_eq!(taken, [ALL_NODES, local, own]);
    // Another Ethernet address gives another link-local address.
    let now = world.now;
    let mut other = PEER_MAC;
    other[5] = 99;
    world
        .server
        .link_up(other, Default::default(), now)
        .unwrap();
    let (_, taken) = groups(&mut world).unwrap();
    assert_eq!(taken, [ALL_NODES, solicited([other[3], other[4], 99]), own]);
}
