// SPDX-License-Identifier: BSD-2-Clause

//! Goodput on links that lose, in simulated time: the same numbers in every run.

use test_world::{Faults, World, config, limits};

const MIB: usize = 1 << 20;

/// Bytes a second from a client of the server to the peer.
fn goodput(bytes: usize, lost: u64, round_trip: u64, seed: u64) -> f64 {
    let faults = Faults {
        travel: round_trip / 2,
        seed,
        ..Faults::none()
    };
    let mut world = World::new(config(), vec![limits(8, 1)], faults);
    let listener = world.listen(80, 3);
    let (socket, peer) = world.connected(listener, 80);
    world.medium.set_faults(Faults { lost, ..faults });
    let data = test_world::pattern(65_536, 1);
    let start = world.now;
    let (mut sent, mut received) = (0, 0);
    world.run_until("all bytes", |world| {
        while sent < bytes
            && let Ok((count, _)) = world.send(socket, &data[..data.len().min(bytes - sent)])
        {
            sent += count;
        }
        let tcp = world.peer.tcp(peer);
        while tcp.can_recv() {
            received += tcp.recv(|bytes| (bytes.len(), bytes.len())).unwrap();
        }
        received == bytes
    });
    bytes as f64 / ((world.now - start) as f64 / 1e9)
}

/// The median over some seeds, in megabytes a second.
fn median(lost: u64, round_trip: u64) -> f64 {
    let seeds = (1..=5u64).map(|seed| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut runs: Vec<f64> = seeds
        .map(|seed| goodput(4 * MIB, lost, round_trip, seed) / 1e6)
        .collect();
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}

/// Losses in a thousand, the round trip in microseconds, and the least that is good enough. A
/// sender that waits for its timer after every loss reaches a fifth to a tenth of it.
#[test]
fn losses_cost_a_part_of_the_throughput_not_most_of_it() {
    let least = [
        (0, 400, 120.0),
        (1, 400, 60.0),
        (5, 400, 4.0),
        (10, 400, 3.0),
        (30, 400, 0.8),
        (0, 10_000, 5.0),
        (1, 10_000, 3.0),
        (10, 10_000, 0.9),
        (30, 10_000, 0.35),
        (10, 50_000, 0.2),
    ];
    for (lost, round_trip, least) in least {
        let reached = median(lost, round_trip * 1000);
        println!("{lost} in 1000 lost, {round_trip} us: {reached:.2} MB/s");
        assert!(
            reached >= least,
            "{lost} in 1000 lost, {round_trip} us: {reached} MB/s"
        );
    }
}
