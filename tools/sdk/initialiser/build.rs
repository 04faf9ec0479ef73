// SPDX-License-Identifier: BSD-2-Clause
//! Takes the kernel's numbers from the JSON files that the kernel build wrote, and links with the
//! initialiser's script.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

/// Constants by the file that they come from: name here, key there.
const CONSTANTS: [(&str, &[(&str, &str)]); 4] = [
    (
        "invocations_all.json",
        &[
            ("UNTYPED_RETYPE", "UntypedRetype"),
            ("TCB_WRITE_REGISTERS", "TCBWriteRegisters"),
            ("TCB_CONFIGURE", "TCBConfigure"),
            ("TCB_RESUME", "TCBResume"),
            ("TCB_SUSPEND", "TCBSuspend"),
            ("TCB_BIND_NOTIFICATION", "TCBBindNotification"),
            ("CNODE_COPY", "CNodeCopy"),
            ("CNODE_MINT", "CNodeMint"),
            ("IRQ_ISSUE_HANDLER", "IRQIssueIRQHandler"),
            ("IRQ_SET_HANDLER", "IRQSetIRQHandler"),
            ("PAGE_UPPER_DIRECTORY_MAP", "ARMPageUpperDirectoryMap"),
            ("PAGE_DIRECTORY_MAP", "ARMPageDirectoryMap"),
            ("PAGE_TABLE_MAP", "ARMPageTableMap"),
            ("PAGE_MAP", "ARMPageMap"),
            ("PAGE_UNMAP", "ARMPageUnmap"),
            ("PAGE_CLEAN_DATA", "ARMPageClean_Data"),
            ("PAGE_UNIFY_INSTRUCTION", "ARMPageUnify_Instruction"),
            ("ASID_POOL_ASSIGN", "ARMASIDPoolAssign"),
        ],
    ),
    (
        "object_types.json",
        &[
            ("UNTYPED", "seL4_UntypedObject"),
            ("TCB", "seL4_TCBObject"),
            ("ENDPOINT", "seL4_EndpointObject"),
            ("NOTIFICATION", "seL4_NotificationObject"),
            ("CAP_TABLE", "seL4_CapTableObject"),
            ("SMALL_PAGE", "seL4_ARM_SmallPageObject"),
            ("LARGE_PAGE", "seL4_ARM_LargePageObject"),
            ("PAGE_TABLE", "seL4_ARM_PageTableObject"),
            ("PAGE_DIRECTORY", "seL4_ARM_PageDirectoryObject"),
            ("PAGE_UPPER_DIRECTORY", "seL4_ARM_PageUpperDirectoryObject"),
            (
                "PAGE_GLOBAL_DIRECTORY",
                "seL4_ARM_PageGlobalDirectoryObject",
            ),
        ],
    ),
    (
        "object_sizes.json",
        &[
            ("TCB_BITS", "tcb"),
            ("ENDPOINT_BITS", "endpoint"),
            ("NOTIFICATION_BITS", "notification"),
            ("SLOT_BITS", "slot"),
            ("PAGE_TABLE_BITS", "page_table"),
            ("VSPACE_BITS", "vspace"),
        ],
    ),
    (
        "syscalls.json",
        &[("SYS_CALL", "SysCall"), ("SYS_RECV", "SysRecv")],
    ),
];

/// System calls of a printing kernel only.
const DEBUG_SYSCALLS: [(&str, &str); 3] = [
    ("SYS_DEBUG_PUT_CHAR", "SysDebugPutChar"),
    ("SYS_DEBUG_CAP_IDENTIFY", "SysDebugCapIdentify"),
    ("SYS_DEBUG_NAME_THREAD", "SysDebugNameThread"),
];

fn main() {
    let manifest = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo::rustc-link-arg-bins=-T{manifest}/initialiser.ld");
    println!("cargo::rustc-link-arg-bins=-zmax-page-size=4096");
    println!("cargo::rerun-if-changed=initialiser.ld");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kernel_prints)");
    for name in ["MICROKIT_SDK", "MICROKIT_BOARD", "MICROKIT_CONFIG"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if let Err(error) = generate() {
        println!("cargo::error={error}");
    }
}

fn generate() -> Result<(), String> {
    let variable = |name: &str, default: &str| {
        env::var(name)
            .ok()
            .filter(|v| !v.is_empty())
            .unwrap_or_else(|| default.into())
    };
    let sdk = variable("MICROKIT_SDK", "");
    if sdk.is_empty() {
        return Err(
            "MICROKIT_SDK is not set; it must name the registry SDK whose kernel is built already"
                .into(),
        );
    }
    let board: PathBuf = [
        &sdk,
        "board",
        &variable("MICROKIT_BOARD", "qemu_virt_aarch64"),
        &variable("MICROKIT_CONFIG", "release"),
    ]
    .iter()
    .collect();

    let mut text = String::new();
    for (file, constants) in CONSTANTS {
        let table = read(&board, file)?;
        for (name, key) in constants {
            constant(&mut text, name, number(&table, file, key)?);
        }
    }
    let config = read(&board, "include/kernel/gen_config.json")?;
    if config["KERNEL_MCS"] != Value::Bool(false) {
        return Err(format!(
            "{}: this initialiser is for the registry SDK's kernel, without MCS",
            board.display()
        ));
    }
    let limit = config["RETYPE_FAN_OUT_LIMIT"]
        .as_str()
        .and_then(|limit| limit.parse().ok());
    constant(
        &mut text,
        "RETYPE_FAN_OUT_LIMIT",
        limit.ok_or("gen_config.json: RETYPE_FAN_OUT_LIMIT is not a number")?,
    );
    let untypeds = config["MAX_NUM_BOOTINFO_UNTYPED_CAPS"]
        .as_str()
        .and_then(|limit| limit.parse().ok());
    constant(
        &mut text,
        "MAX_BOOT_UNTYPEDS",
        untypeds.ok_or("gen_config.json: MAX_NUM_BOOTINFO_UNTYPED_CAPS is not a number")?,
    );
    if config["PRINTING"] == Value::Bool(true) {
        println!("cargo::rustc-cfg=kernel_prints");
        let table = read(&board, "syscalls.json")?;
        for (name, key) in DEBUG_SYSCALLS {
            constant(&mut text, name, number(&table, "syscalls.json", key)?);
        }
    }
    let out = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    fs::write(Path::new(&out).join("numbers.rs"), text).map_err(|error| error.to_string())
}

fn read(board: &Path, file: &str) -> Result<Value, String> {
    let path = board.join(file);
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}; build the kernel first", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn number(table: &Value, file: &str, key: &str) -> Result<i64, String> {
    table[key]
        .as_i64()
        .ok_or_else(|| format!("{file}: {key} is missing or no number"))
}

fn constant(text: &mut String, name: &str, value: i64) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "pub const {name}: i64 = {value};");
}
