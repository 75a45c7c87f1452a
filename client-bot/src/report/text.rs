//! A report for people: a few blocks of lines, as narrow as a terminal.

use super::make::percent;
use super::{Behaving, Content, OnNetwork, Percentiles, Reason, Report};
use std::fmt;

/// Content that is less than this share of all, in per cent, is left to the JSON.
const CONTENT_SHOWN_MIN: f64 = 0.5;
/// Reasons that the text lists; the JSON has them all.
pub(super) const REASONS_SHOWN_MAX: usize = 10;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bots, totals, per_player: each, .. } = self;
        let ended = if self.interrupted { ", interrupted" } else { "" };
        writeln!(f, "{} at {}, {:.1} s{ended}", self.game, self.url, self.seconds)?;
        writeln!(f)?;
        write!(f, "bots         {} connected of {}", bots.connected, bots.asked_for)?;
        write!(f, ", {} failed{}", bots.failed, share(bots.failed_percent))?;
        write!(f, ", {} thrown out{}", bots.thrown_out, share(bots.thrown_out_percent))?;
        if bots.unfinished > 0 {
            write!(f, ", {} still waiting", bots.unfinished)?;
        }
        if bots.still_away > 0 {
            write!(f, ", {} still away", bots.still_away)?;
        }
        if bots.returns > 0 {
            write!(f, ", {} times somebody came back", bots.returns)?;
        }
        if bots.lost_seats > 0 {
            write!(f, ", {} of them to no seat of theirs", bots.lost_seats)?;
        }
        writeln!(f)?;
        for reason in self.reasons.iter().take(REASONS_SHOWN_MAX) {
            writeln!(f, "             {reason}")?;
        }
        if let Some(more @ 1..) = self.reasons.len().checked_sub(REASONS_SHOWN_MAX) {
            writeln!(f, "             and {more} reasons more")?;
        }
        let received = Bytes(totals.received_bytes as f64);
        let sent = Bytes(totals.sent_bytes as f64);
        let sessions = match self.sessions {
            0 | 1 => String::new(),
            many => format!(", {many} of them"),
        };
        writeln!(f, "session      {} ticks/s{sessions}", self.tick_rate)?;
        writeln!(
            f,
            "received     {:.1} frames/s and {}/s per player; {received} in all",
            Known(each.frames_per_second),
            Known(each.received_bytes_per_second.map(Bytes))
        )?;
        writeln!(
            f,
            "sent         {:.1} inputs/s and {}/s per player; {sent} in all",
            Known(each.inputs_per_second),
            Known(each.sent_bytes_per_second.map(Bytes))
        )?;
        let contents = self.contents.iter().filter(|content| content.percent >= CONTENT_SHOWN_MIN);
        for (number, content) in contents.enumerate() {
            let name = if number == 0 { "contents" } else { "" };
            let Content { what, bytes_per_second, percent } = content;
            writeln!(
                f,
                "{name:<12} {bytes_per_second:>7.1} B/s per player, {percent:>4.1} %: {what}"
            )?;
        }
        writeln!(f)?;
        write!(f, "ms             ")?;
        writeln!(
            f,
            "{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>11}",
            "p50", "p90", "p95", "p99", "p99.9", "max", "times"
        )?;
        writeln!(f, "round trip     {}", self.round_trip_ms)?;
        writeln!(f, "input to frame {}", self.input_to_frame_ms)?;
        writeln!(f, "frame age      {}", self.frame_age_ms)?;
        writeln!(f, "frame interval {}", self.frame_interval_ms)?;
        if let Some(percent) = self.frames_on_time_percent {
            writeln!(
                f,
                "               {percent:.1} % on time, within one and a half ticks of the last"
            )?;
        }
        if self.way_back_ms.count > 0 {
            writeln!(f, "way back       {}", self.way_back_ms)?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "network {:>9}{:>16}{:>23}{:>23}{:>8}{:>7}{:>12}",
            "bots", "round trip", "frame age", "input to frame", "late", "keyfr.", "mismatches"
        )?;
        let (p50, p95, p99) = ("p50", "p95", "p99");
        writeln!(
            f,
            "     ms {p50:>18}{p99:>7}{p50:>9}{p95:>7}{p99:>7}{p50:>9}{p95:>7}{p99:>7}{:>8}",
            "%"
        )?;
        self.networks.iter().try_for_each(|network| writeln!(f, "{network}"))?;
        writeln!(f)?;
        writeln!(
            f,
            "behaviour{:>8}{:>8}{:>16}{:>23}{:>11}{:>12}",
            "bots", "joins", "frame age", "input to frame", "received", "mismatches"
        )?;
        writeln!(f, "       ms{p50:>25}{p99:>7}{p50:>9}{p95:>7}{p99:>7}{:>11}", "B/s")?;
        self.behaviours.iter().try_for_each(|those| writeln!(f, "{those}"))?;
        writeln!(f)?;
        writeln!(
            f,
            "corrections  {} of predictions, {:.2} per player and second",
            totals.corrections,
            Known(each.corrections_per_second)
        )?;
        writeln!(
            f,
            "keyframes    {} received, {} asked for",
            totals.keyframes, totals.keyframes_asked_for
        )?;
        let late = Known(totals.late_inputs_percent);
        writeln!(f, "late inputs  {} of {} ({late:.2} %)", totals.late_inputs, totals.inputs)?;
        writeln!(f, "mismatches   {} checksums", totals.mismatches)?;
        writeln!(f, "unreadable   {} messages", totals.unreadable)?;
        self.write_server(f)?;
        self.write_generator(f)?;
        if !self.requirements.is_empty() {
            writeln!(f)?;
            self.requirements
                .iter()
                .try_for_each(|outcome| writeln!(f, "required     {outcome}"))?;
        }
        self.write_capacity(f)?;
        writeln!(f)?;
        match &self.faults[..] {
            [] => writeln!(f, "All went well."),
            faults => writeln!(f, "It did not go well: {}", faults.join(" ")),
        }
    }
}

impl Report {
    fn write_server(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(server) = &self.server else {
            return writeln!(f, "server       told nothing of itself (--metrics)");
        };
        let or_dash = |told: Option<String>| told.unwrap_or("-".to_owned());
        let ms = |time: Option<f64>| or_dash(time.map(|ms| format!("{ms:.2}")));
        let count = |count: Option<f64>| or_dash(count.map(|count| count.to_string()));
        let work = [server.tick_work_p50_ms, server.tick_work_p99_ms].map(ms);
        let jitter = [server.tick_jitter_p50_ms, server.tick_jitter_p99_ms].map(ms);
        writeln!(
            f,
            "server       tick work p50 {} p99 {} ms, start late by p50 {} p99 {} ms",
            work[0], work[1], jitter[0], jitter[1]
        )?;
        write!(
            f,
            "             {} ticks late, {} dropped",
            count(server.ticks_late),
            count(server.ticks_dropped)
        )?;
        if let Some(percent) = server.cpu_percent {
            write!(f, ", {percent:.0} % of a core")?;
        }
        if let Some(mb) = server.memory_mb {
            write!(f, ", {mb:.0} MB")?;
        }
        writeln!(f)?;
        let kinds = [
            server.delta_bytes_per_second,
            server.keyframe_bytes_per_second,
            server.told_bytes_per_second,
        ];
        let [deltas, keyframes, told] =
            kinds.map(|bytes| or_dash(bytes.map(|bytes| Bytes(bytes).to_string())));
        writeln!(f, "             {deltas}/s of deltas, {keyframes}/s of keyframes, {told}/s told")
    }

    fn write_generator(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = &self.generator.tick_lateness_ms;
        write!(f, "generator    woke up late by p50 {:.1} p99 {:.1} ms", late.p50, late.p99)?;
        if let Some(percent) = self.generator.cpu_percent {
            write!(f, ", {percent:.0} % of {} cores", self.generator.cores)?;
        }
        writeln!(f)?;
        match &self.generator.bottleneck {
            Some(why) => writeln!(f, "             the load generator was the bottleneck: {why}"),
            None => Ok(()),
        }
    }

    fn write_capacity(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(capacity) = &self.capacity else { return Ok(()) };
        writeln!(f)?;
        for step in &capacity.steps {
            let verdict = if step.met { "held" } else { "BROKE" };
            let outcomes: Vec<_> =
                step.outcomes.iter().map(|outcome| outcome.to_string()).collect();
            writeln!(f, "{:>6} bots  {verdict}: {}", step.bots, outcomes.join("; "))?;
            if let Some(why) = &step.bottleneck {
                writeln!(f, "             the load generator was the bottleneck: {why}")?;
            }
        }
        match capacity.found {
            true => {
                let (broke, reason) =
                    (capacity.broke.unwrap_or_default(), capacity.reason.as_deref());
                let reason = reason.unwrap_or_default();
                writeln!(f, "capacity     {} bots; with {broke}: {reason}", capacity.bots)
            }
            false if capacity.steps.is_empty() => {
                writeln!(f, "capacity     unknown: the run ended before the first step did")
            }
            false => writeln!(f, "capacity     {} bots or more: no load broke", capacity.bots),
        }
    }
}

impl fmt::Display for Behaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frame_age_ms: age, input_to_frame_ms: used, .. } = self;
        write!(f, "{:<9}{:>8}{:>8}", self.behaviour.name(), self.bots, self.joins)?;
        write!(f, "{:>9}{:>7}", Ms(age, age.p50), Ms(age, age.p99))?;
        let [p50, p95, p99] = [used.p50, used.p95, used.p99].map(|time| Ms(used, time));
        write!(f, "{p50:>9}{p95:>7}{p99:>7}")?;
        write!(f, "{:>11.0}{:>12}", Known(self.received_bytes_per_second), self.mismatches)
    }
}

impl fmt::Display for OnNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { round_trip_ms: trip, frame_age_ms: age, input_to_frame_ms: used, .. } = self;
        write!(f, "{:<8}{:>9}", self.network.name(), self.bots)?;
        write!(f, "{:>9}{:>7}", Ms(trip, trip.p50), Ms(trip, trip.p99))?;
        for times in [age, used] {
            let [p50, p95, p99] = [times.p50, times.p95, times.p99].map(|time| Ms(times, time));
            write!(f, "{p50:>9}{p95:>7}{p99:>7}")?;
        }
        let late = Known(percent(self.late_inputs, self.inputs));
        write!(f, "{late:>8.2}{:>7}{:>12}", self.keyframes, self.mismatches)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.what == "failed" { "failed" } else { "thrown out" };
        write!(f, "{} {what}", self.bots)?;
        if let Some(code) = self.code {
            write!(f, ", close code {code}")?;
        }
        if let Some(label) = self.label {
            write!(f, " ({label})")?;
        }
        if self.sentence.is_empty() { Ok(()) } else { write!(f, ": {}", self.sentence) }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for time in [self.p50, self.p90, self.p95, self.p99, self.p99_9, self.max] {
            write!(f, "{:>9}", Ms(self, time))?;
        }
        write!(f, "{:>11}", self.count)
    }
}

/// A time of a distribution in ms, or a dash where nothing was timed.
pub(super) struct Ms<'a>(pub(super) &'a Percentiles, pub(super) f64);

impl fmt::Display for Ms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&if self.0.count == 0 { "-".to_owned() } else { format!("{:.1}", self.1) })
    }
}

/// A figure, or a dash where nothing was measured.
pub(super) struct Known<T>(pub(super) Option<T>);

impl<T: fmt::Display> fmt::Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(figure) => figure.fmt(f),
            // A precision would leave nothing of it.
            None => write!(f, "{:>1$}", "-", f.width().unwrap_or_default()),
        }
    }
}

/// Bytes as people read them, with decimal prefixes.
pub(crate) struct Bytes(pub(crate) f64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes < 1e3 => write!(f, "{bytes:.0} B"),
            bytes if bytes < 1e6 => write!(f, "{:.1} kB", bytes / 1e3),
            bytes if bytes < 1e9 => write!(f, "{:.1} MB", bytes / 1e6),
            bytes => write!(f, "{:.1} GB", bytes / 1e9),
        }
    }
}

/// A share in brackets; nothing where there is none.
fn share(percent: Option<f64>) -> String {
    let some = percent.filter(|&percent| percent > 0.0);
    some.map_or(String::new(), |percent| format!(" ({percent:.1} %)"))
}
