// SPDX-License-Identifier: BSD-2-Clause

//! An MQTT client that answers what is published to it (`mqtt-answer` does it,
//! docs/apps/mqtt_client.md shows it). The broker is the first address of `tcp_connect`.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use mqtt_answer::{MqttAnswer, Settings};
use pd_net::{AsyncPd, NetServer};
use pd_support::{Pd, info};
use sel4_microkit::{Handler, protection_domain};
use stats::MqttClient as Counter;

/// Who this client is: change it here.
const ID: &str = "isthmus";
const USER: &str = "isthmus";
const PASSWORD: &str = "a secret";

/// The heap has the answers that wait: 128 of 1 KiB.
#[protection_domain(heap_size = 0x40000)]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let broker = pd_net::limits().tcp_connect().next();
    let broker = broker.expect("the broker in tcp_connect");
    let settings = Settings {
        broker: broker.first(),
        id: ID,
        user: USER,
        password: PASSWORD,
        ask: "isthmus/ask",
        answer: "isthmus/answer",
        status: "isthmus/status",
    };
    info!("the broker is {}", settings.broker);
    let tasks = AsyncPd::start();
    let running = run(MqttAnswer::new(tasks.net(), settings, pd.stats()));
    tasks.spawner().spawn(running.expect("spawned once"));
    pd.run(tasks.run())
}

#[embassy_executor::task]
async fn run(client: MqttAnswer<'static, NetServer>) {
    client
        .run(|failure| info!("the connection has ended: {failure:?}"))
        .await;
}
