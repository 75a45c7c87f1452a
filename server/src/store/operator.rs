//! What the server's operator did, and whom they banned: in, and out again.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Lines of the audit log that are kept of what the operator did; the oldest make room for newer ones.
pub const AUDIT_MAX: i64 = 10_000;
/// Lines of the audit log that are kept of wrong tokens, which anybody can show: they make no room among the others.
pub const WRONG_TOKENS_MAX: i64 = 500;
/// What the audit log calls such a line's action.
pub const WRONG_TOKEN: &str = "wrong token";
/// Lines after which it is seen to that there are no more than that.
const TIDY_EVERY: i64 = 64;

/// An address that nobody is let in from, or of which that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBan {
    /// The address; of IPv6 the first of its /64 network.
    pub address: IpAddr,
    /// Since when, or when it was lifted, in ms since 1970 (UTC).
    pub since: u64,
    /// Until when, in ms since 1970 (UTC).
    pub until: u64,
    /// Why, in the operator's words.
    pub reason: String,
    /// Whether it was lifted before its time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lifted: bool,
}

/// Something that the operator did, or that somebody tried who is not the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// When, in ms since 1970 (UTC).
    pub at: u64,
    /// From which address.
    pub address: String,
    /// What.
    pub action: String,
    /// On what or whom.
    pub target: String,
    /// What came of it.
    pub outcome: String,
}

pub(super) fn bans(db: &Connection, now: u64) -> rusqlite::Result<Vec<KeptBan>> {
    db.execute("DELETE FROM bans WHERE until <= ?", [now as i64])?;
    let mut statement = db.prepare("SELECT address, since, until, reason, lifted FROM bans")?;
    let rows = statement.query_map([], |row| {
        let address: String = row.get(0)?;
        let [since, until] = [row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)? as u64];
        // What is no address was not written by us.
        let ban = address.parse().ok().map(|address| (address, since, until));
        Ok((ban, row.get(3)?, row.get(4)?))
    })?;
    let bans = rows.filter_map(|row| match row {
        Ok((Some((address, since, until)), reason, lifted)) => {
            Some(Ok(KeptBan { address, since, until, reason, lifted }))
        }
        Ok((None, ..)) => None,
        Err(error) => Some(Err(error)),
    });
    bans.collect()
}

pub(super) fn keep_bans(
    db: &mut Connection,
    bans: &[KeptBan],
    gone: &[IpAddr],
) -> rusqlite::Result<()> {
    let all = db.transaction()?;
    for ban in bans {
        let sql =
            "REPLACE INTO bans (address, since, until, reason, lifted) VALUES (?, ?, ?, ?, ?)";
        all.prepare_cached(sql)?.execute(params![
            ban.address.to_string(),
            ban.since as i64,
            ban.until as i64,
            ban.reason,
            ban.lifted
        ])?;
    }
    for address in gone {
        let sql = "DELETE FROM bans WHERE address = ?";
        all.prepare_cached(sql)?.execute([address.to_string()])?;
    }
    all.commit()
}

pub(super) fn note(db: &Connection, deed: &Deed) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit (at, address, action, target, outcome) VALUES (?, ?, ?, ?, ?)";
    let Deed { at, address, action, target, outcome } = deed;
    db.prepare_cached(sql)?.execute(params![*at as i64, address, action, target, outcome])?;
    let id = db.last_insert_rowid();
    if id % TIDY_EVERY == 0 {
        for (is_wrong, most) in [(true, WRONG_TOKENS_MAX), (false, AUDIT_MAX)] {
            // Where there are no more than that, the inner question has no answer and nothing goes.
            let sql = "DELETE FROM audit WHERE (action = ?1) = ?2 AND id <= \
                       (SELECT id FROM audit WHERE (action = ?1) = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)";
            db.prepare_cached(sql)?.execute(params![WRONG_TOKEN, is_wrong, most])?;
        }
    }
    Ok(())
}

pub(super) fn audit(db: &Connection, limit: u32) -> rusqlite::Result<Vec<Deed>> {
    let sql = "SELECT at, address, action, target, outcome FROM audit ORDER BY id DESC LIMIT ?";
    let mut statement = db.prepare_cached(sql)?;
    let deeds = statement.query_map([limit], |row| {
        Ok(Deed {
            at: row.get::<_, i64>(0)? as u64,
            address: row.get(1)?,
            action: row.get(2)?,
            target: row.get(3)?,
            outcome: row.get(4)?,
        })
    })?;
    deeds.collect()
}

#[cfg(test)]
mod tests {
    use crate::store::{AUDIT_MAX, Deed, KeptBan, Store, WRONG_TOKEN, WRONG_TOKENS_MAX};

    fn deed(at: u64) -> Deed {
        let text = |what: &str| what.to_owned();
        let (address, action) = (text("192.0.2.1"), text("kick"));
        Deed { at, address, action, target: text("7"), outcome: text("done") }
    }

    #[tokio::test]
    async fn the_newest_deeds_are_kept_and_come_first() {
        let store = Store::open(None).unwrap();
        let far = AUDIT_MAX as u64 + 200;
        for at in 1..=far {
            store.note(deed(at));
            if at % 100 == 0 {
                store.settled().await.unwrap();
            }
        }
        let all = store.audit(u32::MAX).await.unwrap();
        assert!(
            (AUDIT_MAX as usize..AUDIT_MAX as usize + 64).contains(&all.len()),
            "{}",
            all.len()
        );
        assert_eq!((all[0].clone(), all[1].at), (deed(far), far - 1));
        assert_eq!(store.audit(3).await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn who_guesses_pushes_out_nothing_but_guesses() {
        let store = Store::open(None).unwrap();
        store.note(deed(1));
        let guess = |at| Deed { action: WRONG_TOKEN.into(), ..deed(at) };
        let far = 1 + AUDIT_MAX as u64 + 200;
        for at in 2..=far {
            store.note(guess(at));
            if at % 100 == 0 {
                store.settled().await.unwrap();
            }
        }
        let all = store.audit(u32::MAX).await.unwrap();
        let guesses = all.len() - 1;
        assert!(
            (WRONG_TOKENS_MAX as usize..WRONG_TOKENS_MAX as usize + 64).contains(&guesses),
            "{guesses}"
        );
        assert_eq!((&all[0], &all[guesses]), (&guess(far), &deed(1)));
    }

    #[tokio::test]
    async fn bans_outlive_a_restart_and_ended_ones_do_not() {
        let folder = std::env::temp_dir().join(format!("gamekeeper-bans-{}", std::process::id()));
        let ban = |text: &str, until| KeptBan {
            address: text.parse().unwrap(),
            since: 1,
            until,
            reason: "it's \"them\"".into(),
            lifted: false,
        };
        let lifted = |ban| KeptBan { lifted: true, ..ban };
        let far = crate::store::unix_ms() + 600_000;
        {
            let store = Store::open(Some(&folder)).unwrap();
            let three = ["192.0.2.1", "2001:db8::", "192.0.2.3"].map(|address| ban(address, far));
            store.keep_bans([&three[..], &[ban("192.0.2.2", 2)]].concat(), Vec::new());
            let gone = vec!["2001:db8::".parse().unwrap()];
            store.keep_bans(vec![lifted(ban("192.0.2.3", far))], gone);
            store.settled().await.unwrap();
        }
        let store = Store::open(Some(&folder)).unwrap();
        assert_eq!(store.bans_at_start(), [ban("192.0.2.1", far), lifted(ban("192.0.2.3", far))]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
