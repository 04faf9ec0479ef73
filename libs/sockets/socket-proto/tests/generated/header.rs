// SPDX-License-Identifier: BSD-2-Clause

//! The C header, and a program that checks it.

use std::fmt::Write;

use socket_proto::layouts::{LAYOUTS, LayoutInfo};
use socket_proto::{
    ChangeKind, Errno, Family, FieldInfo, Flag, MAX_BATCH, NO_PLACE, Operation, PollBits, Protocol,
    QueryKind, RESTARTED, Shutdown, SocketKind, SocketOption, VERSION, ready,
};

use crate::plain;

macro_rules! named {
    ($type:ident) => {
        $type::ALL
            .iter()
            .map(|value| (value.name().to_string(), value.raw() as u64))
    };
}

/// Values with the system's names.
fn values() -> Vec<(String, u64)> {
    let values = named!(Family)
        .chain(named!(SocketKind))
        .chain(named!(Shutdown))
        .chain(named!(Protocol))
        .chain(named!(Flag))
        .chain(named!(Errno));
    let bits = PollBits::all();
    let poll = bits
        .iter_names()
        .map(|(name, bit)| (format!("POLL{name}"), bit.bits().into()));
    values.chain(poll).collect()
}

/// A comment of lines that fit 100 columns.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("/*");
    for word in plain(text).split_whitespace() {
        if line.len() + word.len() > 95 {
            writeln!(out, "{line}").unwrap();
            line = String::from(" *");
        }
        line += " ";
        line += word;
    }
    writeln!(out, "{line} */").unwrap();
}

fn words(fields: &[FieldInfo]) -> Vec<String> {
    let of = |field: &FieldInfo| -> Vec<String> {
        let parts = field.parts.iter();
        parts.map(|part| format!("{}{part}", field.name)).collect()
    };
    fields.iter().flat_map(of).collect()
}

fn operations(out: &mut String) {
    for operation in Operation::ALL {
        let info = operation.info();
        let name = operation.name();
        let upper = name.to_uppercase();
        out.push('\n');
        comment(out, operation.help());
        writeln!(out, "#define ISTHMUS_OP_{upper} {}", operation.raw()).unwrap();
        for (index, word) in words(info.reply).iter().enumerate() {
            let word = word.to_uppercase();
            writeln!(out, "#define ISTHMUS_{upper}_REPLY_{word} {index}").unwrap();
        }
        let request = words(info.request);
        write!(
            out,
            "static inline void isthmus_{name}_words(uint64_t words[4]"
        )
        .unwrap();
        for word in &request {
            write!(out, ",\n\tuint64_t {word}").unwrap();
        }
        out.push_str(")\n{\n");
        for index in 0..4 {
            let word = request.get(index).map_or("0", String::as_str);
            writeln!(out, "\twords[{index}] = {word};").unwrap();
        }
        out.push_str("}\n");
    }
}

/// A member of a type that Rust writes as `type_name`, in C: the type, and how many there are.
pub fn c_type(type_name: &str) -> (String, Option<&str>) {
    let array = type_name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let (number, count) = match array.and_then(|array| array.split_once("; ")) {
        Some((number, count)) => (number, Some(count)),
        None => (type_name, None),
    };
    let count = count.map(|count| if count == "WORDS" { "4" } else { count });
    (format!("{}_t", number.replace('u', "uint")), count)
}

fn structs(out: &mut String) {
    for LayoutInfo {
        name,
        help,
        size,
        members,
    } in LAYOUTS
    {
        out.push('\n');
        comment(out, help);
        writeln!(out, "struct isthmus_{name} {{").unwrap();
        for (member, type_name, help) in *members {
            out.push('\t');
            comment(out, help);
            let (c_type, count) = c_type(type_name);
            let count = count.map_or(String::new(), |count| format!("[{count}]"));
            writeln!(out, "\t{c_type} {member}{count};").unwrap();
        }
        out.push_str("};\n");
        let size = format!("sizeof(struct isthmus_{name}) == {size}");
        writeln!(out, "_Static_assert({size}, \"size\");").unwrap();
    }
}

pub fn header() -> String {
    let mut out = String::from(
        "/* SPDX-License-Identifier: BSD-2-Clause */\n\
         /* Made from libs/sockets/socket-proto/src; see docs/socket-protocol.md. */\n\n\
         #ifndef ISTHMUS_SOCKET_PROTO_H\n#define ISTHMUS_SOCKET_PROTO_H\n\n\
         #include <stdint.h>\n\n",
    );
    writeln!(out, "#define ISTHMUS_VERSION {VERSION}").unwrap();
    writeln!(out, "#define ISTHMUS_RESTARTED {RESTARTED:#x}").unwrap();
    writeln!(out, "#define ISTHMUS_NO_PLACE {NO_PLACE:#x}").unwrap();
    writeln!(out, "#define ISTHMUS_MAX_BATCH {MAX_BATCH}\n").unwrap();
    for (name, value) in values() {
        writeln!(out, "#define ISTHMUS_{name} {value}").unwrap();
    }
    for (name, value) in named!(QueryKind).chain(named!(ChangeKind)) {
        writeln!(out, "#define ISTHMUS_{name} {value}").unwrap();
    }
    out.push('\n');
    for option in SocketOption::ALL {
        comment(&mut out, option.help());
        let (name, level, number) = (option.name(), option.raw() >> 32, option.raw() as u32);
        writeln!(
            out,
            "#define ISTHMUS_{name} (UINT64_C({level}) << 32 | {number})"
        )
        .unwrap();
    }
    operations(&mut out);
    structs(&mut out);
    out.push_str(
        "\n/* The readiness region, in words of 32 bits: the epoch, the serial, from FIRST_SOCKET on\n \
         * the sockets (poll bits, and the generation in the high half), and behind them the change\n \
         * log, which has the largest power of two of entries that is not above an eighth of all. */\n\
         #define ISTHMUS_READY_EPOCH 0\n#define ISTHMUS_READY_SERIAL 1\n\
         #define ISTHMUS_READY_FIRST_SOCKET 16\n",
    );
    writeln!(
        out,
        "#define ISTHMUS_READY_MAX_SOCKETS {}",
        socket_proto::MAX_SOCKETS
    )
    .unwrap();
    out.push_str(
        "static inline uint32_t isthmus_ready_log(uint32_t words)\n{\n\tuint32_t log = 1;\n\
         \twhile (log * 2 <= words / 8)\n\t\tlog *= 2;\n\treturn log;\n}\n\
         static inline uint32_t isthmus_ready_sockets(uint32_t words)\n{\n\
         \tuint32_t sockets = words - ISTHMUS_READY_FIRST_SOCKET - isthmus_ready_log(words);\n\
         \treturn sockets < ISTHMUS_READY_MAX_SOCKETS ? sockets : ISTHMUS_READY_MAX_SOCKETS;\n}\n\
         \n#endif\n",
    );
    // What the functions reckon is what the crate does.
    assert_eq!(ready::layout(1024), (880, 128));
    out
}

/// Includes the header and the system's, and compares their numbers.
pub fn check_program() -> String {
    let mut out = String::from("#define _GNU_SOURCE\n");
    for name in ["errno", "netinet/in", "netinet/tcp", "poll", "sys/socket"] {
        writeln!(out, "#include <{name}.h>").unwrap();
    }
    out.push_str("#include <isthmus/socket_proto.h>\n");
    for (name, _) in values() {
        writeln!(out, "_Static_assert(ISTHMUS_{name} == {name}, \"{name}\");").unwrap();
    }
    for option in SocketOption::ALL {
        let name = option.name();
        let level = match &name[..3] {
            "SO_" => "SOL_SOCKET",
            "IP_" => "IPPROTO_IP",
            "IPV" => "IPPROTO_IPV6",
            _ => "IPPROTO_TCP",
        };
        let word = format!("((uint64_t){level} << 32 | {name})");
        writeln!(out, "_Static_assert(ISTHMUS_{name} == {word}, \"{name}\");").unwrap();
    }
    out.push_str("int main(void)\n{\n\tuint64_t words[4];\n");
    for operation in Operation::ALL {
        let count = words(operation.info().request).len();
        let zeros = ", 0".repeat(count);
        writeln!(out, "\tisthmus_{}_words(words{zeros});", operation.name()).unwrap();
    }
    out.push_str("\treturn (int)words[0] + (int)isthmus_ready_sockets(1024);\n}\n");
    out
}
