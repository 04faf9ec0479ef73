// SPDX-License-Identifier: BSD-2-Clause
//! A running QEMU.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Command, Console, CpuTime, LogFolder};

/// How long the end of a dead QEMU's output is waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long QEMU's monitor may take for a command.
const MONITOR_PATIENCE: Duration = Duration::from_secs(20);
const PROMPT: &[u8] = b"(qemu) ";
/// Lines of the console in [`Guest::epitaph`].
const EPITAPH: usize = 15;

/// A guest. Dropping it ends QEMU; its log stays unless [`Guest::discard_log`] was called.
///
/// QEMU is also ended by the kernel if the *thread* that booted it ends (where util-linux's
/// `setpriv` is installed): boot guests from a thread that lives as long as they are needed.
#[derive(Debug)]
pub struct Guest {
    child: Mutex<Child>,
    input: Mutex<ChildStdin>,
    console: Arc<Console>,
    log: PathBuf,
    /// The programs of the PDs, beside the image.
    programs: Option<PathBuf>,
    /// Where QEMU's monitor listens.
    monitor: PathBuf,
    started: Instant,
    keep_log: Mutex<bool>,
}

impl Guest {
    /// Starts QEMU; `name` names the log file.
    ///
    /// # Errors
    /// If QEMU cannot be started or the log file cannot be made.
    pub fn boot(command: &Command, logs: &LogFolder, name: &str) -> Result<Self> {
        let (log, mut file) = logs.new_file(name)?;
        let monitor = monitor_socket();
        let programs = command.image().map(|image| image.with_file_name("pds"));
        let command = command.clone().with_monitor(&monitor);
        let words = dying_with_us(command.words());
        writeln!(file, "$ {}", command.words().join(" "))?;
        let (program, arguments) = words.split_first().context("the QEMU command is empty")?;
        let started = Instant::now();
        let mut child = process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file.try_clone().context("cannot share the log file")?)
            .spawn()
            .with_context(|| format!("cannot start {program}; is it installed?"))?;
        let input = child.stdin.take().context("QEMU has no input")?;
        let output = child.stdout.take().context("QEMU has no output")?;
        let console = Arc::new(Console::default());
        thread::spawn({
            let console = Arc::clone(&console);
            // A full disk must not stop the console: the log is for people, the lines are judged.
            move || console.follow(output, |piece| drop(file.write_all(piece)))
        });
        Ok(Self {
            child: Mutex::new(child),
            input: Mutex::new(input),
            console,
            log,
            programs,
            monitor,
            started,
            keep_log: Mutex::new(true),
        })
    }

    /// What the guest has printed.
    #[must_use]
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// When QEMU was started.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// The file that holds everything that QEMU and the guest printed.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// What there is to say when something went wrong: whether QEMU still runs, the last lines of
    /// the console with source lines for the faults, and where all of them are.
    #[must_use]
    pub fn epitaph(&self) -> String {
        let state = match self.status() {
            None => "QEMU runs".to_owned(),
            Some(status) => format!("QEMU has ended, {status}"),
        };
        let lines = self.console.lines_since(Default::default());
        let last = lines.get(lines.len().saturating_sub(EPITAPH)..);
        let last = self.with_symbols(last.unwrap_or_default().join("\n"));
        let last = last.trim_end().replace('\n', "\n    ");
        let log = self.log.display();
        format!("{state}; the console's last lines:\n    {last}\nlog: {log}")
    }

    /// What `make symbols` makes of console lines; the same lines if it cannot.
    fn with_symbols(&self, lines: String) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../symbols.sh");
        let run = |programs: &Path| -> Option<String> {
            let mut child = process::Command::new(script)
                .arg(programs)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .ok()?;
            // It is a few lines: the pipe takes them whether or not they are read.
            child.stdin.take()?.write_all(lines.as_bytes()).ok()?;
            let output = child.wait_with_output().ok()?;
            let shown = String::from_utf8(output.stdout).ok()?;
            output.status.success().then_some(shown)
        };
        self.programs.as_deref().and_then(run).unwrap_or(lines)
    }

    /// Types a line on the guest's serial console.
    ///
    /// # Errors
    /// If QEMU has ended.
    pub fn type_line(&self, line: &str) -> Result<()> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(input, "{line}")
            .and_then(|()| input.flush())
            .context("cannot type on the guest's console: QEMU has ended")
    }

    /// Gives QEMU's monitor a command, and waits until it has been carried out.
    ///
    /// # Errors
    /// If there is no monitor, or it does not answer.
    pub fn command_monitor(&self, command: &str) -> Result<()> {
        let mut monitor = UnixStream::connect(&self.monitor).context("QEMU has no monitor")?;
        monitor.set_read_timeout(Some(MONITOR_PATIENCE))?;
        // It prompts when it is ready, and again when the command is done.
        for line in [None, Some(command)] {
            if let Some(line) = line {
                writeln!(monitor, "{line}")?;
            }
            let mut said = Vec::new();
            while !said.ends_with(PROMPT) {
                let mut byte = [0];
                let read = monitor.read_exact(&mut byte);
                read.context("QEMU's monitor does not answer")?;
                said.extend(byte);
            }
        }
        Ok(())
    }

    /// Takes the processor away from QEMU for a while, as a busy host does. Its clocks go on.
    ///
    /// # Errors
    /// If QEMU has ended.
    pub fn stall(&self, time: Duration) -> Result<()> {
        let send = |signal| {
            let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
            let id = child.id().try_into().context("no process has that id")?;
            kill(Pid::from_raw(id), signal).context("cannot stop QEMU or let it go on")
        };
        send(Signal::SIGSTOP)?;
        thread::sleep(time);
        send(Signal::SIGCONT)
    }

    /// Whether QEMU still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status().is_none()
    }

    /// How QEMU ended, if it has.
    fn status(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.try_wait().ok().flatten()
    }

    /// Processor time that QEMU has used so far.
    ///
    /// # Errors
    /// If QEMU has ended.
    pub fn cpu_time(&self) -> Result<CpuTime> {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        CpuTime::of_process(child.id())
    }

    /// Ends QEMU. Doing so again is harmless.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // Both fail only if it has ended and was waited for already.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Removes the log when the guest goes: all was well.
    pub fn discard_log(&self) {
        *self.keep_log.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.kill();
        // It is there only if QEMU came as far as to make it.
        let _ = fs::remove_file(&self.monitor);
        // The last words go to the log before it is read or removed.
        self.console.wait_closed(LAST_WORDS);
        if !*self.keep_log.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = fs::remove_file(&self.log);
        }
    }
}

/// A name for a socket: short, as the kernel wants it, and used by nobody else.
fn monitor_socket() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("isthmus-{}-{number}.monitor", process::id());
    std::env::temp_dir().join(name)
}

/// The words that start the command such that the kernel ends it when we die without cleaning
/// up. Without `setpriv` it is the command itself.
fn dying_with_us(words: &[String]) -> Vec<String> {
    let has_setpriv = process::Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let prefix: &[&str] = if has_setpriv {
        &["setpriv", "--pdeathsig", "KILL", "--"]
    } else {
        &[]
    };
    prefix
        .iter()
        .map(|word| (*word).to_owned())
        .chain(words.iter().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn folder(name: &str) -> LogFolder {
        LogFolder::create(&std::env::temp_dir(), name).unwrap()
    }

    #[test]
    fn a_guest_is_heard_and_typed_to() {
        let logs = folder("guest-test");
        let command =
            Command::parse("sh -c 'echo up; read x; echo got $x; exec sleep 1000'").unwrap();
        let guest = Guest::boot(&command, &logs, "sh").unwrap();
        let (_, mark) = guest
            .console()
            .wait_for(Default::default(), &["up"], SOON)
            .unwrap();
        guest.type_line("crash it").unwrap();
        guest
            .console()
            .wait_for(mark, &["got crash it"], SOON)
            .unwrap();
        assert!(guest.is_running());
        assert!(guest.epitaph().contains("QEMU runs"));
        guest.kill();
        assert!(!guest.is_running());
        let epitaph = guest.epitaph();
        assert!(epitaph.contains("signal: 9") && epitaph.contains("got crash it"));
        let log = guest.log().to_owned();
        assert!(fs::read_to_string(&log).unwrap().contains("got crash it"));
        guest.discard_log();
        drop(guest);
        assert!(!log.exists());
    }

    #[test]
    fn the_log_stays_unless_discarded() {
        let logs = folder("guest-log-test");
        let command = Command::parse("sh -c 'echo to stderr >&2'").unwrap();
        let guest = Guest::boot(&command, &logs, "sh").unwrap();
        assert!(
            guest
                .console()
                .wait_for(Default::default(), &["x"], SOON)
                .is_err()
        );
        let log = guest.log().to_owned();
        drop(guest);
        assert!(fs::read_to_string(&log).unwrap().contains("to stderr"));
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let logs = folder("guest-missing-test");
        let command = Command::parse("/nonexistent/qemu").unwrap();
        if let Ok(guest) = Guest::boot(&command, &logs, "none") {
            // setpriv starts and then fails by itself.
            assert!(
                guest
                    .console()
                    .wait_for(Default::default(), &["x"], SOON)
                    .is_err()
            );
            guest.discard_log();
        }
    }
}
