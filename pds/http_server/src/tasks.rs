// SPDX-License-Identifier: BSD-2-Clause

//! The tasks: one that accepts, many that serve.

use core::net::Ipv6Addr;

use http_app::{BUFFER_LEN, Ended, Site, serve as serve_connection};
use pd_net::NetServer;
use pd_support::warn;
use socket_client::{Net, Served, Service};
use stats::HttpServer;

use crate::{BACKLOG, WORKERS};

/// Accepts connections, for good.
#[embassy_executor::task]
pub async fn accept(
    port: u16,
    site: &'static Site,
    service: &'static Service<'static, NetServer, WORKERS>,
) {
    let address = (Ipv6Addr::UNSPECIFIED, port).into();
    service
        .accept(address, BACKLOG, |accepted| match accepted {
            Ok(_) => site.stats.inc(HttpServer::Connections),
            Err(error) => warn!("listening on port {port} again: {error}"),
        })
        .await;
}

/// Serves one connection after the other.
#[embassy_executor::task(pool_size = WORKERS)]
pub async fn serve(
    site: &'static Site,
    net: &'static Net<NetServer>,
    service: &'static Service<'static, NetServer, WORKERS>,
) {
    let mut buffer = [0; BUFFER_LEN];
    let count = |change: fn(u64, u64) -> u64| {
        let now = site.stats.get(HttpServer::ConnectionsOpen);
        site.stats.set(HttpServer::ConnectionsOpen, change(now, 1));
    };
    let worked = service
        .work(
            async |guest| {
                count(u64::saturating_add);
                serve_connection(site, guest, net, &mut buffer).await
            },
            |served| {
                count(u64::saturating_sub);
                match served {
                    Served::Displaced => site.stats.inc(HttpServer::ConnectionsDisplaced),
                    Served::TooSlow | Served::Done(Ended::Failed) => {
                        site.stats.inc(HttpServer::ConnectionsFailed);
                    }
                    Served::Done(Ended::Closed | Ended::Malformed) => {}
                }
            },
        )
        .await;
    let Err(error) = worked;
    warn!("a worker too many: {error}");
}
