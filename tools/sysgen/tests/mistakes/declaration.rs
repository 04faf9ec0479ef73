// SPDX-License-Identifier: BSD-2-Clause
//! Mistakes about protection domains, devices and regions.

use crate::{build, expect, expect_added, expect_one, own};

#[test]
fn form() {
    expect("gateway =", "gatway =", "gatway", "unknown field `gatway`");
    expect(
        "[buffers]",
        "[bufers]",
        "[bufers]",
        "unknown field `bufers`",
    );
    expect(
        "hostname = \"isthmus\"",
        "",
        "[interface]",
        "missing field `hostname`",
    );
    expect(
        "priority = 210\n",
        "priority = \"ten\"\n",
        "\"ten\"",
        "invalid type",
    );
    expect(
        "serves = \"log\"",
        "serves = \"logs\"",
        "\"logs\"",
        "unknown variant `logs`",
    );
    expect("priority = 210\n", "priority = \n", "priority =", "");
    expect(
        "serves = \"time\"",
        "serves = \"time\"\nserves = \"time\"",
        "time",
        "duplicate key",
    );
    expect(
        "\"qemu_virt_aarch64\"",
        "\"odroid\"",
        "odroid",
        "the board odroid",
    );
}

#[test]
fn names() {
    expect_added("[pds.\"a b\"]\n", "a b", "no name");
    expect_added(
        "[pds.a234567890123456789012345678901234]\n",
        "a234",
        "no name",
    );
    expect(
        "uses = [\"net_server\"]\nreads",
        "uses = [\"net_serv\"]\nreads",
        "net_serv",
        "no protection domain net_serv",
    );
    let help = build(
        &own().replace("\"net_driver\", \"timer", "\"net_drive\", \"timer"),
        "",
    );
    let error = help.unwrap_err().remove(0);
    assert!(error.help.contains("console, echo_server, "), "{error}");
}

#[test]
fn numbers() {
    expect("priority = 254", "priority = 255", "255", "priority 255");
    expect(
        "stack = 0x8000",
        "stack = 0x800",
        "0x800",
        "a stack of 0x800 bytes",
    );
    expect(
        "stack = 0x8000",
        "stack = 0x8001",
        "0x8001",
        "a stack of 0x8001 bytes",
    );
    let (stack, heap) = ("stack = 0x10_0000", "stack = 0x10_0000\nheap = ");
    expect(stack, &format!("{heap}0x400_1000"), "0x400_1000", "a heap");
    expect(
        stack,
        &format!("{heap}0x60_0000"),
        "0x60_0000",
        "this heap has 0x600000",
    );
}

#[test]
fn devices() {
    expect(
        "devices = [\"uart\"]",
        "devices = [\"urt\"]",
        "urt",
        "no device urt",
    );
    expect(
        "devices = [\"uart\"]",
        "devices = [\"uart\", \"rtc\"]",
        "rtc",
        "the device of supervisor",
    );
    expect(
        "devices = [\"uart\"]",
        "",
        "[pds.console]",
        "has not a device with registers",
    );
    expect(
        "registers = 0x0a00_1000",
        "registers = 0x0a00_0200",
        "0x0a00_0200",
        "registers at",
    );
    expect(
        "registers = 0x0a00_1000",
        "registers = 0x0a00_0000",
        "0x0a00_0000",
        "share a page",
    );
    expect(
        "irq = 34",
        "irq = 48",
        "irq = 48",
        "interrupt 48 is that of virtio_net",
    );
    expect(
        "irq = 30",
        "",
        "[pds.timer_driver]",
        "has not a device with irq",
    );
}

#[test]
fn services() {
    expect(
        "serves = \"random\"",
        "serves = \"time\"",
        "serves = \"time\"",
        "timer_driver serves \"time\" already",
    );
    expect(
        "\"net_driver\", \"timer_driver\"",
        "\"net_driver\"",
        "[pds.net_server]",
        "no server of time",
    );
    expect(
        "\"net_driver\", \"timer_driver\"",
        "\"net_driver\", \"net_driver\", \"timer_driver\"",
        "uses",
        "there twice",
    );
    expect(
        "uses = [\"net_server\"]\nreads",
        "uses = [\"net_server\", \"console\"]\nreads",
        "console",
        "offers nothing",
    );
    expect(
        "uses = [\"net_server\"]\nreads",
        "uses = [\"net_server\", \"http_server\"]\nreads",
        "http_server",
        "uses itself",
    );
}

#[test]
fn names_that_mean_something_else() {
    let region = |name: &str| {
        format!("[regions.{name}]\nsize = 0x1000\nwriter = \"echo_server\"\nreaders = []\n")
    };
    expect_added(&region("log"), "[regions.log]", "the name of a role");
    expect_added(
        "[devices.heap]\nirq = 99\n",
        "[devices.heap]",
        "the name of a role",
    );
    let twice = "two regions would be called";
    expect_added(
        &region("console_counters"),
        "[regions.console_counters]",
        twice,
    );
    expect_added(&region("uart"), "[regions.uart]", twice);
}

#[test]
fn programs() {
    let program = |name: &str| format!("[pds.other]\nprogram = \"{name}\"\n");
    assert!(build(&(own() + &program("build/gpio.elf")), "").is_ok());
    for wrong in ["", "-rf", "a b", "pds/gpio", "a\\\"b"] {
        expect_added(&program(wrong), "program", "is no program");
    }
}

#[test]
fn more_than_a_pd_can_have() {
    let signal = |n| {
        format!(
            "[regions.r{n}]\nsize = 0x1000\nwriter = \"echo_server\"\nreaders = [\"http_server\"]\nnotifies = true\n"
        )
    };
    let signals = |count| (0..count).map(signal).collect::<String>();
    assert!(build(&(own() + &signals(59)), "").is_ok());
    expect_added(
        &signals(60),
        "[pds.echo_server]",
        "63 channels and interrupts, of 62",
    );
    let quiet = signals(300).replace("notifies = true\n", "");
    expect_added(&quiet, "[pds.echo_server]", "regions, of 256");
}

#[test]
fn calls_go_upwards() {
    expect(
        "priority = 100",
        "priority = 200",
        "priority = 200",
        "calls timer_driver, which has 200",
    );
    expect(
        "priority = 210\n",
        "priority = 254\n",
        "priority = 254",
        "would not be stopped",
    );
    expect(
        "reads_counters = true",
        "priority = 100",
        "priority = 100",
        "calls net_server, which has 100",
    );
}

#[test]
fn regions() {
    let region = |size: &str, writer: &str, readers: &str| {
        format!("[regions.own]\nsize = {size}\nwriter = \"{writer}\"\nreaders = [{readers}]\n")
    };
    let fine = region("0x1000", "echo_server", "\"http_server\"");
    assert!(build(&(own() + &fine), "").is_ok());
    expect_added(
        &region("0x100", "echo_server", ""),
        "0x100",
        "a region of 0x100 bytes",
    );
    expect_added(
        &region("0x1000", "echo", ""),
        "writer",
        "no protection domain echo",
    );
    expect_added(
        &region("0x1000", "echo_server", "\"echo_server\""),
        "readers",
        "has it already",
    );
}

#[test]
fn too_many() {
    let client = |n| format!("[pds.c{n}]\nuses = [\"net_server\"]\ndatagram_sockets = 1\n");
    let clients = |count| (0..count).map(client).collect::<String>();
    let own = own();
    let free = 58 - own.matches("\n[pds.").count();
    let most = build(&(own.clone() + &clients(free)), "");
    assert!(most.is_ok(), "{:?}", most.unwrap_err());
    let last = format!("[pds.c{free}]");
    let more = own + &clients(free + 1);
    expect_one(&more, "", "isthmus.toml", &last, "59 protection domains");
}
