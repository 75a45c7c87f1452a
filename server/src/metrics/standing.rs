//! How things stand when somebody looks: levels, and counts that are kept where they belong.

use super::make::Maker;
use super::overload::OverloadMetrics;
use super::process::Process;
use super::sessions::{Depth, Measure};
use crate::directory::Look;
use crate::logging::Logs;
use crate::net::Front;
use crate::net::refusal::Reason;
use crate::net::registry::State;
use prometheus::{IntCounter, IntGauge};
use std::sync::atomic::Ordering;

/// Levels, and counts that are kept elsewhere.
#[derive(Debug)]
pub(super) struct Standing {
    connections: [IntGauge; State::ALL.len()],
    accepted: IntCounter,
    refusals: [IntCounter; Reason::ALL.len()],
    sessions: IntGauge,
    players: IntGauge,
    spectators: IntGauge,
    away: IntGauge,
    pilots: IntGauge,
    ticks: IntCounter,
    late: IntCounter,
    dropped: IntCounter,
    /// Sessions' queues, outboxes, mailboxes, the store.
    waiting: [IntGauge; 4],
    /// The fullest of each.
    fullest: [IntGauge; 4],
    stuck: IntGauge,
    lost_results: IntCounter,
    lost_writes: IntCounter,
    log_lines_left_out: IntCounter,
    /// Other servers of the site that answer, and that do not.
    site: [IntGauge; 2],
    overload: OverloadMetrics,
    process: Process,
}

impl Standing {
    pub(super) fn new(make: &Maker) -> Self {
        let build = make.levels(
            "gamekeeper_build_info",
            "1, with the version of this binary.",
            "version",
            [env!("CARGO_PKG_VERSION")],
        );
        build.iter().for_each(|one| one.set(1));
        let refusals = make.counts_by(
            "gamekeeper_refusals_total",
            "What was refused from outside, by reason. Whom a server has no time for (overload) counts once; where it asks \
             the others of its site, only if none lets them in.",
            &["reason"],
        );
        let queues = ["sessions", "outboxes", "mailboxes", "store"];
        Self {
            connections: make.levels(
                "gamekeeper_connections",
                "Open connections: those that speak HTTP, WebSockets that have joined no session yet, those that \
                 have, those to sessions of another server of the site, and those that are being closed.",
                "state",
                State::LABELS,
            ),
            accepted: make.count(
                "gamekeeper_connections_accepted_total",
                "Connections that were within the limits.",
            ),
            overload: OverloadMetrics::new(make),
            refusals: std::array::from_fn(|reason| refusals.with_label_values(&[Reason::ALL[reason].label()])),
            sessions: make.level("gamekeeper_sessions", "Sessions that are open."),
            players: make.level(
                "gamekeeper_players",
                "People who play, those included who are away.",
            ),
            spectators: make.level(
                "gamekeeper_spectators",
                "People who watch, those included who are away.",
            ),
            away: make.level(
                "gamekeeper_away",
                "People whose connections were lost and whose seats are kept.",
            ),
            pilots: make.level("gamekeeper_pilots", "Computer pilots that fly."),
            ticks: make.count("gamekeeper_ticks_total", "Ticks that were run."),
            late: make.count(
                "gamekeeper_ticks_late_total",
                "Times that a session's loop woke up so late that more than one tick was due.",
            ),
            dropped: make.count(
                "gamekeeper_ticks_dropped_total",
                "Ticks that were never run, as too many were due at once.",
            ),
            waiting: make.levels(
                "gamekeeper_queue_messages",
                "Messages that wait: for sessions' next ticks, for lines, for a place among these, for the disk.",
                "queue",
                queues,
            ),
            fullest: make.levels(
                "gamekeeper_fullest_queue_messages",
                "Messages that wait in the fullest queue of a kind.",
                "queue",
                queues,
            ),
            stuck: make.level(
                "gamekeeper_lanes_stuck",
                "Threads of sessions that stand still, as a tick of one of these does not end.",
            ),
            lost_results: make
                .count("gamekeeper_results_lost_total", "Results that could not be kept."),
            lost_writes: make.count(
                "gamekeeper_writes_lost_total",
                "What else could not be kept: where sessions stand, that they are open or over, parts of recordings, bans, the audit log.",
            ),
            log_lines_left_out: make.count(
                "gamekeeper_log_lines_left_out_total",
                "Lines of the log that did not get to stderr, as nobody read it, or not fast enough.",
            ),
            site: make.levels(
                "gamekeeper_site_servers",
                "The other servers of the site, by whether they answer.",
                "state",
                ["answering", "silent"],
            ),
            process: Process::new(make),
        }
    }

    pub(super) fn look(&self, front: &Front) {
        for (gauge, state) in self.connections.iter().zip(State::ALL) {
            gauge.set(front.common.registry.count(state) as i64);
        }
        raise(&self.accepted, front.common.registry.accepted());
        for (counter, &reason) in self.refusals.iter().zip(Reason::ALL) {
            let elsewhere = match reason {
                Reason::Overload => front.common.directory.overload.refused(),
                _ => 0,
            };
            raise(counter, front.common.refusals.count(reason) + elsewhere);
        }
        let ticks = &front.common.directory.ticks;
        raise(&self.ticks, ticks.ticks.load(Ordering::Relaxed));
        raise(&self.late, ticks.late.load(Ordering::Relaxed));
        raise(&self.dropped, ticks.dropped.load(Ordering::Relaxed));
        self.stuck.set(front.common.directory.lanes.stuck() as i64);
        raise(&self.lost_results, front.common.store.lost_results());
        raise(&self.lost_writes, front.common.store.lost_writes());
        raise(&self.log_lines_left_out, front.operator.logs().map_or(0, Logs::left_out));
        for (gauge, count) in self.site.iter().zip(front.common.site.count()) {
            gauge.set(count as i64);
        }
        self.overload.look(&front.common.directory);
        self.process.look();

        let entries = front.common.directory.entries();
        let (mut players, mut spectators, mut away, mut pilots) = (0, 0, 0, 0);
        let mut depths = [Depth::default(); 4];
        for entry in &entries {
            let Look { status, measure, .. } = entry.look();
            players += i64::from(status.players);
            spectators += i64::from(status.spectators);
            pilots += i64::from(status.pilots);
            let Measure { away: lost, outboxes, mailboxes, .. } = measure;
            away += i64::from(lost);
            depths[0].add(entry.handle.queue.max_capacity() - entry.handle.queue.capacity());
            depths[1].merge(outboxes);
            depths[2].merge(mailboxes);
        }
        depths[3].add(front.common.store.waiting());
        self.sessions.set(entries.len() as i64);
        self.players.set(players);
        self.spectators.set(spectators);
        self.away.set(away);
        self.pilots.set(pilots);
        for (depth, (sum, max)) in depths.iter().zip(self.waiting.iter().zip(&self.fullest)) {
            sum.set(depth.sum as i64);
            max.set(depth.max as i64);
        }
    }
}

/// The counter is as high as what is counted elsewhere.
pub(super) fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}
