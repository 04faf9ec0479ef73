// SPDX-License-Identifier: BSD-2-Clause
//! The reading side: everything is checked once, then it is plain slices.

use core::fmt;

use zerocopy::{FromBytes, Immutable, KnownLayout, TryFromBytes};

use crate::abi::{
    CNODE_BITS, INITIALISER_PRIORITY, LARGE_PAGE, MAX_IRQ, MAX_PDS, SMALL_PAGE, USER_TOP,
};
use crate::records::{
    Area, Cap, CapKind, Header, Irq, MAGIC, Map, NO_INDEX, NO_PADDR, PdRecord, Region, RegionKind,
    Rights, Span, Table, VERSION,
};

/// Why a spec was refused. `table` names the table and `index` the record in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Shorter than its header or than the length in it, or not aligned to 8 bytes.
    Truncated,
    /// Not a spec: the first eight bytes are these.
    Magic(u64),
    /// A spec of another version.
    Version(u32),
    /// A table lies outside the spec or is misaligned, or a record holds an unknown kind.
    Table(&'static str),
    /// A record contradicts the rules that its documentation states.
    Record {
        /// The table.
        table: &'static str,
        /// The record.
        index: usize,
        /// The field.
        field: &'static str,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "the spec is truncated or misaligned"),
            Self::Magic(found) => write!(f, "no spec: it starts with {found:#018x}"),
            Self::Version(found) => write!(f, "spec of version {found}, expected {VERSION}"),
            Self::Table(table) => write!(f, "table {table} is malformed"),
            Self::Record {
                table,
                index,
                field,
            } => write!(f, "{table}[{index}].{field} is not valid"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// A checked spec. The default is one of nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spec<'a> {
    pds: &'a [PdRecord],
    areas: &'a [Area],
    maps: &'a [Map],
    caps: &'a [Cap],
    regions: &'a [Region],
    irqs: &'a [Irq],
    names: &'a str,
    data: &'a [u8],
}

/// A protection domain with its lists.
#[derive(Clone, Copy, Debug)]
pub struct Pd<'a> {
    /// The name.
    pub name: &'a str,
    /// The numbers.
    pub record: &'a PdRecord,
    /// Private memory.
    pub areas: &'a [Area],
    /// Mapped regions.
    pub maps: &'a [Map],
    /// Content of the CNode.
    pub caps: &'a [Cap],
}

impl<'a> Spec<'a> {
    /// Checks `bytes` (aligned to 8; may be followed by padding) and gives the lists in them.
    ///
    /// # Errors
    /// The first rule that does not hold, see [`DecodeError`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (header, _) = Header::ref_from_prefix(bytes).map_err(|_| DecodeError::Truncated)?;
        if header.magic != MAGIC {
            return Err(DecodeError::Magic(header.magic));
        }
        if header.version != VERSION {
            return Err(DecodeError::Version(header.version));
        }
        let len = usize::try_from(header.total_len).map_err(|_| DecodeError::Truncated)?;
        let bytes = bytes.get(..len).ok_or(DecodeError::Truncated)?;
        let names = table::<u8>(bytes, header.names, "names")?;
        let spec = Self {
            pds: table(bytes, header.pds, "pds")?,
            areas: table(bytes, header.areas, "areas")?,
            maps: table(bytes, header.maps, "maps")?,
            caps: table(bytes, header.caps, "caps")?,
            regions: table(bytes, header.regions, "regions")?,
            irqs: table(bytes, header.irqs, "irqs")?,
            names: core::str::from_utf8(names).map_err(|_| DecodeError::Table("names"))?,
            data: table(bytes, header.data, "data")?,
        };
        spec.check()?;
        Ok(spec)
    }

    /// Number of PDs.
    #[must_use]
    pub fn pd_count(&self) -> usize {
        self.pds.len()
    }

    /// PD `index`.
    #[must_use]
    pub fn pd(&self, index: usize) -> Option<Pd<'a>> {
        let record = self.pds.get(index)?;
        Some(Pd {
            name: self.name(record.name),
            record,
            areas: slice(self.areas, record.areas)?,
            maps: slice(self.maps, record.maps)?,
            caps: slice(self.caps, record.caps)?,
        })
    }

    /// All PDs in order of their index.
    pub fn pds(&self) -> impl Iterator<Item = Pd<'a>> + use<'a> {
        let spec = *self;
        (0..spec.pds.len()).filter_map(move |index| spec.pd(index))
    }

    /// All regions.
    #[must_use]
    pub fn regions(&self) -> &'a [Region] {
        self.regions
    }

    /// All interrupts.
    #[must_use]
    pub fn irqs(&self) -> &'a [Irq] {
        self.irqs
    }

    /// Text of a name in a record of this spec; empty for a foreign span.
    #[must_use]
    pub fn name(&self, span: Span) -> &'a str {
        range(span).and_then(|r| self.names.get(r)).unwrap_or("")
    }

    /// Bytes of a `data` span in a record of this spec; empty for a foreign span.
    #[must_use]
    pub fn data(&self, span: Span) -> &'a [u8] {
        slice(self.data, span).unwrap_or(&[])
    }

    fn check(&self) -> Result<(), DecodeError> {
        if self.pds.len() > MAX_PDS {
            return Err(DecodeError::Table("pds"));
        }
        each("regions", self.regions, |r| self.region_fault(r))?;
        each("irqs", self.irqs, |irq| {
            first_false(&[
                ("number", u64::from(irq.number) <= MAX_IRQ),
                ("pd", (irq.pd as usize) < self.pds.len()),
                ("badge", irq.badge != 0),
            ])
        })?;
        each("areas", self.areas, |area| {
            let size = area.pages.checked_mul(SMALL_PAGE);
            first_false(&[
                ("pages", area.pages != 0),
                ("vaddr", user_range(area.vaddr, size, SMALL_PAGE)),
                ("data", self.holds(area.data, size)),
                ("rights", page_rights(area.rights)),
            ])
        })?;
        each("maps", self.maps, |map| {
            let Some(region) = self.regions.get(map.region as usize) else {
                return Some("region");
            };
            let page = 1u64 << region.page_bits;
            first_false(&[
                (
                    "vaddr",
                    user_range(map.vaddr, region.pages.checked_mul(page), page),
                ),
                ("rights", page_rights(map.rights)),
                ("cached", map.cached <= 1),
            ])
        })?;
        each("caps", self.caps, |cap| self.cap_fault(cap))?;
        each("pds", self.pds, |pd| self.pd_fault(pd))
    }

    fn region_fault(&self, region: &Region) -> Option<&'static str> {
        if region.page_bits != SMALL_PAGE.ilog2() && region.page_bits != LARGE_PAGE.ilog2() {
            return Some("page_bits");
        }
        let page = 1u64 << region.page_bits;
        let size = region.pages.checked_mul(page);
        let end = size.and_then(|size| region.paddr.checked_add(size));
        let fixed = region.paddr != NO_PADDR;
        first_false(&[
            (
                "name",
                range(region.name).is_some_and(|r| self.names.get(r).is_some()),
            ),
            ("pages", region.pages != 0 && size.is_some()),
            (
                "paddr",
                !fixed || (region.paddr.is_multiple_of(page) && end.is_some()),
            ),
            (
                "kind",
                region.kind == RegionKind::Ram || (fixed && region.data.count == 0),
            ),
            ("data", self.holds(region.data, size)),
        ])
    }

    fn cap_fault(&self, cap: &Cap) -> Option<&'static str> {
        let object = cap.object as usize;
        let (found, badge_bits) = match cap.kind {
            CapKind::Endpoint => (
                self.pds.get(object).is_some_and(|pd| pd.has_endpoint == 1),
                28,
            ),
            CapKind::MonitorEndpoint => (object == 0, 28),
            CapKind::Notification => (object < self.pds.len(), 64),
            CapKind::Tcb => (object < self.pds.len(), 0),
            CapKind::IrqHandler => (object < self.irqs.len(), 0),
        };
        let all = Rights::READ.and(Rights::WRITE).and(Rights::GRANT);
        first_false(&[
            ("object", found),
            ("slot", cap.slot < 1 << CNODE_BITS),
            ("badge", cap.badge.checked_shr(badge_bits).unwrap_or(0) == 0),
            ("rights", all.has(cap.rights)),
        ])
    }

    fn pd_fault(&self, pd: &PdRecord) -> Option<&'static str> {
        let parent = self.pds.get(pd.parent as usize);
        let caps = slice(self.caps, pd.caps);
        let own = |address: u64| user_range(address, Some(SMALL_PAGE), SMALL_PAGE);
        first_false(&[
            (
                "name",
                range(pd.name).is_some_and(|r| self.names.get(r).is_some()),
            ),
            ("areas", slice(self.areas, pd.areas).is_some()),
            ("maps", slice(self.maps, pd.maps).is_some()),
            (
                "caps",
                caps.is_some_and(|caps| caps.is_sorted_by(|a, b| a.slot < b.slot)),
            ),
            ("ipc_buffer", own(pd.ipc_buffer)),
            ("stack_bottom", own(pd.stack_bottom)),
            (
                "parent",
                pd.parent == NO_INDEX || parent.is_some_and(|parent| parent.has_endpoint == 1),
            ),
            ("priority", pd.priority < INITIALISER_PRIORITY),
            ("has_endpoint", pd.has_endpoint <= 1),
        ])
    }

    fn holds(&self, data: Span, size: Option<u64>) -> bool {
        slice(self.data, data).is_some() && size.is_some_and(|size| data.count <= size)
    }
}

fn page_rights(rights: Rights) -> bool {
    Rights(7).has(rights) && rights.has(Rights::READ)
}

fn user_range(vaddr: u64, size: Option<u64>, align: u64) -> bool {
    let last = size.and_then(|size| vaddr.checked_add(size.checked_sub(1)?));
    vaddr.is_multiple_of(align) && last.is_some_and(|last| last <= USER_TOP)
}

fn first_false(rules: &[(&'static str, bool)]) -> Option<&'static str> {
    rules
        .iter()
        .find(|(_, holds)| !holds)
        .map(|&(field, _)| field)
}

fn each<T>(
    table: &'static str,
    records: &[T],
    fault: impl Fn(&T) -> Option<&'static str>,
) -> Result<(), DecodeError> {
    for (index, record) in records.iter().enumerate() {
        if let Some(field) = fault(record) {
            return Err(DecodeError::Record {
                table,
                index,
                field,
            });
        }
    }
    Ok(())
}

fn range(span: Span) -> Option<core::ops::Range<usize>> {
    let first = usize::try_from(span.first).ok()?;
    let count = usize::try_from(span.count).ok()?;
    Some(first..first.checked_add(count)?)
}

fn slice<T>(all: &[T], span: Span) -> Option<&[T]> {
    all.get(range(span)?)
}

fn table<'a, T: TryFromBytes + Immutable + KnownLayout>(
    bytes: &'a [u8],
    table: Table,
    name: &'static str,
) -> Result<&'a [T], DecodeError> {
    let error = DecodeError::Table(name);
    let len = table
        .count
        .checked_mul(size_of::<T>() as u64)
        .ok_or(error)?;
    let raw = slice(
        bytes,
        Span {
            first: table.offset,
            count: len,
        },
    )
    .ok_or(error)?;
    <[T]>::try_ref_from_bytes(raw).map_err(|_| error)
}

#[cfg(test)]
mod tests;
