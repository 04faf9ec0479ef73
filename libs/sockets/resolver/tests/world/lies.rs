// SPDX-License-Identifier: BSD-2-Clause

//! Messages that are no answer (RFC 5452).

use std::net::IpAddr;

use proptest::prelude::*;
use resolver::{Kind, ResolveError};
use socket_client::Errno;
use test_world::PEER_IP;

use crate::peer::{ANSWER, Asked, Reply, a, resolver, run};

const WWW: &str = "www.example.org";

/// What somebody says who wants to be believed.
fn lie(asked: &Asked) -> Vec<u8> {
    asked.reply(ANSWER, &[a(WWW, 60, [6; 4])])
}

fn lies(asked: &Asked) -> Vec<Reply> {
    let changed = |at: usize, to: u8| {
        let mut bytes = lie(asked);
        bytes[at] ^= to;
        Reply::Say(bytes)
    };
    let mut long = lie(asked);
    long.resize(700, 0);
    vec![
        Reply::From(([10, 0, 2, 3].into(), 53), lie(asked)),
        Reply::From((PEER_IP, 54), lie(asked)),
        // Another id, a query, another operation, two questions, another name, type, class.
        changed(0, 1),
        changed(1, 1),
        changed(2, 0x80),
        changed(2, 0x10),
        changed(5, 3),
        changed(13, 1),
        changed(30, 1),
        changed(32, 2),
        Reply::Say(Vec::new()),
        Reply::Say(vec![0; 12]),
        Reply::Say(long),
    ]
}

#[test]
fn they_are_not_believed_and_the_answer_behind_them_is() {
    run(
        async |net| {
            let answer = resolver(net, 1, "").resolve(WWW, Kind::A).await.unwrap();
            assert_eq!(answer.addresses(), [IpAddr::from([192, 0, 2, 1])]);
        },
        |asked| {
            let mut replies = lies(asked);
            let truth = asked.reply(ANSWER, &[a(WWW, 60, [192, 0, 2, 1])]);
            replies.push(Reply::Say(truth));
            replies
        },
    );
}

#[test]
fn without_an_answer_they_do_not_keep_anyone_waiting_longer() {
    run(
        async |net| {
            let before = net.now();
            let failed = resolver(net, 1, "").resolve(WWW, Kind::A).await;
            assert_eq!(failed, Err(ResolveError::Socket(Errno::ETIMEDOUT)));
            assert_eq!((net.now() - before).as_secs(), 6);
        },
        lies,
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A server may say anything to a question, by UDP and TCP: the client goes on.
    #[test]
    fn no_bytes_harm_a_client(
        replies in proptest::collection::vec(
            (any::<bool>(), any::<u16>(), proptest::collection::vec(any::<u8>(), 0..500)),
            1..8,
        ),
    ) {
        let mut left = replies.into_iter().cycle().take(200);
        run(
            async |net| drop(resolver(net, 2, "").addresses(WWW).await),
            |asked| {
                let Some((is_reply, counts, bytes)) = left.next() else {
                    return Vec::new();
                };
                let mut reply = asked.reply(ANSWER, &[]);
                if asked.id & 3 == 0 {
                    reply[2] |= 2;
                }
                reply[7] = counts as u8;
                reply[9] = (counts >> 8) as u8;
                reply.extend(&bytes[..bytes.len().min(470)]);
                vec![Reply::Say(if is_reply { reply } else { bytes })]
            },
        );
    }
}
