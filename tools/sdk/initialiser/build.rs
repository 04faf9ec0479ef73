// SPDX-License-Identifier: BSD-2-Clause
//! Takes the kernel's numbers from the JSON files that the kernel build wrote, and links with the
//! initialiser's script.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use sel4_abi::{GEN_CONFIG, INVOCATIONS, Selection};

/// Constants by the file that they come from: name here, key there.
const CONSTANTS: [(&str, &[(&str, &str)]); 4] = [
    (
        INVOCATIONS,
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
        GEN_CONFIG,
        &[
            ("RETYPE_FAN_OUT_LIMIT", "RETYPE_FAN_OUT_LIMIT"),
            ("MAX_BOOT_UNTYPEDS", "MAX_NUM_BOOTINFO_UNTYPED_CAPS"),
        ],
    ),
];

fn main() {
    let manifest = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo::rustc-link-arg-bins=-T{manifest}/initialiser.ld");
    println!("cargo::rustc-link-arg-bins=-zmax-page-size=4096");
    println!("cargo::rerun-if-changed=initialiser.ld");
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["MICROKIT_SDK", "MICROKIT_BOARD", "MICROKIT_CONFIG"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if let Err(error) = generate() {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
    }
}

fn generate() -> Result<(), Box<dyn Error>> {
    let selection = Selection::from_env()?;
    let mut text = String::new();
    for (file, constants) in CONSTANTS {
        let path = selection.folder().join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        let table = selection.table(file)?;
        for (name, key) in constants {
            let number: u64 = table.number(key)?;
            text += &format!("pub const {name}: u64 = {number};\n");
        }
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("numbers.rs"), text)?;
    Ok(())
}
