// SPDX-License-Identifier: BSD-2-Clause
//! What each protection domain costs in memory, for the report.

use std::fmt::Write;

use crate::declaration::Declaration;
use crate::plan::Plan;

const KIB: u64 = 1024;

/// A table in KiB. Memory of a region counts where it is written; that which only a device writes,
/// where it is read.
pub fn table(declaration: &Declaration<'_>, plan: &Plan) -> String {
    let mut text = String::from(
        "# Memory by protection domain, KiB\n\n\
         pd                        stack    heap  windows   other  sockets  their buffers\n",
    );
    for (index, pd) in declaration.pds.iter().enumerate() {
        let window = pd.limits.as_ref().map_or(0, |limits| 2 * limits.window);
        let sockets = pd.limits.as_ref().map_or(0, |limits| limits.sockets());
        let buffers = pd.limits.as_ref().map_or(0, |limits| {
            let buffers = &declaration.buffers;
            let none = buffers.total(0, 0);
            buffers.total(limits.stream_sockets.into(), limits.datagram_sockets.into()) - none
        });
        let owned = plan.pds[index].maps.iter().filter(|map| {
            let region = &plan.regions[map.region];
            let is_window = map.role == wiring::role::CLIENT_TO_SERVER
                || map.role == wiring::role::SERVER_TO_CLIENT;
            let is_written = plan
                .owners(map.region)
                .any(|pd| plan.grants(pd, map.region, true));
            region.device.is_none() && !region.large && !is_window && (map.writable || !is_written)
        });
        let other: u64 = owned.map(|map| plan.regions[map.region].size).sum();
        // A String takes everything.
        let _ = writeln!(
            text,
            "{:<24} {:>6} {:>7} {:>8} {:>7} {:>8} {:>14}",
            pd.name,
            pd.stack / KIB,
            pd.heap.unwrap_or(0) / KIB,
            window / KIB,
            other / KIB,
            sockets,
            buffers / KIB,
        );
    }
    text
}
