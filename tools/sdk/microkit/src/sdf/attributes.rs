// SPDX-License-Identifier: BSD-2-Clause
//! Values of attributes that `protection_domain` and `map` have: defaults, limits, what this kernel
//! cannot honour.

use sdk_spec::Rights;
use sdk_spec::abi::SMALL_PAGE;

use crate::xml::{Element, OFFICIAL_ONLY, Value};

/// Microkit's default budget in µs, which is also the default period.
const DEFAULT_BUDGET: u64 = 1000;
const DEFAULT_STACK: u64 = 0x2000;
const MAX_STACK: u64 = 16 << 20;

pub(super) fn flag(element: &Element<'_>, name: &str, default: bool) -> bool {
    element
        .attribute(name)
        .and_then(|v| v.boolean())
        .unwrap_or(default)
}

pub(super) fn stack_size(element: &Element<'_>) -> u64 {
    let Some(value) = element.attribute("stack_size") else {
        return DEFAULT_STACK;
    };
    let size = value.number().unwrap_or(DEFAULT_STACK);
    if size.is_multiple_of(SMALL_PAGE) && (SMALL_PAGE..=MAX_STACK).contains(&size) {
        return size;
    }
    value.error(
        format!("a stack of {size:#x} bytes is not possible"),
        format!("choose a multiple of {SMALL_PAGE:#x} from {SMALL_PAGE:#x} to {MAX_STACK:#x}"),
    );
    DEFAULT_STACK
}

pub(super) fn permissions(element: &Element<'_>) -> Rights {
    let default = Rights::READ.and(Rights::WRITE);
    let Some(value) = element.attribute("perms") else {
        return default;
    };
    let mut rights = Rights::default();
    for letter in value.text.chars() {
        rights = rights.and(match letter {
            'r' => Rights::READ,
            'w' => Rights::WRITE,
            'x' => Rights::EXECUTE,
            _ => {
                value.error(
                    format!(
                        "perms=\"{}\" has a letter that is none of r, w, x",
                        value.text
                    ),
                    "write r, rw, rx or rwx",
                );
                return default;
            }
        });
    }
    if !rights.has(Rights::READ) {
        value.error(
            format!("perms=\"{}\" does not allow to read", value.text),
            "add r: the kernel has no mappings without read access",
        );
        return default;
    }
    rights
}

/// What a kernel without scheduling contexts and with one core cannot do: remarks, or errors where
/// a program could not work.
pub(super) fn unsupported_scheduling(element: &Element<'_>) {
    let number = |name| element.attribute(name).as_ref().and_then(Value::number);
    let budget = number("budget").unwrap_or(DEFAULT_BUDGET);
    let period = number("period").unwrap_or(budget);
    if budget > period {
        element.error(
            format!("the budget ({budget} µs) is longer than the period ({period} µs)"),
            "choose a budget of at most the period",
        );
    }
    for name in ["budget", "period"] {
        if let Some(value) = element.attribute(name) {
            value.remark(
                format!("{name} is not honoured: this kernel has no scheduling contexts"),
                "nothing, if priorities suffice; otherwise use an official Microkit SDK",
            );
        }
    }
    if let Some(value) = element
        .attribute("passive")
        .filter(|v| v.boolean() == Some(true))
    {
        value.remark(
            "passive is not honoured: the protection domain runs on its own time at its own priority",
            "nothing, if that suffices; otherwise use an official Microkit SDK",
        );
    }
    if let Some(value) = element
        .attribute("fpu")
        .filter(|v| v.boolean() == Some(false))
    {
        value.remark(
            "fpu=\"false\" is not honoured: this kernel gives every thread the FPU",
            "nothing",
        );
    }
    if let Some(value) = element
        .attribute("smc")
        .filter(|v| v.boolean() == Some(true))
    {
        value.error("this kernel does not forward SMC calls", OFFICIAL_ONLY);
    }
    if let Some(value) = element.attribute("cpu")
        && let Some(cpu @ 1..) = value.number()
    {
        value.error(
            format!("there is no cpu {cpu}"),
            "write 0: this kernel has one core",
        );
    }
    if let Some(value) = element.attribute("domain") {
        value.error(
            "scheduling domains are not supported by this SDK",
            OFFICIAL_ONLY,
        );
    }
}
