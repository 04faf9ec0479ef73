// SPDX-License-Identifier: BSD-2-Clause

//! HTTP server: shows the live system, its counters, and the files of `www/` (`http-app` has the
//! site).
//!
//! One task accepts, [`WORKERS`] tasks serve a connection each. A connection too many waits in
//! net_server's backlog, while the others make room for it ([`Service`]).

#![no_std]
#![no_main]
#![forbid(unsafe_code)]
// The futures of picoserve within those of a service lie deeper than the default of 128.
#![recursion_limit = "256"]

mod sources;
mod tasks;

use http_app::{Identity, Site, StaticFile};
use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, clock, info};
use sel4_microkit::{Handler, protection_domain};
use socket_client::Service;
use static_cell::StaticCell;

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Connections at once.
pub const WORKERS: usize = 64;
/// Connections that may wait for a worker.
pub const BACKLOG: usize = 64;

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<stats::HttpServer>::start();
    // A level: those of an earlier life are gone.
    pd.stats().set(stats::HttpServer::ConnectionsOpen, 0);
    let tasks = AsyncPd::start();
    let net = tasks.net();

    static SITE: StaticCell<Site> = StaticCell::new();
    let site = SITE.init(Site {
        files: &FILES,
        pds: sources::pds(pd.stats().page()),
        identity: identity(),
        stats: pd.stats(),
        clock: net.client().transport().clock(),
        now: clock::now,
    });

    static SERVICE: StaticCell<Service<'static, NetServer, WORKERS>> = StaticCell::new();
    let service = SERVICE.init_with(|| Service::new(net));
    let spawner = tasks.spawner();
    for _ in 0..WORKERS {
        match tasks::serve(site, net, service) {
            Ok(worker) => spawner.spawn(worker),
            Err(error) => panic!("{error:?}"),
        }
    }
    let Some(port) = pd_net::tcp_port() else {
        panic!("the declaration gives this PD no port in tcp_listen");
    };
    match tasks::accept(port, site, service) {
        Ok(acceptor) => spawner.spawn(acceptor),
        Err(error) => panic!("{error:?}"),
    }
    info!("HTTP on port {port}, {} files", FILES.len());
    pd.run(tasks.run())
}

fn identity() -> &'static Identity {
    static IDENTITY: StaticCell<Identity> = StaticCell::new();
    let network = pd_net::network();
    IDENTITY.init(Identity {
        hostname: network.hostname.as_str(),
        address: network.address.into(),
        prefix_len: network.prefix_len.get() as u8,
        gateway: network.gateway.into(),
    })
}
