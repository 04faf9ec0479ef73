// SPDX-License-Identifier: BSD-2-Clause

//! What is made of answers, and for how long it is kept.

use std::net::IpAddr;
use std::time::Duration;

use embedded_nal_async::{AddrType, Dns};
use resolver::{Kind, MAX_ADDRESSES, ResolveError};
use socket_client::Errno;

use crate::peer::{A, AAAA, ANSWER, NXDOMAIN, PTR, Reply, a, aaaa, cname, ptr, resolver, run, soa};

const WWW: &str = "www.example.org";

#[test]
fn addresses_of_both_kinds_are_found_behind_aliases_and_kept() {
    let asked = run(
        async |net| {
            let resolver = resolver(net, 1, "");
            for _ in 0..3 {
                let answer = resolver.addresses("WWW.example.ORG.").await.unwrap();
                assert_eq!(&**answer.name(), "host.example.org");
                let expected: [IpAddr; 3] = [
                    [192, 0, 2, 1].into(),
                    [192, 0, 2, 2].into(),
                    "fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fd03".parse().unwrap(),
                ];
                assert_eq!(answer.addresses(), expected);
            }
            // The least of the times in the chain.
            net.sleep(Duration::from_secs(20)).await.unwrap();
            resolver.resolve(WWW, Kind::A).await.unwrap();
        },
        |asked| {
            assert_eq!(asked.name, WWW);
            let mut records = vec![
                cname("alias.example.org", 60, "host.EXAMPLE.org"),
                cname(WWW, 20, "alias.example.org"),
            ];
            match asked.kind {
                A => records.extend([
                    a("other.example.org", 60, [6; 4]),
                    a("host.example.org", 60, [192, 0, 2, 1]),
                    a("host.example.org", 60, [192, 0, 2, 2]),
                ]),
                _ => records.push(aaaa("host.example.org", 60, 3)),
            }
            vec![Reply::Say(asked.reply(ANSWER, &records))]
        },
    );
    assert_eq!(
        asked.iter().map(|asked| asked.kind).collect::<Vec<_>>(),
        [A, AAAA, A]
    );
    let ids: Vec<_> = asked.iter().map(|asked| (asked.id, asked.from)).collect();
    assert!(ids[0].0 != ids[1].0 && ids[0].1 != ids[1].1);
}

#[test]
fn an_alias_without_its_address_is_asked_for() {
    let asked = run(
        async |net| {
            let resolver = resolver(net, 1, "");
            let answer = resolver.resolve(WWW, Kind::A).await.unwrap();
            assert_eq!(answer.addresses(), [IpAddr::from([192, 0, 2, 1])]);
            // What is kept is the whole way.
            resolver.resolve(WWW, Kind::A).await.unwrap();
        },
        |asked| {
            let record = match &*asked.name {
                WWW => cname(WWW, 60, "host.example.org"),
                _ => a("host.example.org", 60, [192, 0, 2, 1]),
            };
            vec![Reply::Say(asked.reply(ANSWER, &[record]))]
        },
    );
    assert_eq!(asked.len(), 2);
}

#[test]
fn circles_of_aliases_end() {
    let all = [
        cname(WWW, 60, "alias.example.org"),
        cname("alias.example.org", 60, WWW),
    ];
    for in_one in [true, false] {
        let asked = run(
            async |net| {
                let failed = resolver(net, 1, "").resolve(WWW, Kind::A).await;
                assert_eq!(failed, Err(ResolveError::TooManyAliases));
            },
            |asked| {
                let first = usize::from(asked.name != WWW);
                let records = if in_one {
                    &all[..]
                } else {
                    &all[first..=first]
                };
                vec![Reply::Say(asked.reply(ANSWER, records))]
            },
        );
        assert_eq!(asked.len(), if in_one { 1 } else { 8 });
    }
}

#[test]
fn that_there_is_nothing_is_kept_as_long_as_the_server_says() {
    let asked = run(
        async |net| {
            let resolver = resolver(net, 1, "");
            for _ in 0..2 {
                let failed = resolver.addresses("no.example.org").await;
                assert_eq!(failed, Err(ResolveError::NotFound));
                let failed = resolver.addresses(WWW).await;
                assert_eq!(failed, Err(ResolveError::NoData));
                let failed = resolver.addresses("alias.example.org").await;
                assert_eq!(failed, Err(ResolveError::NoData));
            }
            net.sleep(Duration::from_secs(10)).await.unwrap();
            let failed = resolver.resolve("no.example.org", Kind::A).await;
            assert_eq!(failed, Err(ResolveError::NotFound));
            // Without a time it is not kept.
            for _ in 0..2 {
                let failed = resolver.resolve("untimed.example.org", Kind::A).await;
                assert_eq!(failed, Err(ResolveError::NotFound));
            }
        },
        |asked| {
            let reply = match &*asked.name {
                "no.example.org" => asked.reply(NXDOMAIN, &[soa(60, 10)]),
                "alias.example.org" => {
                    let alias = cname("alias.example.org", 60, WWW);
                    asked.reply(ANSWER, &[alias, soa(60, 10)])
                }
                WWW => asked.reply(ANSWER, &[soa(10, 60)]),
                _ => asked.reply(NXDOMAIN, &[]),
            };
            vec![Reply::Say(reply)]
        },
    );
    // The first name once, as it has nothing of any kind; the others once a kind.
    assert_eq!(asked.len(), 1 + 2 + 2 + 1 + 2);
}

#[test]
fn names_are_searched_for_as_on_linux() {
    let names = |name: &str| {
        let asked = run(
            async |net| {
                let failed = resolver(net, 1, "example.org").resolve(name, Kind::A).await;
                assert_eq!(failed, Err(ResolveError::NotFound));
            },
            |asked| vec![Reply::Say(asked.reply(NXDOMAIN, &[]))],
        );
        asked
            .into_iter()
            .map(|asked| asked.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("host"), ["host.example.org", "host"]);
    assert_eq!(names("host.lab"), ["host.lab", "host.lab.example.org"]);
    assert_eq!(names("host."), ["host"]);
}

#[test]
fn some_names_need_no_server() {
    let asked = run(
        async |net| {
            let resolver = resolver(net, 0, "");
            let found = resolver.addresses("192.0.2.1").await.unwrap();
            assert_eq!(found.addresses(), [IpAddr::from([192, 0, 2, 1])]);
            let found = resolver.resolve("2001:db8::1", Kind::Aaaa).await.unwrap();
            assert!(found.addresses()[0].is_ipv6());
            let found = resolver.resolve("192.0.2.1", Kind::Aaaa).await;
            assert_eq!(found, Err(ResolveError::NoData));
            let found = resolver.addresses("Localhost").await.unwrap();
            assert!(found.addresses().iter().all(IpAddr::is_loopback));
            assert_eq!(found.addresses().len(), 2);
            let failed = resolver.addresses("a..b").await;
            assert_eq!(failed, Err(ResolveError::BadName));
            let failed = resolver.addresses("host").await;
            assert_eq!(failed, Err(ResolveError::NoServer));
        },
        |_| Vec::new(),
    );
    assert_eq!(asked, []);
}

#[test]
fn an_address_has_a_name_and_a_name_has_so_many_addresses() {
    const REVERSE: &str = "1.2.0.192.in-addr.arpa";
    run(
        async |net| {
            let resolver = resolver(net, 1, "example.org");
            let name = resolver.name_of([192, 0, 2, 1].into()).await;
            assert_eq!(name.as_deref(), Ok(WWW));
            let many = resolver.resolve(WWW, Kind::A).await.unwrap();
            assert_eq!(many.addresses().len(), MAX_ADDRESSES);

            let first = resolver.get_host_by_name(WWW, AddrType::Either).await;
            assert_eq!(first, Ok(many.addresses()[0]));
            let mut buf = [0; 15];
            let name = resolver.get_host_by_address([192, 0, 2, 1].into(), &mut buf);
            assert_eq!(name.await, Ok(15));
            assert_eq!(buf, *b"www.example.org");
            let name = resolver.get_host_by_address([192, 0, 2, 1].into(), &mut buf[..14]);
            assert_eq!(name.await, Err(Errno::EMSGSIZE.into()));
        },
        |asked| {
            let records = match asked.kind {
                // RFC 2317.
                PTR => vec![
                    cname(REVERSE, 60, "1.0-7.2.0.192.in-addr.arpa"),
                    ptr("1.0-7.2.0.192.in-addr.arpa", WWW),
                ],
                _ => (0..12).map(|last| a(WWW, 60, [192, 0, 2, last])).collect(),
            };
            vec![Reply::Say(asked.reply(ANSWER, &records))]
        },
    );
}
