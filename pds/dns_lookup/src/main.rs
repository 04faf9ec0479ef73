// SPDX-License-Identifier: BSD-2-Clause

//! Looks up names for its peers: `[@server[:port]] name` in a line, and the addresses come back in
//! another. Of an address it is the name. docs/names.md shows it.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::fmt::Write;
use core::net::{IpAddr, SocketAddr};

use heapless::{String, Vec};
use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info};
use resolver::{ResolveError, Resolver};
use sel4_microkit::{Handler, protection_domain};
use socket_client::{Errno, Guest, Net};

/// Connections at once; others wait in net_server.
const WORKERS: usize = 4;
/// Bytes of the longest line: a name and a server.
const LINE: usize = 320;
/// The port of name servers.
const PORT: u16 = 53;

/// A line to send: a name and [`resolver::MAX_ADDRESSES`] addresses at most.
type Line = String<1024>;

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<stats::NoCounters>::start();
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    let tasks = AsyncPd::start();
    let serving = serve(tasks.net(), port).expect("spawned once");
    tasks.spawner().spawn(serving);
    info!("looking up names for TCP port {port}");
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn serve(net: &'static Net<NetServer>, port: u16) {
    let own = match pd_net::resolver(net) {
        Ok(own) => own,
        Err(errno) => panic!("cannot open a socket for names: {errno}"),
    };
    net.serve::<WORKERS>(port, async |guest| {
        let mut line = Vec::new();
        while read_line(guest, &mut line).await? && guest.requested() {
            let said = match core::str::from_utf8(&line) {
                Ok(text) => answer(net, &own, text).await,
                Err(_) => Err(ResolveError::BadName),
            };
            let said = said.unwrap_or_else(|error| {
                let mut said = Line::new();
                // It fits.
                let _ = write!(said, "error: {error}");
                said
            });
            guest.write_all(said.as_bytes()).await?;
            guest.write_all(b"\n").await?;
        }
        Ok(())
    })
    .await;
}

/// Reads a line without its end. Returns `false` at the end of the stream.
async fn read_line<const N: usize>(
    guest: &Guest<'_, '_, NetServer, N>,
    line: &mut Vec<u8, LINE>,
) -> Result<bool, Errno> {
    line.clear();
    let mut byte = [0];
    loop {
        if guest.read(&mut byte).await? == 0 {
            return Ok(false);
        }
        match byte {
            [b'\n'] => return Ok(true),
            [b] => line.push(b).map_err(|_| Errno::EMSGSIZE)?,
        }
    }
}

/// Returns what is said about a line.
async fn answer(
    net: &'static Net<NetServer>,
    own: &Resolver<'static, NetServer>,
    line: &str,
) -> Result<Line, ResolveError> {
    let mut words = line.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let Some(server) = first.strip_prefix('@') else {
        return look_up(own, first).await;
    };
    let server = server.parse::<SocketAddr>();
    let server = server.or_else(|_| first[1..].parse::<IpAddr>().map(|ip| (ip, PORT).into()));
    let server = server.map_err(|_| ResolveError::BadName)?;
    let other = Resolver::<_, 0>::new(net, [server], "")?;
    look_up(&other, words.next().unwrap_or_default()).await
}

async fn look_up<const CACHE: usize>(
    resolver: &Resolver<'static, NetServer, CACHE>,
    name: &str,
) -> Result<Line, ResolveError> {
    let mut said = Line::new();
    if let Ok(address) = name.parse() {
        let name = resolver.name_of(address).await?;
        let _ = write!(said, "{name}");
        return Ok(said);
    }
    let answer = resolver.addresses(name).await?;
    let _ = write!(said, "{}", answer.name());
    for address in answer.addresses() {
        let _ = write!(said, " {address}");
    }
    Ok(said)
}
