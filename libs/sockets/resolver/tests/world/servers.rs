// SPDX-License-Identifier: BSD-2-Clause

//! Servers that do not answer, or not by UDP.

use std::net::IpAddr;
use std::time::Duration;

use resolver::{Kind, MAX_ANSWER, ResolveError, Resolver};
use socket_client::{Errno, Net};
use test_world::{Faults, PEER_IP, Wire, World, config, limits};

use crate::peer::{ANSWER, Asked, NXDOMAIN, Reply, SERVFAIL, TRUNCATED, a, resolver, run, run_on};

const WWW: &str = "www.example.org";

fn answer(asked: &Asked) -> Reply {
    Reply::Say(asked.reply(ANSWER, &[a(WWW, 0, [192, 0, 2, 1])]))
}

async fn seconds(net: &Net<&Wire>, question: impl Future<Output = ()>) -> u64 {
    let start = net.now();
    question.await;
    (net.now() - start).as_secs()
}

#[test]
fn a_silent_server_is_asked_last_from_then_on() {
    let asked = run(
        async |net| {
            let resolver = resolver(net, 3, "");
            for expected in [2, 0] {
                let question = async { drop(resolver.resolve(WWW, Kind::A).await.unwrap()) };
                assert_eq!(seconds(net, question).await, expected);
            }
        },
        |asked| match asked.port {
            53 => Vec::new(),
            _ => vec![answer(asked)],
        },
    );
    let ports: Vec<_> = asked.iter().map(|asked| asked.port).collect();
    assert_eq!(ports, [53, 54, 54]);
}

#[test]
fn each_is_asked_twice() {
    let asked = run(
        async |net| {
            let resolver = resolver(net, 2, "");
            let question = async {
                let failed = resolver.resolve(WWW, Kind::A).await.unwrap_err();
                assert_eq!(failed, ResolveError::Socket(Errno::ETIMEDOUT));
                assert!(failed.is_temporary());
            };
            assert_eq!(seconds(net, question).await, 12);
        },
        |_| Vec::new(),
    );
    let ports: Vec<_> = asked.iter().map(|asked| asked.port).collect();
    assert_eq!(ports, [53, 54, 53, 54]);
    // Nobody can predict one question from another.
    let ids: Vec<_> = asked.iter().map(|asked| (asked.id, asked.from)).collect();
    let repeats = |of: fn(&(u16, u16)) -> u16| {
        let mut all: Vec<_> = ids.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    assert_eq!((repeats(|ids| ids.0), repeats(|ids| ids.1)), (4, 4));
}

#[test]
fn one_that_cannot_answer_is_not_waited_for() {
    run(
        async |net| {
            let resolver = resolver(net, 2, "");
            let question = async { drop(resolver.resolve(WWW, Kind::A).await.unwrap()) };
            assert_eq!(seconds(net, question).await, 0);
            let failed = resolver.resolve("bad.example.org", Kind::A).await;
            assert_eq!(failed, Err(ResolveError::Server(2)));
        },
        |asked| match (asked.port, &*asked.name) {
            // A server that asks nobody, and knows nothing.
            (53, WWW) => vec![Reply::Say(asked.reply(0x8100, &[]))],
            (_, WWW) => vec![answer(asked)],
            _ => vec![Reply::Say(asked.reply(SERVFAIL, &[]))],
        },
    );
}

#[test]
fn a_long_answer_comes_by_tcp() {
    let asked = run(
        async |net| {
            let answer = resolver(net, 1, "").resolve(WWW, Kind::A).await.unwrap();
            assert_eq!(answer.addresses()[0], IpAddr::from([192, 0, 2, 0]));
        },
        |asked| {
            let records: Vec<_> = (0..100).map(|last| a(WWW, 60, [192, 0, 2, last])).collect();
            vec![Reply::Say(match asked.tcp {
                true => asked.reply(ANSWER, &records),
                false => asked.reply(TRUNCATED, &records[..5]),
            })]
        },
    );
    assert_eq!(
        asked.iter().map(|asked| asked.tcp).collect::<Vec<_>>(),
        [false, true]
    );
}

#[test]
fn one_that_is_too_long_or_not_permitted_is_an_error() {
    let serve = |asked: &Asked| {
        vec![Reply::Say(match asked.tcp {
            true => vec![0; MAX_ANSWER + 1],
            false => asked.reply(TRUNCATED, &[]),
        })]
    };
    let fails = async |net: &Net<&Wire>, errno| {
        let resolver = resolver(net, 1, "");
        let question = resolver.resolve(WWW, Kind::A);
        let failed = net.timeout(Duration::from_secs(1), question).await.unwrap();
        assert_eq!(failed, Err(ResolveError::Socket(errno)));
    };
    let mut none = limits(1, 1);
    none.tcp_destinations.clear();
    let cases = [
        (limits(1, 1), Errno::EMSGSIZE),
        (limits(0, 1), Errno::EMFILE),
        (none, Errno::EACCES),
    ];
    for (limits, errno) in cases {
        run_on(
            &Wire::with_limits(limits),
            async |net| fails(net, errno).await,
            serve,
        );
    }
}

#[test]
fn a_restart_of_net_server_costs_one_attempt() {
    let mut restarts = 1;
    run(
        async |net| {
            let resolver = resolver(net, 1, "");
            let failed = resolver.resolve(WWW, Kind::A).await;
            assert_eq!(failed, Err(ResolveError::NotFound));
        },
        |asked| match restarts {
            0 => vec![Reply::Say(asked.reply(NXDOMAIN, &[]))],
            _ => {
                restarts -= 1;
                vec![Reply::Restart]
            }
        },
    );
    assert_eq!(restarts, 0);
}

#[test]
fn one_that_follows_asks_the_servers_that_net_server_names() {
    let mut world = World::new(config(), vec![limits(4, 2)], Faults::quick());
    world.config.names.servers[0] = Some(PEER_IP);
    world.config.names.domain = "lab.example";
    let wire = Wire::new(world);
    let asked = run_on(
        &wire,
        async |net| {
            let resolver = Resolver::<_>::following(net).unwrap();
            let failed = resolver.resolve("host", Kind::A).await;
            assert_eq!(failed, Err(ResolveError::NoServer));
            // Another life of net_server knows others.
            wire.restart();
            let failed = resolver.resolve("host", Kind::A).await;
            assert_eq!(failed, Err(ResolveError::NotFound));
        },
        |asked| vec![Reply::Say(asked.reply(NXDOMAIN, &[]))],
    );
    let asked: Vec<_> = asked.into_iter().map(|asked| asked.name).collect();
    assert_eq!(asked, ["host.lab.example", "host"]);
}
