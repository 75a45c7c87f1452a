//! Who is banned from one server of a site is banned from all of them, and let in again by all of them.

use server::net::listener;
use std::net::IpAddr;
use tests::buoys::Buoys;
use tests::harness::{Bystander, Running, eventually, hasty};
use tests::site::{self, MadeUp};

const SECRET: &str = "0123456789abcdef";
/// From where the one comes who is banned: an address of this machine that is no trusted proxy of a site's servers.
const BANNED: &str = "127.0.0.2";

fn address() -> IpAddr {
    BANNED.parse().expect("an address")
}

/// Whether a server lets in whoever comes from [`BANNED`].
fn bars(running: &Running) -> bool {
    running.server.common.bans.bars(address()).is_some()
}

#[tokio::test]
async fn a_ban_holds_on_all_servers_and_so_does_its_end() {
    let [a, b] = site::pair::<Buoys>(|config| {
        config.site.site_secret = Some(SECRET.parse().expect("any text"));
        config.limits = hasty();
    });
    let out = Bystander::join_from::<Buoys>(BANNED, b.address, "Bob").await;
    let mut stays = Bystander::join_at::<Buoys>(&b, "/play", "Ann").await;
    a.server.common.bans.add(address(), 60, "Threats").expect("there is room");
    assert_eq!(out.closed().await, Some(4010), "the other server's operator banned them");
    assert!(bars(&b));
    let ban = b.server.common.bans.list().pop().expect("a ban");
    assert_eq!((ban.address, ban.reason.as_str()), (address(), "Threats"));
    stays.is_well().await;

    // Lifted where it was not made.
    assert!(b.server.common.bans.lift(address()));
    eventually("both let them in", || !bars(&a) && !bars(&b)).await;
    Bystander::join_from::<Buoys>(BANNED, a.address, "Bob").await.is_well().await;

    // By mistake it is the address that the servers themselves come from.
    let servers: IpAddr = a.address.ip();
    a.server.common.bans.add(servers, 60, "").expect("there is room");
    let barred = |running: &Running| running.server.common.bans.bars(servers).is_some();
    eventually("both have heard it", || barred(&a) && barred(&b)).await;
    assert_eq!(stays.closed().await, Some(4010));
    assert!(a.server.common.bans.lift(servers));
    eventually("both have heard that, too", || !barred(&a) && !barred(&b)).await;
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn without_a_secret_nobody_learns_who_is_banned() {
    let [a, b] = site::pair::<Buoys>(|config| config.limits = hasty());
    a.server.common.bans.add(address(), 60, "").expect("there is room");
    // Twice: what it learns of bans it would ask for after the sessions.
    for _ in 0..2 {
        site::see_each_other(&a, &b).await;
    }
    assert!(bars(&a) && !bars(&b));
    a.get("/api/site/bans").await.problem(404);
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn a_server_that_starts_learns_who_is_banned() {
    let other = MadeUp::start(|path| match path {
        "/api/site/sessions" => Some(r#"{"sessions":[],"taken":[],"bans":7}"#),
        "/api/site/bans" => Some(
            r#"[{"address":"127.0.0.2","since":1,"until":9000000000000,"reason":""},
                {"address":"127.0.0.3","since":2,"until":9000000000000,"reason":"","lifted":true}]"#,
        ),
        other => panic!("{other:?}"),
    })
    .await;
    let mut config = site::config("B", &format!("A=http://{},B=http://127.0.0.1:1", other.address));
    config.site.site_secret = Some(SECRET.parse().expect("any text"));
    config.limits = hasty();
    let listener = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let b = Running::start_on::<Buoys>(&config, listener.into());
    // Nearly always before anybody can come; the first look waits half a second at most.
    eventually("it knows", || bars(&b)).await;
    assert_eq!(b.server.common.bans.list().len(), 1);
    b.stop().await.expect("an orderly end");
    other.end().await;
}
