// SPDX-License-Identifier: BSD-2-Clause

//! Messages of protected calls.

/// Label of a message.
pub type MessageLabel = sel4::Word;

/// A message register.
pub type MessageRegisterValue = sel4::Word;

/// `microkit_msginfo`: a label, and how many message registers are filled.
#[derive(Debug, Clone)]
pub struct MessageInfo {
    inner: sel4::MessageInfo,
}

impl MessageInfo {
    #[doc(hidden)]
    #[inline]
    pub fn from_inner(inner: sel4::MessageInfo) -> Self {
        Self { inner }
    }

    #[doc(hidden)]
    pub fn inner(&self) -> &sel4::MessageInfo {
        &self.inner
    }

    #[doc(hidden)]
    #[inline]
    pub fn into_inner(self) -> sel4::MessageInfo {
        self.inner
    }

    /// Makes a message with that label and the first `count` message registers.
    ///
    /// # Panics
    /// If the label has more than [`label_width`](Self::label_width) bits or `count` is above 120.
    /// Microkit documents 64 words, and up to four are several times cheaper than more.
    #[inline]
    pub fn new(label: MessageLabel, count: usize) -> Self {
        Self::from_inner(sel4::MessageInfo::new(label, 0, 0, count))
    }

    /// Returns the label.
    #[inline]
    pub fn label(&self) -> MessageLabel {
        self.inner.label()
    }

    /// Returns the number of bits of a label: 52 with MCS, 20 on seL4 5.0.0.
    pub const fn label_width() -> usize {
        sel4::MessageInfo::label_width()
    }

    /// Returns the number of message registers that the sender says it has filled. The content of
    /// those registers is not to be trusted because of it.
    #[inline]
    pub fn count(&self) -> usize {
        self.inner.length()
    }

    /// Returns the message as a fault, in [`Handler::fault`](crate::Handler::fault).
    pub fn fault(&self) -> sel4::Fault {
        sel4::with_ipc_buffer(|buffer| sel4::Fault::new(buffer, &self.inner))
    }
}

impl Default for MessageInfo {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

/// Runs `f` with the message registers.
#[inline]
pub fn with_msg_regs<T>(f: impl FnOnce(&[MessageRegisterValue]) -> T) -> T {
    sel4::with_ipc_buffer(|buffer| f(buffer.msg_regs()))
}

/// Runs `f` with the message registers, to be written.
#[inline]
pub fn with_msg_regs_mut<T>(f: impl FnOnce(&mut [MessageRegisterValue]) -> T) -> T {
    sel4::with_ipc_buffer_mut(|buffer| f(buffer.msg_regs_mut()))
}

/// Runs `f` with the message registers as bytes.
#[inline]
pub fn with_msg_bytes<T>(f: impl FnOnce(&[u8]) -> T) -> T {
    sel4::with_ipc_buffer(|buffer| f(buffer.msg_bytes()))
}

/// Runs `f` with the message registers as bytes, to be written.
#[inline]
pub fn with_msg_bytes_mut<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    sel4::with_ipc_buffer_mut(|buffer| f(buffer.msg_bytes_mut()))
}

/// `microkit_mr_set`.
///
/// # Panics
/// If there is no such register: `i` above 119.
#[inline]
pub fn set_mr(i: usize, value: MessageRegisterValue) {
    with_msg_regs_mut(|registers| registers[i] = value);
}

/// `microkit_mr_get`.
///
/// # Panics
/// If there is no such register: `i` above 119.
#[inline]
pub fn get_mr(i: usize) -> MessageRegisterValue {
    with_msg_regs(|registers| registers[i])
}
