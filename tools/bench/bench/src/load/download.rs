// SPDX-License-Identifier: BSD-2-Clause
//! One large file over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use host_peer::contents;
use host_peer::http::{Framing, Head, get_request};

use super::{TIMEOUT, Target};

/// 64 MB, in units of 10⁶ bytes as all rates here.
const SIZE: u64 = 64_000_000;

/// Downloads once, whatever the time: megabytes per second from the request to the last byte.
pub fn large_file(target: &Target, _: Duration) -> Result<Vec<f64>> {
    let mut stream = TcpStream::connect_timeout(&target.http, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let start = Instant::now();
    stream.write_all(get_request(&format!("/bytes/{SIZE}")).as_bytes())?;
    let mut received = vec![0; 256 * 1024];
    let mut expected = vec![0; received.len()];
    let (mut filled, head_len) = read_head(&mut stream, &mut received)?;
    received.copy_within(head_len..filled, 0);
    filled -= head_len;
    let mut at = 0;
    loop {
        let piece = received.get(..filled).unwrap_or_default();
        let expected = expected.get_mut(..filled).unwrap_or_default();
        contents::fill_pattern(at, expected);
        contents::compare(expected, piece).with_context(|| format!("from byte {at} on"))?;
        at += filled as u64;
        if at >= SIZE {
            break;
        }
        filled = stream.read(&mut received).context("the download stopped")?;
        ensure!(filled > 0, "the download ended at byte {at}");
    }
    let seconds = start.elapsed().as_secs_f64();
    ensure!(at == SIZE, "{at} bytes came");
    Ok(vec![SIZE as f64 / 1e6 / seconds])
}

/// Reads until the head is complete: how much was read, and how much of it is the head.
fn read_head(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<(usize, usize)> {
    let mut filled = 0;
    loop {
        let n = stream
            .read(buffer.get_mut(filled..).unwrap_or_default())
            .context("no response")?;
        ensure!(n > 0, "the connection ended before the headers");
        filled += n;
        if let Some((head, len)) = Head::parse(buffer.get(..filled).unwrap_or_default())? {
            ensure!(head.status == 200, "status {}", head.status);
            ensure!(
                head.framing("GET")? == Framing::Length(SIZE),
                "the response does not say its length"
            );
            return Ok((filled, len));
        }
    }
}
