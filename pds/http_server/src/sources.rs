// SPDX-License-Identifier: BSD-2-Clause

//! The PDs whose counters are shown: all that the declaration lets this PD read.

use heapless::Vec;
use http_app::PdSource;
use pd_support::{ReadOnly, regions, role, wiring};
use static_cell::StaticCell;
use stats::StatsPage;
use wiring::Peer;

/// As many as Microkit lets there be.
const PDS: usize = 63;

/// `own` is this PD's page.
pub fn pds(own: &'static StatsPage) -> &'static [PdSource] {
    static SOURCES: StaticCell<Vec<PdSource, PDS>> = StaticCell::new();
    let sources = SOURCES.init(Vec::new());
    let source = |peer: Peer<'static>, page| PdSource {
        name: peer.name,
        role: peer.about,
        number: peer.number,
        page,
    };
    let others = regions::<ReadOnly>(role::COUNTERS)
        .filter_map(|counters| Some(source(counters.peer()?, counters.page())));
    for shown in others.chain([source(wiring().own(), own)]) {
        // There is room for all.
        let _ = sources.push(shown);
    }
    sources.sort_unstable_by_key(|source| source.number);
    sources
}
