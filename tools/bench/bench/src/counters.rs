// SPDX-License-Identifier: BSD-2-Clause
//! The image's own counters, from /stats.json.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, ensure};
use host_peer::http::Connection;
use qemu_harness::Guest;
use serde_json::Value;

use crate::load::TIMEOUT;

/// Columns of the table: the sums, and processor time of QEMU in microseconds.
pub const COLUMNS: usize = SUMS.len() + 2;

/// What is counted per packet, and the counters that it is the sum of.
const SUMS: [(&str, &[&str]); 4] = [
    ("notifications", &["notifications_sent"]),
    ("PPCs", &["ppcs_made"]),
    ("wake-ups", &["wake_ups"]),
    ("copies", &["copies_from_client", "copies_to_client"]),
];
/// A packet is a frame that the driver received or sent.
const PACKETS: [&str; 2] = ["rx_frames", "tx_frames"];
const DRIVER: &str = "net_driver";

/// Names of the columns in the order of [`Sample::per_packet`].
pub fn names() -> impl Iterator<Item = &'static str> {
    SUMS.iter()
        .map(|(name, _)| *name)
        .chain(["guest µs", "QEMU's I/O µs"])
}

/// Counters at one moment, or their growth between two.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// by "PD/counter"
    counters: BTreeMap<String, f64>,
    /// processor time of the guest and of QEMU's devices, in microseconds
    times: [f64; 2],
}

impl Sample {
    /// Asks the image, and the kernel about QEMU.
    ///
    /// # Errors
    /// If it does not answer with its counters, or QEMU has ended.
    pub fn take(guest: &Guest, http: SocketAddr) -> Result<Self> {
        let time = guest.cpu_time()?;
        Ok(Self {
            times: [time.guest, time.devices].map(|time| time.as_secs_f64() * 1e6),
            ..Self::of_image(http)?
        })
    }

    fn of_image(http: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&http, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let response = Connection::new(stream).get("/stats.json")?;
        ensure!(
            response.head.status == 200,
            "/stats.json: status {}",
            response.head.status
        );
        let value = serde_json::from_slice(&response.body).context("/stats.json is not JSON")?;
        Self::from_json(&value)
    }

    fn from_json(value: &Value) -> Result<Self> {
        let pds = value
            .get("pds")
            .and_then(Value::as_object)
            .context("/stats.json has no object of PDs")?;
        let mut sample = Self::default();
        for (pd, value) in pds {
            let counters = value.get("counters").and_then(Value::as_object);
            for (name, value) in counters.into_iter().flatten() {
                if let Some(value) = value.as_f64() {
                    sample.counters.insert(format!("{pd}/{name}"), value);
                }
            }
        }
        for name in PACKETS
            .iter()
            .chain(SUMS.iter().flat_map(|(_, names)| *names))
        {
            ensure!(
                sample.counters.keys().any(|key| is_called(key, name)),
                "/stats.json: no PD has a counter {name}"
            );
        }
        Ok(sample)
    }

    /// Adds what has grown between two samples.
    pub fn add_growth(&mut self, before: &Self, after: &Self) {
        for (name, after) in &after.counters {
            let before = before.counters.get(name).copied().unwrap_or_default();
            *self.counters.entry(name.clone()).or_default() += after - before;
        }
        for ((time, before), after) in self.times.iter_mut().zip(before.times).zip(after.times) {
            *time += after - before;
        }
    }

    /// Adds another growth.
    pub fn add(&mut self, other: Self) {
        self.add_growth(&Self::default(), &other);
    }

    /// Frames received and sent.
    fn packets(&self) -> f64 {
        let driver = |name: &&str| self.counters.get(&format!("{DRIVER}/{name}"));
        PACKETS.iter().filter_map(driver).sum()
    }

    fn sum(&self, names: &[&str]) -> f64 {
        self.counters
            .iter()
            .filter(|(key, _)| names.iter().any(|name| is_called(key, name)))
            .map(|(_, value)| value)
            .sum()
    }

    /// Each column for one packet; none if there was no packet.
    pub fn per_packet(&self) -> Option<[f64; COLUMNS]> {
        let packets = self.packets();
        let mut columns = [0.0; COLUMNS];
        let sums = SUMS.iter().map(|(_, names)| self.sum(names));
        for (column, value) in columns.iter_mut().zip(sums.chain(self.times)) {
            *column = value / packets;
        }
        (packets > 0.0).then_some(columns)
    }

    /// Every counter that changed, and by how much: for somebody who looks for an error.
    #[must_use]
    pub fn changes(&self) -> String {
        let changed = self.counters.iter().filter(|(_, value)| **value != 0.0);
        let lines = changed.map(|(name, value)| format!("{name} {value}"));
        lines.collect::<Vec<_>>().join(", ")
    }

    /// Every counter that changed at least once in two thousand packets, for one packet.
    pub fn details(&self) -> impl Iterator<Item = (&str, f64)> {
        const LEAST: f64 = 0.0005;
        let packets = self.packets();
        self.counters
            .iter()
            .map(move |(name, value)| (name.as_str(), value / packets))
            .filter(|(_, value)| value.is_finite() && value.abs() >= LEAST)
    }
}

/// Whether a "PD/counter" is the counter of this name in any PD.
fn is_called(key: &str, name: &str) -> bool {
    key.rsplit('/').next() == Some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stats(frames: u32, ppcs: u32) -> Value {
        json!({"pds": {
            "net_driver": {"counters": {
                "rx_frames": frames, "tx_frames": frames, "notifications_sent": 2 * frames, "wake_ups": 1,
                "ppcs_made": 0, "mac_address": "52:54:00:12:34:56",
            }},
            "net_server": {"counters": {
                "notifications_sent": frames, "copies_to_client": frames, "copies_from_client": 0,
            }},
            "echo_server": {"counters": {"ppcs_made": ppcs, "wake_ups": 3}},
        }})
    }

    #[test]
    fn growth_is_shared_among_the_packets() {
        let before = Sample::from_json(&stats(10, 5)).unwrap();
        let after = Sample::from_json(&stats(110, 405)).unwrap();
        let mut growth = Sample::default();
        growth.add_growth(&before, &after);
        assert_eq!(growth.packets(), 200.0);
        let ppcs = growth
            .details()
            .find(|(name, _)| *name == "echo_server/ppcs_made");
        assert_eq!(ppcs, Some(("echo_server/ppcs_made", 2.0)));
        assert_eq!(growth.per_packet(), Some([1.5, 2.0, 0.0, 0.5, 0.0, 0.0]));
        assert_eq!(Sample::default().per_packet(), None);
    }

    #[test]
    fn missing_counters_are_errors() {
        assert!(Sample::from_json(&json!({})).is_err());
        assert!(Sample::from_json(&json!({"pds": {"net_driver": {"counters": {}}}})).is_err());
    }
}
