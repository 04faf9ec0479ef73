// SPDX-License-Identifier: BSD-2-Clause

//! Serving one connection from its first request to its end.

use core::cell::RefCell;
use core::future::poll_fn;
use core::task::Poll;

use picoserve::response::StatusCode;
use picoserve::time::{Duration, Timer};
use picoserve::{Config, Router, Server, Timeouts};
use stats::HttpServer;

use crate::site::Visit;
use crate::snapshot::Counters;
use crate::stream::{ByteStream, Connection};
use crate::{PdRuntime, Site};

/// Bytes of the buffer that a connection needs: request line, header and what has arrived of the
/// next request. A request that does not fit is answered with 400.
pub const BUFFER_LEN: usize = 8192;

/// No client holds a connection for longer than these without anything happening. How fast it must
/// be besides says [`socket_client::Service`].
const CONFIG: Config = Config::new(Timeouts {
    start_read_request: Duration::from_secs(30),
    persistent_start_read_request: Duration::from_secs(30),
    read_request: Duration::from_secs(10),
    write: Duration::from_secs(30),
})
.keep_connection_alive();

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By agreement: the client went, or was told to.
    Closed,
    /// The client sent something that is no request.
    Malformed,
    /// By an error or a timeout in the middle of a request or response.
    Failed,
}

/// Serves a connection until it ends. `buffer` should have [`BUFFER_LEN`] bytes.
pub async fn serve<S: ByteStream, T: Timer<PdRuntime>>(
    site: &Site,
    stream: S,
    timer: T,
    buffer: &mut [u8],
) -> Ended {
    let counters = RefCell::new(Counters::default());
    let connection = Connection::new(stream, site.stats);
    let router = Router::from_service(Visit {
        site,
        counters: &counters,
        connection: &connection,
    });
    // picoserve looks at this between two requests: also when it has read the next one already,
    // which is not answered then.
    let is_over = poll_fn(|_| match connection.is_over.get() {
        true => Poll::Ready(()),
        false => Poll::Pending,
    });
    let served = Server::custom(&router, timer, &CONFIG, buffer)
        .with_graceful_shutdown(is_over, Duration::default())
        .serve(&connection)
        .await;
    match served {
        Ok(_) => Ended::Closed,
        Err(picoserve::Error::BadRequest) => {
            // picoserve has answered it without asking the site.
            site.stats.inc(HttpServer::Requests);
            site.count(StatusCode::BAD_REQUEST);
            Ended::Malformed
        }
        Err(_) => Ended::Failed,
    }
}
