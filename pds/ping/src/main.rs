// SPDX-License-Identifier: BSD-2-Clause

//! Asks hosts for echoes on behalf of its peers: `[ping] host [count]` in a line, and a line for
//! each reply comes back. docs/apps/ping.md shows it.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::fmt::{self, Display, Formatter, Write};
use core::net::IpAddr;
use core::time::Duration;

use heapless::{String, Vec};
use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info};
use resolver::Resolver;
use sel4_microkit::{Handler, protection_domain};
use socket_client::{Errno, Family, IcmpSocket, Net};

/// Connections at once; others wait in net_server.
const WORKERS: usize = 4;
/// Bytes of the longest line.
const LINE: usize = 280;
/// Requests of one line, if it does not say how many, and at most.
const COUNT: u16 = 4;
const COUNT_MAX: u16 = 20;
/// Bytes behind the header of a request.
const PAYLOAD: [u8; 56] = [0x55; 56];
/// From one request to the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a reply is waited for: longer than a neighbour is searched for.
const PATIENCE: Duration = Duration::from_secs(4);
/// Names that are kept.
const CACHE: usize = 4;
/// Bytes of the window for replies.
const RECEIVE_LEN: usize = 1024;

type Line = String<LINE>;
type Guest<'g, 'n> = socket_client::Guest<'g, 'n, NetServer, WORKERS>;

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<stats::NoCounters>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let tasks = AsyncPd::start();
    let serving = serve(tasks.net(), port).expect("spawned once");
    tasks.spawner().spawn(serving);
    info!("asking for echoes, as said at TCP port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn serve(net: &'static Net<NetServer>, port: u16) {
    let names = match pd_net::resolver::<CACHE>(net) {
        Ok(names) => names,
        Err(errno) => panic!("cannot open a socket for names: {errno}"),
    };
    net.serve::<WORKERS>(port, async |guest| {
        let mut line = Line::new();
        while read_line(guest, &mut line).await? && guest.requested() {
            match target(&names, &line).await {
                Ok((host, count)) => ping(guest, host, count).await?,
                Err(error) => say(guest, format_args!("{error}")).await?,
            }
        }
        Ok(())
    })
    .await;
}

/// Reads a line without its end. Returns `false` at the end of the stream.
async fn read_line(guest: &Guest<'_, '_>, line: &mut Line) -> Result<bool, Errno> {
    let mut bytes = Vec::<u8, LINE>::new();
    let mut byte = [0];
    loop {
        if guest.read(&mut byte).await? == 0 {
            return Ok(false);
        }
        match byte {
            [b'\n'] => break,
            [b] => bytes.push(b).map_err(|_| Errno::EMSGSIZE)?,
        }
    }
    // What is no text is no host either.
    *line = String::from_utf8(bytes).unwrap_or_default();
    Ok(true)
}

async fn say(guest: &Guest<'_, '_>, words: fmt::Arguments<'_>) -> Result<(), Errno> {
    let mut line = Line::new();
    // It fits.
    let _ = writeln!(line, "{words}");
    guest.write_all(line.as_bytes()).await
}

/// Reads a line: the host's address, and how many requests it is to get.
async fn target(
    names: &Resolver<'static, NetServer, CACHE>,
    line: &str,
) -> Result<(IpAddr, u16), &'static str> {
    let mut words = line.split_ascii_whitespace().peekable();
    words.next_if_eq(&"ping");
    let host = words.next().ok_or("a host, and how many requests")?;
    let count = words.next().map_or(Ok(COUNT), str::parse);
    let count = count.map_err(|_| "how many requests: a number")?;
    let address = match host.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            let answer = names.addresses(host).await;
            answer
                .map_err(|_| "no such host")?
                .addresses()
                .first()
                .copied()
        }
    };
    let address = address.ok_or("no such host")?;
    Ok((address, count.clamp(1, COUNT_MAX)))
}

/// A time in milliseconds.
struct Millis(Duration);

impl Display for Millis {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}.{:03} ms", micros / 1000, micros % 1000)
    }
}

async fn ping(guest: &Guest<'_, '_>, host: IpAddr, count: u16) -> Result<(), Errno> {
    let net = guest.stream().net();
    let family = match host {
        IpAddr::V4(_) => Family::Inet,
        IpAddr::V6(_) => Family::Inet6,
    };
    let socket = match IcmpSocket::open(net, family, RECEIVE_LEN) {
        Ok(socket) => socket,
        Err(errno) => return say(guest, format_args!("{errno}")).await,
    };
    let (mut received, mut shortest, mut longest) = (0, Duration::MAX, Duration::ZERO);
    for sequence in 1..=count {
        match socket.ping(host, sequence, &PAYLOAD, PATIENCE).await {
            Ok(echo) => {
                received += 1;
                shortest = shortest.min(echo.time);
                longest = longest.max(echo.time);
                let (len, time) = (echo.len, Millis(echo.time));
                say(
                    guest,
                    format_args!("{len} bytes from {host}: {sequence}, {time}"),
                )
                .await?;
            }
            Err(errno) => say(guest, format_args!("{sequence}: {errno}")).await?,
        }
        if sequence < count {
            net.sleep(INTERVAL).await?;
        }
    }
    if received == 0 {
        return say(guest, format_args!("{count} sent, none received")).await;
    }
    let (shortest, longest) = (Millis(shortest), Millis(longest));
    let times = format_args!("{count} sent, {received} received, {shortest} to {longest}");
    say(guest, times).await
}
