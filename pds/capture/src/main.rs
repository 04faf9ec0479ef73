// SPDX-License-Identifier: BSD-2-Clause

//! Captured frames for tshark and Wireshark (`capture-service` has the format,
//! docs/apps/capture.md shows it).

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use capture_service::Capture;
use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info, warn};
use sel4_microkit::{Handler, protection_domain};
use static_cell::StaticCell;
use stats::Capture as Counter;

type Service = Capture<'static, NetServer>;

/// Its buffers would fill the stack.
static SERVICE: StaticCell<Service> = StaticCell::new();

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let tasks = AsyncPd::start();
    let service = SERVICE.init_with(|| Capture::new(tasks.net(), port, pd.stats()));
    tasks.spawner().spawn(serve(service).expect("spawned once"));
    info!("nc here | tshark -r -: port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn serve(service: &'static mut Service) {
    service
        .run(|errno| warn!("a capture has ended: {errno}"))
        .await;
}
