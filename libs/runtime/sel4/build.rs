// SPDX-License-Identifier: BSD-2-Clause

//! Takes the kernel's ABI from the Microkit SDK: constants for `src/abi.rs`, and the cfg
//! `sel4_mcs`.
//!
//! On the host, and for the target without an SDK, the constants are those of
//! [`Abi::WITHOUT_SDK`], so that everything can be type-checked. `sel4-microkit` then refuses to
//! link, with the text that this script passes on.

use std::path::Path;
use std::{env, fs};

use sel4_abi::{Abi, AbiError, LABELS, Selection};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(sel4_mcs)");
    for name in ["MICROKIT_SDK", "MICROKIT_BOARD", "MICROKIT_CONFIG"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let for_host = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os != "none");
    let found = if for_host {
        Ok(Abi::WITHOUT_SDK)
    } else {
        read()
    };
    let abi = match found {
        Ok(abi) => abi,
        Err(AbiError::NoSdk(why)) => {
            println!("cargo::metadata=missing={}", why.replace('\n', " "));
            Abi::WITHOUT_SDK
        }
        Err(error) => {
            // Cargo fails because of them; with an exit code it would print all our output.
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            return;
        }
    };
    generate(&abi);
}

fn read() -> Result<Abi, AbiError> {
    let selection = Selection::from_env()?;
    for file in selection.files() {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    Abi::read(&selection)
}

fn generate(abi: &Abi) {
    if abi.mcs {
        println!("cargo::rustc-cfg=sel4_mcs");
    }
    let mut text = format!(
        "pub const KERNEL_MCS: bool = {};\npub const PRINTING: bool = {};\npub const USER_TOP: usize = {:#x};\n",
        abi.mcs, abi.printing, abi.user_top
    );
    for ((name, _), label) in LABELS.iter().zip(abi.labels) {
        text += &format!("pub(crate) const {name}: crate::Word = {label};\n");
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("abi.rs"), text).expect("OUT_DIR can be written");
}
