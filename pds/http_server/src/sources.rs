// SPDX-License-Identifier: BSD-2-Clause

//! The PDs whose counters are shown. `system.xml` maps their pages read-only into this PD.

use http_app::PdSource;
use pd_support::region;
use static_cell::StaticCell;
use stats::{PdKind, StatsPage};

const PDS: usize = 7;

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
        ($name:literal, $kind:ident, $region:ident, $role:literal) => {
            PdSource {
                name: $name,
                role: $role,
                kind: PdKind::$kind,
                page: region!(r $region).page(),
            }
        };
    }
    SOURCES.init([
        source!(
            "supervisor",
            Supervisor,
            supervisor_stats,
            "restarts what faults"
        ),
        source!(
            "timer_driver",
            TimerDriver,
            timer_driver_stats,
            "deadlines for others"
        ),
        source!(
            "net_driver",
            NetDriver,
            net_driver_stats,
            "virtio-net, nothing else"
        ),
        source!(
            "net_server",
            NetServer,
            net_server_stats,
            "TCP/IP and sockets"
        ),
        source!(
            "echo_server",
            EchoServer,
            echo_server_stats,
            "TCP and UDP echo"
        ),
        source!("http_server", HttpServer, own, "this page"),
        source!("console", Console, console_stats, "log lines of all"),
    ])
}
