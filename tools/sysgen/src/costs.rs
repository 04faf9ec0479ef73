// SPDX-License-Identifier: BSD-2-Clause
//! What each protection domain costs in memory, for the report.

use wiring::role;

use crate::plan::{Content, Map, Plan};

const KIB: u64 = 1024;

/// Returns a table in KiB. Memory of a region counts where it is written; that which only a device
/// writes, where it is read.
pub fn table(plan: &Plan<'_>) -> String {
    let mut text = String::from(
        "# Memory by protection domain, KiB\n\n\
         pd                        stack    heap  windows   other  sockets  at net_server\n",
    );
    for (index, pd) in plan.declaration.pds.iter().enumerate() {
        let is_window =
            |map: &Map<'_>| [role::CLIENT_TO_SERVER, role::SERVER_TO_CLIENT].contains(&map.role);
        let is_client = plan.declaration.clients().any(|client| client == index);
        let owned = plan.pds[index].maps.iter().filter(|map| {
            let region = &plan.regions[map.region];
            let is_memory = matches!(region.content, Content::Zeros | Content::File(_));
            let mut owners = plan.owners(map.region);
            let is_written = owners.any(|pd| plan.grants(pd, map.region, true));
            is_memory && !is_window(map) && (map.writable || !is_written)
        });
        let other: u64 = owned.map(|map| plan.regions[map.region].size).sum();
        // What the server's heap has for it.
        let sockets = match is_client {
            true => wiring::server_heap([plan.declaration.quota(pd)]) - wiring::server_heap([]),
            false => 0,
        };
        text += &format!(
            "{:<24} {:>6} {:>7} {:>8} {:>7} {:>8} {:>14}\n",
            *pd.name,
            *pd.stack / KIB,
            plan.declaration.heap(pd).unwrap_or(0) / KIB,
            if is_client { 2 * *pd.window / KIB } else { 0 },
            other / KIB,
            pd.sockets(),
            sockets / KIB,
        );
    }
    text
}
