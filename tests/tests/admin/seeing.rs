//! What the operator sees.

use super::*;

#[tokio::test]
async fn the_operator_sees_the_server_its_sessions_and_who_is_in_them() {
    let running = start();
    let code = code(&running).await;
    let mut ear = listen(&running, &format!("?session={code}&map=true")).await;
    let _bystander = Bystander::join(running.address, "Ann \"<b>\"").await;
    let mut watched = running.try_open("/play").await.expect("a WebSocket");
    watched.send(&binary(&hello("Bob"))).await;
    let (ping, bytes) = (5, 7);
    let (mut inside, mut lines) = (Value::Null, Vec::new());
    // A line has a rate once there were two looks at it, and a ping once it was answered.
    while lines.len() < 2
        || lines
            .iter()
            .any(|line: &Value| line[1] != "Bob" && (line[ping].is_null() || line[bytes].is_null()))
    {
        inside = ear.next("session").await.expect("it goes on");
        lines = inside["people"].as_array().expect("a list").clone();
    }
    let columns = inside["columns"].as_array().expect("names");
    let column = |name: &str| columns.iter().position(|found| found == name).expect("a column");
    let ann = lines.iter().find(|line| line[1] == "Ann \"<b>\"").expect("she is there");
    assert!(
        ann[column("ping_ms")].is_u64() && ann[column("bytes_per_s")].as_u64() > Some(0),
        "{ann}"
    );
    assert!(
        ann[column("age_ms")].is_u64() && ann[column("keyframes")].as_u64() >= Some(1),
        "{ann}"
    );
    assert_eq!(
        (&ann[column("address")], &ann[column("away")]),
        (&json!("127.0.0.1"), &json!(false))
    );
    assert_eq!((&ann[column("flags")], &ann[column("mismatches")]), (&json!(0), &json!(0)));
    // Not 0 where the machine that both are on has kept her waiting.
    assert!(ann[column("ease")].is_u64(), "{ann}");
    let map = ear.next("map").await.expect("it is drawn");
    let kinds = map["kinds"].as_array().expect("kinds").len();
    let entities: Vec<i64> = map["entities"]
        .as_array()
        .expect("five each")
        .iter()
        .map(|n| n.as_i64().expect("whole"))
        .collect();
    assert!(!entities.is_empty() && entities.len().is_multiple_of(5), "{map}");
    assert!(entities.chunks(5).all(|one| one[0] < kinds as i64 && one[4] < 360));
    let owners: Vec<_> = entities.chunks(5).map(|one| one[3]).collect();
    assert!(owners.contains(&(number_of(&lines, "Bob") as i64)), "{owners:?}");
    let overview = ear.next("overview").await.expect("it goes on");
    let session = &overview["sessions"][0];
    assert_eq!((&session["players"], &overview["players"]), (&json!(2), &json!(2)));
    assert!(
        overview["connections"].as_u64() >= Some(3)
            && overview["memory_bytes"].as_u64() > Some(1 << 20),
        "{overview}"
    );
    let history = loop {
        ear.next("overview").await.expect("it goes on");
        let past = see(&running, &format!("/history?session={code}")).await.expect(200);
        if past["samples"].as_array().expect("samples").len() >= 3 {
            break past;
        }
    };
    let names: Vec<_> =
        history["fields"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert_eq!(
        names,
        [
            "at",
            "players",
            "tick_median_us",
            "tick_longest_us",
            "busy_permille",
            "late",
            "dropped",
            "bytes_per_s"
        ]
    );
    let newest = history["samples"].as_array().and_then(|all| all.last()).expect("one").clone();
    assert!(newest[3].as_u64() >= newest[2].as_u64() && newest[3].as_u64() > Some(0), "{newest}");
    assert_eq!(newest[1], 2);
    let mut samples = history["samples"].as_array().into_iter().flatten();
    assert!(samples.any(|sample| sample[7].as_u64() > Some(0)), "frames are sent: {history}");
    let past = see(&running, "/history").await.expect(200);
    let widths = |past: &Value| {
        past["samples"]
            .as_array()
            .expect("samples")
            .iter()
            .all(|one| one.as_array().map(Vec::len) == past["fields"].as_array().map(Vec::len))
    };
    assert!(widths(&past) && widths(&history));
    // Somebody who is shown a list elsewhere sees none of it.
    let public = running.get("/api/sessions").await.body
        + &running.get(&format!("/api/sessions/{code}")).await.body;
    assert!(!public.contains("127.0.0.1"), "{public}");
    see(&running, "/sessions/00000-00000").await.problem(404);
    see(&running, "/events?session=00000-00000").await.problem(404);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn everything_done_is_in_the_audit_log_and_nothing_that_makes_no_sense_is_done() {
    let running = start();
    let mut ear = listen(&running, "").await;
    ear.next("overview").await.expect("one");
    for (action, status) in [
        (json!({"action": "dance"}), 422),
        (json!({"action": "ban", "address": "nowhere", "minutes": 5}), 422),
        (json!({"action": "ban", "address": "127.0.0.2", "minutes": 5, "forever": true}), 422),
        (json!({"action": "kick"}), 422),
    ] {
        act(&running, action).await.problem(status);
    }
    let refused = [
        json!({"action": "ban", "address": "127.0.0.2", "minutes": 0}),
        json!({"action": "ban", "address": "127.0.0.2", "minutes": 4_000_000_000_u32}),
        json!({"action": "ban", "address": "127.0.0.2", "minutes": 5, "reason": "x".repeat(5000)}),
        json!({"action": "log_filter", "filter": "info"}),
    ];
    for action in &refused {
        act(&running, action.clone()).await.problem(422);
        let deed = ear.next("audit").await.expect("it is told");
        assert!(deed["outcome"].as_str().is_some_and(|text| text.starts_with("refused")), "{deed}");
    }
    act(&running, json!({"action": "announce", "text": "Hello."})).await.expect(204);
    let deed = ear.next("audit").await.expect("it is told");
    assert_eq!(
        (&deed["action"], &deed["target"]),
        (&json!("announce"), &json!("all sessions: Hello."))
    );
    let audit = see(&running, "/audit").await.expect(200);
    let all = audit.as_array().expect("a list");
    assert_eq!((all.len(), &all[0]), (refused.len() + 1, &deed));
    assert_eq!(see(&running, "/audit?limit=2").await.expect(200).as_array().map(Vec::len), Some(2));
    assert_eq!(see(&running, "/bans").await.expect(200), json!([]));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_viewer_that_reads_nothing_costs_nobody_anything_and_a_stop_ends_all_streams() {
    let running = start();
    let code = code(&running).await;
    let mut bystander = Bystander::join(running.address, "Ann").await;
    let mute = listen(&running, &format!("?session={code}&map=true&log=true")).await;
    let mut ear = listen(&running, &format!("?session={code}&map=true")).await;
    for _ in 0..6 {
        ear.next("map").await.expect("it goes on");
    }
    bystander.is_well().await;
    drop(mute);
    let open = || running.server.common.registry.open();
    eventually("the viewer's place is free again", || open() == 2).await;
    running.stop().await.unwrap();
    ear.end().await;
}

#[tokio::test]
async fn however_many_listen_there_is_room_for_the_operator() {
    let limits = Limits {
        max_listeners: 1,
        max_listeners_per_address: 1,
        max_operator_listeners: 2,
        ..hasty()
    };
    let running = start_with(limits);
    let mut public = running.listen().await;
    running.get("/api/sessions/events").await.problem(503);
    let mut two = [listen(&running, "").await, listen(&running, "").await];
    for ear in &mut two {
        ear.next("overview").await.expect("one");
    }
    see(&running, "/events").await.problem(503);
    public.next("sessions").await.expect("the list");
    running.stop().await.unwrap();
}
