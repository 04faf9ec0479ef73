// SPDX-License-Identifier: BSD-2-Clause

//! The tables of the page about the protocol.

use std::fmt::Write;

use socket_proto::layouts::{LAYOUTS, LayoutInfo};
use socket_proto::{
    COMMON_ERRORS, Errno, FieldInfo, Flag, Operation, OptionAccess, OptionKinds, PENDING_ERRORS,
    SocketOption,
};

use crate::header::c_type;
use crate::plain;

fn fields(fields: &[FieldInfo]) -> String {
    let name = |field: &FieldInfo| match field.parts.len() {
        1 => field.name.to_string(),
        words => format!("{} ({words} words)", field.name),
    };
    let names: Vec<String> = fields.iter().map(name).collect();
    match names.is_empty() {
        true => "–".into(),
        false => names.join(", "),
    }
}

fn names(errors: &[Errno]) -> String {
    let names: Vec<&str> = errors.iter().map(|errno| errno.name()).collect();
    names.join(", ")
}

fn operations(out: &mut String) {
    *out += "### Operations\n\n";
    *out += "| label | operation | words in | words out | errors | |\n";
    *out += "| --- | --- | --- | --- | --- | --- |\n";
    for operation in Operation::ALL {
        let info = operation.info();
        let mut errors = names(info.errors);
        if info.pending {
            errors += if errors.is_empty() {
                "pending"
            } else {
                "; pending"
            };
        }
        let (label, name) = (operation.raw(), operation.name());
        let (request, reply) = (fields(info.request), fields(info.reply));
        let help = plain(operation.help());
        writeln!(
            out,
            "| {label} | {name} | {request} | {reply} | {errors} | {help} |"
        )
        .unwrap();
    }
    *out += "\nEvery call can also end with:\n\n";
    writeln!(out, "    {}", names(COMMON_ERRORS)).unwrap();
    *out += "\nThe errors called pending wait on a socket until they are told once:\n\n";
    for line in PENDING_ERRORS.chunks(6) {
        writeln!(out, "    {}", names(line)).unwrap();
    }
    *out += "\n### Words\n\n| operation | word | |\n| --- | --- | --- |\n";
    for operation in Operation::ALL {
        let info = operation.info();
        for (kind, fields) in [("", info.request), (" → ", info.reply)] {
            for field in fields {
                let (name, help) = (operation.name(), plain(field.help));
                writeln!(out, "| {name} | {kind}{} | {help} |", field.name).unwrap();
            }
        }
    }
}

fn options(out: &mut String) {
    *out += "\n### Socket options\n\n| option | level, name | sockets | | value |\n";
    *out += "| --- | --- | --- | --- | --- |\n";
    for option in SocketOption::ALL {
        let kinds = match option.kinds() {
            OptionKinds::All => "all",
            OptionKinds::Stream => "stream",
            OptionKinds::Datagram => "datagram",
        };
        let access = match option.access() {
            OptionAccess::Read => "read",
            OptionAccess::ReadWrite => "read, set",
        };
        let (name, help) = (option.name(), plain(option.help()));
        let (level, number) = (option.raw() >> 32, option.raw() as u32);
        writeln!(
            out,
            "| {name} | {level}, {number} | {kinds} | {access} | {help} |"
        )
        .unwrap();
    }
}

fn flags(out: &mut String) {
    *out += "\n### Flags of send and recv\n\n| bit | name | |\n| --- | --- | --- |\n";
    for flag in Flag::ALL {
        let (bit, name, help) = (flag.raw(), flag.name(), plain(flag.help()));
        writeln!(out, "| {bit:#x} | {name} | {help} |").unwrap();
    }
}

fn errors(out: &mut String) {
    *out += "\n### Errors\n\n| number | name | |\n| --- | --- | --- |\n";
    for errno in Errno::ALL {
        let (number, name, text) = (errno.raw(), errno.name(), plain(errno.help()));
        writeln!(out, "| {number} | {name} | {text} |").unwrap();
    }
}

fn layouts(out: &mut String) {
    *out += "\n### What lies in the window\n";
    for LayoutInfo {
        name,
        help,
        size,
        members,
    } in LAYOUTS
    {
        let help = plain(help);
        writeln!(out, "\n`struct isthmus_{name}`, {size} bytes: {help}\n").unwrap();
        *out += "| member | type | |\n";
        *out += "| --- | --- | --- |\n";
        for (member, type_name, help) in *members {
            let (c_type, count) = c_type(type_name);
            let of = count.map_or(String::new(), |count| format!(" × {count}"));
            writeln!(out, "| {member} | {c_type}{of} | {} |", plain(help)).unwrap();
        }
    }
}

pub fn tables() -> String {
    let mut out = String::from("\n");
    operations(&mut out);
    flags(&mut out);
    options(&mut out);
    errors(&mut out);
    layouts(&mut out);
    out.push('\n');
    out
}
