// SPDX-License-Identifier: BSD-2-Clause
//! UDP echo of 64-byte datagrams.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::{Clock, Meter, TIMEOUT, Target};
use crate::median::percentile;

const SIZE: usize = 64;
const IN_FLIGHT: u64 = 16;
/// A datagram without an answer is lost after this time. The first one may take half a second:
/// QEMU has to learn the guest's address.
const LOST: Duration = Duration::from_secs(1);
/// More lost datagrams than this in a thousand are an error, not a figure.
const TOLERATED: u64 = 10;

type Datagram = [u8; SIZE];

/// A datagram whose contents follow from its number.
fn datagram(number: u64) -> Datagram {
    let mut bytes = [0; SIZE];
    let mut word = number;
    for chunk in bytes.chunks_exact_mut(8) {
        chunk.copy_from_slice(&word.to_le_bytes());
        word = word.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
    }
    bytes
}

/// The number of a datagram that came back.
fn number_of(bytes: &[u8]) -> Result<u64> {
    let Some((number, _)) = bytes.split_first_chunk() else {
        bail!("{} bytes came back instead of {SIZE}", bytes.len());
    };
    let number = u64::from_le_bytes(*number);
    ensure!(bytes == datagram(number), "a datagram came back changed");
    Ok(number)
}

fn socket(target: &Target) -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(target.echo)?;
    socket.set_read_timeout(Some(LOST))?;
    Ok(socket)
}

/// The number of the next datagram, none if none came in time.
fn receive(socket: &UdpSocket) -> Result<Option<u64>> {
    let mut bytes = [0; SIZE + 1];
    match socket.recv(&mut bytes) {
        Ok(n) => number_of(bytes.get(..n).unwrap_or_default()).map(Some),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
        Err(e) => Err(e).context("cannot receive"),
    }
}

fn check_losses(lost: u64, sent: u64) -> Result<()> {
    ensure!(
        lost * 1000 <= sent.max(1000) * TOLERATED,
        "{lost} of {sent} datagrams were lost"
    );
    Ok(())
}

/// One datagram at a time: median and 99th percentile in microseconds.
pub fn round_trips(target: &Target, duration: Duration) -> Result<Vec<f64>> {
    let socket = socket(target)?;
    let mut times = Vec::new();
    let (mut number, mut lost) = (0, 0);
    let clock = Clock::start(duration);
    loop {
        let start = Instant::now();
        if clock.is_over(start) {
            break;
        }
        number += 1;
        socket.send(&datagram(number))?;
        // Late answers to datagrams given up before are passed over.
        let came = loop {
            match receive(&socket)? {
                Some(got) if got < number => {}
                Some(got) => {
                    ensure!(got == number, "datagram {got} came back before it was sent");
                    break true;
                }
                None => break false,
            }
        };
        let took = start.elapsed();
        match (came, clock.is_counting(start)) {
            (true, true) => times.push(took.as_secs_f64() * 1e6),
            (false, true) => lost += 1,
            _ => {}
        }
    }
    check_losses(lost, number)?;
    ensure!(!times.is_empty(), "no datagram came back");
    Ok(vec![
        percentile(&mut times, 0.5),
        percentile(&mut times, 0.99),
    ])
}

/// Always 16 on their way: round trips per second.
pub fn in_flight(target: &Target, duration: Duration) -> Result<Vec<f64>> {
    let socket = socket(target)?;
    let mut pending: Vec<u64> = (0..IN_FLIGHT).collect();
    let mut next = IN_FLIGHT;
    let mut lost = 0;
    for number in &pending {
        socket.send(&datagram(*number))?;
    }
    let begin = Instant::now();
    let mut meter = Meter::start(duration);
    loop {
        match receive(&socket)? {
            // One that is not pending was given up before, or came twice.
            Some(number) => {
                let Some(slot) = pending.iter_mut().find(|p| **p == number) else {
                    continue;
                };
                *slot = next;
                socket.send(&datagram(next))?;
                next += 1;
                if !meter.note(1) {
                    break;
                }
            }
            // All that are on their way are lost: begin anew.
            None => {
                lost += IN_FLIGHT;
                ensure!(
                    begin.elapsed() < duration + TIMEOUT,
                    "no datagram comes back"
                );
                for slot in &mut pending {
                    *slot = next;
                    socket.send(&datagram(next))?;
                    next += 1;
                }
            }
        }
    }
    check_losses(lost, next)?;
    Ok(vec![meter.rate()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_datagrams_are_noticed() {
        assert_eq!(number_of(&datagram(77)).unwrap(), 77);
        for at in 0..SIZE {
            let mut bytes = datagram(77);
            bytes[at] ^= 1;
            assert!(number_of(&bytes).is_err(), "byte {at}");
        }
        assert!(number_of(&datagram(77)[..63]).is_err());
        assert!(number_of(&[]).is_err());
    }

    #[test]
    fn too_many_losses_are_an_error() {
        assert!(check_losses(1, 10_000).is_ok());
        assert!(check_losses(200, 10_000).is_err());
    }
}
