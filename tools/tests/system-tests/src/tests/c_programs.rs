// SPDX-License-Identifier: BSD-2-Clause
//! The programs in C of the test image: an echo that handles events, and an HTTP client that waits.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, UdpSocket};

use anyhow::{Context, Result, ensure};
use host_peer::contents;
use qemu_harness::ports;

use super::echoing::{echo, expect_gone};
use super::faulting::{answers_again, crash, crash_repeatedly, only_faults_of};
use crate::boot::until;
use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT, connect};

pub const TESTS: &[Test] = test_list![Sockets:
    c_echo_returns_bytes,
    c_echo_returns_datagrams,
    c_get_fetches_a_page_and_says_what_is_wrong,
    c_calls_do_what_linux_does,
];

pub const FAULTS: &[Test] = test_list![Faults:
    c_data_is_restored_by_a_restart,
    c_programs_survive_a_fault_of_net_server,
];

/// More than c_echo has places for; the others wait in net_server.
const CROWD: usize = 20;

fn c_echo_returns_bytes(world: &mut Sockets) -> Result<()> {
    let data = contents::random(70, 300_000);
    echo(&connect(world.c_echo)?, &data)?;
    let mut crowd = (0..CROWD)
        .map(|_| connect(world.c_echo))
        .collect::<Result<Vec<_>>>()?;
    while let Some(stream) = crowd.pop() {
        // Those that have come first are served; the last ones when these have gone.
        if crowd.len() < CROWD - 4 {
            echo(&stream, b"one of many")?;
        }
    }
    echo(&connect(world.c_echo)?, b"after them")
}

fn c_echo_returns_datagrams(world: &mut Sockets) -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.connect(world.c_echo)?;
    let mut buf = [0; 2048];
    for length in [1, 0, 700, 1472] {
        let data = contents::random(71, length);
        socket.send(&data)?;
        let count = socket.recv(&mut buf).context("no datagram came back")?;
        ensure!(
            buf[..count] == data[..],
            "{length} bytes came back as {count}"
        );
    }
    Ok(())
}

/// What c_get says to a line.
fn ask(c_get: SocketAddr, line: &str) -> Result<String> {
    let mut stream = connect(c_get)?;
    stream.write_all(format!("{line}\n").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said)
}

fn c_get_fetches_a_page_and_says_what_is_wrong(world: &mut Sockets) -> Result<()> {
    for host in ["localhost", "127.0.0.1", "::1"] {
        let page = ask(world.c_get, &format!("{host} http /stats.json"))?;
        ensure!(
            page.starts_with("HTTP/1.1 200") && page.contains("\"hostname\""),
            "the page is {page:?}"
        );
    }
    let nobody = format!("10.0.2.2 {} /", ports::free()?);
    let wrong = [
        (nobody.as_str(), "error: Connection refused\n"),
        ("10.9.9.9 80 /", "error: Permission denied\n"),
        ("a..b 80 /", "error: No such file or directory\n"),
        ("localhost", "error: <host> <port> <path>, or echoes\n"),
    ];
    for (line, expected) in wrong {
        let said = ask(world.c_get, line)?;
        ensure!(said == expected, "{line}: {said:?} instead of {expected:?}");
    }
    Ok(())
}

/// The program tries them itself, over loopback, and names the line of the first that does not.
fn c_calls_do_what_linux_does(world: &mut Sockets) -> Result<()> {
    let said = ask(world.c_get, "check")?;
    ensure!(said == "check.c:0\n", "pds/c/c_get/{said:?} went wrong");
    Ok(())
}

/// c_echo counts its connections from 1,000 on, in a variable with that initial value.
fn counted(world: &Sockets, connections: u32, restarts: u32) -> Result<()> {
    let said = ask(world.c_get, "echoes")?;
    let expected = format!("{connections} connections, {restarts} restarts\n");
    ensure!(said == expected, "{said:?} instead of {expected:?}");
    Ok(())
}

fn c_data_is_restored_by_a_restart(world: &mut Sockets) -> Result<()> {
    let old = connect(world.c_echo)?;
    echo(&old, b"before")?;
    counted(world, 1001, 0)?;
    crash_repeatedly(world, "c_echo", 3)?;
    expect_gone(&old)?;
    echo(&connect(world.c_echo)?, b"after")?;
    counted(world, 1001, 3)?;
    only_faults_of(world, "c_echo")?;
    crash(world, "c_get")?;
    until(world.guest()?, || counted(world, 1001, 3))
}

fn c_programs_survive_a_fault_of_net_server(world: &mut Sockets) -> Result<()> {
    echo(&connect(world.c_echo)?, b"before")?;
    counted(world, 1001, 0)?;
    crash(world, "net_server")?;
    answers_again(world)?;
    until(world.guest()?, || echo(&connect(world.c_echo)?, b"after"))?;
    // Both listen again, and neither has faulted.
    until(world.guest()?, || {
        let said = ask(world.c_get, "echoes")?;
        ensure!(said.ends_with(" connections, 0 restarts\n"), "{said:?}");
        Ok(())
    })?;
    only_faults_of(world, "net_server")
}
