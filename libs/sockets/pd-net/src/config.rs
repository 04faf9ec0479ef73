// SPDX-License-Identifier: BSD-2-Clause

//! The network configuration, as a client sees it.

use net_config::{Client, ConfigError, ENCODED_SIZE, NetConfig};
use pd_support::region;
use sel4_microkit::pd_name;
use static_cell::StaticCell;

/// The content of `net.toml`. Once in the life of a PD.
///
/// # Errors
/// The image was put together wrongly.
///
/// # Panics
/// If `system.xml` does not map `net_config` into this PD or it is too small, or at the second
/// call.
pub fn config() -> Result<NetConfig<'static>, ConfigError> {
    static BYTES: StaticCell<shm::FrozenBytes> = StaticCell::new();
    let region = region!(r net_config).at_least(ENCODED_SIZE);
    // SAFETY: the region is filled before the system starts, and system.xml lets nobody write it;
    // config-tool checks that.
    let bytes = BYTES.init(unsafe { region.into_frozen_bytes() });
    NetConfig::parse(bytes.slice(0, ENCODED_SIZE).unwrap_or_default())
}

/// What the configuration lets this PD do: the entry of its name in `net.toml`.
pub fn client_named_as_this_pd(config: &NetConfig<'static>) -> Option<Client<'static>> {
    config.client_named(pd_name().ok()?)
}
