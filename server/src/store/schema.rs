//! The database file: where it is, what is in it, and how an older one becomes one of today.

use rusqlite::Connection;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The file in the data folder.
pub const FILE_NAME: &str = "gamekeeper.sqlite3";
/// The file beside it that a server holds for as long as it has the database.
const LOCK_NAME: &str = "gamekeeper.lock";
/// For how long a start waits for a server that is just ending to let go of the folder; then it fails.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(5);
/// How often it looks meanwhile.
const LOCK_LOOKS: Duration = Duration::from_millis(10);
/// For how long a statement waits for another program that has the file locked; then it fails.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// From each version of the schema to the next, in order. What has been released is never edited: a change
/// is a further one at the end.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE results (
        id INTEGER PRIMARY KEY,
        code TEXT NOT NULL,
        name TEXT NOT NULL,
        mode TEXT NOT NULL,
        public INTEGER NOT NULL,
        round INTEGER NOT NULL,
        ended INTEGER NOT NULL, -- ms since 1970
        seconds INTEGER NOT NULL,
        teams TEXT NOT NULL -- JSON: points of each
    ) STRICT;
    CREATE INDEX results_by_code ON results (code, id);
    CREATE INDEX results_by_time ON results (ended) WHERE public;
    CREATE TABLE places (
        result INTEGER NOT NULL REFERENCES results ON DELETE CASCADE,
        line INTEGER NOT NULL,
        place INTEGER NOT NULL,
        player INTEGER NOT NULL,
        name TEXT NOT NULL,
        visitor BLOB, -- by what a browser is known again; NULL for who did not say
        computer INTEGER NOT NULL,
        team INTEGER NOT NULL,
        score INTEGER NOT NULL,
        kills INTEGER NOT NULL,
        deaths INTEGER NOT NULL,
        figures TEXT NOT NULL, -- JSON: by name
        PRIMARY KEY (result, line)
    ) STRICT, WITHOUT ROWID;
    -- Everybody's best round that counts: it stays when its result has made room for newer ones.
    CREATE TABLE best (
        who BLOB PRIMARY KEY, -- the visitor, or else the name behind a byte
        name TEXT NOT NULL,
        score INTEGER NOT NULL,
        kills INTEGER NOT NULL,
        deaths INTEGER NOT NULL,
        ended INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX best_by_score ON best (score DESC, ended);
",
    "
    CREATE TABLE open_sessions (
        code TEXT PRIMARY KEY,
        settings TEXT NOT NULL, -- JSON
        host BLOB -- who shows it is the host; NULL where nobody is
    ) STRICT, WITHOUT ROWID;
    -- Addresses from which nobody is let in.
    CREATE TABLE bans (
        address TEXT PRIMARY KEY,
        since INTEGER NOT NULL, -- ms since 1970, as are all times
        until INTEGER NOT NULL,
        reason TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- What the server's operator did.
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        address TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        outcome TEXT NOT NULL
    ) STRICT;
",
    "
    -- Where open sessions stand.
    CREATE TABLE checkpoints (
        code TEXT PRIMARY KEY,
        at INTEGER NOT NULL,
        state BLOB NOT NULL
    ) STRICT;
",
    "
    -- What rounds looked like.
    CREATE TABLE recordings (
        id TEXT PRIMARY KEY, -- whoever knows it may look
        code TEXT NOT NULL,
        began INTEGER NOT NULL, -- ms since 1970
        bytes INTEGER NOT NULL,
        result INTEGER REFERENCES results ON DELETE CASCADE -- NULL until there is one
    ) STRICT;
    CREATE INDEX recordings_by_code ON recordings (code, began);
    CREATE INDEX recordings_by_time ON recordings (began);
    CREATE UNIQUE INDEX recordings_by_result ON recordings (result);
    CREATE TABLE chapters (
        recording TEXT NOT NULL REFERENCES recordings ON DELETE CASCADE,
        number INTEGER NOT NULL,
        chapter BLOB NOT NULL,
        PRIMARY KEY (recording, number)
    ) STRICT;
",
    "
    ALTER TABLE bans ADD COLUMN lifted INTEGER NOT NULL DEFAULT 0; -- 1 where that was taken back
",
    "
    -- What a game counts is its own business, and among the figures.
    ALTER TABLE places DROP COLUMN kills;
    ALTER TABLE places DROP COLUMN deaths;
    ALTER TABLE best ADD COLUMN figures TEXT NOT NULL DEFAULT '{}'; -- JSON: by name
    UPDATE best SET figures = json_object('kills', kills, 'deaths', deaths) WHERE kills OR deaths;
    ALTER TABLE best DROP COLUMN kills;
    ALTER TABLE best DROP COLUMN deaths;
",
    "
    -- Whether a round counts for the leaderboard. Those of all public sessions did before, and what is in `best` stays.
    ALTER TABLE results ADD COLUMN counts INTEGER NOT NULL DEFAULT 0;
    UPDATE results SET counts = public;
",
];

/// Why there is no database. Each is a sentence for who started the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("Cannot make the folder {}: {}; choose another with --data.", .0.display(), .1)]
    Folder(PathBuf, io::Error),
    /// A newer version wrote it.
    #[error(
        "{} was written by a newer version of Gamekeeper (schema {found}, this one knows {known}); run that \
         version, or choose another folder with --data.", .path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema's version.
        found: usize,
        /// The newest that is known here.
        known: usize,
    },
    /// Another server has it.
    #[error("Another server runs with the folder {}; give each its own with --data.", .0.display())]
    Taken(PathBuf),
    /// SQLite refuses the file.
    #[error("Cannot use {} as a database: {}; choose another folder with --data.", .0.display(), .1)]
    Database(PathBuf, rusqlite::Error),
    /// No thread.
    #[error("Cannot start the store's thread: {0}.")]
    Thread(io::Error),
}

/// Opens the database in `data`, or one in memory, and brings it up to date.
pub(super) fn open(data: Option<&Path>) -> Result<Connection, OpenError> {
    let path = data.map_or(PathBuf::from(":memory:"), |folder| folder.join(FILE_NAME));
    let broken = |error| OpenError::Database(path.clone(), error);
    let mut db = match data {
        Some(_) => Connection::open(&path),
        None => Connection::open_in_memory(),
    }
    .map_err(broken)?;
    prepare(&db).map_err(broken)?;
    let found: usize = db
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map(|version| usize::try_from(version).unwrap_or(usize::MAX))
        .map_err(broken)?;
    let known = MIGRATIONS.len();
    if found > known {
        return Err(OpenError::Newer { path, found, known });
    }
    migrate(&mut db, found).map_err(broken)?;
    Ok(db)
}

/// Takes the folder, which is made if it is missing, for this process, as long as the file is open: two servers in one
/// folder would run the same sessions, and forget each other's. Waits at most so long for one that has it.
pub(super) fn lock(folder: &Path, wait: Duration) -> Result<File, OpenError> {
    let broken = |error| OpenError::Folder(folder.to_owned(), error);
    make_folder(folder).map_err(broken)?;
    let mut options = File::options();
    let file = options.create(true).truncate(false).write(true).open(folder.join(LOCK_NAME));
    let file = file.map_err(broken)?;
    let until = Instant::now() + wait;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(LOCK_LOOKS);
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::Taken(folder.to_owned())),
            Err(TryLockError::Error(error)) => {
                // Some network file systems know no locks.
                tracing::warn!(%error, "cannot see whether another server has the data folder");
                return Ok(file);
            }
        }
    }
}

/// Makes the folder if it is missing; what is in it is for the server's user alone, as hosts' secrets are among it.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY_WAIT)?;
    // Readers of other programs, such as a backup, do not wait for the writer, nor it for them.
    db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    // A power cut may cost the last results, and never the file.
    db.pragma_update(None, "synchronous", "normal")?;
    // A container whose file system is read-only has no folder for temporary files.
    db.pragma_update(None, "temp_store", "memory")?;
    db.pragma_update(None, "foreign_keys", true)
}

fn migrate(db: &mut Connection, from: usize) -> rusqlite::Result<()> {
    for (version, sql) in MIGRATIONS.iter().enumerate().skip(from) {
        let step = db.transaction()?;
        step.execute_batch(sql)?;
        step.pragma_update(None, "user_version", version as i64 + 1)?;
        step.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Period, leaderboard, operator, recordings, results, sessions};
    use super::*;

    /// A row of each table, as the version with so many migrations had it that made the table.
    const ROWS: [(usize, &str); 4] = [
        (
            1,
            r#"INSERT INTO results VALUES (1, 'AAAAA-AAAAA', 'Derby', '"teams"', 1, 3, 9, 60, '[7, 5]');
               INSERT INTO places VALUES (1, 1, 1, 0, 'Ada', NULL, 0, 1, 50, 4, 2, '{"coins":3}');
               INSERT INTO best VALUES (x'01', 'Ada', 50, 4, 2, 9);"#,
        ),
        (
            2,
            "INSERT INTO open_sessions VALUES ('AAAAA-AAAAA', '{\"name\":\"Derby\"}', NULL);
             INSERT INTO bans VALUES ('127.0.0.2', 1, 9000000000000, 'spam');
             INSERT INTO audit VALUES (1, 5, '127.0.0.1', 'ban', '127.0.0.2', 'done');",
        ),
        (3, "INSERT INTO checkpoints VALUES ('AAAAA-AAAAA', 8, x'0102');"),
        (
            4,
            "INSERT INTO recordings VALUES ('00000000000000ff', 'AAAAA-AAAAA', 7, 2, 1);
             INSERT INTO chapters VALUES ('00000000000000ff', 0, x'0304');",
        ),
    ];

    #[test]
    fn what_older_versions_kept_is_read_by_todays() {
        for from in 1..=MIGRATIONS.len() {
            let mut db = Connection::open_in_memory().unwrap();
            for (version, sql) in (1..).zip(&MIGRATIONS[..from]) {
                db.execute_batch(sql).unwrap();
                let rows = ROWS.iter().filter(|&&(since, _)| since == version);
                rows.for_each(|(_, rows)| db.execute_batch(rows).unwrap());
            }
            migrate(&mut db, from).unwrap();

            let code = "AAAAA-AAAAA".parse().unwrap();
            let [kept] = &results::of(&mut db, code, None, 9).unwrap()[..] else { panic!("one") };
            let result = &kept.result;
            assert_eq!(
                (kept.at, &*result.name, result.round, &*result.teams),
                (9, "Derby", 3, &[7, 5][..])
            );
            let place = &result.places[0];
            assert_eq!((&*place.name, place.team, place.score), ("Ada", 1, 50));
            assert_eq!(place.figures["coins"], 3);
            let best = &leaderboard::best(&mut db, Period::All, 9, 10).unwrap()[0];
            assert_eq!((&*best.name, best.score, best.figures["kills"]), ("Ada", 50, 4));
            if from >= 2 {
                let ban = &operator::bans(&db, 10).unwrap()[0];
                assert_eq!((&*ban.reason, ban.since, ban.lifted), ("spam", 1, false));
                assert_eq!(operator::audit(&db, 9).unwrap()[0].target, "127.0.0.2");
                assert_eq!(sessions::all(&db).unwrap()[0].settings.name, "Derby");
            }
            if from >= 3 {
                assert_eq!(sessions::checkpoint(&db, code, 8), Ok(Some(vec![1, 2])));
            }
            if from >= 4 {
                let id = "00000000000000ff".parse().unwrap();
                assert_eq!(kept.recording, Some(id));
                assert_eq!(recordings::chapter(&db, id, 0), Ok(Some(vec![3, 4])));
            }
        }
    }

    #[test]
    fn the_best_rounds_keep_what_was_counted_in_columns_once() {
        const WITH_COLUMNS: usize = 5;
        let mut db = Connection::open_in_memory().unwrap();
        for sql in &MIGRATIONS[..WITH_COLUMNS] {
            db.execute_batch(sql).unwrap();
        }
        let sql =
            "INSERT INTO best VALUES (x'01', 'Ada', 50, 4, 2, 9), (x'02', 'Ben', 30, 0, 0, 8)";
        db.execute(sql, []).unwrap();
        migrate(&mut db, WITH_COLUMNS).unwrap();
        let mut told = db.prepare("SELECT name, figures FROM best ORDER BY score DESC").unwrap();
        let told = told.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let told: Vec<(String, String)> = told.collect::<Result<_, _>>().unwrap();
        let told: Vec<_> = told.iter().map(|(name, figures)| (&**name, &**figures)).collect();
        assert_eq!(told, [("Ada", r#"{"kills":4,"deaths":2}"#), ("Ben", "{}")]);
    }
}
