// SPDX-License-Identifier: BSD-2-Clause

//! Puts the linker script of all PDs where the linker looks for it; `.cargo/config.toml` names it.
//! Without an SDK the script refuses to link, and says what is missing.

use std::path::Path;
use std::{env, fs};

fn main() {
    const SCRIPT: &str = "microkit-pd.ld";
    println!("cargo::rerun-if-changed={SCRIPT}");
    let mut script = fs::read_to_string(SCRIPT).expect("microkit-pd.ld can be read");
    // From the build script of `sel4`.
    if let Ok(missing) = env::var("DEP_SEL4_MISSING") {
        script += &format!("\nASSERT(0, \"{missing}\")\n");
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    // A copy in OUT_DIR, so that a changed script makes cargo link again.
    fs::write(Path::new(&out).join(SCRIPT), script)
        .expect("microkit-pd.ld can be written to OUT_DIR");
    println!("cargo::rustc-link-search=native={out}");
}
