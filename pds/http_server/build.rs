// SPDX-License-Identifier: BSD-2-Clause

//! Packs the files of `www/` into the image: writes a table of [`http_app::StaticFile`]s that
//! includes them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("www");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut table = format!("static FILES: [StaticFile; {}] = [\n", files.len());
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        entry(&root, file, &mut table);
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("files.rs");
    fs::write(out, table).expect("OUT_DIR can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn entry(root: &Path, file: &Path, table: &mut String) {
    let body = fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let relative = file.strip_prefix(root).expect("it was found there");
    let relative = relative.to_str().expect("names of files are UTF-8");
    assert!(
        relative
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b)),
        "www/{relative}: letters, digits and ._- only, so that the path needs no escaping in a URL"
    );
    // The page of a folder has the folder's path.
    let path = relative.strip_suffix("index.html").unwrap_or(relative);
    writeln!(
        table,
        "    StaticFile {{ path: {:?}, content_type: {:?}, etag: {:?}, body: include_bytes!({:?}) }},",
        format!("/{path}"),
        content_type(file),
        format!("\"{:016x}\"", hash(&body)),
        file
    )
    .expect("a string can be written");
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/vnd.microsoft.icon",
        Some("txt") => "text/plain; charset=utf-8",
        Some("woff2") => "font/woff2",
        _ => panic!("{}: add its content type here", file.display()),
    }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): tells versions of a file apart, no more.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
