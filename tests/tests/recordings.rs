//! Rounds that are looked at again: with each game, tick for tick what the world was; and through a real server, its store
//! and its API.

use server::code::SessionCode;
use server::session::acts::{HostAction, OperatorAction, Order};
use server::session::recording::Recorded;
use server::session::rounds::{RESULTS_SECONDS, WARM_UP_SECONDS};
use server::session::settings::PilotCount;
use server::session::{Provided, Session, SessionConfig};
use shared::game::{Game, Setup};
use shared::netcode::client::{Client, News};
use shared::netcode::conditions::Conditions;
use shared::netcode::frame::{Part, Parts, TYPE_MASK};
use shared::netcode::recording::{CHAPTER_SECONDS, Recording, RecordingError};
use shared::wire::close::CloseCode;
use shared::wire::message::{self, ClientMessage, Phase, ServerMessage};
use shared::wire::{Protocol, Rows};
use tests::buoys::Buoys;
use tests::harness::{Running, eventually, hasty};
use tests::http::result_of_nobody;
use tests::scripted::Scripted;
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    a_recording_shows_every_tick_as_it_was,
    any_place_in_it_can_be_looked_at,
    who_watches_and_what_a_host_does_is_in_none,
    a_round_without_a_result_has_none,
    after_a_restart_it_goes_on,
}

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);
const ROUND_S: u32 = 25;
const TICK_MS: f64 = 1000.0 / 30.0;
/// For how long it goes on after the result, in ticks.
const AFTERWARDS_TICKS: u32 = 3 * 30;

fn config<G: Game>(seed: u64, round_s: u32) -> SessionConfig<G::Settings> {
    let setup = Setup::new(G::Settings::default(), seed, 30);
    let pilots = PilotCount::FillUpTo(6);
    let provided = Provided { records: true, ..Provided::default() };
    SessionConfig { round_s, pilots, provided, ..SessionConfig::new(setup) }
}

/// What everybody may know of a world: of each kind ids and rows.
type Public = Vec<Vec<(u32, Vec<i32>)>>;

fn public<G: Game>(rows: &Rows) -> Public {
    let of = |kind| {
        let mut rows: Vec<_> =
            rows.table(kind).iter().map(|(id, row)| (id, row.to_vec())).collect();
        rows.sort();
        rows
    };
    Parts::of(G::KINDS).kinds(Part::Public).map(of).collect()
}

/// A round that was played, as it was recorded and as it was: what there was in each tick of it.
struct Played {
    recorded: Vec<Recorded>,
    worlds: Vec<Public>,
}

impl Played {
    fn bytes(&self) -> Vec<u8> {
        let bytes = self.recorded.iter().flat_map(|recorded| match recorded {
            Recorded::Begins(chapter)
            | Recorded::GoesOn(chapter)
            | Recorded::Afterwards(chapter) => chapter.clone(),
            Recorded::Abandoned => panic!("it was played to its end"),
        });
        bytes.collect()
    }

    fn recording<G: Game>(&self) -> Recording {
        Recording::read(self.bytes(), Protocol::of::<G>().hash).expect("it is one")
    }
}

/// Two guests and four pilots play a round; somebody comes and goes in it.
fn played<G: Game>(world: &mut World<G>) -> Played {
    world.join("Ann", LINE);
    world.join("Ben", LINE);
    let (mut worlds, mut recorded) = (Vec::new(), Vec::new());
    let end = 30 * (WARM_UP_SECONDS + ROUND_S + RESULTS_SECONDS - 1);
    let (comes, goes) = (30 * (WARM_UP_SECONDS + 12), 30 * (WARM_UP_SECONDS + 18));
    while world.session.tick_now() < end {
        let before = world.session.tick_now();
        world.run(10.0);
        let tick = world.session.tick_now();
        assert!(tick - before <= 1, "tick by tick");
        if tick > before && tick == comes {
            world.join("Cid", LINE);
        }
        if tick > before && tick == goes {
            world.leave(2);
        }
        if tick > before && world.session.status().round == 1 {
            worlds.push(public::<G>(world.session.world().now()));
        }
        recorded.extend(world.session.take_recorded());
    }
    worlds.truncate((ROUND_S * 30 + AFTERWARDS_TICKS) as usize);
    Played { recorded, worlds }
}

/// Whoever looks at a recording from where it stands.
struct Viewer<G: Game> {
    client: Client<G>,
    told: Vec<ServerMessage>,
}

impl<G: Game> Viewer<G> {
    fn new() -> Self {
        let mut client = Client::new("");
        client.hello(0.0);
        Self { client, told: Vec::new() }
    }

    /// Takes what there is up to the next frame; whether there was one.
    fn look(&mut self, recording: &mut Recording) -> bool {
        while let Some(message) = recording.next_message().map(<[u8]>::to_vec) {
            let now = f64::from(recording.position()) * TICK_MS;
            self.client.receive(&message, now).expect("it can be read");
            while let Some(news) = self.client.news() {
                if let News::Said(said) = news {
                    self.told.push(said);
                }
            }
            if message[0] & TYPE_MASK != message::TYPE {
                return true;
            }
        }
        false
    }

    fn sees(&self) -> Public {
        public::<G>(self.client.view().expect("a frame").rows)
    }
}

fn a_recording_shows_every_tick_as_it_was<G: Game>() {
    let mut world = World::<G>::open(config::<G>(140, ROUND_S));
    let played = played(&mut world);
    let [Recorded::Begins(_), middle @ .., Recorded::Afterwards(_)] = &played.recorded[..] else {
        panic!("a beginning and an end");
    };
    assert!(middle.iter().all(|chapter| matches!(chapter, Recorded::GoesOn(_))));
    assert_eq!(middle.len(), (ROUND_S / u32::from(CHAPTER_SECONDS)) as usize);
    let mut recording = played.recording::<G>();
    assert_eq!(recording.tick_rate(), 30);
    assert_eq!(recording.ticks() as usize, played.worlds.len());
    let mut viewer = Viewer::<G>::new();
    for (tick, world) in played.worlds.iter().enumerate() {
        assert!(viewer.look(&mut recording), "{tick}");
        assert!(viewer.sees() == *world, "another world in tick {tick}");
    }
    assert!(!viewer.look(&mut recording), "that is all");
    let stats = viewer.client.stats();
    assert_eq!((stats.mismatches, stats.refused), (0, 0));
    // Who came and went, how it stood and how it ended, and nothing that was said.
    let names = |said: &ServerMessage| match said {
        ServerMessage::Roster { joined, .. } => joined.iter().map(|e| e.name.clone()).collect(),
        _ => Vec::new(),
    };
    let names: Vec<_> = viewer.told.iter().flat_map(names).collect();
    for name in ["Ann", "Ben", "Cid"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    let count = |is: fn(&ServerMessage) -> bool| viewer.told.iter().filter(|said| is(said)).count();
    assert_eq!(count(|said| matches!(said, ServerMessage::Results { recorded: true, .. })), 1);
    assert!(count(|said| matches!(said, ServerMessage::Standings { .. })) > ROUND_S as usize / 2);
    assert_eq!(count(|said| matches!(said, ServerMessage::Welcome { .. })), 1);
    let phases = viewer.told.iter().filter_map(|said| match said {
        ServerMessage::Phase { phase, .. } => Some(*phase),
        _ => None,
    });
    assert_eq!(phases.collect::<Vec<_>>(), [Phase::Play, Phase::Results]);
}

fn any_place_in_it_can_be_looked_at<G: Game>() {
    let mut world = World::<G>::open(config::<G>(141, ROUND_S));
    let played = played(&mut world);
    let mut recording = played.recording::<G>();
    let last = recording.ticks() - 1;
    for tick in [last, 0, 299, 300, 301, 555, last] {
        recording.seek(tick);
        let first = recording.position();
        assert!(tick - first < 30 * u32::from(CHAPTER_SECONDS), "{first} is far from {tick}");
        let mut viewer = Viewer::<G>::new();
        while recording.position() <= tick {
            assert!(viewer.look(&mut recording));
        }
        assert!(viewer.sees() == played.worlds[tick as usize], "another world in tick {tick}");
    }
    let bytes = played.bytes();
    let other = Recording::read(bytes, Protocol::of::<G>().hash ^ 1).unwrap_err();
    assert_eq!(other, RecordingError::OtherRules);
}

fn who_watches_and_what_a_host_does_is_in_none<G: Game>() {
    let mut world = World::<G>::open(config::<G>(145, ROUND_S));
    world.join("Ann", LINE);
    world.join("Ben", LINE);
    world.run(f64::from(WARM_UP_SECONDS + 2) * 1000.0);
    let number = |world: &World<G>, guest: usize| world.guests[guest].client.me().expect("let in");
    let (ann, ben) = (number(&world, 0), number(&world, 1));
    let eve = world.join_as("Eve", LINE, |hello| hello.watch = true);
    for action in
        [HostAction::HandOver { player: ann.0 }, HostAction::Mute { player: ann.0, muted: true }]
    {
        assert_eq!(world.order(Order::Operator(OperatorAction::AsHost(action))), Ok(()));
    }
    world.run(1000.0);
    let eve = number(&world, eve);
    world.guests[1].client.say(&ClientMessage::Watch(true));
    // Over the beginning of a chapter.
    world.run(f64::from(CHAPTER_SECONDS) * 1000.0);
    world.leave(2);
    world.guests[1].client.say(&ClientMessage::Watch(false));
    world.run(f64::from(ROUND_S) * 1000.0);
    let recorded = world.session.take_recorded();
    let mut recording = Played { recorded, worlds: Vec::new() }.recording::<G>();
    let mut viewer = Viewer::<G>::new();
    while viewer.look(&mut recording) {}
    let told = viewer.told.iter().filter_map(|said| match said {
        ServerMessage::Roster { joined, left, .. } => Some((joined, left)),
        _ => None,
    });
    let (joined, left): (Vec<_>, Vec<_>) = told.unzip();
    let joined: Vec<_> = joined.into_iter().flatten().collect();
    assert!(joined.iter().all(|entry| !(entry.watching || entry.host || entry.muted)));
    assert!(joined.iter().all(|entry| entry.player != eve && entry.name != "Eve"));
    let left: Vec<_> = left.into_iter().flatten().collect();
    assert!(left.contains(&&ben) && !left.contains(&&eve), "{left:?}");
    let of_ben = joined.iter().filter(|entry| entry.player == ben).count();
    assert!(of_ben > 1, "who plays again is there again");
}

fn a_round_without_a_result_has_none<G: Game>() {
    // Everybody leaves.
    let mut world = World::<G>::open(config::<G>(142, ROUND_S));
    world.join("Ann", LINE);
    world.run(f64::from(WARM_UP_SECONDS + 15) * 1000.0);
    assert!(matches!(world.session.take_recorded()[..], [Recorded::Begins(_)]));
    world.leave(0);
    world.run(1000.0);
    assert_eq!(world.session.take_recorded(), [Recorded::Abandoned]);
    // There are no rounds, or nobody wants recordings.
    for (round_s, records) in [(0, true), (ROUND_S, false)] {
        let provided = Provided { records, ..Provided::default() };
        let mut world = World::<G>::open(SessionConfig { provided, ..config::<G>(143, round_s) });
        world.join("Ann", LINE);
        world.run(f64::from(WARM_UP_SECONDS + ROUND_S + 6) * 1000.0);
        assert_eq!(world.session.take_recorded(), []);
        let told = world.guests[0]
            .news
            .iter()
            .any(|news| matches!(news, News::Said(ServerMessage::Results { recorded: true, .. })));
        assert!(!told, "nobody is shown the way to what is not there");
    }
}

fn after_a_restart_it_goes_on<G: Game>() {
    let mut world = World::<G>::open(config::<G>(144, ROUND_S));
    world.join("Ann", LINE);
    world.run(f64::from(WARM_UP_SECONDS + 13) * 1000.0);
    // The process ends well.
    world.session.end_chapter();
    let mut recorded = world.session.take_recorded();
    let checkpoint = world.session.checkpoint().expect("somebody is there");
    world.drop_line(0);
    world.session = Session::resume(config::<G>(144, ROUND_S), &checkpoint).expect("it is one");
    world.return_to_seat(0, LINE);
    world.run(f64::from(ROUND_S) * 1000.0);
    recorded.extend(world.session.take_recorded());
    assert!(recorded[1..].iter().all(|r| !matches!(r, Recorded::Begins(_) | Recorded::Abandoned)));
    let mut recording = Played { recorded, worlds: Vec::new() }.recording::<G>();
    assert!(recording.ticks() >= ROUND_S * 30);
    let mut viewer = Viewer::<G>::new();
    while viewer.look(&mut recording) {}
    assert_eq!(viewer.client.stats().mismatches, 0);
    assert!(viewer.told.iter().any(|said| matches!(said, ServerMessage::Results { .. })));
}

#[tokio::test]
async fn a_recording_is_told_of_once_there_is_a_result_until_there_is_no_room_for_it() {
    let running = Running::start(hasty());
    let store = &running.server.common.store;
    let (code, most) = (SessionCode::random(), 16);
    let path = format!("/api/sessions/{code}/results");
    let newest = async || {
        let results = running.get(&path).await.expect(200);
        results["results"][0]["recording"].as_str().map(str::to_owned)
    };
    store.record(code, Recorded::Begins(b"one ".to_vec()), most);
    store.record(code, Recorded::GoesOn(b"two ".to_vec()), most);
    store.keep(code, result_of_nobody());
    store.record(code, Recorded::Afterwards(b"three".to_vec()), most);
    let first = newest().await.expect("there is one");
    let recording = format!("/api/recordings/{first}");
    let answer = running.get(&recording).await;
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    let places = ["one ", "two ", "three"].map(|chapter| answer.body.find(chapter));
    assert!(places.is_sorted() && places[0].is_some(), "{}", answer.body);

    // The next round of the session: nobody is told of it before it has a result, or where it has none.
    store.record(code, Recorded::Begins(b"4".to_vec()), most);
    assert_eq!(newest().await.as_ref(), Some(&first));
    store.record(code, Recorded::Abandoned, most);
    store.keep(code, result_of_nobody());
    assert_eq!(newest().await, None);
    store.record(code, Recorded::Afterwards(b"!".to_vec()), most);
    assert!(!running.get(&recording).await.body.contains('!'), "that is the end of another round");
    // What another process began and this one has nothing of; the oldest makes room.
    store.record(code, Recorded::GoesOn(b"fourteen bytes".to_vec()), most);
    store.keep(code, result_of_nobody());
    assert!(newest().await.is_some_and(|id| id != first));
    for path in [&*recording, "/api/recordings/none", "/api/recordings/0123456789abcdef"] {
        assert!(running.get(path).await.problem(404).contains("no such recording"), "{path}");
    }
    running.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn what_was_recorded_of_a_round_that_is_ended_in_its_middle_is_not_kept() {
    let running = Running::start(hasty());
    let store = running.server.common.store.clone();
    let over = Some((CloseCode::Ended, "enough"));
    let recorded = vec![Recorded::Begins(b"half a round".to_vec())];
    let scripted = Scripted { over, recorded, ..Scripted::default() };
    let code = running.server.common.directory.adopt(scripted, Protocol::of::<Buoys>()).code;
    eventually("its end", || running.server.common.directory.get(code).is_none()).await;
    // All that sessions had to say was said.
    running.stop().await.unwrap();
    // Had it been kept, this would be its result.
    store.keep(code, result_of_nobody());
    let results = store.of(code, None, 1).await.expect("it is read");
    assert_eq!(results[0].recording, None);
}
