// SPDX-License-Identifier: BSD-2-Clause

//! Puts the linker script of all PDs where the linker looks for it; `.cargo/config.toml` names it.

use std::path::Path;
use std::{env, fs};

fn main() {
    const SCRIPT: &str = "microkit-pd.ld";
    println!("cargo::rerun-if-changed={SCRIPT}");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    // A copy in OUT_DIR, so that a changed script makes cargo link again.
    fs::copy(SCRIPT, Path::new(&out).join(SCRIPT))
        .expect("microkit-pd.ld can be copied to OUT_DIR");
    println!("cargo::rustc-link-search=native={out}");
}
