// SPDX-License-Identifier: BSD-2-Clause

//! Only in images made for tests: a client of net_server that does what it must not, as one would
//! that was taken over.
//!
//! It is told what to do by datagrams to its UDP port, and says each command back before it begins.
//! A deed without end goes on until another command comes.

#![no_std]
#![no_main]

mod deeds;

use core::net::{Ipv4Addr, SocketAddr};

use pd_net::NetServer;
use pd_support::{Pd, info};
use sel4_microkit::{ChannelSet, Handler, Infallible, protection_domain};
use socket_client::{Batch, Client, Errno, Incoming, Socket, SocketKind};

use deeds::Deeds;

/// The port for commands, and the echo service on this machine, as the declaration of the test
/// image permits.
const PORT: u16 = 6666;
const ECHO: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 7);
/// The group that it is told to join.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 1, 1);
/// What is said there.
const LINE: &[u8] = b"over loopback";
/// Calls of a deed before the next look for a command.
const CALLS: usize = 64;
const LONGEST_COMMAND: usize = 32;

/// A deed that goes on until another command comes.
#[derive(Clone, Copy)]
enum Work {
    None,
    /// Datagrams to this address, as many as net_server takes.
    Flood(SocketAddr),
    /// Valid calls that change nothing.
    Calls,
    /// Calls with any label and words.
    Nonsense,
    /// Calls that name any part of a window full of garbage.
    Window,
    /// For once as it should be: says a line to the echo service on this connection, and passes
    /// the answer on to this address.
    Talk(Socket, SocketAddr),
}

struct Hostile {
    client: Client<NetServer>,
    commands: Socket,
    batch: Batch,
    deeds: Deeds,
    work: Work,
}

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<stats::NoCounters>::start();
    let client = pd_net::attach().unwrap_or_else(|errno| panic!("net_server refuses: {errno}"));
    let commands = listen(&client);
    info!("hostile, commands on UDP port {PORT}");
    pd.run(Hostile {
        client,
        commands,
        batch: Batch::default(),
        deeds: Deeds::take(),
        work: Work::None,
    })
}

/// Opens the socket for commands.
fn listen(client: &Client<NetServer>) -> Socket {
    let address = (Ipv4Addr::UNSPECIFIED, PORT).into();
    client
        .socket(SocketKind::Datagram)
        .and_then(|socket| client.bind(socket, address).map(|()| socket))
        .unwrap_or_else(|errno| panic!("no port for commands: {errno}"))
}

impl Hostile {
    fn open_again(&mut self) {
        self.batch = Batch::default();
        self.commands = listen(&self.client);
    }

    /// Obeys all commands that have come.
    fn obey(&mut self) {
        let mut buffer = [0; LONGEST_COMMAND];
        loop {
            let Incoming { len, from, .. } =
                match self
                    .client
                    .recvfrom(self.commands, &mut self.batch, &mut buffer)
                {
                    Ok(received) => received,
                    Err(Errno::EAGAIN) => return,
                    // Nonsense may have closed it.
                    Err(_) => return self.open_again(),
                };
            let command = buffer.get(..len).unwrap_or_default();
            // The answer may be lost like any datagram; who commands asks again.
            let _ = self.client.sendto(self.commands, command, Some(from));
            self.work = self.begin(command, from);
        }
    }

    /// Obeys a command. Returns the deed that goes on from here.
    fn begin(&mut self, command: &[u8], from: SocketAddr) -> Work {
        match command {
            b"flood" => return Work::Flood(from),
            b"calls" => return Work::Calls,
            b"nonsense" => return Work::Nonsense,
            b"window" => return Work::Window,
            b"talk" => {
                if let Ok(socket) = self.client.socket(SocketKind::Stream) {
                    // It goes on when the socket is ready.
                    let _ = self.client.connect(socket, ECHO.into());
                    return Work::Talk(socket, from);
                }
            }
            b"join" => drop(self.client.join(self.commands, GROUP.into())),
            b"leave" => drop(self.client.leave(self.commands, GROUP.into())),
            b"shout" => {
                let to = (GROUP, from.port()).into();
                let _ = self.client.sendto(self.commands, command, Some(to));
            }
            b"log" => self.deeds.ruin_log(),
            b"spin" => deeds::spin(),
            b"overflow" => deeds::use_up_the_stack(1),
            b"driver scribble" => self.deeds.driver.give(sabotage::Deed::Scribble),
            b"driver ruin" => self.deeds.driver.give(sabotage::Deed::Ruin),
            // "stop", and whatever else.
            _ => {}
        }
        Work::None
    }
}

impl Hostile {
    /// Says a line if there is nothing to hear yet, and ends with what comes back.
    fn talk(&mut self, socket: Socket, to: SocketAddr) {
        let mut heard = [0; LINE.len()];
        let answer = match self.client.recv(socket, &mut heard) {
            Err(Errno::EAGAIN) => match self.client.send(socket, LINE) {
                Ok(_) | Err(Errno::EAGAIN) => return,
                Err(errno) => Err(errno),
            },
            other => other,
        };
        let said = match &answer {
            Ok(count) => heard.get(..*count).unwrap_or_default(),
            Err(errno) => errno.name().as_bytes(),
        };
        let _ = self.client.sendto(self.commands, said, Some(to));
        let _ = self.client.close(socket);
        self.work = Work::None;
    }
}

impl Handler for Hostile {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        loop {
            // A new life of the server knows none of our sockets.
            if self.client.check_restart() {
                self.work = Work::None;
                self.open_again();
            }
            self.obey();
            // Hostile, but not hanging.
            pd_support::working();
            for _ in 0..CALLS {
                match self.work {
                    Work::None => return Ok(()),
                    Work::Flood(to) => self.deeds.flood(&self.client, self.commands, to),
                    Work::Calls => self.deeds.call(),
                    Work::Nonsense => self.deeds.call_nonsense(),
                    Work::Window => self.deeds.call_with_garbage_in_the_window(),
                    Work::Talk(socket, to) => {
                        self.talk(socket, to);
                        return Ok(());
                    }
                }
            }
        }
    }
}
