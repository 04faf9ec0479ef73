// SPDX-License-Identifier: BSD-2-Clause
//! The body of a response, by its framing.

use std::io::{Read, Write};

use anyhow::{Context, Result, ensure};

use super::{Connection, Framing};

/// Reads a body and hands it to `sink` piece by piece.
pub(super) fn read<S: Read + Write>(
    connection: &mut Connection<S>,
    framing: Framing,
    mut sink: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    match framing {
        Framing::Length(length) => take(connection, length, &mut sink),
        Framing::UntilClose => {
            let rest = connection.rest()?;
            sink(&rest)
        }
        Framing::Chunked => loop {
            let size = line(connection)?;
            let digits = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(digits, 16)
                .with_context(|| format!("chunk size {digits:?} is not hexadecimal"))?;
            if size == 0 {
                // Trailers end with an empty line.
                while !line(connection)?.is_empty() {}
                return Ok(());
            }
            take(connection, size, &mut sink)?;
            ensure!(
                line(connection)?.is_empty(),
                "a chunk is longer than it says"
            );
        },
    }
}

fn take<S: Read + Write>(
    connection: &mut Connection<S>,
    mut length: u64,
    sink: &mut impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    while length > 0 {
        if connection.buffer.is_empty() {
            ensure!(
                connection.fill()? > 0,
                "the connection ended {length} bytes before the end of the body"
            );
        }
        let here = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(connection.buffer.len());
        sink(connection.buffer.get(..here).unwrap_or_default())?;
        connection.buffer.drain(..here);
        length -= here as u64;
    }
    Ok(())
}

/// One line without its CR LF.
fn line<S: Read + Write>(connection: &mut Connection<S>) -> Result<String> {
    loop {
        if let Some(end) = connection.buffer.windows(2).position(|w| w == b"\r\n") {
            let line = connection.buffer.drain(..end + 2).take(end).collect();
            return String::from_utf8(line).context("a chunk's line is not text");
        }
        ensure!(
            connection.fill()? > 0,
            "the connection ended within a chunked body"
        );
    }
}
