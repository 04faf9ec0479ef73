// SPDX-License-Identifier: BSD-2-Clause
//! Two namespaces of this machine, one at each end of the cable.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use testnet::{Conditions, Far, Namespace, Switch, unavailable};

const NEAR: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);
const SIZE: usize = 1 << 20;

/// Sends `SIZE` bytes from the far to the near end; how long that took.
fn transfer(near: &Namespace, far: &Namespace) -> Duration {
    let listener = far
        .run(|| Ok(TcpListener::bind((FAR, 7000))?))
        .expect("cannot listen at the far end");
    let data: Vec<u8> = (0..SIZE).map(|i| (i % 251) as u8).collect();
    let expected = data.clone();
    let sender = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&data).unwrap();
    });
    let took = near
        .run(|| {
            let start = Instant::now();
            let mut stream = TcpStream::connect((FAR, 7000))?;
            let mut received = Vec::new();
            stream.read_to_end(&mut received)?;
            assert!(received == expected, "other bytes came");
            Ok(start.elapsed())
        })
        .expect("the near end failed");
    sender.join().unwrap();
    took
}

#[test]
fn bytes_survive_every_weather() {
    if let Some(reason) = unavailable() {
        println!("skipped: {reason}");
        return;
    }
    let (near, near_tap) = Namespace::with_tap(NEAR, 24).unwrap();
    let (far, far_tap) = Namespace::with_tap(FAR, 24).unwrap();
    let (switch, _raw) = Switch::start(near_tap, Far::Tap(far_tap)).unwrap();
    transfer(&near, &far);
    assert_eq!(switch.counts().lost(), 0);
    assert_eq!(switch.counts().to_near.overflowed, 0);

    let bad = Conditions {
        loss: 0.02,
        doubled: 0.02,
        late: 0.05,
        ..Conditions::default()
    };
    switch.under(bad, || transfer(&near, &far));
    let counts = switch.counts();
    assert!(counts.lost() > 0, "nothing was lost");
    assert!(counts.to_near.doubled > 0 && counts.to_near.late > 0);

    // The least that a delay must cost: the handshake's round trip and that of the first bytes.
    let delay = Duration::from_millis(20);
    let slow = Conditions {
        delay,
        ..Conditions::default()
    };
    let took = switch.under(slow, || transfer(&near, &far));
    assert!(took >= 4 * delay, "{took:?}");

    let rate = Conditions {
        rate: Some(2_000_000),
        ..Conditions::default()
    };
    let took = switch.under(rate, || transfer(&near, &far));
    assert!(
        took >= Duration::from_millis(400),
        "{took:?} for 1 MiB at 2 MB/s"
    );

    // A far end that learns of the narrow link sends smaller packets.
    let narrow = Conditions {
        mtu: Some(600),
        ..Conditions::default()
    };
    switch.under(narrow, || transfer(&near, &far));
    assert!(switch.counts().too_big > 0, "nothing was too big");
}
