// SPDX-License-Identifier: BSD-2-Clause

//! Moves what was counted without access to the page of counters into it.

use stats::{Common, CounterSet, Writer};

use crate::global::GLOBAL;

pub fn flush<C: CounterSet>(stats: &Writer<C>) {
    let counted = [
        (&GLOBAL.lines, Common::LogLines),
        (&GLOBAL.suppressed, Common::LogLinesSuppressed),
        (&GLOBAL.notifications, Common::NotificationsSent),
        (&GLOBAL.calls, Common::PpcsMade),
    ];
    for (counted, counter) in counted {
        let n = counted.take();
        if n != 0 {
            stats.common(counter).add(n);
        }
    }
}
