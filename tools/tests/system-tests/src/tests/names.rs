// SPDX-License-Identifier: BSD-2-Clause
//! Names that dns_lookup finds, with dnsmasq on the host as the name server.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use qemu_harness::ports;

use crate::suite::{Test, test_list};
use crate::world::{Sockets, TIMEOUT, connect};

pub const TESTS: &[Test] = test_list![Sockets: names_of_dnsmasq, names_without_a_server];

/// The host, as QEMU's user network has it.
const HOST: &str = "10.0.2.2";

struct Dnsmasq {
    process: Child,
    port: u16,
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Dnsmasq {
    /// Starts it, and waits until it takes connections.
    fn start() -> Result<Self> {
        let port = ports::free()?;
        // More than a datagram of 512 bytes holds.
        let many = (0..40).map(|last| format!("--host-record=many.isthmus.test,192.0.2.{last}"));
        let process = Command::new("dnsmasq")
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--pid-file",
            ])
            .args(["--no-resolv", "--no-hosts", "--bind-interfaces"])
            .args(["--listen-address=127.0.0.1", &format!("--port={port}")])
            .args([
                "--local=/isthmus.test/",
                "--cname=alias.isthmus.test,www.isthmus.test",
            ])
            .arg("--host-record=www.isthmus.test,198.51.100.7,2001:db8::7")
            .args(many)
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run dnsmasq; install it (apt-get install dnsmasq-base)")?;
        let dnsmasq = Self { process, port };
        let deadline = Instant::now() + TIMEOUT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(Instant::now() < deadline, "dnsmasq does not start");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(dnsmasq)
    }
}

/// A connection to dns_lookup.
struct Lookup(BufReader<TcpStream>);

impl Lookup {
    fn connect(world: &Sockets) -> Result<Self> {
        Ok(Self(BufReader::new(connect(world.lookup)?)))
    }

    fn ask(&mut self, port: u16, name: &str) -> Result<String> {
        let line = format!("@{HOST}:{port} {name}\n");
        self.0.get_mut().write_all(line.as_bytes())?;
        let mut said = String::new();
        self.0.read_line(&mut said)?;
        Ok(said.trim_end().to_string())
    }
}

fn names_of_dnsmasq(world: &mut Sockets) -> Result<()> {
    let dnsmasq = Dnsmasq::start()?;
    let mut lookup = Lookup::connect(world)?;
    let mut expect = |name: &str, expected: &str| -> Result<()> {
        let said = lookup.ask(dnsmasq.port, name)?;
        ensure!(
            said == expected,
            "{name}: \"{said}\" instead of \"{expected}\""
        );
        Ok(())
    };
    let www = "www.isthmus.test 198.51.100.7 2001:db8::7";
    expect("WWW.isthmus.test", www)?;
    expect("alias.isthmus.test.", www)?;
    expect("198.51.100.7", "www.isthmus.test")?;
    expect("2001:db8::7", "www.isthmus.test")?;
    expect("no.isthmus.test", "error: no such name")?;
    expect("a..b", "error: no name of a host")?;
    // Those beyond a datagram have come by TCP.
    let many = lookup.ask(dnsmasq.port, "many.isthmus.test")?;
    ensure!(
        many.starts_with("many.isthmus.test 192.0.2.") && many.split(' ').count() == 1 + 8,
        "many addresses: \"{many}\""
    );
    Ok(())
}

fn names_without_a_server(world: &mut Sockets) -> Result<()> {
    let said = Lookup::connect(world)?.ask(ports::free()?, "www.isthmus.test")?;
    ensure!(said.starts_with("error: the name server: E"), "\"{said}\"");
    Ok(())
}
