// SPDX-License-Identifier: BSD-2-Clause
//! Each rule finds what breaks it and leaves alone what does not.

use check::{
    Dependency, Finding, Package, Part, SourceFile,
    rules::{dependencies, files, promises, unsafety, width},
};

fn package(part: Part, name: &str, dependencies: &[&str]) -> Package {
    Package {
        name: name.to_string(),
        manifest: format!("{name}/Cargo.toml"),
        part,
        dependencies: dependencies
            .iter()
            .map(|name| Dependency {
                name: name.trim_start_matches("dev:").to_string(),
                dev: name.starts_with("dev:"),
            })
            .collect(),
        roots: vec![format!("{name}/src/lib.rs")],
    }
}

/// Names of the crates with a finding, for a workspace that has all kinds of crates and this one.
fn dependency_findings(package_to_check: Package) -> Vec<Finding> {
    let mut all = vec![
        package(Part::Libs, "sel4", &[]),
        package(Part::Libs, "socket-proto", &[]),
        package(Part::Libs, "socket-server", &["smoltcp", "socket-proto"]),
        package(Part::Pds, "net_server", &["sel4", "socket-server"]),
        package(Part::Tools, "host-peer", &["smoltcp", "socket-proto"]),
    ];
    assert_eq!(dependencies::check(&all), []);
    all.push(package_to_check);
    dependencies::check(&all)
}

#[track_caller]
fn forbidden(part: Part, name: &str, dependency: &str, words: &str) {
    let findings = dependency_findings(package(part, name, &[dependency]));
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].path, format!("{name}/Cargo.toml"));
    assert!(findings[0].message.contains(words), "{}", findings[0]);
}

#[test]
fn promises_name_tests_that_exist() {
    let file = |path: &str, text: &str| SourceFile {
        path: path.to_string(),
        text: text.to_string(),
    };
    let page = "| promise | tests |\n| --- | --- |\n| it works | `it_works`, `it_lasts`; `make test` |\n| it is fast | soon |\n";
    let files = [
        file("docs/promises.md", page),
        file("libs/a/tests/a.rs", "#[test]\nfn it_works() {}\n"),
    ];
    let found: Vec<(usize, String)> = promises::check(&files)
        .into_iter()
        .map(|finding| (finding.line, finding.message))
        .collect();
    let expected = [
        (3, "there is no test it_lasts".to_string()),
        (4, "a promise without a test".to_string()),
    ];
    assert_eq!(found, expected);
    assert_eq!(promises::check(&files[1..]), []);
}

#[test]
fn dependencies_point_one_way() {
    forbidden(
        Part::Pds,
        "echo",
        "net_server",
        "nothing depends on a protection domain",
    );
    forbidden(
        Part::Tools,
        "bench",
        "net_server",
        "nothing depends on a protection domain",
    );
    forbidden(Part::Libs, "ring", "host-peer", "does not depend on a tool");
    forbidden(
        Part::Pds,
        "echo",
        "socket-server",
        "does not contain the server",
    );
}

#[test]
fn the_stack_is_named_in_one_crate() {
    forbidden(Part::Libs, "ring", "smoltcp", "in one crate only");
    forbidden(Part::Pds, "echo", "smoltcp", "in one crate only");
    assert_eq!(
        dependency_findings(package(
            Part::Libs,
            "ring",
            &["dev:smoltcp", "dev:host-peer"]
        )),
        []
    );
    assert_eq!(
        dependency_findings(package(Part::Pds, "echo", &["sel4", "socket-proto"])),
        []
    );
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_string(),
        text: text.to_string(),
    }
}

const LICENCE: &str = concat!("SPDX-License", "-Identifier: BSD-2-Clause");

#[test]
fn files_have_a_licence_line_and_at_most_800_lines() {
    let licensed = |lines: usize| format!("// {LICENCE}\n{}", "x\n".repeat(lines - 1));
    assert_eq!(files::check(&[file("a.rs", &licensed(800))]), []);
    assert_eq!(
        files::check(&[file("a.xml", &format!("<?xml?>\n<!-- {LICENCE} -->"))]),
        []
    );
    let long = files::check(&[file("a.rs", &licensed(801))]);
    assert_eq!(long.len(), 1);
    assert!(long[0].message.contains("801 lines"));
    let late = files::check(&[file("a.rs", &format!("\n\n\n// {LICENCE}"))]);
    assert!(late[0].message.contains("no licence line"));
    assert_eq!(files::check(&[file("empty.rs", "")]).len(), 1);
}

fn unsafe_lines(text: &str) -> Vec<usize> {
    let findings = unsafety::check_file(&file("a.rs", text));
    findings.iter().map(|finding| finding.line).collect()
}

#[test]
fn unsafe_code_says_why() {
    let reason = concat!("// SAF", "ETY: because\n");
    for (text, lines) in [
        ("fn f() {\n unsafe { g() }\n}".to_string(), vec![2]),
        ("unsafe impl Send for X {}".to_string(), vec![1]),
        (format!("{reason}unsafe impl Send for X {{}}"), vec![]),
        (
            format!("{reason}// and so\n// on\n// and\n// on\nlet x =\n y(\n unsafe {{ g() }});"),
            vec![],
        ),
        (
            format!("{reason}a();\nb();\nc();\nd(unsafe {{ g() }});"),
            vec![5],
        ),
        (
            "macro_rules! m { () => {{\n unsafe { g() }\n}} }".to_string(),
            vec![2],
        ),
        (
            "unsafe fn f() {} // unsafe { }\nconst S: &str = \"unsafe { }\";".to_string(),
            vec![],
        ),
        (
            "#[unsafe(no_mangle)]\nstatic X: u8 = 0;".to_string(),
            vec![],
        ),
    ] {
        assert_eq!(unsafe_lines(&text), lines, "{text}");
    }
    let broken = unsafety::check_file(&file("a.rs", "fn f( {"));
    assert!(broken[0].message.contains("not Rust"));
    assert_eq!(unsafety::check_file(&file("a.c", "unsafe {")), []);
}

#[test]
fn crates_forbid_unsafe_code_unless_listed() {
    let packages = [
        package(Part::Libs, "plain", &[]),
        package(Part::Libs, "shm", &[]),
        package(Part::Libs, "good", &[]),
    ];
    let sources = [
        file("plain/src/lib.rs", "fn f() {}"),
        file("shm/src/lib.rs", "fn f() {}"),
        file("good/src/lib.rs", "#![forbid(unsafe_code)]"),
    ];
    let findings = unsafety::check_crates(&packages, &sources);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].path, "plain/src/lib.rs");

    let reformed = [file("shm/src/lib.rs", "#![forbid(unsafe_code)]")];
    let findings = unsafety::check_crates(&packages[1..2], &reformed);
    assert!(
        findings[0]
            .message
            .contains("needs no unsafe code any more")
    );
}

#[test]
fn the_repository_is_read() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = check::source_files(&root).unwrap();
    for expected in [
        "Makefile",
        "system.xml",
        "tools/check/src/lib.rs",
        ".cargo/config.toml",
    ] {
        assert!(files.iter().any(|file| file.path == expected), "{expected}");
    }
    assert!(files.iter().all(|file| !file.path.starts_with("build/")));
    let packages = check::packages(&root).unwrap();
    let driver = packages
        .iter()
        .find(|package| package.name == "timer_driver")
        .unwrap();
    assert_eq!(driver.part, Part::Pds);
    assert_eq!(driver.roots, ["pds/timer_driver/src/main.rs"]);
}

#[test]
fn text_for_people_has_a_hundred_columns() {
    let long = "many words ".repeat(10);
    let lines = |path: &str, text: String| {
        let path = path.to_string();
        let findings = width::check_file(&SourceFile { path, text });
        findings.iter().map(|found| found.line).collect::<Vec<_>>()
    };
    let word = "x".repeat(120);
    let rust = format!("//! {long}\nfn f();\n    // {long}\nlet x = \"{long}\";\n/// {word}\n");
    assert_eq!(lines("a.rs", rust), [1, 3]);
    let text = format!("{long}\n\n| {long} |\n\n```sh\n{long}\n```\n{long}\n\n    {long}\n");
    assert_eq!(lines("a.md", text), [1, 8]);
    assert!(lines("a.py", format!("# {long}\n")).is_empty());
    assert_eq!(lines("a.md", "x".repeat(100) + " y"), [1]);
    assert!(lines("a.md", "x".repeat(98) + " y").is_empty());
    let riddle = "// Who\u{65}ver asks.\nlet a = \"who\u{65}ver\";\n";
    assert_eq!(lines("a.rs", riddle.to_string()), [1]);
}
