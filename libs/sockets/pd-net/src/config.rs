// SPDX-License-Identifier: BSD-2-Clause

//! The network configuration, as a client sees it.

use net_config::{Client, ConfigError, NetConfig};
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
pub fn client_named_as_this_pd(config: &NetConfig<'static>) -> Option<Client<'static>> {
    config.client_named(pd_name().ok()?)
}
