// SPDX-License-Identifier: BSD-2-Clause

//! The tasks: one that accepts, many that serve.

use core::net::Ipv4Addr;

use http_app::{BUFFER_LEN, Ended, NetTimer, Site, serve as serve_connection};
use pd_net::NetServer;
use pd_support::{info, warn};
use socket_client::{Errno, Handoff, Net, TcpListener};
use stats::HttpServer;

use crate::{BACKLOG, Stream, WORKERS};

/// How long to wait when a listener cannot be opened or no socket is left, in nanoseconds.
const RETRY: u64 = 100_000_000;

/// Accepts connections while a worker is idle; for good.
#[embassy_executor::task]
pub async fn accept(
    port: u16,
    site: &'static Site,
    net: &'static Net<NetServer>,
    handoff: &'static Handoff<Stream, WORKERS>,
) {
    let mut listener = open(port, net).await;
    loop {
        handoff.worker_is_idle().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                site.stats.inc(HttpServer::Connections);
                // A worker was idle, and only this task gives them work. If it were not so, dropping the stream closes it.
                let _ = handoff.give(stream);
            }
            Err(error) if matches!(error.0, Errno::EMFILE | Errno::ENFILE) => {
                net.sleep(RETRY).await;
            }
            Err(error) => {
                info!("listening again: {error}");
                drop(listener);
                listener = open(port, net).await;
            }
        }
    }
}

async fn open(port: u16, net: &'static Net<NetServer>) -> TcpListener<'static, NetServer> {
    loop {
        match TcpListener::bind(net, (Ipv4Addr::UNSPECIFIED, port).into(), BACKLOG) {
            Ok(listener) => return listener,
            Err(error) => {
                warn!("cannot listen on port {port}: {error}");
                net.sleep(RETRY).await;
            }
        }
    }
}

/// Serves one connection after the other.
#[embassy_executor::task(pool_size = WORKERS)]
pub async fn serve(
    site: &'static Site,
    net: &'static Net<NetServer>,
    handoff: &'static Handoff<Stream, WORKERS>,
) {
    let mut buffer = [0; BUFFER_LEN];
    loop {
        let stream = handoff.take().await;
        let open = |change: fn(u64, u64) -> u64| {
            let now = site.stats.get(HttpServer::ConnectionsOpen);
            site.stats.set(HttpServer::ConnectionsOpen, change(now, 1));
        };
        open(u64::saturating_add);
        if serve_connection(site, stream, NetTimer(net), &mut buffer).await == Ended::Failed {
            site.stats.inc(HttpServer::ConnectionsFailed);
        }
        open(u64::saturating_sub);
    }
}
