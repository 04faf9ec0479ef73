// SPDX-License-Identifier: BSD-2-Clause

//! The PDs whose counters are shown. `system.xml` maps their pages read-only into this PD.

use http_app::PdSource;
use pd_support::region;
use shm::Access;
use static_cell::StaticCell;
use stats::{PAGE_SIZE, PdKind, StatsPage};

const PDS: usize = 8;

fn page<A: Access>(region: shm::Region<A>) -> &'static StatsPage {
    match region.into_page() {
        Ok(page) => page,
        Err(error) => panic!("statistics page: {error}"),
    }
}

/// In the order in which they are shown; `own` is this PD's page.
pub fn pds(own: &'static StatsPage) -> &'static [PdSource] {
    static SOURCES: StaticCell<[PdSource; PDS]> = StaticCell::new();
    macro_rules! source {
        ($name:literal, $kind:ident, own, $role:literal) => {
            PdSource {
                name: $name,
                role: $role,
                kind: PdKind::$kind,
                page: own,
            }
        };
        ($name:literal, $kind:ident, $vaddr:ident, $role:literal) => {
            PdSource {
                name: $name,
                role: $role,
                kind: PdKind::$kind,
                page: page(region!(r $vaddr, bytes = PAGE_SIZE)),
            }
        };
    }
    SOURCES.init([
        source!(
            "supervisor",
            Supervisor,
            supervisor_stats_vaddr,
            "restarts what faults"
        ),
        source!(
            "timer_driver",
            TimerDriver,
            timer_driver_stats_vaddr,
            "deadlines for others"
        ),
        source!(
            "net_driver",
            NetDriver,
            net_driver_stats_vaddr,
            "virtio-net, nothing else"
        ),
        source!(
            "net_server",
            NetServer,
            net_server_stats_vaddr,
            "TCP/IP and sockets"
        ),
        source!(
            "echo_server",
            EchoServer,
            echo_server_stats_vaddr,
            "TCP and UDP echo"
        ),
        source!("http_server", HttpServer, own, "this page"),
        source!("console", Console, console_stats_vaddr, "log lines of all"),
        source!(
            "rng_driver",
            RngDriver,
            rng_driver_stats_vaddr,
            "virtio-rng, keys for others"
        ),
    ])
}
