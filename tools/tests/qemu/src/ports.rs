// SPDX-License-Identifier: BSD-2-Clause
//! Free ports of the loopback.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;

use anyhow::{Result, bail};

/// Below Linux's default range of ephemeral ports, so that no outgoing connection takes a port
/// between the moment it was found free and the moment QEMU binds it.
const RANGE: Range<u16> = 20_000..32_000;

/// Finds a port that is free for TCP and for UDP.
///
/// # Errors
/// If a thousand random ports were all taken.
pub fn free() -> Result<u16> {
    for _ in 0..1000 {
        let port = fastrand::u16(RANGE);
        let address = (Ipv4Addr::LOCALHOST, port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return Ok(port);
        }
    }
    bail!(
        "no free port on 127.0.0.1 between {} and {}",
        RANGE.start,
        RANGE.end
    )
}

/// Finds several different free ports.
///
/// # Errors
/// As [`free`].
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    for i in 0..N {
        loop {
            let port = free()?;
            if !ports[..i].contains(&port) {
                ports[i] = port;
                break;
            }
        }
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_not_given() {
        let holders: Vec<_> = (0..50)
            .filter_map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, free().ok()?)).ok())
            .collect();
        assert!(!holders.is_empty());
        for _ in 0..200 {
            let port = free().unwrap();
            assert!(
                holders
                    .iter()
                    .all(|h| h.local_addr().unwrap().port() != port)
            );
        }
    }

    #[test]
    fn several_ports_differ() {
        let [a, b, c] = free_ports::<3>().unwrap();
        assert!(a != b && b != c && a != c);
    }
}
