// SPDX-License-Identifier: BSD-2-Clause

//! Takes the kernel's ABI from the Microkit SDK: constants for `src/abi.rs`, and the cfg
//! `sel4_mcs`.

use std::path::Path;
use std::{env, fs};

use sel4_abi::{Abi, AbiError, LABELS, Selection};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(sel4_mcs)");
    for name in ["MICROKIT_SDK", "MICROKIT_BOARD", "MICROKIT_CONFIG"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if let Err(error) = generate() {
        // Cargo fails because of them; an exit code of our own would make it print all our output.
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
    }
}

fn generate() -> Result<(), AbiError> {
    let selection = Selection::from_env()?;
    for file in selection.files() {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let abi = Abi::read(&selection)?;
    if abi.mcs {
        println!("cargo::rustc-cfg=sel4_mcs");
    }
    let mut text = format!(
        "pub const KERNEL_MCS: bool = {};\npub const PRINTING: bool = {};\npub const USER_TOP: usize = {:#x};\n",
        abi.mcs, abi.printing, abi.user_top
    );
    for (name, label) in LABELS.iter().zip(abi.labels) {
        text += &format!(
            "pub(crate) const {}: crate::Word = {label};\n",
            constant(name)
        );
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("abi.rs"), text).expect("OUT_DIR can be written");
    Ok(())
}

/// `TCBWriteRegisters` → `TCB_WRITE_REGISTERS`: a word begins at a capital that a small letter
/// follows or precedes.
fn constant(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let small = |at: Option<&char>| at.is_some_and(char::is_ascii_lowercase);
        let before = i.checked_sub(1).and_then(|i| letters.get(i));
        if i > 0 && letter.is_ascii_uppercase() && (small(before) || small(letters.get(i + 1))) {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}
