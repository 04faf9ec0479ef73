// SPDX-License-Identifier: BSD-2-Clause

//! A PD that consists of async tasks.

use executor::{Executor, Spawner};
use sel4_microkit::{ChannelSet, Handler, Infallible};
use socket_client::{Net, Storage};
use static_cell::StaticCell;

use crate::{NetServer, attach};

/// Sockets and timers on net_server, and an executor for the tasks that use them.
///
/// This PD has a heap of 64 KiB in its image. For a larger one, write `heap = 0x20_0000` in the
/// declaration and `#[protection_domain(heap_region = (heap_vaddr, heap_size))]` here.
///
/// ```no_run
/// extern crate alloc;
///
/// use pd_net::{AsyncPd, NetServer};
/// use pd_support::Pd;
/// use sel4_microkit::{Handler, protection_domain};
/// use socket_client::Net;
///
/// #[protection_domain(heap_size = 0x10000)]
/// fn init() -> impl Handler {
///     let pd = Pd::<stats::NoCounters>::start();
///     let tasks = AsyncPd::start();
///     tasks.spawner().spawn(greet(tasks.net()).expect("spawned once"));
///     pd.run(tasks.run())
/// }
///
/// #[embassy_executor::task]
/// async fn greet(net: &'static Net<NetServer>) {
///     net.serve::<8>(7000, async |guest| {
///         let text = alloc::format!("Hello, {}!\n", guest.stream().peer_addr()?);
///         guest.write_all(text.as_bytes()).await
///     })
///     .await;
/// }
/// ```
#[derive(Debug)]
pub struct AsyncPd {
    net: &'static Net<NetServer>,
    executor: &'static Executor,
}

impl AsyncPd {
    /// Attaches to net_server, with room for 256 sockets and 512 timers. Once in the life of a PD.
    ///
    /// # Panics
    /// As [`Self::start_with`].
    pub fn start() -> Self {
        static STORAGE: StaticCell<Storage<256, 512>> = StaticCell::new();
        Self::start_with(STORAGE.init_with(Storage::new))
    }

    /// As [`Self::start`], with room for what the tasks wait for as the PD wants it: 4,096 sockets
    /// at most, as far as `net.toml` lets it have them.
    ///
    /// # Panics
    /// If net_server refuses: client and server are not of one build, or the declaration does not
    /// fit.
    pub fn start_with<const SOCKETS: usize, const TIMERS: usize>(
        storage: &'static mut Storage<SOCKETS, TIMERS>,
    ) -> Self {
        static NET: StaticCell<Net<NetServer>> = StaticCell::new();
        static EXECUTOR: StaticCell<Executor> = StaticCell::new();
        match attach() {
            Ok(client) => {
                let net = NET.init_with(|| Net::new(client, storage));
                #[cfg(feature = "embassy-time")]
                crate::time_driver::install(net);
                let executor = EXECUTOR.init(Executor::new());
                AsyncPd { net, executor }
            }
            Err(errno) => panic!("net_server does not take this client: {errno}"),
        }
    }

    /// Sockets and timers.
    pub fn net(&self) -> &'static Net<NetServer> {
        self.net
    }

    /// What starts tasks.
    pub fn spawner(&self) -> Spawner {
        self.executor.spawner()
    }

    /// Runs the tasks until all of them wait. To be called last in `init`, for
    /// [`pd_support::Pd::run`].
    pub fn run(self) -> Self {
        self.run_tasks();
        self
    }

    fn run_tasks(&self) {
        self.net.run(|| {
            // While peers keep the tasks busy this goes on, which is no reason for a restart.
            pd_support::working();
            self.executor.turn()
        });
    }
}

impl Handler for AsyncPd {
    type Error = Infallible;

    /// From whatever channel: tasks find out themselves what is ready.
    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.run_tasks();
        Ok(())
    }
}
