// SPDX-License-Identifier: BSD-2-Clause

//! The pages of http_server by HTTPS: TLS ends here, and what it carries goes on over loopback
//! (`tls-front` does it, docs/apps/https_server.md shows it).

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info};
use sel4_microkit::{Handler, protection_domain};
use static_cell::StaticCell;
use stats::HttpsServer as Counter;
use tls::{Identity, built_in};
use tls_front::Front;

/// Who answers: http_server on this machine.
const SERVER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 80));
/// Connections at once; others wait in net_server.
const WORKERS: usize = 8;

#[protection_domain(heap_region = (heap_vaddr, heap_size))]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let identity = Identity::new(built_in::CERTIFICATE, built_in::KEY)
        .unwrap_or_else(|error| panic!("certificate and key in the image: {error:?}"));
    let tasks = AsyncPd::start();
    static FRONT: StaticCell<Front<'static, NetServer>> = StaticCell::new();
    let front = FRONT.init_with(|| Front {
        net: tasks.net(),
        server: SERVER,
        identity,
        stats: pd.stats(),
    });
    tasks
        .spawner()
        .spawn(serve(front, port).expect("spawned once"));
    info!("HTTPS on port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn serve(front: &'static Front<'static, NetServer>, port: u16) {
    let net = front.net;
    net.serve::<WORKERS>(port, async |guest| front.serve(guest).await)
        .await;
}
