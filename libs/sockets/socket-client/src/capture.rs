// SPDX-License-Identifier: BSD-2-Clause

//! Frames that pass, for a client with `capture`.

use socket_proto::layouts::{CaptureFilter, Layout};
use socket_proto::{Errno, Records, Span, op};

use crate::{Client, Transport};

impl<T: Transport> Client<T> {
    /// Begins to capture the frames that a filter wants, or ends a capture. An earlier capture
    /// ends, and what it has is lost.
    ///
    /// # Errors
    /// `EPERM` (the declaration does not let this client capture), `EINVAL` (a protocol that there
    /// cannot be), `ECONNRESET` if the server has restarted.
    pub fn capture(&self, filter: Option<&CaptureFilter>) -> Result<(), Errno> {
        let bytes = filter.map_or(&[][..], Layout::bytes);
        self.with_c2s(0..bytes.len(), |window| window.copy_from_slice(bytes))?;
        self.call(op::Capture {
            span: Span {
                offset: 0,
                length: bytes.len() as u64,
            },
        })
    }

    /// Takes the oldest records of the capture, to be read with
    /// [`CaptureRecord::split`](crate::layouts::CaptureRecord::split). Does not wait: there may be
    /// none. After a restart of the server there is no capture.
    ///
    /// # Errors
    /// `EPERM`, `ECONNRESET` as [`Self::capture`]; `EMSGSIZE` if `buf` is too small for the first
    /// record, for which 1,544 bytes suffice.
    pub fn captured(&self, buf: &mut [u8]) -> Result<Records, Errno> {
        let mut span = self.s2c_scratch();
        span.length = span.length.min(buf.len() as u64);
        let captured = self.call(op::Captured { span })?;
        let filled = usize::try_from(captured.bytes).ok();
        let filled = filled.and_then(|filled| buf.get_mut(..filled));
        self.copy_out(span, 0, filled.ok_or(Errno::EPROTO)?)?;
        Ok(captured)
    }
}
