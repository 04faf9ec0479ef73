// SPDX-License-Identifier: BSD-2-Clause
//! What the views promise: bounds, alignment, contents. Run under Miri too: `cargo +nightly miri
//! test -p shm`.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64, Ordering};
use shm::{OutOfBounds, ReadOnly, ReadWrite, Region, RegionError};
use std::sync::Mutex;

/// Aligned memory that lives as long as a mapped region does: for good.
#[repr(C, align(64))]
struct Memory([u8; 512]);

/// Pointers to all of it, so that Miri's leak check finds it in use.
static MAPPED: Mutex<Vec<AtomicPtr<Memory>>> = Mutex::new(Vec::new());

fn map(memory: Memory) -> NonNull<Memory> {
    let memory = NonNull::from(Box::leak(Box::new(memory)));
    MAPPED.lock().unwrap().push(AtomicPtr::new(memory.as_ptr()));
    memory
}

fn region(fill: impl Fn(usize) -> u8) -> Region<ReadWrite> {
    let memory = map(Memory(core::array::from_fn(fill)));
    // SAFETY: leaked, so valid for good, and referred to by nothing else.
    unsafe { Region::from_ptr(memory.cast(), 512) }
}

shm::shared_struct! {
    /// A page as the protocols declare them.
    #[derive(Debug)]
    struct Page<const N: usize> {
        word: AtomicU32,
        half: AtomicU16,
        table: [AtomicU64; N],
    }
}

#[test]
fn page_shows_what_is_in_memory() {
    let page = region(|i| i as u8).into_page::<Page<2>>().unwrap();
    assert_eq!(
        page.word.load(Ordering::Relaxed),
        u32::from_ne_bytes([0, 1, 2, 3])
    );
    assert_eq!(
        page.half.load(Ordering::Relaxed),
        u16::from_ne_bytes([4, 5])
    );
    assert_eq!(
        page.table[1].load(Ordering::Relaxed),
        u64::from_ne_bytes([16, 17, 18, 19, 20, 21, 22, 23])
    );
    page.table[0].store(7, Ordering::Relaxed);
    assert_eq!(page.table[0].load(Ordering::Relaxed), 7);
}

#[test]
fn page_must_fit_and_be_aligned() {
    let error = region(|_| 0).into_page::<Page<64>>().unwrap_err();
    assert_eq!(
        error,
        RegionError::TooSmall {
            needed: 520,
            size: 512
        }
    );
    assert!(region(|_| 0).into_page::<Page<63>>().is_ok());
    let odd = map(Memory([0; 512])).cast::<u8>();
    // SAFETY: leaked, so valid for good; the last 508 bytes, referred to by nothing else.
    let odd = unsafe { Region::<ReadWrite>::from_ptr(odd.add(4), 508) };
    assert!(matches!(
        odd.into_page::<Page<1>>(),
        Err(RegionError::Misaligned { alignment: 8, .. })
    ));
}

#[test]
fn window_copies_every_length_and_nothing_else() {
    let window = region(|_| 0xee).into_window();
    let bytes: Vec<u8> = (0..512).map(|i| (i * 7 + 1) as u8).collect();
    // Every length of the short tails and some of the long loop, at odd offsets. Miri, which looks
    // at each access, gets a sample.
    let step = if cfg!(miri) { 37 } else { 1 };
    for len in (0..=130).step_by(step).chain([200, 255, 256, 511, 512]) {
        for offset in [0, 1, 7, 32]
            .into_iter()
            .filter(|offset| offset + len <= 512)
        {
            window.write_at(0, &[0xee; 512]).unwrap();
            window.write_at(offset, &bytes[..len]).unwrap();
            let mut seen = [0; 512];
            window.read_at(0, &mut seen).unwrap();
            assert_eq!(&seen[offset..offset + len], &bytes[..len]);
            assert!(
                seen[..offset]
                    .iter()
                    .chain(&seen[offset + len..])
                    .all(|byte| *byte == 0xee)
            );
        }
    }
}

#[test]
fn window_refuses_what_lies_outside() {
    let window = region(|i| i as u8).into_window();
    let mut two = [9; 2];
    assert_eq!(
        window.read_at(511, &mut two).unwrap_err(),
        OutOfBounds {
            offset: 511,
            len: 2,
            size: 512
        }
    );
    assert_eq!(two, [9; 2], "a refused read copies nothing");
    assert!(
        window.write_at(usize::MAX, &two).is_err(),
        "the sum may not overflow"
    );
    assert!(
        window.write_at(512, &[]).is_ok(),
        "an empty range at the end is in the window"
    );
    assert!(window.write_at(513, &[]).is_err());
}

#[test]
fn read_window_over_read_only_memory() {
    static TEXT: [u8; 6] = *b"frozen";
    // SAFETY: a static that nothing writes.
    let region = unsafe { Region::<ReadOnly>::from_ptr(NonNull::from(&TEXT).cast(), 6) };
    let mut seen = [0; 4];
    region.into_read_window().read_at(2, &mut seen).unwrap();
    assert_eq!(&seen, b"ozen");
}

#[test]
fn address_gives_the_same_memory() {
    let address = map(Memory([5; 512])).as_ptr().expose_provenance();
    // SAFETY: leaked, so valid for good, and referred to by nothing else.
    let window = unsafe { Region::<ReadWrite>::new(address, 512) }.into_window();
    let mut byte = [0];
    window.read_at(511, &mut byte).unwrap();
    assert_eq!(byte, [5]);
}

#[test]
fn slices_are_bounded() {
    // SAFETY: this test is the only user of the memory.
    let frozen = unsafe { region(|i| i as u8).into_frozen_bytes() };
    assert_eq!(frozen.slice(3, 2).unwrap(), [3, 4]);
    assert_eq!(
        frozen.slice(510, 3).unwrap_err(),
        OutOfBounds {
            offset: 510,
            len: 3,
            size: 512
        }
    );
    // SAFETY: this test is the only user of the memory.
    let mut owned = unsafe { region(|_| 0).into_exclusive_bytes() };
    owned.slice_mut(8, 3).unwrap().copy_from_slice(b"abc");
    assert_eq!(owned.slice(7, 5).unwrap(), b"\0abc\0");
    assert!(owned.slice_mut(usize::MAX, 2).is_err());
}
