// SPDX-License-Identifier: BSD-2-Clause

//! Greets each peer that connects, and gives each line back in capitals.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info};
use sel4_microkit::{Handler, protection_domain};
use socket_client::Net;

/// Connections at once; others wait in net_server.
const WORKERS: usize = 8;

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<stats::NoCounters>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let tasks = AsyncPd::start();
    let greeting = greet(tasks.net(), port).expect("spawned once");
    tasks.spawner().spawn(greeting);
    info!("greeting on TCP port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn greet(net: &'static Net<NetServer>, port: u16) {
    net.serve::<WORKERS>(port, async |guest| {
        guest.write_all(b"Hello! Say something.\n").await?;
        let mut buf = [0; 512];
        loop {
            let count = guest.read(&mut buf).await?;
            // When others wait, each guest has its turn.
            if count == 0 || !guest.requested() {
                return Ok(());
            }
            buf[..count].make_ascii_uppercase();
            guest.write_all(&buf[..count]).await?;
        }
    })
    .await;
}
