// SPDX-License-Identifier: BSD-2-Clause
//! Echo over TCP and UDP (RFC 862).

use std::io::{self, Read, Write};
use std::net::{TcpStream, UdpSocket};

use super::{Flaw, hold_open_if, spoil};

pub(super) fn datagrams(socket: &UdpSocket, flaw: Flaw) {
    let mut buffer = vec![0; 65536];
    while let Ok((n, peer)) = socket.recv_from(&mut buffer) {
        let Some(piece) = buffer.get_mut(..n) else {
            continue;
        };
        let n = spoil(flaw, piece);
        // A peer that has gone is no reason to stop.
        let _ = socket.send_to(piece.get(..n).unwrap_or_default(), peer);
    }
}

pub(super) fn stream(mut stream: &TcpStream, flaw: Flaw) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = stream.read(&mut buffer)?;
        let Some(piece) = buffer.get_mut(..n).filter(|piece| !piece.is_empty()) else {
            break;
        };
        let n = spoil(flaw, piece);
        stream.write_all(piece.get(..n).unwrap_or_default())?;
    }
    hold_open_if(flaw);
    Ok(())
}
