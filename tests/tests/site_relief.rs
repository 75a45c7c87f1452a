//! A server of a site that has more to do than it can lets go of a session where another one has room for it.

use futures_util::future::join_all;
use serde_json::json;
use shared::arena::Arena;
use std::time::Duration;
use tests::harness::{Bystander, PATIENCE, Running, hasty, within};
use tests::site::{self, create, in_a_match, passed_on, see_each_other};

/// What counts in a server's metrics.
async fn metric(running: &Running, line: &str) -> String {
    let text = running.ask("GET", "/metrics", "", "").await.body;
    let found = text.lines().find_map(|l| l.strip_prefix(line));
    found.unwrap_or_else(|| panic!("no {line} in {text}")).trim().to_owned()
}

#[tokio::test]
async fn a_session_goes_to_the_server_that_has_room_and_its_match_goes_on() {
    let [a, b] = site::pair::<Arena>(|config| {
        config.site.site_secret = Some("0123456789abcdef".parse().expect("any text"));
        config.limits = hasty();
        config.limits.relief_wait = Duration::from_millis(50);
    });
    b.server.common.directory.overload.stand_in(Some(0.0));
    see_each_other(&a, &b).await;
    let mut sessions = Vec::new();
    for people in [4, 1] {
        let (code, _) = create(&a, json!({"name": "Us", "public": false, "round_s": 0})).await;
        let play = format!("/play/{code}");
        let joining = (0..people).map(|_| Bystander::join_at::<Arena>(&a, &play, "Ada"));
        sessions.push((code, join_all(joining).await));
    }
    let (goes, one) = sessions.pop().expect("it was opened");
    let play = format!("/play/{goes}");
    let mut another = in_a_match(&a, &play).await;
    let (stays, mut four) = sessions.pop().expect("it was opened");

    // Six people are 65 % of this machine's cores, so five would be what the other one does before it gives up anything:
    // for four it has not twice the room that they need, for two it has.
    let mut config = (*a.server.common.live.get()).clone();
    config.overload.overload = true;
    a.server.reload(config);
    a.server.common.directory.overload.stand_in(Some(0.65));
    for player in one {
        assert_eq!(player.closed().await, Some(4015));
    }
    assert_eq!(another.peer.closing().await.map(|closed| closed.0), Some(4015));
    let is_at = |running: &Running, code: &str| {
        running.server.common.directory.get(code.parse().expect("a code")).is_some()
    };
    within(PATIENCE, "the session", async {
        while !is_at(&b, &goes) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    // Both servers know where it is, and so does whoever had its code before.
    for running in [&a, &b] {
        another = another.plays_on::<Arena>(running, &play).await;
        Bystander::join_at::<Arena>(running, &play, "Ben").await.is_well().await;
    }
    assert_eq!(metric(&a, "gamekeeper_sessions_moved_total{why=\"load\"}").await, "1");
    assert!(is_at(&a, &stays) && !is_at(&a, &goes));
    for player in &mut four {
        player.is_well().await;
    }
    assert!(passed_on(&b) == 0);
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}
