// SPDX-License-Identifier: BSD-2-Clause

//! The tables of the page about the protocol.

use std::fmt::Write;

use socket_proto::query::{LAYOUTS, MemberInfo};
use socket_proto::{
    COMMON_ERRORS, Errno, FieldInfo, Operation, OptionAccess, OptionKinds, PENDING_ERRORS,
    SocketOption,
};

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
        let (label, name) = (operation.label(), operation.name());
        let (request, reply) = (fields(info.request), fields(info.reply));
        let help = plain(info.help);
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
        let info = option.info();
        let kinds = match info.kinds {
            OptionKinds::All => "all",
            OptionKinds::Stream => "stream",
            OptionKinds::Datagram => "datagram",
        };
        let access = match info.access {
            OptionAccess::Read => "read",
            OptionAccess::ReadWrite => "read, set",
        };
        let (name, level, number, help) = (info.name, info.level, info.number, plain(info.help));
        writeln!(
            out,
            "| {name} | {level}, {number} | {kinds} | {access} | {help} |"
        )
        .unwrap();
    }
}

fn errors(out: &mut String) {
    *out += "\n### Errors\n\n| number | name | |\n| --- | --- | --- |\n";
    for errno in Errno::ALL {
        let (number, name, text) = (errno.raw(), errno.name(), errno.description());
        writeln!(out, "| {number} | {name} | {text} |").unwrap();
    }
}

fn layouts(out: &mut String) {
    *out += "\n### What query writes\n";
    for (name, size, members) in LAYOUTS {
        writeln!(out, "\n{name}, {size} bytes:\n\n| member | type | |").unwrap();
        *out += "| --- | --- | --- |\n";
        for MemberInfo {
            name,
            c_type,
            count,
            help,
        } in *members
        {
            let of = match count {
                0 => String::new(),
                count => format!(" × {count}"),
            };
            writeln!(out, "| {name} | {c_type}{of} | {help} |").unwrap();
        }
    }
}

pub fn tables() -> String {
    let mut out = String::from("\n");
    operations(&mut out);
    options(&mut out);
    errors(&mut out);
    layouts(&mut out);
    out.push('\n');
    out
}
