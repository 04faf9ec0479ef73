// SPDX-License-Identifier: BSD-2-Clause
//! One download.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use host_peer::contents;
use host_peer::http::{Head, get_request};
use testnet::{Conditions, Namespace, Switch};

/// The largest that the image has; more than a guest sends in the time.
const SIZE: u64 = 1 << 30;
/// For a connection and the first byte, however bad the cable is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client's end of a cable, with a server at the other.
#[derive(Debug)]
pub struct Cable {
    /// where the client is
    pub near: Namespace,
    /// what is between them
    pub switch: Switch,
    /// an HTTP server that has /bytes/N
    pub server: SocketAddr,
}

impl Cable {
    /// Downloads under these conditions: megabytes (10⁶ bytes) a second, from the first byte of the
    /// response until the time is over.
    ///
    /// # Errors
    /// If the connection fails or wrong bytes come.
    pub fn download(&self, conditions: Conditions, limit: Duration) -> Result<f64> {
        self.switch.under(conditions, || {
            self.near
                .run(|| download(self.server, limit))
                .with_context(|| format!("{conditions:?}"))
        })
    }
}

fn download(server: SocketAddr, limit: Duration) -> Result<f64> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(get_request(&format!("/bytes/{SIZE}")).as_bytes())?;
    let mut received = vec![0; 256 * 1024];
    let mut expected = vec![0; received.len()];
    let mut filled = 0;
    let head = loop {
        let n = stream.read(&mut received[filled..])?;
        ensure!(n > 0, "the connection ended before the headers");
        filled += n;
        if let Some((head, len)) = Head::parse(&received[..filled])? {
            ensure!(head.status == 200, "status {}", head.status);
            break len;
        }
    };
    received.copy_within(head..filled, 0);
    filled -= head;
    let start = Instant::now();
    let mut at = 0;
    loop {
        contents::fill_pattern(at, &mut expected[..filled]);
        contents::compare(&expected[..filled], &received[..filled])
            .with_context(|| format!("from byte {at} on"))?;
        at += filled as u64;
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Ok(at as f64 / 1e6 / start.elapsed().as_secs_f64());
        }
        stream.set_read_timeout(Some(left))?;
        filled = match stream.read(&mut received) {
            Ok(0) => bail!("the download ended at byte {at}"),
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
            Err(e) => return Err(e).context("the download stopped"),
        };
    }
}
