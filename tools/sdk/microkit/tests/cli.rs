// SPDX-License-Identifier: BSD-2-Clause
//! The tool as a program: command line, SDK directory, files, exit status.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Elf, sdk};

const CONFIGURATION: &str = r#"{"KERNEL_MCS": false, "ROOT_CNODE_SIZE_BITS": "17"}"#;
const PLATFORM: &str = r#"{"devices": [{"start": 150994944, "end": 1073741824}],
    "memory": [{"start": 1073741824, "end": 3221225472}]}"#;

/// A folder with an SDK and a system of one PD, under the build's own folder for test files.
fn folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&root);
    let board = "sdk/board/qemu_virt_aarch64/debug";
    for (path, bytes) in [
        ("include/kernel/gen_config.json", CONFIGURATION.as_bytes()),
        ("platform_gen.json", PLATFORM.as_bytes()),
        (
            "address_space_constants.json",
            br#"{"vspace_user_top": 1099511627775}"#,
        ),
        ("elf/sel4.elf", &sdk::kernel().bytes()),
        ("elf/loader.elf", &sdk::loader().bytes()),
        ("elf/initialiser.elf", &sdk::initialiser().bytes()),
    ] {
        write(&root.join(board).join(path), bytes);
    }
    write(&root.join("programs/a.elf"), &Elf::default().bytes());
    write(&root.join("data/data.bin"), b"12345");
    write(&root.join("s.xml"), SYSTEM.as_bytes());
    root
}

const SYSTEM: &str = r#"<system><memory_region name="m" prefill_path="data.bin"/>
<protection_domain name="a" budget="5"><program_image path="a.elf"/><map mr="m" vaddr="0x1000000"/></protection_domain></system>"#;

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("in a folder")).expect("folder");
    std::fs::write(path, bytes).expect("file");
}

fn run(root: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_microkit"))
        .args(arguments.split_whitespace())
        .env("MICROKIT_SDK", root.join("sdk"))
        .current_dir(root)
        .output()
        .expect("the tool runs")
}

const GOOD: &str = "s.xml --search-path programs data --board qemu_virt_aarch64 --config debug";

/// Runs and gives standard error, having seen that the run failed and has written nothing.
fn refused(root: &Path, arguments: &str) -> String {
    let output = run(root, arguments);
    assert!(!output.status.success(), "{arguments}");
    assert!(!root.join("loader.img").exists());
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn image_and_report_are_written() {
    let root = folder("written");
    let output = run(&root, GOOD);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(
        errors.starts_with("s.xml:2:29: remark: budget is not honoured"),
        "{errors}"
    );
    let image = std::fs::read(root.join("loader.img")).expect("written");
    assert_eq!(&image[..6], b"loader");
    let report = std::fs::read_to_string(root.join("report.txt")).expect("written");
    for part in [
        "# Protection domain 'a'",
        "0x0001000000..0x0001001000 rw- m",
        "  1 notification of 'a': receive",
    ] {
        assert!(report.contains(part), "{report}");
    }
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("MICROKIT|LOADER: image file size = "),
        "{said}"
    );
}

#[test]
fn options_of_the_official_tool() {
    let root = folder("options");
    let all = "--board qemu_virt_aarch64 --config debug --search-path data --search-path programs -o x.img --report y.txt --image-type binary --override-kernel sdk/board/qemu_virt_aarch64/debug/elf/sel4.elf s.xml";
    let output = run(&root, all);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(root.join("x.img").exists() && root.join("y.txt").exists());
    let same = run(&root, &format!("{GOOD} -o again.img"));
    assert!(same.status.success());
    let read = |name| std::fs::read(root.join(name)).expect("written");
    assert!(
        read("x.img") == read("again.img"),
        "the same system gives the same image"
    );
}

#[test]
fn the_sdk_is_found_from_the_executable() {
    let root = folder("found");
    let tool = root.join("sdk/bin/microkit");
    std::fs::create_dir_all(root.join("sdk/bin")).expect("folder");
    // A link, not a copy: a file that is just being written cannot be run, and other tests fork
    // meanwhile.
    std::fs::hard_link(env!("CARGO_BIN_EXE_microkit"), &tool).expect("linked");
    let output = Command::new(&tool)
        .args(GOOD.split_whitespace())
        .env_remove("MICROKIT_SDK")
        .current_dir(&root)
        .output()
        .expect("the tool runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn wrong_choices() {
    let root = folder("choices");
    let text = refused(&root, "s.xml --board other --config debug");
    assert_eq!(
        text,
        "microkit: error: --board other: there is none of that name\n  help: choose from: qemu_virt_aarch64\n"
    );
    let text = refused(&root, "s.xml --board qemu_virt_aarch64 --config ../debug");
    assert!(
        text.contains("--config ../debug: there is none") && text.contains("choose from: debug"),
        "{text}"
    );
    let text = refused(&root, "none.xml --board qemu_virt_aarch64 --config debug");
    assert!(
        text.starts_with("microkit: error: system description none.xml: "),
        "{text}"
    );
    let text = refused(&root, "s.xml --config debug");
    assert!(text.contains("--board"), "{text}");
    let text = refused(&root, &format!("{GOOD} --image-type elf"));
    assert!(text.contains("elf") && text.contains("binary"), "{text}");
    let text = refused(&root, &format!("{GOOD} -o none/loader.img"));
    assert!(
        text.contains("microkit: error: none/loader.img: ") && text.contains("  help: "),
        "{text}"
    );
    let text = refused(
        &root,
        "s.xml --search-path programs --board qemu_virt_aarch64 --config debug",
    );
    assert!(
        text.contains("s.xml:1:33: error: file 'data.bin' is in none")
            && text.contains("looked in: programs, ."),
        "{text}"
    );
}

#[test]
fn a_damaged_or_foreign_sdk() {
    let root = folder("damaged");
    let board = root.join("sdk/board/qemu_virt_aarch64/debug");
    let configuration = board.join("include/kernel/gen_config.json");
    write(
        &configuration,
        br#"{"KERNEL_MCS": true, "ROOT_CNODE_SIZE_BITS": "17"}"#,
    );
    let text = refused(&root, GOOD);
    assert!(text.contains("is not a registry SDK"), "{text}");
    write(&configuration, b"{}");
    assert!(refused(&root, GOOD).contains("ROOT_CNODE_SIZE_BITS is missing"));
    write(&configuration, CONFIGURATION.as_bytes());
    write(
        &board.join("platform_gen.json"),
        br#"{"memory": [{"start": 1}], "devices": []}"#,
    );
    assert!(refused(&root, GOOD).contains("\"memory\" is not a list"));
    write(&board.join("platform_gen.json"), PLATFORM.as_bytes());
    write(
        &board.join("address_space_constants.json"),
        br#"{"vspace_user_top": 1}"#,
    );
    assert!(refused(&root, GOOD).contains("vspace_user_top is not 0xffffffffff"));
    write(
        &board.join("address_space_constants.json"),
        br#"{"vspace_user_top": 1099511627775}"#,
    );
    write(&board.join("elf/loader.elf"), b"no ELF");
    assert!(refused(&root, GOOD).contains("loader.elf of the SDK: it is no intact ELF file"));
    std::fs::remove_file(board.join("elf/loader.elf")).expect("removed");
    let text = refused(&root, GOOD);
    assert!(
        text.contains("loader.elf: ") && text.contains("  help: build the SDK anew"),
        "{text}"
    );
    std::fs::remove_dir_all(root.join("sdk")).expect("removed");
    assert!(refused(&root, GOOD).contains("which has no folder 'board'"));
}
