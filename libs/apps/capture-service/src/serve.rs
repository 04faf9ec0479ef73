// SPDX-License-Identifier: BSD-2-Clause

//! One viewer after the other.

use core::net::{Ipv6Addr, SocketAddr};
use core::time::Duration;

use embassy_futures::select::{Either, select};
use socket_client::layouts::{CaptureFilter, CaptureRecord};
use socket_client::{Errno, Net, PollBits, TcpListener, TcpStream, Transport};
use stats::{Capture as Counter, Writer};

use crate::blocks::{Blocks, blocks_for};
use crate::request::{Unknown, parse};

/// How long a viewer has to say what it wants.
const LINE_TIME: Duration = Duration::from_millis(200);
/// How long frames are gathered: what a viewer sees is no older than that.
const GATHER: Duration = Duration::from_millis(10);
/// A pause when there is no listener.
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of records taken at once.
const RECORDS: usize = 16 << 10;
const LINE: usize = 128;

/// The service, with its buffers.
pub struct Capture<'n, T: Transport> {
    net: &'n Net<T>,
    port: u16,
    stats: Writer<Counter>,
    records: [u8; RECORDS],
    blocks: Blocks<{ blocks_for(RECORDS) }>,
}

impl<'n, T: Transport> Capture<'n, T> {
    /// On this port.
    pub const fn new(net: &'n Net<T>, port: u16, stats: Writer<Counter>) -> Self {
        Capture {
            net,
            port,
            stats,
            records: [0; RECORDS],
            blocks: Blocks::new(),
        }
    }

    /// Serves for good. `report` hears why a capture has ended, or could not be had.
    pub async fn run(&mut self, report: impl Fn(Errno)) {
        loop {
            let here = SocketAddr::from((Ipv6Addr::UNSPECIFIED, self.port));
            let served = match TcpListener::bind(self.net, here, 4) {
                Ok(listener) => self.serve(&listener, &report).await,
                Err(errno) => errno,
            };
            report(served);
            let _ = self.net.sleep(PAUSE).await;
        }
    }

    /// Serves until the listener fails. A new viewer takes the place of the one before, who may be
    /// gone without a word.
    async fn serve(&mut self, listener: &TcpListener<'n, T>, report: impl Fn(Errno)) -> Errno {
        let mut next = listener.accept().await;
        loop {
            let (stream, _) = match next {
                Ok(accepted) => accepted,
                Err(errno) => return errno,
            };
            self.stats.inc(Counter::Viewers);
            let shown = select(self.show(&stream), listener.accept()).await;
            // Without a viewer nothing is captured.
            let _ = self.net.client().capture(None);
            drop(stream);
            next = match shown {
                Either::First(shown) => {
                    shown.unwrap_or_else(&report);
                    listener.accept().await
                }
                Either::Second(accepted) => accepted,
            };
        }
    }

    /// Shows frames until the viewer goes away; it is told so if it has asked for nonsense.
    async fn show(&mut self, stream: &TcpStream<'n, T>) -> Result<(), Errno> {
        let mut line = [0; LINE];
        let filter = match wanted(self.net, stream, &mut line).await? {
            Ok(filter) => filter,
            Err(Unknown(word)) => {
                for text in ["what is \"", word, "\"?\n"] {
                    stream.write_all(text.as_bytes()).await?;
                }
                return Ok(());
            }
        };
        self.net.client().capture(Some(&filter))?;
        self.blocks.clear();
        self.blocks.header();
        stream.write_all(self.blocks.bytes()).await?;
        let mut dropped = 0;
        // One that ends only its own direction goes on listening.
        while !stream.poll_bits().intersects(PollBits::HUP) {
            let captured = self.net.client().captured(&mut self.records)?;
            self.blocks.clear();
            let mut records = &self.records[..captured.bytes as usize];
            while let Some((record, frame, rest)) = CaptureRecord::split(records) {
                self.blocks.frame(&record, frame);
                self.stats.inc(Counter::Frames);
                records = rest;
            }
            if captured.dropped > dropped {
                self.stats.add(Counter::Dropped, captured.dropped - dropped);
                dropped = captured.dropped;
                let now = self.net.now().as_nanos();
                self.blocks.dropped(now, dropped);
            }
            stream.write_all(self.blocks.bytes()).await?;
            if captured.bytes < RECORDS as u64 / 2 {
                self.net.sleep(GATHER).await?;
            }
        }
        Ok(())
    }
}

/// What a viewer wants: what its line says, or everything if none comes.
async fn wanted<'l, T: Transport>(
    net: &Net<T>,
    stream: &TcpStream<'_, T>,
    line: &'l mut [u8; LINE],
) -> Result<Result<CaptureFilter, Unknown<'l>>, Errno> {
    let mut count = 0;
    let read = async {
        while count < LINE && !line[..count].contains(&b'\n') {
            match stream.read(&mut line[count..]).await? {
                0 => break,
                more => count += more,
            }
        }
        Ok(())
    };
    match net.timeout(LINE_TIME, read).await {
        Ok(read) => read?,
        Err(Errno::ETIMEDOUT) => {}
        Err(errno) => return Err(errno),
    }
    let text = str::from_utf8(&line[..count]).unwrap_or("\u{fffd}");
    Ok(parse(text))
}
