// SPDX-License-Identifier: BSD-2-Clause
//! Sending bytes and comparing what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use host_peer::contents;

/// Sends and reads at once, and compares piece by piece.
pub fn echo(stream: &TcpStream, data: &[u8]) -> Result<()> {
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let mut stream = stream;
            stream.write_all(data).context("cannot send")
        });
        let read = expect(stream, data);
        if read.is_err() {
            // The writer may wait for room that nobody will make.
            let _ = stream.shutdown(Shutdown::Both);
        }
        let written = join(writer);
        read.and(written)
    })
}

/// Echoes on all streams, every byte compared, from before `disturb` until after it.
pub fn echo_during(
    streams: &[TcpStream],
    data: &[u8],
    disturb: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let echoing: Vec<_> = streams
            .iter()
            .map(|stream| {
                let done = &done;
                scope.spawn(move || {
                    let mut rounds = 0;
                    while !done.load(Ordering::Relaxed) {
                        echo(stream, data).with_context(|| format!("round {rounds}"))?;
                        rounds += 1;
                    }
                    echo(stream, data).context("left in peace again")
                })
            })
            .collect();
        let disturbed = disturb();
        done.store(true, Ordering::Relaxed);
        disturbed?;
        echoing.into_iter().try_for_each(join)
    })
}

/// Reads exactly `data`.
pub fn expect(mut stream: &TcpStream, data: &[u8]) -> Result<()> {
    let mut piece = vec![0; 64 * 1024];
    let mut at = 0;
    while at < data.len() {
        let room = piece.len().min(data.len() - at);
        let n = stream
            .read(&mut piece[..room])
            .with_context(|| format!("cannot read byte {at} of {}", data.len()))?;
        ensure!(n > 0, "the stream ended at byte {at} of {}", data.len());
        contents::compare(&data[at..at + n], &piece[..n])
            .with_context(|| format!("the {n} bytes from {at} on"))?;
        at += n;
    }
    Ok(())
}

/// Expects the orderly end of the stream.
pub fn expect_end(mut stream: &TcpStream) -> Result<()> {
    match stream.read(&mut [0; 16]) {
        Ok(0) => Ok(()),
        Ok(n) => bail!("{n} bytes came where the stream should end"),
        Err(e) => Err(e).context("no end of the stream"),
    }
}

/// Expects that the connection ends, orderly or by a reset; bytes on the way are of no interest.
pub fn expect_gone(mut stream: &TcpStream) -> Result<()> {
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(e) if is_disconnection(e.kind()) => return Ok(()),
            Err(e) => return Err(e).context("the connection stays open"),
        }
    }
}

/// Whether an error says that the peer has gone.
pub fn is_disconnection(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof
    )
}

/// The result of a scoped thread.
pub fn join<T>(thread: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread
        .join()
        .unwrap_or_else(|_| Err(anyhow!("a thread of the test panicked")))
}
