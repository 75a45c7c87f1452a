//! A server that has more to do than it can, in virtual time: what it gives up, that everybody in it plays on with young
//! frames, and how soon all is given again. With `--nocapture` they tell their figures.

use serde_json::{Value, json};
use server::config::Config;
use server::session::restraint::{Kind, Restraint};
use shared::arena::{Arena, Settings};
use shared::netcode::conditions::Conditions;
use shared::wire::close::CloseCode;
use tests::buoys::Buoys;
use tests::harness::{Bystander, Running, binary, eventually, hasty, hello};
use tests::stopwatch::{Price, Stopwatch};
use tests::world::World;

const LINE: Conditions = Conditions::round_trip(60.0, 5.0);
const TICK_MS: f64 = 1000.0 / 30.0;
/// So many fit well.
const PEOPLE: usize = 16;
/// By how much a machine becomes slower: then so many cost more than a tick.
const SLOW: f64 = 4.0;
/// With two dozen people half of a tick, most of it for what they are sent.
const PRICE: Price = Price { person: 0.1, message: 0.4, byte: 0.02 };
/// No frame is older while everything is given up: the line, several ticks in a message, and a little.
const OLD_MS: f64 = 400.0;

fn world(seed: u64) -> World<Arena> {
    let settings = Settings { size: 2500, ..Settings::default() };
    let mut world = World::<Arena>::with_settings(seed, 0, 1000, settings);
    world.stopwatch = Some(Stopwatch::new(PRICE));
    world
}

fn restraint(world: &World<Arena>) -> Restraint {
    world.session.measure().restraint
}

fn stopwatch(world: &mut World<Arena>) -> &mut Stopwatch {
    world.stopwatch.as_mut().expect("it has one")
}

/// How old the newest tick is that each guest has who is in, in ms, at worst, sampled for so long.
fn oldest(world: &mut World<Arena>, ms: f64) -> f64 {
    let end = world.now + ms;
    let mut oldest = 0.0_f64;
    while world.now < end {
        world.run(TICK_MS / 2.0);
        let newest = world.session.tick_now();
        let lag = world.now / TICK_MS - world.dropped as f64 - f64::from(newest);
        for guest in world.guests.iter().filter(|guest| guest.outbox.closed().is_none()) {
            let Some(view) = guest.client.view() else { continue };
            oldest = oldest.max((f64::from(newest.wrapping_sub(view.tick)) + lag) * TICK_MS);
        }
    }
    oldest
}

fn assert_exact(world: &World<Arena>) {
    for guest in world.guests.iter().filter(|guest| guest.outbox.closed().is_none()) {
        assert_eq!((&guest.wrong, &guest.leaked), (&Vec::new(), &Vec::new()));
        assert_eq!(guest.client.stats().mismatches, 0);
        assert!(guest.verified > 0);
    }
}

#[test]
fn three_times_as_many_as_fit_cost_detail_first_and_then_the_door_shuts() {
    let mut world = world(1);
    for guest in 0..2 {
        world.join_as(&format!("spectator {guest}"), LINE, |hello| hello.watch = true);
    }
    let (mut foretold, mut begins, mut closes) = (None, None, None);
    let mut worst = 0.0_f64;
    for guest in 2..90 {
        world.join(&format!("guest {guest}"), LINE);
        worst = worst.max(oldest(&mut world, 1_000.0));
        let people = world.session.players() as u32;
        if guest == 11 {
            foretold = stopwatch(&mut world).room.map(|room| people + room);
        }
        let now = restraint(&world);
        begins = begins.or((now > Restraint::default()).then_some(people));
        closes = closes.or(now.is_closed().then_some(people));
    }
    let (foretold, begins, closes) =
        (foretold.expect("known"), begins.expect("it is"), closes.expect("it does"));
    let refused = world.guests.iter().filter(|guest| guest.outbox.closed().is_some()).count();
    println!(
        "with 12 it says that {foretold} fit; detail goes with {begins}, the door shuts with {closes}, {refused} \
         are refused; frames are {worst:.0} ms old at most"
    );
    assert!(foretold.abs_diff(begins) * 3 <= begins, "{foretold} were foretold, and {begins} fit");
    assert!(closes > begins && closes < 80);
    // Who is refused is told why and that it is worth another try, and nobody else lost anything but detail.
    assert_eq!(world.session.counts().turned_away, refused as u64);
    assert_eq!(world.session.players() + refused, 90);
    for (code, reason) in world.guests.iter().filter_map(|guest| guest.outbox.closed()) {
        assert_eq!(code, CloseCode::TryLater);
        assert!(reason.contains("try again"), "{reason}");
    }
    assert_eq!(world.dropped, 0, "detail goes before ticks do");
    assert!(worst < OLD_MS, "{worst}");
    assert_exact(&world);

    // Who lost the line comes back to the seat although the door is shut.
    assert!(restraint(&world).is_closed());
    let before = world.session.players();
    world.drop_line(5);
    world.run(500.0);
    world.return_to_seat(5, LINE);
    world.run(2_000.0);
    assert_eq!((world.session.players(), world.session.away()), (before, 0));

    // Two thirds leave.
    let here: Vec<_> = (2..90).filter(|&i| world.guests[i].outbox.closed().is_none()).collect();
    here[16..].iter().for_each(|&index| world.leave(index));
    let left = world.now;
    while restraint(&world).is_closed() {
        world.run(100.0);
        assert!(world.now - left < 5_000.0, "the door opens within seconds");
    }
    let opened = world.now - left;
    world.join("late", LINE);
    while restraint(&world) > Restraint::default() {
        world.run(100.0);
        assert!(world.now - left < 40_000.0, "all is given again");
    }
    println!("the door opens after {opened:.0} ms, all is given after {:.0}", world.now - left);
    assert!(world.guests.last().is_some_and(|late| late.client.view().is_some()));
    assert_exact(&world);
}

#[test]
fn a_machine_that_is_suddenly_four_times_as_slow_costs_nobody_the_match() {
    let mut world = world(2);
    for guest in 0..PEOPLE {
        world.join_as(&format!("guest {guest}"), LINE, |hello| hello.watch = guest % 8 == 0);
    }
    world.run(10_000.0);
    assert_eq!((restraint(&world), world.dropped), (Restraint::default(), 0));
    let Price { person, message, byte } = PRICE;
    let slow = Price { person: SLOW * person, message: SLOW * message, byte: SLOW * byte };
    stopwatch(&mut world).price = slow;
    let first = oldest(&mut world, 2_000.0);
    let dropped = world.dropped;
    assert!(restraint(&world).level(Kind::Reach) > 0);
    let later = oldest(&mut world, 20_000.0);
    println!(
        "frames are {first:.0} ms old at most in the first two seconds, then {later:.0}; {dropped} ticks dropped"
    );
    assert!(first < 2.0 * OLD_MS && later < OLD_MS, "{first} {later}");
    assert_eq!(world.dropped, dropped, "the rules keep their rate");
    assert_eq!(world.session.players(), PEOPLE);
    assert!(world.guests.iter().all(|guest| guest.outbox.closed().is_none()));

    stopwatch(&mut world).price = PRICE;
    let better = world.now;
    while restraint(&world) > Restraint::default() {
        world.run(100.0);
        assert!(world.now - better < 60_000.0, "all is given again");
    }
    println!("all is given again after {:.0} ms", world.now - better);
    let last = oldest(&mut world, 5_000.0);
    assert!(last < 120.0, "{last}");
    assert_exact(&world);
}

#[test]
fn without_it_ticks_would_be_dropped() {
    let mut world = world(2);
    for guest in 0..PEOPLE {
        world.join(&format!("guest {guest}"), LINE);
    }
    world.run(10_000.0);
    let Price { person, message, byte } = PRICE;
    stopwatch(&mut world).price =
        Price { person: SLOW * person, message: SLOW * message, byte: SLOW * byte };
    stopwatch(&mut world).tells = false;
    world.run(20_000.0);
    assert!(world.dropped > 30, "{}", world.dropped);
}

/// What the operator shows.
const TOKEN: &str = "a-token-of-the-operators";

async fn overview(running: &Running) -> Value {
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    running.ask("GET", "/api/admin/overview", &token, "").await.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_without_time_lets_nobody_new_in_and_says_so() {
    let mut config = Config { limits: hasty(), pilots: 0, ..Config::default() };
    config.admin.admin_token = Some(TOKEN.parse().expect("a token"));
    let running = Running::start_governed::<Buoys>(&config);
    let overload = &running.server.common.directory.overload;
    overload.stand_in(Some(0.1));
    let mut bystander = Bystander::join(running.address, "Bystander").await;
    let code = running.server.common.directory.entries()[0].code.to_string();
    eventually("something is known of what people cost", || overload.room().is_some()).await;
    assert!(overload.room() > Some(0), "{:?}", overload.room());

    overload.stand_in(Some(3.0));
    eventually("the door shuts", || overload.restraint().is_closed()).await;
    for path in ["/api/tickets", "/api/sessions"] {
        let kind = "Content-Type: application/json\r\n";
        let answer = running.ask("POST", path, kind, "{}").await;
        assert_eq!(answer.header("retry-after"), Some("60"));
        let told = answer.problem(503);
        assert!(told.contains("busy"), "{told}");
    }
    assert_eq!(running.try_open("/play").await.err(), Some(503));
    let ready = running.ask("GET", "/readyz", "", "").await;
    assert!(ready.status == 503 && ready.body.contains("more to do"), "{ready:?}");
    // Several messages later the session has been told as well, whatever was on the way.
    for _ in 0..4 {
        bystander.is_well().await;
    }
    let mut late = running.try_open(&format!("/play/{code}")).await.expect("a WebSocket");
    late.send(&binary(&hello("Late"))).await;
    let (code, reason) = late.closing().await.expect("it is told");
    assert_eq!(code, CloseCode::TryLater.code());
    assert!(reason.contains("try again"), "{reason}");

    let scrape = async |line: &str| {
        running.ask("GET", "/metrics", "", "").await.body.lines().any(|one| one == line)
    };
    for kind in Kind::LABELS {
        let none = format!("gamekeeper_overload_level{{kind=\"{kind}\"}} 0");
        assert!(!scrape(&none).await, "{none}");
    }
    assert!(scrape("gamekeeper_room_people 0").await);
    let taken = Restraint::MOST.place();
    let taken = format!("gamekeeper_overload_changes_total{{direction=\"taken\"}} {taken}");
    assert!(scrape(&taken).await, "{taken}");
    // Two by the API, one on the way to a WebSocket, one by the session, which is looked at twice a second.
    let refused = "gamekeeper_refusals_total{reason=\"overload\"} 4";
    let counted = async { while !scrape(refused).await {} };
    tests::harness::within(tests::harness::PATIENCE, refused, counted).await;
    // Each of them counts once.
    for reason in ["no_room", "expelled"] {
        let none = format!("gamekeeper_refusals_total{{reason=\"{reason}\"}} 0");
        assert!(scrape(&none).await, "{none}");
    }
    let seen = async {
        while overview(&running).await["overload"] != json!("admission") {
            bystander.is_well().await;
        }
    };
    tests::harness::within(tests::harness::PATIENCE, "the overview", seen).await;
    let seen = overview(&running).await;
    assert_eq!((&seen["overload_steps"], &seen["room"]), (&json!(8), &json!(0)));
    assert_eq!(seen["sessions"][0]["overload"], json!("admission"), "{seen}");

    overload.stand_in(Some(0.1));
    eventually("the door opens", || !overload.restraint().is_closed()).await;
    let guest = Bystander::join(running.address, "Guest").await;
    bystander.is_well().await;
    drop((bystander, guest));
    running.stop().await.expect("a proper end");
}
