// SPDX-License-Identifier: BSD-2-Clause

//! Echo server: TCP and UDP echo on every port that the declaration gives to this PD.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use echo_service::EchoService;
use pd_net::NetServer;
use pd_support::{Pd, info, warn};
use sel4_microkit::{ChannelSet, Handler, Infallible, protection_domain};
use wiring::PortRange;

struct Echo {
    service: EchoService<NetServer>,
}

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<stats::EchoServer>::start();
    let limits = pd_net::limits();
    let each = |range: PortRange| range.first()..=range.last();
    let tcp = || limits.tcp_listen().flat_map(each);
    let udp = || limits.udp_bind().flat_map(each);
    let started =
        pd_net::attach().and_then(|client| EchoService::start(client, pd.stats(), tcp(), udp()));
    match started {
        Ok(service) => {
            for port in tcp() {
                info!("echo on TCP port {port}");
            }
            for port in udp() {
                info!("echo on UDP port {port}");
            }
            pd.run(Echo { service })
        }
        // The supervisor says so, and starts this PD again.
        Err(errno) => panic!("cannot open the ports: {errno}"),
    }
}

impl Handler for Echo {
    type Error = Infallible;

    /// The channel does not matter: the service finds out what is ready.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        if let Err(errno) = self.service.notified() {
            warn!("net_server has restarted and refuses: {errno}");
        }
        Ok(())
    }
}
