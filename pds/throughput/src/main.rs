// SPDX-License-Identifier: BSD-2-Clause

//! Measures the network, with iperf3 as the client (`throughput-service` has the protocol,
//! docs/apps/throughput.md shows it).

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info};
use sel4_microkit::{Handler, protection_domain};
use stats::Throughput as Counter;
use throughput_service::Throughput;

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let tasks = AsyncPd::start();
    let serving = serve(Throughput::new(tasks.net(), port, pd.stats()));
    tasks.spawner().spawn(serving.expect("spawned once"));
    info!("iperf3 -c here: port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn serve(server: Throughput<'static, NetServer>) {
    server
        .run(|failure| info!("a test has ended: {failure:?}"))
        .await;
}
