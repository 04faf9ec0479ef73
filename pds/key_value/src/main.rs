// SPDX-License-Identifier: BSD-2-Clause

//! A key-value store for Redis's clients (`key-value-service` has the commands,
//! docs/apps/key_value.md shows it).

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::net::Ipv4Addr;

use key_value_service::{Buffers, Service as KeyValueService, Store, serve};
use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, clock, info, role, warn, wiring};
use sel4_microkit::{Handler, protection_domain};
use socket_client::{Served, Service};
use static_cell::StaticCell;
use stats::KeyValue;

/// Connections at once.
const WORKERS: usize = 64;
/// Connections that may wait for a worker.
const BACKLOG: usize = 64;

#[protection_domain(heap_region = (heap_vaddr, heap_size))]
fn init() -> impl Handler {
    let pd = Pd::<KeyValue>::start();
    // A level: those of an earlier life are gone.
    pd.stats().set(KeyValue::ConnectionsOpen, 0);
    let tasks = AsyncPd::start();
    let heap = wiring()
        .memory(role::HEAP)
        .expect("a heap in the declaration");
    // An eighth is for what the allocator keeps itself.
    let blocks = heap.size as usize / 8 * 7 / Store::BLOCK_COST;
    // Peers cannot know it to the tick. Keys that share a hash make the store slower, at worst as
    // slow as a list.
    let store = Store::new(blocks, (clock::now(), clock::frequency()));
    let port = pd_net::tcp_port().expect("a port in tcp_listen");
    info!(
        "keys and values on TCP port {port}, {} bytes",
        store.capacity()
    );

    static SERVICE: StaticCell<KeyValueService> = StaticCell::new();
    let service = SERVICE.init(KeyValueService::new(store, pd.stats()));
    static PLACES: StaticCell<Places> = StaticCell::new();
    let places = PLACES.init_with(|| Service::new(tasks.net()));
    let spawner = tasks.spawner();
    for _ in 0..WORKERS {
        spawner.spawn(work(service, places).expect("as many as there are"));
    }
    spawner.spawn(accept(port, pd.stats(), places).expect("spawned once"));
    pd.run(tasks.run())
}

type Places = Service<'static, NetServer, WORKERS>;

/// Accepts connections, for good.
#[embassy_executor::task]
async fn accept(port: u16, stats: stats::Writer<KeyValue>, places: &'static Places) {
    let address = (Ipv4Addr::UNSPECIFIED, port).into();
    let accept = places.accept(address, BACKLOG, |accepted| match accepted {
        Ok(_) => stats.inc(KeyValue::Connections),
        Err(error) => warn!("listening on port {port} again: {error}"),
    });
    accept.await;
}

/// Serves one connection after the other.
#[embassy_executor::task(pool_size = WORKERS)]
async fn work(service: &'static KeyValueService, places: &'static Places) {
    let mut buffers = Buffers::new();
    let stats = service.stats();
    let count = |change: fn(u64, u64) -> u64| {
        let now = stats.get(KeyValue::ConnectionsOpen);
        stats.set(KeyValue::ConnectionsOpen, change(now, 1));
    };
    let worked = places.work(
        async |guest| {
            count(u64::saturating_add);
            serve(service, guest, &mut buffers).await
        },
        |served| {
            count(u64::saturating_sub);
            match served {
                Served::Done(Ok(())) => {}
                Served::Done(Err(_)) => stats.inc(KeyValue::ConnectionsFailed),
                Served::Displaced | Served::TooSlow => stats.inc(KeyValue::ConnectionsDisplaced),
            }
        },
    );
    let Err(error) = worked.await;
    warn!("a worker too many: {error}");
}
