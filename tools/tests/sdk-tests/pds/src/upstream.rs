// SPDX-License-Identifier: BSD-2-Clause

//! What a PD written for rust-sel4 5.0.0 may rely on in `sel4` and `sel4-microkit`: paths,
//! signatures and traits, for the compiler to check. Nothing here runs.

#![allow(clippy::type_complexity)] // a signature is what it is

use core::fmt::{Debug, Display};
use core::hash::Hash;
use core::str::Utf8Error;

use sel4::{Badge, Cap, Word, cap};
use sel4_microkit::{
    Channel, ChannelSet, Child, DeferredAction, DeferredActionInterface, DeferredActionSlot,
    DisplayChannelSet, Handler, Infallible, IrqAckError, MessageInfo, MessageLabel,
    MessageRegisterValue, Never, NullHandler, ipc, panicking,
};

type Inner = sel4::MessageInfo;
type Answer<T> = Result<T, <NullHandler as Handler>::Error>;

const _CONSTANT: (usize, usize) = (Channel::new(61).index(), Child::new(0).index());
const _WIDTH: usize = MessageInfo::label_width();
const _SLOT: DeferredActionSlot = DeferredActionSlot::new();
const _CAP: (cap::Endpoint, Word) = (Cap::from_bits(1), sel4::CPtr::from_bits(1).bits());
const _LIMITS: [usize; 2] = [sel4::NUM_MESSAGE_REGISTERS, sel4::WORD_SIZE];

const _: () = {
    let _: fn(&Channel) = Channel::notify;
    let _: fn(&Channel) -> Result<(), IrqAckError> = Channel::irq_ack;
    let _: fn(&Channel, MessageInfo) -> MessageInfo = Channel::pp_call;
    let _: fn(&Child) -> cap::Tcb = Child::tcb;

    let _: fn(&ChannelSet, Channel) -> bool = ChannelSet::contains;
    let _: fn(&ChannelSet) -> ipc::ChannelSetIter = ChannelSet::iter;
    let _: fn(&ChannelSet) -> DisplayChannelSet<'_> = ChannelSet::display;

    let _: fn(MessageLabel, usize) -> MessageInfo = MessageInfo::new;
    let _: fn(&MessageInfo) -> MessageLabel = MessageInfo::label;
    let _: fn(&MessageInfo) -> usize = MessageInfo::count;
    let _: fn(&MessageInfo) -> sel4::Fault = MessageInfo::fault;
    let _: fn(usize, MessageRegisterValue) = sel4_microkit::set_mr;
    let _: fn(usize) -> MessageRegisterValue = sel4_microkit::get_mr;
    let _: fn(fn(&[MessageRegisterValue]) -> u8) -> u8 = sel4_microkit::with_msg_regs;
    let _: fn(fn(&mut [MessageRegisterValue]) -> u8) -> u8 = sel4_microkit::with_msg_regs_mut;
    let _: fn(fn(&[u8]) -> u8) -> u8 = sel4_microkit::with_msg_bytes;
    let _: fn(fn(&mut [u8]) -> u8) -> u8 = sel4_microkit::with_msg_bytes_mut;

    let _: fn(Channel, DeferredActionInterface) -> DeferredAction = DeferredAction::new;
    let _: [fn(Channel) -> DeferredAction; 2] =
        [DeferredAction::new_notify, DeferredAction::new_irq_ack];
    let _: fn(&DeferredAction) -> Channel = DeferredAction::channel;
    let _: fn(&DeferredAction) -> DeferredActionInterface = DeferredAction::interface;
    let _: fn(DeferredAction) -> Result<(), IrqAckError> = DeferredAction::execute_now;
    let _: fn(&mut DeferredActionSlot) -> Option<DeferredAction> = DeferredActionSlot::take;
    let _: fn(&mut DeferredActionSlot, DeferredAction) -> Result<(), IrqAckError> =
        DeferredActionSlot::defer;
    let _: [fn(&mut DeferredActionSlot, Channel) -> Result<(), IrqAckError>; 2] = [
        DeferredActionSlot::defer_notify,
        DeferredActionSlot::defer_irq_ack,
    ];

    let _: fn() -> NullHandler = NullHandler::new;
    let _: fn(&mut NullHandler, ChannelSet) -> Answer<()> = Handler::notified;
    let _: fn(&mut NullHandler, Channel, MessageInfo) -> Answer<MessageInfo> = Handler::protected;
    let _: fn(&mut NullHandler, Child, MessageInfo) -> Answer<Option<MessageInfo>> = Handler::fault;
    let _: fn(&mut NullHandler) -> Option<DeferredAction> = Handler::take_deferred_action;
    let _: fn(&mut NullHandler) -> Result<Never, Infallible> = Handler::run;

    let _: fn() -> bool = sel4_microkit::pd_is_passive;
    let _: fn() -> Result<&'static str, Utf8Error> = sel4_microkit::pd_name;
    let _: fn(panicking::PanicHook) = panicking::set_hook;
    let _: fn(fn() -> u8) -> Result<u8, ()> = panicking::catch_unwind;
};

const _: () = {
    let _: [fn(cap::Endpoint, Inner); 2] = [Cap::send, Cap::nb_send];
    let _: fn(cap::Endpoint, Inner) -> Inner = Cap::call;
    let _: fn(cap::Endpoint, cap::Reply) -> (Inner, Badge) = Cap::recv;
    let _: fn(cap::Endpoint, sel4::ReplyAuthority) -> (Inner, Badge) = Cap::recv;
    let _: fn(cap::Endpoint, Inner, cap::Reply) -> (Inner, Badge) = Cap::reply_recv;
    let _: fn(cap::Unspecified, Inner, cap::Endpoint, cap::Reply) -> (Inner, Badge) =
        Cap::nb_send_recv;
    let _: fn(cap::Endpoint) -> cap::Unspecified = Cap::cast;
    let _: fn(cap::Notification) = cap::Notification::signal;
    let _: fn(cap::IrqHandler) -> sel4::Result<()> = cap::IrqHandler::irq_handler_ack;
    let _: fn(cap::Tcb, bool, Word) -> sel4::Result<sel4::UserContext> =
        cap::Tcb::tcb_read_registers;
    let _: fn(cap::Tcb, bool, Word, &mut sel4::UserContext) -> sel4::Result<()> =
        cap::Tcb::tcb_write_registers;
    let _: [fn(cap::Tcb) -> sel4::Result<()>; 2] = [cap::Tcb::tcb_suspend, cap::Tcb::tcb_resume];

    let _: fn(Word, usize, usize, usize) -> Inner = Inner::new;
    let _: fn(sel4::MessageInfoBuilder) -> Inner = sel4::MessageInfoBuilder::build;
    let _: fn(&sel4::IpcBuffer, &Inner) -> sel4::Fault = sel4::Fault::new;
    let _: fn(fn(&sel4::IpcBuffer) -> u8) -> u8 = sel4::with_ipc_buffer;
    let _: fn(fn(&mut sel4::IpcBuffer) -> u8) -> u8 = sel4::with_ipc_buffer_mut;
    let _: [fn(&sel4::VmFault) -> Word; 3] =
        [sel4::VmFault::ip, sel4::VmFault::addr, sel4::VmFault::fsr];
    let _: fn(&sel4::UserContext, usize) -> &Word = sel4::UserContext::gpr;
    let _: fn(&mut sel4::UserContext, usize) -> &mut Word = sel4::UserContext::gpr_mut;
    let _: fn(u8) = sel4::debug_put_char;
    let _: fn() = sel4::r#yield;
};

const fn ordered<T: Debug + Copy + Ord + Hash>() {}
const fn compared<T: Debug + Clone + Eq>() {}

const _: () = {
    ordered::<Channel>();
    ordered::<Child>();
    ordered::<ChannelSet>();
    ordered::<sel4::CPtr>();
    ordered::<cap::Tcb>();
    compared::<DeferredAction>();
    compared::<DeferredActionInterface>();
    compared::<Inner>();
    compared::<sel4::MessageInfoBuilder>();
    compared::<sel4::Fault>();
    compared::<sel4::UserContext>();
    compared::<sel4::Error>();
    const fn error<T: Debug + Display + Eq>() {}
    error::<IrqAckError>();
    error::<sel4::Error>();
    const fn default<T: Default>() {}
    default::<MessageInfo>();
    default::<DeferredActionSlot>();
    default::<sel4::UserContext>();
    const fn message<T: Debug + Clone>() {}
    message::<MessageInfo>();
    const fn built<T: From<sel4::MessageInfoBuilder>>() {}
    built::<Inner>();
    const fn iterator<T: Iterator<Item = Channel>>() {}
    iterator::<ipc::ChannelSetIter>();
};
