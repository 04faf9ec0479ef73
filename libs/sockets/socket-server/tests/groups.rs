// SPDX-License-Identifier: BSD-2-Clause

//! Which frames the device is to receive.

use socket_proto::{SocketKind, op};
use test_world::{Faults, PEER_MAC, SERVER_IP6, SERVER_MAC, World, config, config6, limits};

const ALL_NODES: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

/// What members need, and the queries of routers.
#[test]
fn what_sockets_join_is_received() {
    let mut world = World::new(config(), vec![limits(1, 1)], Faults::none());
    groups(&mut world);
    let socket = world.socket(SocketKind::Datagram);
    let group = (std::net::Ipv4Addr::new(239, 1, 200, 3), 0).into();
    world.ask(op::Join { socket, group }).unwrap();
    let (all, taken) = groups(&mut world).unwrap();
    assert!(!all);
    assert_eq!(
        taken,
        [[0x01, 0, 0x5e, 1, 200, 3], [0x01, 0, 0x5e, 0, 0, 1]]
    );
    world.close(socket);
    assert_eq!(groups(&mut world), Some((false, vec![])));
}

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
