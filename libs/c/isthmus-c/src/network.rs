// SPDX-License-Identifier: BSD-2-Clause

//! The sockets of this program, made at the first call that needs them.

use core::cell::OnceCell;

use pd_net::{NetServer, attach, network};
use pd_support::{find_peer, role};
use posix::{Error, File, Posix, Wait};
use socket_client::{Net, Storage};
use static_cell::{ConstStaticCell, StaticCell};

use crate::program::pause;

/// Descriptors at once, as Linux has it at first (`RLIMIT_NOFILE`).
pub const FILES: usize = 1024;

/// Tasks that wait for a time: the program, and a question for a name.
const TIMERS: usize = 8;

/// The port of name servers (RFC 1035 section 4.2).
const DNS: u16 = 53;

/// How a program in C waits.
pub struct Pause;

impl Wait for Pause {
    fn wait(&self) -> Result<(), Error> {
        pause()
    }
}

/// The sockets of a program in C.
pub type Sockets = Posix<'static, NetServer, Pause>;

struct Once(OnceCell<Sockets>);

// SAFETY: a PD has one thread.
unsafe impl Sync for Once {}

/// Returns the program's sockets.
///
/// # Errors
/// `ENETDOWN` if the declaration does not make this PD a client of net_server, and those of
/// attaching.
pub fn sockets() -> Result<&'static Sockets, Error> {
    static SOCKETS: Once = Once(OnceCell::new());
    if let Some(sockets) = SOCKETS.0.get() {
        return Ok(sockets);
    }
    let sockets = open()?;
    Ok(SOCKETS.0.get_or_init(|| sockets))
}

fn open() -> Result<Sockets, Error> {
    // Made when the program is built: on the stack there is no room for them.
    static STORAGE: ConstStaticCell<Storage<FILES, TIMERS>> = ConstStaticCell::new(Storage::new());
    static TABLE: ConstStaticCell<[Option<File>; FILES]> = ConstStaticCell::new([None; FILES]);
    static NET: StaticCell<Net<NetServer>> = StaticCell::new();

    if find_peer(role::SOCKETS).is_none() {
        return Err(Error::ENETDOWN);
    }
    let client = attach()?;
    let net = NET.init(Net::new(client, STORAGE.take()));
    Ok(Posix::new(net, TABLE.take(), Pause))
}

/// Returns the program's sockets, with the name servers of the declaration or of a DHCP server.
///
/// # Errors
/// As [`sockets`], and those of opening a datagram socket.
pub fn sockets_and_names() -> Result<&'static Sockets, Error> {
    let sockets = sockets()?;
    let network = network();
    if network.asks_dhcp() {
        sockets.follow_servers()?;
        return Ok(sockets);
    }
    let servers = network.name_servers().map(|server| (server, DNS).into());
    sockets.use_servers(servers, network.domain.as_str())?;
    Ok(sockets)
}
