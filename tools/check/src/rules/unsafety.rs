// SPDX-License-Identifier: BSD-2-Clause
//! Where unsafe code may be, and that it says why it is sound.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::{Finding, Package, SourceFile};

/// The crates that may contain unsafe code, and why they must.
const ALLOWED: [(&str, &str); 19] = [
    ("sel4", "system calls"),
    (
        "sel4-microkit",
        "entry, restart, words that the SDK's tool patches",
    ),
    (
        "pd-support",
        "the clock's registers, memory by the wiring table",
    ),
    ("shm", "views of memory that others write"),
    ("pd-net", "a client's window"),
    ("isthmus-c", "the border to C: pointers, entry points"),
    ("executor", "wakers and statics of a PD with one thread"),
    ("net_driver", "device memory"),
    ("net_server", "packet memory"),
    ("supervisor", "the real-time clock's registers"),
    ("timer_driver", "the comparator's registers"),
    ("rng_driver", "device registers"),
    ("console", "the serial port's registers"),
    ("hostile", "memory that it has twice, to ruin it"),
    ("sdk-loader", "runs before there is anything else"),
    (
        "sdk-initialiser",
        "the root task: all capabilities and memory",
    ),
    ("sdk-test-pds", "do what must fault"),
    ("test-device", "accesses a driver's memory as a device does"),
    ("test-world", "plays both ends of a window in one process"),
];

/// Where that list is.
const LIST: &str = "ALLOWED in tools/check/src/rules/unsafety.rs";

/// How far above an unsafe block its reason may begin, lines of the same comment not counted.
const REASON_WITHIN: usize = 3;

const REASON: &str = "SAFETY:";

/// Checks that every other crate forbids unsafe code, and that the list has no crate that does.
pub fn check_crates(packages: &[Package], files: &[SourceFile]) -> Vec<Finding> {
    let forbids = |root: &&String| {
        let file = files.iter().find(|file| file.path == **root);
        file.is_some_and(|file| file.text.contains("#![forbid(unsafe_code)]"))
    };
    let mut findings = Vec::new();
    for package in packages {
        let allowed = ALLOWED.iter().any(|(name, _)| *name == package.name);
        if allowed && package.roots.iter().all(|root| forbids(&root)) {
            let message = format!("the crate {} needs no unsafe code any more", package.name);
            let remedy = format!("take it out of {LIST}");
            findings.push(Finding::new(&package.manifest, 0, message, remedy));
        }
        for root in package
            .roots
            .iter()
            .filter(|root| !allowed && !forbids(root))
        {
            let message = format!("the crate {} does not forbid unsafe code", package.name);
            let remedy = format!(
                "add #![forbid(unsafe_code)]; if it cannot do without, add it with its reason to {LIST}"
            );
            findings.push(Finding::new(root, 1, message, remedy));
        }
    }
    findings
}

/// Checks that every `unsafe { … }` and `unsafe impl` of a Rust file has its reason in a comment
/// directly above, also inside of macros.
pub fn check_file(file: &SourceFile) -> Vec<Finding> {
    if !file.path.ends_with(".rs") {
        return Vec::new();
    }
    let tokens: TokenStream = match file.text.parse() {
        Ok(tokens) => tokens,
        Err(error) => {
            let message = format!("not Rust: {error}");
            return vec![Finding::new(&file.path, 1, message, "correct the syntax")];
        }
    };
    let mut places = Vec::new();
    unsafe_places(tokens, &mut places);
    let lines: Vec<&str> = file.text.lines().collect();
    places
        .into_iter()
        .filter(|&line| !has_reason(&lines, line))
        .map(|line| {
            let remedy =
                format!("write a comment \"{REASON} …\" directly above, saying why it is sound");
            Finding::new(&file.path, line, "unsafe code without a reason", remedy)
        })
        .collect()
}

/// Lines of `unsafe` in front of a block or an `impl`.
fn unsafe_places(tokens: TokenStream, places: &mut Vec<usize>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "unsafe" => {
                let starts_code = match tokens.peek() {
                    Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
                    Some(TokenTree::Ident(next)) => next == "impl",
                    _ => false,
                };
                if starts_code {
                    places.push(word.span().start().line);
                }
            }
            TokenTree::Group(group) => unsafe_places(group.stream(), places),
            _ => {}
        }
    }
}

/// Whether a comment with the reason begins at most [`REASON_WITHIN`] lines above `line` (from 1),
/// or on it.
fn has_reason(lines: &[&str], line: usize) -> bool {
    let mut others = 0;
    for text in lines[..line].iter().rev() {
        if text.contains(REASON) {
            return true;
        }
        // The line itself is no distance; long comments have more lines than three.
        if !text.trim_start().starts_with("//") {
            others += 1;
        }
        if others > REASON_WITHIN {
            return false;
        }
    }
    false
}
