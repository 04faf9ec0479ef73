// SPDX-License-Identifier: BSD-2-Clause

//! A shell for an administrator (`shell-service` has the commands, docs/apps/admin_shell.md shows
//! it). A peer that reaches its port is one.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info};
use sel4_microkit::{Handler, protection_domain};
use socket_client::Net;
use stats::NoCounters;

/// Connections at once; others wait in net_server.
const WORKERS: usize = 2;

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<NoCounters>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let tasks = AsyncPd::start();
    let serve = serve(tasks.net(), port).expect("spawned once");
    tasks.spawner().spawn(serve);
    info!("a shell for administrators on TCP port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn serve(net: &'static Net<NetServer>, port: u16) {
    let serve = net.serve::<WORKERS>(port, async |guest| shell_service::serve(net, guest).await);
    serve.await;
}
