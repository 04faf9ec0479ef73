// SPDX-License-Identifier: BSD-2-Clause
//! QEMU's command line, with the image and the network exchanged.

use std::path::Path;
use std::process;

use anyhow::{Context, Result, bail, ensure};

use crate::Netdev;

/// A QEMU command line: the program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    words: Vec<String>,
}

impl Command {
    /// Splits a command line as a POSIX shell would, without expansions.
    ///
    /// # Errors
    /// If a quotation is not closed or no word is left.
    pub fn parse(line: &str) -> Result<Self> {
        let words = shlex::split(line)
            .with_context(|| format!("QEMU command has an open quotation: {line}"))?;
        ensure!(!words.is_empty(), "the QEMU command is empty");
        Ok(Self { words })
    }

    /// The command line that `make run` uses, asked from the Makefile of the current folder, so
    /// that it stands in one place only.
    ///
    /// # Errors
    /// If make fails; its own message is part of the error.
    pub fn from_make() -> Result<Self> {
        let output = process::Command::new("make")
            .args(["-s", "--no-print-directory", "qemu-command"])
            .output()
            .context("cannot run make to ask for the QEMU command; name it with --qemu")?;
        ensure!(
            output.status.success(),
            "make qemu-command failed; run this from the project's folder or use --qemu: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Self::parse(String::from_utf8_lossy(&output.stdout).trim())
    }

    /// The same command with another file in its `-device loader`.
    ///
    /// # Errors
    /// If the command has no `-device loader,file=…`.
    pub fn with_image(mut self, image: &Path) -> Result<Self> {
        let file = format!("file={}", image.display());
        let loader = self
            .values_of("-device")
            .find(|value| value.split(',').next() == Some("loader"))
            .context("the QEMU command has no `-device loader,file=…` that names the image")?;
        let mut parts: Vec<&str> = loader.split(',').collect();
        match parts.iter_mut().find(|part| part.starts_with("file=")) {
            Some(part) => *part = &file,
            None => bail!("`-device {loader}` names no file"),
        }
        *loader = parts.join(",");
        Ok(self)
    }

    /// The file of its `-device loader`.
    pub(crate) fn image(&self) -> Option<&Path> {
        let values = self.words.iter();
        let file = values
            .filter_map(|word| word.strip_prefix("loader,file="))
            .next()?;
        file.split(',').next().map(Path::new)
    }

    /// The same command with another `-netdev`.
    ///
    /// # Errors
    /// If the command has no `-netdev` to replace.
    pub fn with_netdev(mut self, netdev: &Netdev) -> Result<Self> {
        let value = self
            .values_of("-netdev")
            .next()
            .context("the QEMU command has no `-netdev` to replace")?;
        *value = netdev.to_string();
        Ok(self)
    }

    /// The same command with QEMU's monitor at a socket, if it says `-monitor none`.
    #[must_use]
    pub(crate) fn with_monitor(mut self, socket: &Path) -> Self {
        if let Some(none) = self.values_of("-monitor").find(|value| *value == "none") {
            // A comma within a value is doubled.
            let path = socket.display().to_string().replace(',', ",,");
            *none = format!("unix:{path},server=on,wait=off");
        }
        self
    }

    /// The same command without a device: `-device driver,…`.
    ///
    /// # Errors
    /// If the command has no such device.
    pub fn without_device(mut self, driver: &str) -> Result<Self> {
        let at = self
            .words
            .windows(2)
            .position(|pair| pair[0] == "-device" && pair[1].split(',').next() == Some(driver))
            .with_context(|| format!("the QEMU command has no `-device {driver}` to leave out"))?;
        self.words.drain(at..at + 2);
        Ok(self)
    }

    /// The program and its arguments.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// What stands behind each occurrence of an option.
    fn values_of<'a>(&'a mut self, option: &'a str) -> impl Iterator<Item = &'a mut String> {
        let mut previous_is_option = false;
        self.words.iter_mut().filter(move |word| {
            let is_value = previous_is_option;
            previous_is_option = !is_value && word.as_str() == option;
            is_value
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "qemu-system-aarch64 -machine virt -serial stdio \
        -device loader,file=a/b.img,addr=0x70000000,cpu-num=0 \
        -device virtio-net-device,netdev=netdev0 -netdev user,id=netdev0";

    #[test]
    fn image_is_replaced_and_nothing_else() {
        let command = Command::parse(LINE).unwrap();
        let changed = command.clone().with_image(Path::new("/x/y.img")).unwrap();
        assert_eq!(
            changed.words().join(" "),
            command.words().join(" ").replace("a/b.img", "/x/y.img")
        );
    }

    #[test]
    fn netdev_is_replaced_and_the_device_stays() {
        let netdev = Netdev::Datagram { guest: 1, peer: 2 };
        let changed = Command::parse(LINE).unwrap().with_netdev(&netdev).unwrap();
        let words = changed.words();
        assert_eq!(words.last(), Some(&netdev.to_string()));
        assert!(words.contains(&"virtio-net-device,netdev=netdev0".to_owned()));
    }

    #[test]
    fn the_monitor_gets_a_socket() {
        let command = Command::parse("qemu -monitor none -m 1").unwrap();
        let words = command.with_monitor(Path::new("/tmp/a,b")).words;
        let monitor = "unix:/tmp/a,,b,server=on,wait=off";
        assert_eq!(words, ["qemu", "-monitor", monitor, "-m", "1"]);
        let bare = Command::parse("sleep 1").unwrap();
        assert_eq!(bare.clone().with_monitor(Path::new("x")), bare);
    }

    #[test]
    fn a_device_is_left_out_and_nothing_else() {
        let command = Command::parse(LINE).unwrap();
        let changed = command.clone().without_device("virtio-net-device").unwrap();
        assert_eq!(
            changed.words().join(" "),
            command
                .words()
                .join(" ")
                .replace("-device virtio-net-device,netdev=netdev0 ", "")
        );
        assert!(changed.without_device("virtio-net-device").is_err());
    }

    #[test]
    fn what_cannot_be_replaced_is_an_error() {
        let bare = Command::parse("qemu -device loader,addr=1 -netdev").unwrap();
        assert!(bare.clone().with_image(Path::new("x")).is_err());
        assert!(
            bare.with_netdev(&Netdev::Datagram { guest: 1, peer: 2 })
                .is_err()
        );
        assert!(Command::parse("").is_err());
        assert!(Command::parse("qemu 'open").is_err());
    }

    #[test]
    fn an_option_as_value_is_not_an_option() {
        let mut command = Command::parse("qemu -name -netdev x -netdev y").unwrap();
        let values: Vec<_> = command.values_of("-netdev").map(|v| v.clone()).collect();
        // A word is a value only behind the option itself: `-name -netdev` cannot be told apart
        // without knowing every option of QEMU, so it counts, and nothing is skipped for it.
        assert_eq!(values, ["x", "y"]);
    }
}
