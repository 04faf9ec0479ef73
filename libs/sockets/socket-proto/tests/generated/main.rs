// SPDX-License-Identifier: BSD-2-Clause

//! The tables of `docs/socket-protocol.md` and the C header are made from the declarations. These
//! tests fail when they are not up to date; `UPDATE=1 cargo test -p socket-proto --test generated`
//! makes them anew.

#![cfg(not(loom))]

mod header;
mod tables;

use std::path::{Path, PathBuf};
use std::process::Command;

const HEADER: &str = "include/isthmus/socket_proto.h";
const PAGE: &str = "../../../docs/socket-protocol.md";
const BEGIN: &str = "<!-- generated: tables -->\n";
const END: &str = "<!-- end of generated -->\n";

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// A help text without the links that only rustdoc knows.
fn plain(help: &str) -> String {
    let text = help.replace("[`crate::", "`").replace("[`", "`");
    text.replace("`]", "`")
}

fn check(file: &str, is: &str, should_be: &str) {
    if is == should_be {
        return;
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(file), should_be).expect("the file can be written");
        return;
    }
    panic!(
        "{file} is not what the declarations say\n  \
         help: UPDATE=1 cargo test -p socket-proto --test generated"
    );
}

#[test]
fn the_tables_are_up_to_date() {
    let page = std::fs::read_to_string(path(PAGE)).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the first marker");
    let (_, after) = rest.split_once(END).expect("the second marker");
    let tables = tables::tables();
    check(PAGE, &page, &format!("{before}{BEGIN}{tables}{END}{after}"));
}

#[test]
fn the_header_is_up_to_date() {
    let is = std::fs::read_to_string(path(HEADER)).unwrap_or_default();
    check(HEADER, &is, &header::header());
}

/// The header compiles without warnings, and numbers that are Linux's are those of the system's
/// headers.
#[test]
fn the_header_is_c_and_its_numbers_are_the_systems() {
    let folder = std::env::temp_dir().join(format!("socket-proto-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let source = folder.join("check.c");
    std::fs::write(&source, header::check_program()).expect("a file");
    let compiled = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .args(["-fsyntax-only", "-I"])
        .arg(path("include"))
        .arg(&source)
        .output()
        .expect("a C compiler");
    let errors = String::from_utf8_lossy(&compiled.stderr).into_owned();
    std::fs::remove_dir_all(&folder).expect("the folder");
    assert!(compiled.status.success(), "{errors}");
}
