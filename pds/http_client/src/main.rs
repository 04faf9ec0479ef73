// SPDX-License-Identifier: BSD-2-Clause

//! Fetches by HTTP for others (`http-fetch` does it, docs/apps/http_client.md shows it).

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use http_fetch::{Buffers, Proxy, Trust};
use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info, warn};
use sel4_microkit::{Handler, protection_domain};
use socket_client::Net;
use static_cell::StaticCell;
use stats::{HttpClient as Counter, Writer};
use time_of_day::WallClock;
use tls::{Authorities, built_in};

/// Requests at once; others wait in net_server.
const WORKERS: usize = 8;
/// Answers about names that are kept.
const NAMES: usize = 16;
/// Who tells the time, without which no certificate is valid: change it here. This is the host, at
/// a port that needs no rights there.
const TIME: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 2), 1124));

#[protection_domain(heap_region = (heap_vaddr, heap_size))]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let tasks = AsyncPd::start();
    static CLOCK: StaticCell<WallClock> = StaticCell::new();
    let clock = CLOCK.init_with(WallClock::default);
    let spawner = tasks.spawner();
    spawner.spawn(keep(clock, tasks.net()).expect("spawned once"));
    let serving = serve(tasks.net(), port, pd.stats(), clock);
    spawner.spawn(serving.expect("spawned once"));
    info!("fetching by HTTP for TCP port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn keep(clock: &'static WallClock, net: &'static Net<NetServer>) {
    let report = |failure| info!("{TIME} does not tell the time: {failure:?}");
    clock.keep(net, TIME, None, report).await;
}

#[embassy_executor::task]
async fn serve(
    net: &'static Net<NetServer>,
    port: u16,
    stats: Writer<Counter>,
    clock: &'static WallClock,
) {
    let dns = match pd_net::resolver::<NAMES>(net) {
        Ok(dns) => dns,
        Err(errno) => panic!("cannot open a socket for names: {errno}"),
    };
    let time = || clock.at(net.now());
    let trust = Authorities::new(built_in::AUTHORITY)
        .inspect_err(|error| warn!("no https, for want of an authority: {error:?}"))
        .ok()
        .map(|authorities| Trust {
            authorities,
            time: &time,
        });
    let proxy = Proxy {
        net,
        dns,
        stats,
        trust,
    };
    net.serve::<WORKERS>(port, async |guest| {
        proxy.serve(guest, &mut Buffers::new()).await
    })
    .await;
}
