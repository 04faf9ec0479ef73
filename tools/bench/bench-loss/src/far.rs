// SPDX-License-Identifier: BSD-2-Clause
//! The two servers that are compared, each behind a cable of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use host_peer::contents;
use qemu_harness::{Command, Guest, LogFolder, Netdev};
use testnet::{Conditions, Far, Listener, Namespace, RawPort, Switch};

use crate::measure::Cable;

const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
/// The image's address, from the declaration, and Linux's where it plays the same part.
const FAR: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
const PREFIX: u8 = 24;
const HTTP: u16 = 80;
const BOOT: Duration = Duration::from_secs(60);

/// The booted image.
#[derive(Debug)]
pub struct Image {
    /// the way to it
    pub cable: Cable,
    guest: Guest,
    _raw: RawPort,
    _logs: LogFolder,
}

impl Image {
    /// Boots it and waits until it serves.
    ///
    /// # Errors
    /// If it does not.
    pub fn boot(command: &Command, logs: &Path) -> Result<Self> {
        let logs = LogFolder::create(logs, "bench-loss")?;
        let (near, tap) = near()?;
        let listener = Listener::bind(logs.path().join("net.sock"))?;
        let netdev = Netdev::Stream(listener.path().to_owned());
        let guest = Guest::boot(&command.clone().with_netdev(&netdev)?, &logs, "image")?;
        let far = listener.accept(|| guest.is_running())?;
        let (switch, raw) = Switch::start(tap, far)?;
        let cable = Cable {
            near,
            switch,
            server: (FAR, HTTP).into(),
        };
        let deadline = Instant::now() + BOOT;
        let soon = Duration::from_millis(10);
        while let Err(error) = cable.download(Conditions::default(), soon) {
            if Instant::now() > deadline || !guest.is_running() {
                return Err(error.context(format!(
                    "the image does not serve; log: {}",
                    guest.log().display()
                )));
            }
        }
        Ok(Self {
            cable,
            guest,
            _raw: raw,
            _logs: logs,
        })
    }

    /// All was well.
    pub fn discard_log(&self) {
        self.guest.discard_log();
    }
}

/// Linux in a namespace of its own.
#[derive(Debug)]
pub struct Linux {
    /// the way to it
    pub cable: Cable,
    _raw: RawPort,
}

impl Linux {
    /// Starts a server.
    ///
    /// # Errors
    /// If there is no namespace or no socket for it.
    pub fn start() -> Result<Self> {
        let (near, tap) = near()?;
        let (far, far_tap) = Namespace::with_tap(FAR, PREFIX)?;
        let (switch, raw) = Switch::start(tap, Far::Tap(far_tap))?;
        let server = SocketAddr::from((FAR, HTTP));
        let listener = far.run(|| {
            forget_old_connections()?;
            Ok(TcpListener::bind(server)?)
        })?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // The client goes when its time is over.
                thread::spawn(move || drop(serve(stream)));
            }
        });
        let cable = Cable {
            near,
            switch,
            server,
        };
        Ok(Self { cable, _raw: raw })
    }
}

fn near() -> Result<(Namespace, testnet::Tap)> {
    let (near, tap) = Namespace::with_tap(NEAR, PREFIX)?;
    near.run(forget_old_connections)?;
    Ok((near, tap))
}

/// Each measurement begins like the first: Linux would remember what a cable was like.
fn forget_old_connections() -> Result<()> {
    fs::write("/proc/sys/net/ipv4/tcp_no_metrics_save", "1")
        .context("cannot set tcp_no_metrics_save")
}

/// Answers one request for /bytes/N.
fn serve(mut stream: TcpStream) -> Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let request = String::from_utf8(request)?;
    let Some(size) = request
        .strip_prefix("GET /bytes/")
        .and_then(|rest| rest.split(' ').next())
    else {
        bail!("another request: {request}");
    };
    let size: u64 = size.parse()?;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    )?;
    let mut piece = vec![0; 64 * 1024];
    let mut at = 0;
    while at < size {
        contents::fill_pattern(at, &mut piece);
        stream.write_all(&piece)?;
        at += piece.len() as u64;
    }
    Ok(())
}
