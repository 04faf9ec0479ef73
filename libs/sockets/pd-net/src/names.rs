// SPDX-License-Identifier: BSD-2-Clause

//! The name servers of the declaration.

use resolver::Resolver;
use socket_client::{Errno, Net};

use crate::{NetServer, network};

/// The port of name servers (RFC 1035 section 4.2).
const PORT: u16 = 53;

/// Returns a resolver that asks the declaration's name servers (`dns`, `domain`), or those of the
/// lease if a DHCP server gives the machine its address. Its docs say what this PD needs for it.
///
/// # Errors
/// Those of [`Resolver::new`].
pub fn resolver<const CACHE: usize>(
    net: &Net<NetServer>,
) -> Result<Resolver<'_, NetServer, CACHE>, Errno> {
    let network = network();
    if network.asks_dhcp() {
        return Resolver::following(net);
    }
    let servers = network.name_servers().map(|server| (server, PORT).into());
    Resolver::new(net, servers, network.domain.as_str())
}
