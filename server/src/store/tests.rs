//! Stories about what is kept and what is not.

use super::*;
use crate::session::result::{Place, RoundResult};
use crate::session::settings::{Mode, SessionSettings};
use shared::wire::Visitor;
use std::path::PathBuf;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const NOW: u64 = 100 * DAY_MS;

/// A folder that is gone with the story.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("gamekeeper-{:032x}", rand::random::<u128>())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
#[test]
fn the_folder_is_for_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    drop(Store::open(Some(&folder.0)).unwrap());
    let mode = std::fs::metadata(&folder.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "{mode:o}");
}

fn place(name: &str, visitor: u8, score: i32) -> Place {
    Place {
        place: 1,
        player: 7,
        name: name.into(),
        computer: false,
        team: 0,
        score,
        figures: [("kills".to_owned(), score / 10), ("deaths".to_owned(), 1)].into(),
        visitor: Visitor([visitor; 16]),
    }
}

fn result(public: bool, at: u64, places: Vec<Place>) -> KeptResult {
    let result = RoundResult {
        name: "Arena 1".into(),
        mode: Mode::Teams,
        public,
        counts: public,
        round: 3,
        seconds: 300,
        teams: vec![20, -5],
        places,
    };
    KeptResult { result, at, recording: None }
}

/// As it comes back: without what nobody is told.
fn shown(mut kept: KeptResult) -> KeptResult {
    kept.result.places.iter_mut().for_each(|place| place.visitor = Visitor::default());
    kept
}

async fn best(store: &Store, period: Period) -> Vec<(u32, String, i32)> {
    let rows = store.leaderboard(period, LEADERBOARD_MAX, NOW).await.unwrap();
    rows.into_iter().map(|row| (row.place, row.name, row.score)).collect()
}

#[tokio::test]
async fn rounds_that_do_not_count_are_kept_and_on_no_board() {
    let store = Store::open(None).unwrap();
    let mut kept = result(true, NOW, vec![place("Ann", 1, 50)]);
    kept.result.counts = false;
    store.keep(SessionCode::random(), kept.clone());
    for period in [Period::Day, Period::All] {
        assert_eq!(best(&store, period).await, []);
    }
    assert_eq!(store.recent(9).await.unwrap(), [shown(kept)]);
}

#[tokio::test]
async fn results_survive_a_restart_with_hostile_names_as_they_are() {
    let folder = Folder::new();
    let code = SessionCode::random();
    let names = ["Robert'); DROP TABLE results;--", "<b>&\"'", "日本語 👾", "%_\\", "n"];
    let places = names.iter().enumerate().map(|(n, name)| place(name, n as u8, 90 - n as i32));
    let kept = result(true, NOW, places.collect());
    {
        let store = Store::open(Some(&folder.0)).unwrap();
        store.keep(code, kept.clone());
        store.settled().await.unwrap();
    }
    // A backup of the one file is enough.
    let backup = Folder::new();
    std::fs::create_dir(&backup.0).unwrap();
    std::fs::copy(folder.0.join(FILE_NAME), backup.0.join(FILE_NAME)).unwrap();
    let copied = Store::open(Some(&backup.0)).unwrap();
    assert_eq!(copied.recent(10).await.unwrap(), [shown(kept.clone())]);
    let store = Store::open(Some(&folder.0)).unwrap();
    assert_eq!(store.recent(10).await.unwrap(), [shown(kept.clone())]);
    assert_eq!(store.of(code, None, 10).await.unwrap(), [shown(kept)]);
    assert_eq!(store.of(SessionCode::random(), None, 10).await.unwrap(), []);
    let rows = best(&store, Period::All).await;
    assert_eq!(rows.iter().map(|row| row.1.as_str()).collect::<Vec<_>>(), names);
    assert_eq!(rows, best(&store, Period::Day).await);
    assert_eq!(store.lost_results(), 0);
}

#[tokio::test]
async fn a_newer_database_is_refused_with_a_sentence() {
    let folder = Folder::new();
    drop(Store::open(Some(&folder.0)).unwrap());
    let db = Connection::open(folder.0.join(FILE_NAME)).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let said = Store::open(Some(&folder.0)).unwrap_err().to_string();
    assert!(said.contains("newer version") && said.contains("--data"), "{said}");
    std::fs::write(folder.0.join(FILE_NAME), "no database at all, and longer than a header of one")
        .unwrap();
    let said = Store::open(Some(&folder.0)).unwrap_err().to_string();
    assert!(said.contains("Cannot use"), "{said}");
    let said = Store::open(Some(&folder.0.join(FILE_NAME))).unwrap_err().to_string();
    assert!(said.contains("Cannot make the folder"), "{said}");
}

#[tokio::test]
async fn the_leaderboard_has_everybodys_best_public_round_once() {
    let store = Store::open(None).unwrap();
    let code = SessionCode::random();
    let computer = Place { computer: true, ..place("Pilot", 0, 900) };
    let all = [
        (true, NOW - 1, vec![place("Ann", 1, 50), place("Bob", 2, 50), computer]),
        (true, NOW - 2, vec![place("Ann again", 1, 70), place("Bob", 2, 10), place("Zero", 3, 0)]),
        (false, NOW - 3, vec![place("Friend", 4, 800)]),
        (true, NOW - 2 * DAY_MS, vec![place("Weekly", 5, 90), place("Nobody's", 0, 60)]),
        (true, NOW - 2 * DAY_MS, vec![place("Nobody's", 0, 65), place("Nobody", 0, 60)]),
        (true, NOW - 9 * DAY_MS, vec![place("Old", 6, 70)]),
    ];
    for (public, at, places) in all {
        store.keep(code, result(public, at, places));
    }
    let row = |place, name: &str, score| (place, name.to_owned(), score);
    let day = [row(1, "Ann again", 70), row(2, "Bob", 50)];
    assert_eq!(best(&store, Period::Day).await, day);
    let week = [
        row(1, "Weekly", 90),
        row(2, "Ann again", 70),
        row(3, "Nobody's", 65),
        row(4, "Nobody", 60),
        row(5, "Bob", 50),
    ];
    assert_eq!(best(&store, Period::Week).await, week);
    let ever = [row(1, "Weekly", 90), row(2, "Old", 70), row(2, "Ann again", 70)];
    assert_eq!(best(&store, Period::All).await[..3], ever);
    // Private results are for who has the code.
    assert_eq!(store.recent(100).await.unwrap().len(), 5);
    assert_eq!(store.of(code, None, 100).await.unwrap().len(), 6);
    assert_eq!(store.leaderboard(Period::All, 1, NOW).await.unwrap().len(), 1);
}

#[test]
fn the_best_and_the_newest_of_ten_thousand_results_are_found() {
    let mut db = schema::open(None).unwrap();
    let code = SessionCode::random();
    for n in 0..10_000_u64 {
        let places =
            (0..8).map(|k| place(&format!("Player {k}"), (n + k) as u8 | 1, (n % 97) as i32));
        results::keep(&mut db, code, &result(true, NOW - n, places.collect())).unwrap();
    }
    for period in [Period::Day, Period::Week, Period::All] {
        assert_eq!(leaderboard::best(&mut db, period, 100, NOW).unwrap()[0].score, 96);
    }
    assert_eq!(results::recent(&mut db, 20).unwrap()[0].at, NOW);
}

/// As if at least so many more had come of sessions that are `public` and whose rounds count; with the next one old ones go.
fn more(db: &Connection, (public, counts): (bool, bool), results: i64) {
    let newest: i64 = db.query_row("SELECT max(id) FROM results", [], |row| row.get(0)).unwrap();
    let sql = "WITH RECURSIVE n (id) AS (SELECT ?1 UNION ALL SELECT id + 1 FROM n WHERE id < ?2) \
               INSERT INTO results (id, code, name, mode, public, counts, round, ended, seconds, teams) \
               SELECT id, 'x', 'x', '\"teams\"', ?3, ?4, 1, 1, 1, '[]' FROM n";
    db.execute(sql, (newest + 1, (newest + results) / 64 * 64 + 63, public, counts)).unwrap();
}

#[test]
fn rounds_of_visitors_push_out_none_that_count_and_private_ones_none_that_are_public() {
    let mut db = schema::open(None).unwrap();
    let [first, public, private] = [(); 3].map(|()| SessionCode::random());
    results::keep(&mut db, first, &result(true, NOW, vec![place("First", 1, 5)])).unwrap();
    for (code, is_public) in [(public, true), (private, false)] {
        more(&db, (is_public, false), RESULTS_MAX * 2);
        let mut later = result(is_public, NOW, vec![place("Later", 2, 5)]);
        later.result.counts = false;
        results::keep(&mut db, code, &later).unwrap();
        let count = "SELECT count(*) FROM results WHERE public = ? AND NOT counts";
        let count = db.query_row(count, [is_public], |row| row.get::<_, i64>(0));
        assert_eq!(count, Ok(VISITORS_RESULTS_MAX));
    }
    for code in [first, public, private] {
        assert_eq!(results::of(&mut db, code, None, 10).unwrap().len(), 1);
    }
}

#[test]
fn of_many_computer_pilots_the_best_have_a_line_and_of_people_all() {
    let mut db = schema::open(None).unwrap();
    let code = SessionCode::random();
    let pilot = |n| Place { computer: true, ..place("Pilot", 0, 900 - n) };
    let places = (0..200).map(pilot).chain([place("Ann", 1, 5)]).collect();
    results::keep(&mut db, code, &result(true, NOW, places)).unwrap();
    let kept = &results::of(&mut db, code, Some(3), 1).unwrap()[0].result.places;
    assert_eq!((kept.len(), &*kept[64].name), (65, "Ann"));
    // A list of results has their best alone.
    for listed in [results::of(&mut db, code, None, 1), results::recent(&mut db, 1)] {
        assert_eq!(listed.unwrap()[0].result.places, kept[..LISTED_LINES]);
    }
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let folder = Folder::new();
    let lock = schema::lock(&folder.0, Duration::ZERO).unwrap();
    let said = schema::lock(&folder.0, Duration::ZERO).unwrap_err().to_string();
    assert!(said.contains("Another server") && said.contains("--data"), "{said}");
    drop(lock);
    let store = Store::open(Some(&folder.0)).unwrap();
    assert!(schema::lock(&folder.0, Duration::ZERO).is_err());
    drop(store);
    // The store's thread is about to end.
    assert!(schema::lock(&folder.0, LOCK_WAIT).is_ok());
}

#[tokio::test]
async fn a_session_that_could_not_be_kept_is_known_not_to_be() {
    let folder = Folder::new();
    let store = Store::open(Some(&folder.0)).unwrap();
    let session = OpenSession {
        code: SessionCode::random(),
        settings: SessionSettings::default(),
        host: None,
    };
    let is_kept = Arc::new(AtomicBool::new(false));
    let keep = async || {
        store.remember(session.clone(), &is_kept);
        store.settled().await.unwrap();
        is_kept.load(Ordering::Relaxed)
    };
    let db = Connection::open(folder.0.join(FILE_NAME)).unwrap();
    db.execute("ALTER TABLE open_sessions RENAME TO away", []).unwrap();
    assert!(!keep().await);
    db.execute("ALTER TABLE away RENAME TO open_sessions", []).unwrap();
    assert!(keep().await);
    // What is left of others goes with the next start.
    let other = SessionCode::random();
    for code in [session.code, other] {
        store.keep_checkpoint(code, Some(vec![1]));
    }
    assert_eq!(store.open_sessions().await, Ok(vec![session.clone()]));
    assert_eq!(store.checkpoint(session.code).await, Ok(Some(vec![1])));
    assert_eq!(store.checkpoint(other).await, Ok(None));
}

#[test]
fn the_oldest_results_make_room_and_the_best_stay() {
    let mut db = schema::open(None).unwrap();
    let (first, later) = (SessionCode::random(), SessionCode::random());
    results::keep(&mut db, first, &result(true, NOW, vec![place("First", 1, 500)])).unwrap();
    more(&db, (true, true), RESULTS_MAX);
    results::keep(&mut db, later, &result(true, NOW, vec![place("Later", 2, 5)])).unwrap();
    assert_eq!(results::of(&mut db, first, None, 10).unwrap(), []);
    assert_eq!(results::of(&mut db, later, None, 10).unwrap().len(), 1);
    let places = db.query_row("SELECT count(*) FROM places", [], |row| row.get::<_, i64>(0));
    assert_eq!(places, Ok(1));
    assert_eq!(leaderboard::best(&mut db, Period::All, 10, NOW).unwrap()[0].name, "First");
}

#[tokio::test]
async fn a_disk_that_refuses_costs_a_result_and_nothing_else() {
    let folder = Folder::new();
    let store = Store::open(Some(&folder.0)).unwrap();
    let db = Connection::open(folder.0.join(FILE_NAME)).unwrap();
    db.execute("DROP TABLE places", []).unwrap();
    store.keep(SessionCode::random(), result(true, NOW, vec![place("Ann", 1, 5)]));
    store.settled().await.unwrap();
    assert_eq!(store.lost_results(), 1);
    // Nothing half.
    assert_eq!(store.recent(10).await.unwrap(), []);
}

#[tokio::test]
async fn where_sessions_stand_is_kept_for_a_while_and_as_long_as_they_are_open() {
    let folder = Folder::new();
    let (one, other) = (SessionCode::random(), SessionCode::random());
    let store = Store::open(Some(&folder.0)).unwrap();
    store.keep_checkpoint(one, Some(vec![1; 200_000]));
    store.keep_checkpoint(one, Some(vec![2; 200_000]));
    store.keep_last_checkpoint(other, Some(vec![3])).await;
    store.settled().await.unwrap();
    drop(store);
    let store = Store::open(Some(&folder.0)).unwrap();
    assert_eq!(store.checkpoint(one).await, Ok(Some(vec![2; 200_000])));
    assert_eq!(store.checkpoint(other).await, Ok(Some(vec![3])));
    store.forget(one);
    store.keep_checkpoint(other, None);
    for code in [one, other] {
        assert_eq!(store.checkpoint(code).await, Ok(None));
    }
    assert!(store.outlives_the_process());
    assert!(!Store::open(None).unwrap().outlives_the_process());

    let db = schema::open(None).unwrap();
    sessions::keep_checkpoint(&db, one, NOW, Some(&[1])).unwrap();
    assert_eq!(sessions::checkpoint(&db, one, NOW), Ok(Some(vec![1])));
    assert_eq!(sessions::checkpoint(&db, one, NOW + 1), Ok(None), "too old");
}

#[tokio::test]
async fn while_the_disk_has_much_to_do_there_is_room_for_results_alone() {
    let store = Store::open(None).unwrap();
    let (go_on, waiting) = std::sync::mpsc::channel::<()>();
    let busy = move |_: &mut Connection| {
        let _ = waiting.recv();
        Ok(())
    };
    assert!(store.tell(What::Session, busy));
    while store.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    let code = SessionCode::random();
    let keep = |count| (0..count).for_each(|_| store.keep(code, result(true, NOW, Vec::new())));
    keep(QUEUE_MAX - FOR_RESULTS);
    assert_eq!(store.recent(1).await, Err(NoAnswer));
    store.keep_checkpoint(code, Some(vec![1]));
    assert_eq!((store.lost_results(), store.lost_writes()), (0, 1));
    keep(FOR_RESULTS);
    assert_eq!(store.lost_results(), 0);
    keep(1);
    assert_eq!((store.lost_results(), store.waiting()), (1, QUEUE_MAX));
    drop(go_on);
    store.settled().await.unwrap();
    assert_eq!(store.of(code, None, u32::MAX).await.unwrap().len(), QUEUE_MAX);
    assert_eq!(store.checkpoint(code).await, Ok(None));
}

#[tokio::test]
async fn a_store_that_broke_says_so_and_holds_nobody_up() {
    let store = Store::open(None).unwrap();
    assert!(store.is_working());
    store.tell(What::Session, |_| panic!("as a test wants it"));
    assert_eq!(store.settled().await, Err(NoAnswer));
    assert!(!store.is_working());
    store.keep(SessionCode::random(), result(true, NOW, Vec::new()));
    store.keep_last_checkpoint(SessionCode::random(), None).await;
    assert_eq!((store.lost_results(), store.lost_writes()), (1, 1));
    assert_eq!(store.recent(1).await, Err(NoAnswer));
}
