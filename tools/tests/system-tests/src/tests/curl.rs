// SPDX-License-Identifier: BSD-2-Clause
//! The HTTP server as a client sees it that others wrote: curl.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use host_peer::contents;

use crate::suite::{Test, test_list};
use crate::world::Sockets;

pub const TESTS: &[Test] = test_list![Sockets:
    curl_gets_the_page,
    curl_gets_bytes,
    curl_head,
    curl_http_1_0,
    curl_reuses_the_connection,
    curl_reports_404,
];

/// Runs curl on paths of the server; its output.
pub fn curl(world: &Sockets, options: &[&str], paths: &[&str]) -> Result<Vec<u8>> {
    let urls = paths
        .iter()
        .map(|path| format!("http://{}{path}", world.http));
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--max-time",
            "60",
        ])
        .args(options)
        .args(urls)
        .output()
        .context("cannot run curl; install it (apt-get install curl)")?;
    ensure!(
        output.status.success(),
        "curl: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output.stdout)
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).context("curl's output is not text")
}

fn curl_gets_the_page(world: &mut Sockets) -> Result<()> {
    let page = text(curl(world, &["--fail"], &["/"])?)?;
    ensure!(
        page.contains("<html") && page.contains("</html>"),
        "no page: {page:.60}"
    );
    Ok(())
}

fn curl_gets_bytes(world: &mut Sockets) -> Result<()> {
    let got = curl(world, &["--fail"], &["/bytes/3000000"])?;
    let mut expected = vec![0; 3_000_000];
    contents::fill_pattern(0, &mut expected);
    Ok(contents::compare(&expected, &got)?)
}

fn curl_head(world: &mut Sockets) -> Result<()> {
    let head = text(curl(world, &["--fail", "--head"], &["/bytes/77"])?)?.to_ascii_lowercase();
    ensure!(head.contains("content-length: 77"), "{head}");
    Ok(())
}

fn curl_http_1_0(world: &mut Sockets) -> Result<()> {
    let got = curl(world, &["--fail", "--http1.0"], &["/bytes/5000"])?;
    ensure!(got.len() == 5000, "{} bytes", got.len());
    Ok(())
}

fn curl_reuses_the_connection(world: &mut Sockets) -> Result<()> {
    let options = [
        "--fail",
        "--write-out",
        "%{num_connects},",
        "--output",
        "/dev/null",
    ];
    // One --output is for one address: name it once more for the second.
    let options = [&options[..], &["--output", "/dev/null"]].concat();
    let connects = text(curl(world, &options, &["/bytes/10", "/bytes/20"])?)?;
    ensure!(
        connects == "1,0,",
        "connections made for each request: {connects}"
    );
    Ok(())
}

fn curl_reports_404(world: &mut Sockets) -> Result<()> {
    let options = ["--write-out", "%{http_code}", "--output", "/dev/null"];
    let code = text(curl(world, &options, &["/no/such/page"])?)?;
    ensure!(code == "404", "status {code}");
    Ok(())
}
