// SPDX-License-Identifier: BSD-2-Clause

//! The time of day, from a server and for those who ask (`time-of-day` does it,
//! docs/apps/wall_clock.md shows it).

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info};
use sel4_microkit::{Handler, protection_domain};
use socket_client::Net;
use static_cell::StaticCell;
use stats::{WallClock as Counter, Writer};
use time_of_day::WallClock;

/// The server: change it here. This is the host, at a port that needs no rights there.
const SERVER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 2), 1123));
/// Connections at once; others wait in net_server.
const WORKERS: usize = 4;

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let tasks = AsyncPd::start();
    static CLOCK: StaticCell<WallClock> = StaticCell::new();
    let clock = CLOCK.init_with(WallClock::default);
    // A flag: what an earlier life knew is gone.
    pd.stats().set(Counter::Known, 0);
    let spawner = tasks.spawner();
    spawner.spawn(keep(clock, tasks.net(), pd.stats()).expect("spawned once"));
    spawner.spawn(tell(clock, tasks.net(), port, pd.stats()).expect("spawned once"));
    info!("the time from {SERVER}, for TCP port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn keep(clock: &'static WallClock, net: &'static Net<NetServer>, stats: Writer<Counter>) {
    let report = |failure| info!("{SERVER} does not tell the time: {failure:?}");
    clock.keep(net, SERVER, Some(stats), report).await;
}

#[embassy_executor::task]
async fn tell(
    clock: &'static WallClock,
    net: &'static Net<NetServer>,
    port: u16,
    stats: Writer<Counter>,
) {
    net.serve::<WORKERS>(port, async |guest| {
        stats.inc(Counter::Asked);
        clock.tell(guest).await
    })
    .await;
}
