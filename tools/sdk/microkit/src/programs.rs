// SPDX-License-Identifier: BSD-2-Clause
//! The program of each PD: read, checked against the address space, symbols written.

use sdk_spec::abi::STACK_TOP;

use crate::check::{RegionPlan, map_range};
use crate::diagnostics::Diagnostics;
use crate::elf::{Program, SymbolError};
use crate::files::Files;
use crate::platform::overlap;
use crate::sdf::model::{Channel, ProgramImage, ProtectionDomain, SetVarValue, System};
use crate::spec::Settled;

/// Reads the prefill files, in order of the regions.
#[must_use]
pub fn read_prefill(
    system: &System,
    files: &dyn Files,
    diagnostics: &Diagnostics,
) -> Vec<Option<Vec<u8>>> {
    let read = |prefill: &crate::sdf::model::Prefill| match files.read(&prefill.path) {
        Ok(bytes) if bytes.is_empty() => {
            diagnostics.error(
                prefill.at,
                format!("file '{}' is empty", prefill.path),
                "fill it, or remove prefill_path: a region without it is zero",
            );
            None
        }
        Ok(bytes) => Some(bytes),
        Err(why) => {
            diagnostics.error(prefill.at, why.to_string(), why.help());
            None
        }
    };
    let regions = system.regions.iter();
    regions
        .map(|region| region.prefill.as_ref().and_then(read))
        .collect()
}

/// Reads the programs, in order of the PDs.
#[must_use]
pub fn read_programs(
    system: &System,
    plans: &[RegionPlan],
    files: &dyn Files,
    diagnostics: &Diagnostics,
) -> Vec<Option<Program>> {
    let mut programs = Vec::new();
    for pd in &system.pds {
        let program = pd
            .image
            .as_ref()
            .and_then(|image| read_program(image, files, diagnostics));
        if let (Some(program), Some(image)) = (&program, &pd.image) {
            check_space(system, pd, image, program, plans, diagnostics);
        }
        programs.push(program);
    }
    programs
}

fn read_program(
    image: &ProgramImage,
    files: &dyn Files,
    diagnostics: &Diagnostics,
) -> Option<Program> {
    let read = |path: &str| {
        files
            .read(path)
            .map_err(|why| diagnostics.error(image.at, why.to_string(), why.help()))
            .ok()
    };
    let file = read(&image.path)?;
    let symbols = match &image.path_for_symbols {
        Some(path) => Some(read(path)?),
        None => None,
    };
    Program::parse(&file, symbols.as_deref())
        .map_err(|why| {
            diagnostics.error(
                image.at,
                format!("'{}' cannot be a program: {why}", image.path),
                why.help(),
            );
        })
        .ok()
}

fn check_space(
    system: &System,
    pd: &ProtectionDomain,
    image: &ProgramImage,
    program: &Program,
    plans: &[RegionPlan],
    diagnostics: &Diagnostics,
) {
    let bottom = STACK_TOP - pd.stack_size;
    for segment in &program.segments {
        let pages = segment.pages();
        if pages.end > bottom {
            diagnostics.error(
                image.at,
                format!(
                    "'{}' reaches to {:#x}, into the stack of '{}'",
                    image.path, pages.end, pd.name
                ),
                format!("link it below {bottom:#x}, where the stack starts"),
            );
        }
        for map in &pd.maps {
            if map_range(map, plans).is_some_and(|range| overlap(&range, &pages)) {
                diagnostics.error(
                    map.at,
                    format!(
                        "memory region '{}' at {:#x} overlaps '{}' at {:#x}..{:#x}",
                        system.regions[map.region].name,
                        map.vaddr,
                        image.path,
                        pages.start,
                        pages.end
                    ),
                    "map it at another address",
                );
            }
        }
    }
}

/// Number that a symbol is set to.
fn number(settled: &Settled, value: SetVarValue) -> u64 {
    match value {
        SetVarValue::Number(number) => number,
        SetVarValue::RegionSize(region) => settled.plans[region].size,
        SetVarValue::PrefillSize(region) => {
            settled.prefill[region].as_ref().map_or(0, Vec::len) as u64
        }
        SetVarValue::RegionPaddr(region) => settled.paddrs[region].unwrap_or(0),
    }
}

/// Writes the runtime's symbols and all `setvar`s into the programs (Microkit manual, chapter
/// "libmicrokit").
pub fn patch(settled: &mut Settled, diagnostics: &Diagnostics) {
    let mut programs = std::mem::take(&mut settled.programs);
    for (index, program) in programs.iter_mut().enumerate() {
        if let Some(program) = program {
            patch_program(settled, index, program, diagnostics);
        }
    }
    settled.programs = programs;
}

fn patch_program(
    settled: &Settled,
    index: usize,
    program: &mut Program,
    diagnostics: &Diagnostics,
) {
    let pd = &settled.system.pds[index];
    let Some(image) = &pd.image else { return };
    let complain = |at, why: SymbolError, help: &str| {
        diagnostics.error(at, format!("'{}': {why}", image.path), help);
    };
    for (symbol, bytes) in runtime_symbols(&settled.system, index) {
        if let Err(why) = program.write(symbol, &bytes) {
            complain(
                image.at,
                why,
                "link the program with a Microkit runtime (sel4-microkit or libmicrokit)",
            );
        }
    }
    for setvar in &pd.setvars {
        let value = number(settled, setvar.value);
        let Err(why) = program.write_word(&setvar.symbol, value) else {
            continue;
        };
        let help = match why {
            SymbolError::Missing(_) => {
                "define it in the program (Rust: #[unsafe(no_mangle)] #[used] static, 8 bytes), or remove the setvar"
            }
            SymbolError::Ambiguous(_) => "rename one of them",
            SymbolError::Size { .. } => "declare it as one 64-bit word (u64, usize)",
            SymbolError::NotLoaded(_) => "put it into .data or .bss",
        };
        complain(setvar.at, why, help);
    }
}

fn runtime_symbols(system: &System, index: usize) -> [(&'static str, Vec<u8>); 6] {
    let pd = &system.pds[index];
    let name = pd.name.as_bytes();
    let name = &name[..name.len().min(crate::sdf::MAX_NAME)];
    let ends = || system.channels.iter().flat_map(Channel::directions);
    let own = || ends().map(|(end, _)| end).filter(|end| end.pd == index);
    let bits = |ids: &mut dyn Iterator<Item = u64>| {
        let bits = ids.fold(0u64, |bits, id| bits | 1 << id);
        bits.to_le_bytes().to_vec()
    };
    [
        ("microkit_name", name.to_vec()),
        ("microkit_passive", vec![u8::from(pd.passive)]),
        ("microkit_irqs", bits(&mut pd.irqs.iter().map(|irq| irq.id))),
        (
            "microkit_notifications",
            bits(&mut own().filter(|end| end.notify).map(|end| end.id)),
        ),
        (
            "microkit_pps",
            bits(&mut own().filter(|end| end.pp).map(|end| end.id)),
        ),
        ("microkit_ioports", vec![0; 8]),
    ]
}
