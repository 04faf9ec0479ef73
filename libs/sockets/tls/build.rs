// SPDX-License-Identifier: BSD-2-Clause

//! Puts an authority's certificate, a certificate and its key into the crate.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const FILES: [(&str, &str, &str); 3] = [
    (
        "AUTHORITY",
        "authority.pem",
        "Certificates of the authorities that clients trust.",
    ),
    (
        "CERTIFICATE",
        "certificate.pem",
        "The server's certificate.",
    ),
    ("KEY", "key.pem", "The server's key."),
];

fn main() {
    println!("cargo::rerun-if-env-changed=ISTHMUS_TLS");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let folder = match env::var_os("ISTHMUS_TLS").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => made(&root),
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let mut module = String::new();
    for (name, file, about) in FILES {
        println!("cargo::rerun-if-changed={}", folder.join(file).display());
        // What is missing is empty, and the program says so.
        let text = fs::read(folder.join(file)).unwrap_or_default();
        fs::write(out.join(file), text).expect("OUT_DIR can be written");
        module += &format!(
            "/// {about}\npub const {name}: &[u8] = include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\"));\n"
        );
    }
    fs::write(out.join("built_in.rs"), module).expect("OUT_DIR can be written");
}

/// The folder of those for trying, made if it is not there.
fn made(root: &Path) -> PathBuf {
    let folder = root.join("build/tls");
    let script = root.join("tools/certificates.sh");
    println!("cargo::rerun-if-changed={}", script.display());
    let status = Command::new(&script).arg(&folder).status();
    if !status.is_ok_and(|status| status.success()) {
        println!(
            "cargo::warning=no certificates for TLS: {} needs openssl",
            script.display()
        );
    }
    folder
}
