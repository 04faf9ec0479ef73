// SPDX-License-Identifier: BSD-2-Clause

//! Fetches by HTTP for others (`http-fetch` does it, docs/apps/http_client.md shows it).

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use http_fetch::{Buffers, Proxy};
use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info};
use sel4_microkit::{Handler, protection_domain};
use socket_client::Net;
use stats::{HttpClient as Counter, Writer};

/// Requests at once; others wait in net_server.
const WORKERS: usize = 8;
/// Answers about names that are kept.
const NAMES: usize = 16;

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let tasks = AsyncPd::start();
    let serving = serve(tasks.net(), port, pd.stats()).expect("spawned once");
    tasks.spawner().spawn(serving);
    info!("fetching by HTTP for TCP port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn serve(net: &'static Net<NetServer>, port: u16, stats: Writer<Counter>) {
    let dns = match pd_net::resolver::<NAMES>(net) {
        Ok(dns) => dns,
        Err(errno) => panic!("cannot open a socket for names: {errno}"),
    };
    let proxy = Proxy { net, dns, stats };
    net.serve::<WORKERS>(port, async |guest| {
        proxy.serve(guest, &mut Buffers::new()).await
    })
    .await;
}
