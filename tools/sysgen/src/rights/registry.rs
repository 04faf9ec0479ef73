// SPDX-License-Identifier: BSD-2-Clause
//! The registry SDK: `loader.img` has the spec that the initialiser makes the system by.

use sdk_spec::{CapKind, MAGIC, Rights, Spec};

use super::{Access, Granted, Mapping, NOTIFY, Object};

/// What an image grants.
///
/// # Errors
/// There is no valid spec in it.
pub fn read(image: &[u8]) -> Result<Granted, String> {
    let magic = MAGIC.to_le_bytes();
    let mut why = "no spec in it".to_string();
    // The tool aligns the spec; the magic number may occur in a program, too.
    for (index, word) in image.chunks(8).enumerate() {
        if *word != magic {
            continue;
        }
        let (words, _) = image[index * 8..].as_chunks();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let bytes = zerocopy::IntoBytes::as_bytes(words.as_slice());
        match Spec::decode(bytes) {
            Ok(spec) => return granted(&spec),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

fn granted(spec: &Spec<'_>) -> Result<Granted, String> {
    let mut granted = Granted::default();
    let name_of = |index: u32| {
        let pd = spec.pd(index as usize);
        pd.map(|pd| pd.name.to_string())
            .ok_or_else(|| format!("there is no protection domain {index}"))
    };
    for pd in spec.pds() {
        for map in pd.maps {
            let region = spec
                .regions()
                .get(map.region as usize)
                .ok_or_else(|| format!("there is no region {}", map.region))?;
            granted.mappings.insert(Mapping {
                pd: pd.name.to_string(),
                region: spec.name(region.name).to_string(),
                vaddr: map.vaddr,
                len: region.pages << region.page_bits,
                access: Access {
                    read: map.rights.has(Rights::READ),
                    write: map.rights.has(Rights::WRITE),
                    execute: map.rights.has(Rights::EXECUTE),
                    cached: map.cached == 1,
                },
            });
        }
        for cap in pd.caps.iter().filter(|cap| u64::from(cap.slot) >= NOTIFY) {
            let object = match cap.kind {
                CapKind::Notification => Object::Notification(name_of(cap.object)?),
                CapKind::Endpoint => Object::Endpoint(name_of(cap.object)?),
                CapKind::MonitorEndpoint => Object::Endpoint("monitor".to_string()),
                CapKind::Tcb => Object::Thread(name_of(cap.object)?),
                CapKind::IrqHandler => {
                    let irq = spec.irqs().get(cap.object as usize);
                    let irq = irq.ok_or_else(|| format!("there is no interrupt {}", cap.object))?;
                    Object::Interrupt(irq.number.into())
                }
            };
            granted.cap(pd.name, cap.slot.into(), object);
        }
    }
    Ok(granted)
}
