// SPDX-License-Identifier: BSD-2-Clause
//! Connections that carry one byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Meter, TIMEOUT, Target};

/// Connects, sends a byte, reads it back and closes, one connection after the other: per second.
pub fn one_after_the_other(target: &Target, duration: Duration) -> Result<Vec<f64>> {
    let mut meter = Meter::start(duration);
    let mut number = 0u8;
    loop {
        let mut stream = TcpStream::connect_timeout(&target.echo, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(&[number])?;
        let mut byte = [0];
        stream.read_exact(&mut byte).context("no byte came back")?;
        ensure!(byte == [number], "{byte:?} came back instead of {number}");
        drop(stream);
        number = number.wrapping_add(1);
        if !meter.note(1) {
            return Ok(vec![meter.rate()]);
        }
    }
}
