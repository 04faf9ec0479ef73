// SPDX-License-Identifier: BSD-2-Clause

//! A shell for an administrator: a line with a command, and what comes of it. [`serve`] serves one
//! connection; docs/apps/admin_shell.md has the commands.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod command;
mod show;

use core::fmt::{self, Write};

use heapless::String;
use socket_client::{Errno, Guest, Net, Transport};

use command::{Command, HELP, parse};

/// The longest line of a peer, in bytes.
const LINE: usize = 128;
/// Bytes of an answer that are sent at once.
const PIECE: usize = 1024;
/// The longest line of an answer.
const ANSWER: usize = 256;

/// What is said to a peer: a piece is sent when the next line might not fit.
struct Output<'a, 'n, 's, T: Transport, const N: usize> {
    guest: &'a Guest<'n, 's, T, N>,
    piece: String<PIECE>,
}

impl<T: Transport, const N: usize> Output<'_, '_, '_, T, N> {
    async fn line(&mut self, line: fmt::Arguments<'_>) -> Result<(), Errno> {
        if self.piece.len() + ANSWER > PIECE {
            self.flush().await?;
        }
        // None is longer than that.
        let _ = writeln!(self.piece, "{line}");
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Errno> {
        let sent = self.guest.write_all(self.piece.as_bytes()).await;
        self.piece.clear();
        sent
    }
}

/// Serves one peer until it leaves.
///
/// # Errors
/// Those of the connection; `EMSGSIZE` for a line that is too long.
pub async fn serve<T: Transport, const N: usize>(
    net: &Net<T>,
    guest: &Guest<'_, '_, T, N>,
) -> Result<(), Errno> {
    let mut line = String::<LINE>::new();
    let mut bytes = [0; LINE];
    let mut output = Output {
        guest,
        piece: String::new(),
    };
    loop {
        let count = guest.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        for &byte in &bytes[..count] {
            match byte {
                b'\n' => {
                    let command = parse(&line);
                    line.clear();
                    if command == Some(Command::Quit) {
                        return output.flush().await;
                    }
                    carry_out(net, command, &mut output).await?;
                    guest.requested();
                }
                b'\r' => {}
                // What is not text is no command.
                byte => {
                    let letter = if byte.is_ascii() { byte.into() } else { '?' };
                    line.push(letter).map_err(|_| Errno::EMSGSIZE)?;
                }
            }
        }
        output.flush().await?;
    }
}

/// Does what was asked, and says what has come of it.
async fn carry_out<T: Transport, const N: usize>(
    net: &Net<T>,
    command: Option<Command>,
    output: &mut Output<'_, '_, '_, T, N>,
) -> Result<(), Errno> {
    let client = net.client();
    let done = match command {
        None => {
            return output
                .line(format_args!("error: no such command; try help"))
                .await;
        }
        Some(Command::Nothing | Command::Quit) => return Ok(()),
        Some(Command::Help) => {
            for line in HELP.lines() {
                output.line(format_args!("{line}")).await?;
            }
            return Ok(());
        }
        Some(Command::Interfaces) => {
            for index in 0.. {
                let Ok(interface) = client.interface(index) else {
                    break;
                };
                output
                    .line(format_args!("{}", show::Interface(&interface)))
                    .await?;
            }
            return Ok(());
        }
        Some(Command::Addresses) => {
            for address in client.addresses() {
                output
                    .line(format_args!("{}", show::Address(&address)))
                    .await?;
            }
            return Ok(());
        }
        Some(Command::Routes) => {
            for route in client.routes() {
                output.line(format_args!("{}", show::Route(&route))).await?;
            }
            return Ok(());
        }
        Some(Command::Neighbours) => {
            for host in client.neighbours() {
                output
                    .line(format_args!("{}", show::Neighbour(&host)))
                    .await?;
            }
            return Ok(());
        }
        Some(Command::Names) => {
            let names = client.names()?;
            for server in names.servers() {
                output
                    .line(format_args!("server for names {server}"))
                    .await?;
            }
            for server in names.time_servers() {
                output
                    .line(format_args!("server for the time {server}"))
                    .await?;
            }
            let (domain, lease) = (names.domain(), names.lease);
            return output
                .line(format_args!("domain \"{domain}\", lease {lease} s"))
                .await;
        }
        Some(Command::Sockets) => match client.all_sockets() {
            Ok(sockets) => {
                for socket in sockets {
                    output
                        .line(format_args!("{}", show::Socket(&socket)))
                        .await?;
                }
                return Ok(());
            }
            Err(errno) => Err(errno),
        },
        Some(Command::AddAddress(address, bits)) => client.add_address(address, bits),
        Some(Command::RemoveAddress(address)) => client.remove_address(address),
        Some(Command::AddRoute((to, bits), router)) => client.add_route(to, bits, router),
        Some(Command::RemoveRoute((to, bits))) => client.remove_route(to, bits, None),
        Some(Command::AddNeighbour(address, card)) => client.add_neighbour(address, card),
        Some(Command::RemoveNeighbour(address)) => client.remove_neighbour(address),
        Some(Command::Up) => client.set_interface_up(true),
        Some(Command::Down) => client.set_interface_up(false),
        Some(Command::Restart(pause)) => {
            let down = client.set_interface_up(false);
            // Up it comes, whatever becomes of the pause.
            let _ = net.sleep(pause).await;
            down.and_then(|()| client.set_interface_up(true))
        }
        Some(Command::Kill(socket)) => client.end_socket(socket),
    };
    match done {
        Ok(()) => output.line(format_args!("ok")).await,
        Err(errno) => output.line(format_args!("error: {errno}")).await,
    }
}
