// SPDX-License-Identifier: BSD-2-Clause

//! The network configuration, as a client sees it.

use net_config::{ClientConfig, ConfigError, NetConfig};
use sel4_microkit::pd_name;
use static_cell::StaticCell;

/// What the declaration says about the network. Once in the life of a PD.
///
/// # Errors
/// The image was put together wrongly.
///
/// # Panics
/// If this PD is no client of net_server, or at the second call.
pub fn config() -> Result<NetConfig<'static>, ConfigError> {
    static BYTES: StaticCell<shm::FrozenBytes> = StaticCell::new();
    let bytes = BYTES.init(pd_support::configuration());
    NetConfig::parse(bytes.slice(0, bytes.len()).unwrap_or_default())
}

/// What the configuration lets this PD do: its block in the declaration.
pub fn client_named_as_this_pd(config: &NetConfig<'static>) -> Option<ClientConfig<'static>> {
    config.client_named(pd_name().ok()?)
}

/// The first TCP port that the declaration lets this PD listen on. Once in the life of a PD,
/// instead of [`config`].
///
/// # Panics
/// As [`config`].
pub fn tcp_port() -> Option<u16> {
    let config = config().ok()?;
    let ports = client_named_as_this_pd(&config)?.tcp_listen().next()?;
    Some(ports.first())
}
