// SPDX-License-Identifier: BSD-2-Clause

//! Serves the files of a folder as http_server would, on this machine, for work on the page: `cargo
//! run -p http-app --example host -- pds/http_server/www 8090`. The counters are made up and grow.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration as StdDuration, Instant};
use std::{env, fs, thread};

use http_app::{BUFFER_LEN, ByteStream, Identity, PdRuntime, PdSource, Site, StaticFile, serve};
use picoserve::time::{Duration, Timer};
use socket_client::{Errno, Sent};
use stats::{
    Common, Console, CounterSet, EchoServer, HttpServer, NetDriver, NetServer, RngDriver,
    Supervisor, TimerDriver, Writer, mac_to_value,
};
use test_world::page;
use time::Clock;

/// A stream whose calls wait, so that futures are always ready.
struct Blocking {
    stream: TcpStream,
    window: RefCell<Vec<u8>>,
}

const ROOM: usize = 64 * 1024;

impl ByteStream for Blocking {
    async fn read(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        (&self.stream).read(buf).map_err(|_| Errno::ECONNRESET)
    }

    async fn write_with(
        &self,
        max: usize,
        mut fill: impl FnMut(&mut [u8]) -> usize,
    ) -> Result<Sent, Errno> {
        let mut window = self.window.borrow_mut();
        let count = fill(&mut window[..max.min(ROOM)]);
        let written = (&self.stream).write_all(&window[..count]);
        written.map_err(|_| Errno::ECONNRESET)?;
        Ok(Sent { count, room: ROOM })
    }

    fn finish(&self) -> Result<(), Errno> {
        let ended = self.stream.shutdown(std::net::Shutdown::Write);
        ended.map_err(|_| Errno::ENOTCONN)
    }

    fn requested(&self) -> bool {
        true
    }
}

/// Calls time out by themselves.
struct Never;

impl Timer<PdRuntime> for Never {
    async fn delay(&self, _: Duration) {
        std::future::pending().await
    }
}

const TICKS: u64 = 62_500_000;

fn now() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(Instant::now);
    (start.elapsed().as_nanos() as u64) / 16 + TICKS
}

/// Adds a PD with its counters.
fn add<C: CounterSet>(
    pds: &mut Vec<PdSource>,
    name: &'static str,
    role: &'static str,
) -> Writer<C> {
    let (number, page) = (pds.len(), page());
    pds.push(PdSource {
        name,
        role,
        number,
        page,
    });
    Writer::attach(page, now())
}

fn main() {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().expect("a folder");
    let port = arguments.next().expect("a port").parse().expect("a port");

    let mut pds = Vec::new();
    let supervisor = add::<Supervisor>(&mut pds, "supervisor", "restarts what faults");
    let timer = add::<TimerDriver>(&mut pds, "timer_driver", "deadlines for others");
    let driver = add::<NetDriver>(&mut pds, "net_driver", "virtio-net, nothing else");
    let server = add::<NetServer>(&mut pds, "net_server", "TCP/IP and sockets");
    let echo = add::<EchoServer>(&mut pds, "echo_server", "TCP and UDP echo");
    let stats = add::<HttpServer>(&mut pds, "http_server", "this page");
    let console = add::<Console>(&mut pds, "console", "log lines of all");
    add::<RngDriver>(&mut pds, "rng_driver", "virtio-rng, keys for others");
    let mac = mac_to_value([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
    driver.set(NetDriver::MacAddress, mac);
    server.set(NetServer::GatewayReachable, 1);

    let site: &Site = Box::leak(Box::new(Site {
        files: files(Path::new(&folder)),
        pds: pds.leak(),
        identity: Box::leak(Box::new(Identity {
            hostname: "isthmus",
            address: Ipv4Addr::new(10, 0, 2, 15),
            prefix_len: 24,
            gateway: Ipv4Addr::new(10, 0, 2, 2),
        })),
        stats,
        clock: Clock::new(TICKS).expect("a frequency"),
        now,
    }));
    thread::spawn(move || {
        for second in 0u64.. {
            let wave = 1200 + (900.0 * (second as f64 / 7.0).sin()) as u64;
            driver.add(NetDriver::RxFrames, wave);
            driver.add(NetDriver::TxFrames, wave * 9 / 10);
            driver.add(NetDriver::RxBytes, wave * 700);
            driver.add(NetDriver::TxBytes, wave * 1200);
            driver.common(Common::WakeUps).add(wave / 3);
            driver.common(Common::NotificationsSent).add(wave / 4);
            server.common(Common::PpcsServed).add(wave * 2);
            server.set(NetServer::StreamSockets, 5 + second % 3);
            echo.add(EchoServer::TcpBytes, wave * 900);
            echo.common(Common::PpcsMade).add(wave);
            timer.add(TimerDriver::TimeoutsFired, 12);
            console.add(Console::Lines, second % 2);
            if second % 20 == 15 {
                driver.common(Common::Starts).add(1);
                driver.common(Common::StartedAt).set(now());
                supervisor.add(Supervisor::Faults, 1);
                supervisor.add(Supervisor::Restarts, 1);
                supervisor.add(Supervisor::FaultsChild1, 1);
                supervisor.set(Supervisor::LastRecovery, 3_400_000);
            }
            thread::sleep(StdDuration::from_secs(1));
        }
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a free port");
    println!("http://127.0.0.1:{port}/");
    for stream in listener.incoming().flatten() {
        thread::spawn(move || {
            let _ = stream.set_read_timeout(Some(StdDuration::from_secs(15)));
            let stream = Blocking {
                stream,
                window: RefCell::new(vec![0; ROOM]),
            };
            let mut buffer = vec![0; BUFFER_LEN];
            let mut served = pin!(serve(site, stream, Never, &mut buffer));
            let mut cx = Context::from_waker(Waker::noop());
            while served.as_mut().poll(&mut cx).is_pending() {
                thread::yield_now();
            }
        });
    }
}

fn files(folder: &Path) -> &'static [StaticFile] {
    let entries = fs::read_dir(folder).expect("a folder");
    let files = entries.flatten().map(|entry| {
        let name = entry.file_name().into_string().expect("UTF-8");
        let content_type = match name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css",
            Some("svg") => "image/svg+xml",
            _ => "text/plain",
        };
        StaticFile {
            path: format!("/{}", name.strip_suffix("index.html").unwrap_or(&name)).leak(),
            content_type,
            etag: "\"host\"",
            body: fs::read(entry.path()).expect("a file").leak(),
        }
    });
    files.collect::<Vec<_>>().leak()
}
