// SPDX-License-Identifier: BSD-2-Clause
//! Every mistake in a declaration is found, at the right place, with a remedy. Each is one change
//! of the project's own.

mod declaration;
mod fragment;
mod network;

use std::fs;
use std::path::Path;

use sysgen::{Built, Diagnostic, Source, compile};

/// The project's own declaration.
fn own() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../isthmus.toml");
    fs::read_to_string(path).unwrap()
}

/// Compiles a declaration with this fragment.
fn build(declaration: &str, fragment: &str) -> Result<Built, Vec<Diagnostic>> {
    let files = [Source::new("isthmus.toml", declaration)];
    compile(&files, |name| Ok(Source::new(name, fragment)))
}

/// Replaces one occurrence and expects one error, in the line that has `line` in it.
#[track_caller]
fn expect(from: &str, to: &str, line: &str, words: &str) {
    let text = own();
    assert_eq!(text.matches(from).count(), 1, "{from:?} must occur once");
    expect_one(&text.replace(from, to), "", "isthmus.toml", line, words);
}

/// Adds to the declaration and expects one error.
#[track_caller]
fn expect_added(added: &str, line: &str, words: &str) {
    expect_one(&(own() + added), "", "isthmus.toml", line, words);
}

#[track_caller]
fn expect_one(declaration: &str, fragment: &str, file: &str, line: &str, words: &str) {
    let found = build(declaration, fragment).expect_err("this is a mistake");
    let shown: Vec<String> = found.iter().map(Diagnostic::to_string).collect();
    let [error] = &found[..] else {
        panic!("expected one error, found {shown:#?}");
    };
    assert_eq!(error.file, file, "{error}");
    let text = if file == "isthmus.toml" {
        declaration
    } else {
        fragment
    };
    let at = text.lines().nth(error.line - 1).unwrap_or_default();
    assert!(at.contains(line), "{error}\nthe line: {at}");
    assert!(error.message.contains(words), "{error}");
    assert!(!error.help.is_empty(), "{error}");
}

#[test]
fn the_project_s_own_declaration_compiles() {
    let built = build(&own(), "").unwrap();
    assert!(
        built
            .description
            .contains("<protection_domain name=\"net_server\"")
    );
    assert!(built.programs.contains("http_server"));
    assert!(built.costs.contains("echo_server"));
}

#[test]
fn the_committed_description_is_the_one_that_is_made() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../system.xml");
    let committed = fs::read_to_string(path).unwrap();
    let made = build(&own(), "").unwrap().description;
    assert!(
        committed == made,
        "system.xml is stale: `make image` makes it anew"
    );
}
