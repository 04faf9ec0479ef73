// SPDX-License-Identifier: BSD-2-Clause
//! Marks of the test image: each has its effect, or is an error in its line.

use config_tool::{Source, enable_tests};

fn enable(text: &str) -> Result<String, Vec<(usize, usize, String)>> {
    let source = Source {
        name: "system.xml".to_string(),
        text: text.to_string(),
    };
    enable_tests(&source).map_err(|errors| {
        errors
            .into_iter()
            .map(|error| (error.line, error.column, error.message))
            .collect()
    })
}

#[test]
fn elements_take_the_place_of_their_comment() {
    let text = "<a>\n  <!-- @test: <b x=\"1\"/><c/> -->\n  <!-- @tested -->\n</a>\n";
    assert_eq!(
        enable(text).unwrap(),
        "<a>\n  <b x=\"1\"/><c/>\n  <!-- @tested -->\n</a>\n"
    );
}

#[test]
fn an_attribute_replaces_that_of_the_next_line() {
    let text = "<!-- @test: priority=\"250\" -->\n<pd name=\"a\" priority=\"10\" id=\"1\">\n<pd priority=\"10\">\n";
    assert_eq!(
        enable(text).unwrap(),
        "\n<pd name=\"a\" priority=\"250\" id=\"1\">\n<pd priority=\"10\">\n"
    );
}

#[test]
fn a_mark_without_effect_is_an_error() {
    for (text, at) in [
        // The attribute is not there, is there twice, is only part of a name, or is no attribute.
        (
            "<a/>\n <!-- @test: priority=\"250\" -->\n<pd id=\"1\">\n",
            (2, 2),
        ),
        (
            "<!-- @test: id=\"2\" -->\n<end id=\"1\"/><end id=\"1\"/>\n",
            (1, 1),
        ),
        ("<!-- @test: id=\"2\" -->\n<irq setvar_id=\"x\"/>\n", (1, 1)),
        ("<!-- @test: priority -->\n<pd priority=\"1\">\n", (1, 1)),
        ("<!-- @test: id=2 -->\n<pd id=\"1\">\n", (1, 1)),
        // No line follows; the mark does not end.
        ("<a/>\n<!-- @test: id=\"2\" -->", (2, 1)),
        ("<!-- @test: <a>\n</a> -->\n", (1, 1)),
        // No mark at all.
        ("<system></system>\n", (1, 1)),
    ] {
        let errors = enable(text).unwrap_err();
        assert_eq!((errors[0].0, errors[0].1), at, "{text}: {errors:?}");
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
    }
}

#[test]
fn the_project_s_test_image_is_a_correct_system_with_a_console_that_comes_first() {
    let read = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(name);
        Source {
            name: name.to_string(),
            text: std::fs::read_to_string(path).unwrap(),
        }
    };
    let mut system = read("system.xml");
    system.text = enable_tests(&system).unwrap();
    let console = system
        .text
        .lines()
        .find(|line| line.contains("<protection_domain name=\"console\""))
        .unwrap();
    assert!(console.contains(" priority=\"250\""), "{console}");
    assert!(system.text.contains("\n        <map mr=\"crash_request\""));
    let mut net = read("net.toml");
    net.text = net.text.replace("#@test: ", "");
    config_tool::compile(&net, &system).unwrap();
}
