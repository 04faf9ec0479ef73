// SPDX-License-Identifier: BSD-2-Clause
//! What the board has: memory, devices, and what is left for regions with a fixed address.

use std::ops::Range;

use serde_json::Value;

/// The board as `platform_gen.json` and the kernel configuration describe it. All ranges are
/// physical, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// RAM.
    pub memory: Vec<Range<u64>>,
    /// Device memory that user programs may have.
    pub devices: Vec<Range<u64>>,
    /// RAM that is certainly free when the initialiser starts, for regions with a fixed address.
    pub fixed: Range<u64>,
    /// Number of capability slots of the initialiser.
    pub cap_slots: u64,
    /// Interrupts that the kernel keeps for itself.
    pub kernel_irqs: Vec<u64>,
}

/// Highest address for fixed regions if `platform_gen.json` does not say: the last part of RAM
/// holds what the kernel makes at boot.
const DEFAULT_FIXED: Range<u64> = 0x6000_0000..0xB000_0000;
/// The virtual timer, which is the kernel's own clock.
const KERNEL_TIMER_IRQ: u64 = 27;

impl Platform {
    /// Reads `platform_gen.json` and `include/kernel/gen_config.json`.
    ///
    /// # Errors
    /// What is missing in them.
    pub fn from_json(platform: &Value, config: &Value) -> Result<Self, String> {
        let memory = ranges(platform, "memory")?;
        let fixed = match platform.get("fixed_memory") {
            Some(range) => range_of(range).ok_or("fixed_memory is not {start, end}")?,
            None => DEFAULT_FIXED,
        };
        let bits = config
            .get("ROOT_CNODE_SIZE_BITS")
            .and_then(number)
            .filter(|bits| *bits < 32)
            .ok_or("ROOT_CNODE_SIZE_BITS is missing in the kernel configuration")?;
        Ok(Self {
            devices: ranges(platform, "devices")?,
            memory,
            fixed,
            cap_slots: 1 << bits,
            kernel_irqs: vec![KERNEL_TIMER_IRQ],
        })
    }

    /// Bytes of RAM.
    #[must_use]
    pub fn memory_size(&self) -> u64 {
        self.memory.iter().map(|r| r.end - r.start).sum()
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn range_of(value: &Value) -> Option<Range<u64>> {
    let start = number(value.get("start")?)?;
    let end = number(value.get("end")?)?;
    (start < end).then_some(start..end)
}

fn ranges(platform: &Value, key: &str) -> Result<Vec<Range<u64>>, String> {
    platform
        .get(key)
        .and_then(Value::as_array)
        .and_then(|list| list.iter().map(range_of).collect())
        .ok_or_else(|| format!("\"{key}\" is not a list of {{start, end}}"))
}

/// Whether `inner` lies wholly in one of `outer`.
#[must_use]
pub fn within(inner: &Range<u64>, outer: &[Range<u64>]) -> bool {
    outer
        .iter()
        .any(|o| o.start <= inner.start && inner.end <= o.end)
}

/// Whether two ranges share a byte.
#[must_use]
pub fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Ranges as text for messages.
#[must_use]
pub fn list(ranges: &[Range<u64>]) -> String {
    let all: Vec<_> = ranges
        .iter()
        .map(|r| format!("{:#x}..{:#x}", r.start, r.end))
        .collect();
    all.join(", ")
}
