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
use net_config::NetConfig;
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
    let config = match pd_net::config() {
        Ok(config) => config,
        Err(error) => panic!("{error}"),
    };
    // A level: those of an earlier life are gone.
    pd.stats().set(stats::HttpServer::ConnectionsOpen, 0);
    let tasks = AsyncPd::start();
    let net = tasks.net();

    static SITE: StaticCell<Site> = StaticCell::new();
    let site = SITE.init(Site {
        files: &FILES,
        pds: sources::pds(pd.stats().page()),
        identity: identity(&config),
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
    let port = port(&config);
    match tasks::accept(port, site, service) {
        Ok(acceptor) => spawner.spawn(acceptor),
        Err(error) => panic!("{error:?}"),
    }
    info!("HTTP on port {port}, {} files", FILES.len());
    pd.run(tasks.run())
}

/// The port that the declaration gives to this PD.
fn port(config: &NetConfig<'static>) -> u16 {
    let ports =
        pd_net::client_named_as_this_pd(config).and_then(|client| client.tcp_listen().next());
    match ports {
        Some(range) => range.first(),
        None => panic!("the declaration gives this PD no port in tcp_listen"),
    }
}

fn identity(config: &NetConfig<'static>) -> &'static Identity {
    static IDENTITY: StaticCell<Identity> = StaticCell::new();
    let interface = config.interface();
    IDENTITY.init(Identity {
        hostname: interface.hostname,
        address: interface.address,
        prefix_len: interface.prefix_len,
        gateway: interface.gateway,
    })
}
