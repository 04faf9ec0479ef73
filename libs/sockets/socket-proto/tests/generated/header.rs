// SPDX-License-Identifier: BSD-2-Clause

//! The C header, and a program that checks it.

use std::fmt::Write;

use socket_proto::query::{LAYOUTS, QueryKind};
use socket_proto::{
    Errno, Family, FieldInfo, MAX_BATCH, Message, NO_PLACE, Operation, PollBits, Protocol,
    RESTARTED, Shutdown, SocketKind, SocketOption, VERSION, datagram, ready,
};

use crate::plain;

const POLL: [(&str, PollBits); 6] = [
    ("POLLIN", PollBits::IN),
    ("POLLOUT", PollBits::OUT),
    ("POLLERR", PollBits::ERR),
    ("POLLHUP", PollBits::HUP),
    ("POLLNVAL", PollBits::NVAL),
    ("POLLRDHUP", PollBits::RDHUP),
];

/// Values with the system's names.
fn values() -> Vec<(&'static str, u64)> {
    let all = [
        Family::VALUES,
        SocketKind::VALUES,
        Shutdown::VALUES,
        Protocol::VALUES,
    ];
    let mut values: Vec<_> = all.concat();
    values.extend(
        Errno::ALL
            .iter()
            .map(|errno| (errno.name(), errno.raw().into())),
    );
    values.extend(POLL.map(|(name, bits)| (name, bits.raw().into())));
    values
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
        comment(out, info.help);
        writeln!(out, "#define ISTHMUS_OP_{upper} {}", operation.label()).unwrap();
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

fn structs(out: &mut String) {
    for (name, size, members) in LAYOUTS {
        let name = match *name {
            "Interface" => "interface",
            "Account" => "account",
            "SocketState" => "socket_state",
            other => panic!("{other} has no name in C"),
        };
        writeln!(out, "\nstruct isthmus_{name} {{").unwrap();
        for member in *members {
            out.push('\t');
            comment(out, member.help);
            write!(out, "\t{} {}", member.c_type, member.name).unwrap();
            match member.count {
                0 => out.push_str(";\n"),
                count => writeln!(out, "[{count}];").unwrap(),
            }
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
    for (name, value) in QueryKind::VALUES {
        writeln!(out, "#define ISTHMUS_{name} {value}").unwrap();
    }
    out.push('\n');
    for option in SocketOption::ALL {
        let info = option.info();
        comment(&mut out, info.help);
        let (name, level, number) = (info.name, info.level, info.number);
        writeln!(
            out,
            "#define ISTHMUS_{name} (UINT64_C({level}) << 32 | {number})"
        )
        .unwrap();
    }
    operations(&mut out);
    out.push_str(
        "\n/* A request or a reply as it lies in the window, for batch. */\n\
         struct isthmus_message {\n\tuint64_t label;\n\tuint64_t words[4];\n};\n",
    );
    let size = Message::SIZE;
    writeln!(
        out,
        "_Static_assert(sizeof(struct isthmus_message) == {size}, \"size\");"
    )
    .unwrap();
    out.push_str(
        "\n/* In front of each datagram in the window; the next lies at a multiple of 8. */\n\
         struct isthmus_datagram {\n\tuint16_t length;\n\tuint16_t wire_length;\n\
         \tuint32_t flags;\n\tuint64_t address[3];\n};\n",
    );
    let size = datagram::HEADER_SIZE;
    writeln!(
        out,
        "_Static_assert(sizeof(struct isthmus_datagram) == {size}, \"size\");"
    )
    .unwrap();
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
        let info = option.info();
        let name = info.name;
        let level = match &name[..3] {
            "SO_" => "SOL_SOCKET",
            "IP_" => "IPPROTO_IP",
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
