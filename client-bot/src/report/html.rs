//! A report as one HTML page: plots and tables, nothing loaded, no script. Comes in: a report. Goes out: a text.

use super::svg::{Series, chart, escape};
use super::text::{Known, Ms};
use super::{Bytes, Percentiles, Report};
use crate::over_time::Sample;

/// Light and dark by what the reader prefers; colours told apart by those who see few.
const STYLE: &str = "
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5b6470;--grid:#d9dee4;--bad:#b3261e;--good:#1a7f37;
--s0:#0060b0;--s1:#c2570c;--s2:#0b7d69;--s3:#8b3fb0}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e8ebee;--dim:#9aa4af;--grid:#2d333a;--bad:#ff8a80;
--good:#6fdd8b;--s0:#6cb6ff;--s1:#ffa657;--s2:#56d4bc;--s3:#d2a8ff}}
*{box-sizing:border-box}body{margin:0 auto;padding:1rem;max-width:84rem;background:var(--bg);color:var(--fg);
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.4rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.25rem 0;overflow-wrap:anywhere}.dim,text{color:var(--dim)}.bad{color:var(--bad)}.good{color:var(--good)}
.plots{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr))}
figure{margin:0;min-width:0}figcaption span{display:inline-block;margin-left:.75rem;color:var(--c)}
figcaption span::before{content:'';display:inline-block;width:1rem;border-top:3px solid var(--c);margin-right:.3rem;
vertical-align:middle}svg{width:100%;height:auto;display:block}text{font:14px system-ui,sans-serif;fill:var(--dim)}
@media(min-width:48rem){text{font-size:10.5px}}
.grid{stroke:var(--grid);fill:none}.line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
.s0{--c:var(--s0)}.s1{--c:var(--s1)}.s2{--c:var(--s2)}.s3{--c:var(--s3)}
.table{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .75rem .2rem 0;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}
th:first-child,td:first-child{text-align:left}
pre{overflow-x:auto;font:13px/1.4 ui-monospace,monospace}";

impl Report {
    /// The report as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        let title = format!("{} at {}", escape(&self.game), escape(&self.url));
        let verdict = match &self.faults[..] {
            [] => "<p class=\"good\">All went well.</p>".to_owned(),
            faults => faults
                .iter()
                .map(|fault| format!("<p class=\"bad\">{}</p>", escape(fault)))
                .collect(),
        };
        let bottleneck = self.generator.bottleneck.as_ref().map_or(String::new(), |why| {
            format!("<p class=\"bad\">The load generator was the bottleneck: {}</p>", escape(why))
        });
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>Load test: {title}</title><style>{STYLE}</style></head><body>\n\
             <h1>{title}</h1>\n<p class=\"dim\">{} of {} bots connected, {} failed, {} thrown out; {:.1} s, {} ticks/s; \
             {}/s received per player</p>\n{verdict}{bottleneck}\n{}{}\
             <h2>Over time</h2>\n<div class=\"plots\">\n{}</div>\n<h2>Percentiles</h2>\n<div class=\"plots\">\n{}</div>\n{}\n\
             <h2>As text</h2>\n<pre>{}</pre>\n</body></html>\n",
            self.bots.connected,
            self.bots.asked_for,
            self.bots.failed,
            self.bots.thrown_out,
            self.seconds,
            self.tick_rate,
            Known(self.per_player.received_bytes_per_second.map(Bytes)),
            self.requirement_table(),
            self.capacity_table(),
            self.plots_over_time(),
            self.percentile_plot(),
            self.percentile_table(),
            escape(&self.to_string()),
        )
    }

    fn requirement_table(&self) -> String {
        if self.requirements.is_empty() {
            return String::new();
        }
        let row = |outcome: &crate::require::Outcome| {
            let class = if outcome.met { "good" } else { "bad" };
            format!("<p class=\"{class}\">{}</p>\n", escape(&outcome.to_string()))
        };
        let rows: String = self.requirements.iter().map(row).collect();
        format!("<h2>Required</h2>\n{rows}")
    }

    fn capacity_table(&self) -> String {
        let Some(capacity) = &self.capacity else { return String::new() };
        let row = |step: &crate::capacity::Step| {
            let (class, verdict) = if step.met { ("good", "held") } else { ("bad", "broke") };
            let outcomes: Vec<_> =
                step.outcomes.iter().map(|outcome| escape(&outcome.to_string())).collect();
            format!(
                "<p><b class=\"{class}\">{} bots {verdict}</b> {}</p>\n",
                step.bots,
                outcomes.join("; ")
            )
        };
        let bots = capacity.bots;
        let knee = match capacity.found {
            true => format!("{bots} bots"),
            false if capacity.steps.is_empty() => "unknown".to_owned(),
            false => format!("{bots} bots or more: no load broke"),
        };
        let rows: String = capacity.steps.iter().map(row).collect();
        format!("<h2>Capacity: {knee}</h2>\n{rows}")
    }

    fn plots_over_time(&self) -> String {
        type Of = fn(&Sample) -> Option<f64>;
        let plot = |title: &str, unit: &str, lines: &[(&str, Of)]| {
            let series = lines.iter().map(|&(name, of)| Series {
                name: name.to_owned(),
                points: self.over_time.iter().map(|sample| (sample.at_s, of(sample))).collect(),
            });
            chart(title, unit, &series.collect::<Vec<_>>(), &[]) + "\n"
        };
        let mut plots = plot(
            "Bots that play",
            "",
            &[
                ("playing", |s| Some(f64::from(s.playing))),
                ("failed or thrown out", |s| Some(f64::from(s.fallen_out))),
            ],
        );
        plots += &plot(
            "Age of frames",
            "ms",
            &[("p50", |s| s.frame_age_ms.p50), ("p99", |s| s.frame_age_ms.p99)],
        );
        plots += &plot(
            "Input to frame",
            "ms",
            &[("p50", |s| s.input_to_frame_ms.p50), ("p99", |s| s.input_to_frame_ms.p99)],
        );
        plots += &plot(
            "Interval between frames",
            "ms",
            &[("p50", |s| s.frame_interval_ms.p50), ("p99", |s| s.frame_interval_ms.p99)],
        );
        plots += &plot(
            "Per second, all bots",
            "",
            &[
                ("frames", |s| Some(s.frames_per_second)),
                ("inputs", |s| Some(s.inputs_per_second)),
                ("corrections", |s| Some(s.corrections_per_second)),
            ],
        );
        if self.server.is_some() {
            plots += &plot(
                "Server: work of a tick",
                "ms",
                &[("p50", |s| s.server?.tick_work_p50_ms), ("p99", |s| s.server?.tick_work_p99_ms)],
            );
            plots += &plot(
                "Server: how late ticks begin",
                "ms",
                &[
                    ("p50", |s| s.server?.tick_jitter_p50_ms),
                    ("p99", |s| s.server?.tick_jitter_p99_ms),
                ],
            );
            plots += &plot(
                "Server: ticks per second",
                "",
                &[
                    ("late wake-ups", |s| s.server?.ticks_late_per_second()),
                    ("dropped", |s| s.server?.ticks_dropped_per_second()),
                ],
            );
            plots += &plot(
                "Server: bytes per second by content",
                "B",
                &[
                    ("deltas", |s| s.server?.delta_bytes_per_second),
                    ("keyframes", |s| s.server?.keyframe_bytes_per_second),
                    ("told", |s| s.server?.told_bytes_per_second),
                ],
            );
            plots += &plot("Server: memory", "MB", &[("in use", |s| s.server?.memory_mb)]);
        }
        plots += &plot(
            "Processor time, of one core",
            "%",
            &[("bots", |s| s.generator_cpu_percent), ("server", |s| s.server?.cpu_percent)],
        );
        plots
            + &plot(
                "Generator: how late bots wake up",
                "ms",
                &[("p50", |s| s.tick_lateness_ms.p50), ("p99", |s| s.tick_lateness_ms.p99)],
            )
    }

    fn distributions(&self) -> [(&'static str, &Percentiles); 4] {
        [
            ("frame age", &self.frame_age_ms),
            ("input to frame", &self.input_to_frame_ms),
            ("frame interval", &self.frame_interval_ms),
            ("round trip", &self.round_trip_ms),
        ]
    }

    fn percentile_plot(&self) -> String {
        let names = ["p50", "p90", "p95", "p99", "p99.9", "max"];
        let marks: Vec<_> =
            names.iter().enumerate().map(|(n, name)| (n as f64, (*name).to_owned())).collect();
        let series = self.distributions().map(|(name, times)| {
            let heights = [times.p50, times.p90, times.p95, times.p99, times.p99_9, times.max];
            let heights = heights.into_iter().map(|ms| (times.count > 0).then_some(ms));
            Series {
                name: name.to_owned(),
                points: heights.enumerate().map(|(n, ms)| (n as f64, ms)).collect(),
            }
        });
        chart("Of all bots, over the whole run", "ms", &series, &marks) + "\n"
    }

    fn percentile_table(&self) -> String {
        let row = |(name, times): (&str, &Percentiles)| {
            let cells = [times.p50, times.p90, times.p95, times.p99, times.p99_9, times.max];
            let cells = cells.map(|ms| format!("<td>{}</td>", Ms(times, ms))).concat();
            format!("<tr><td>{name}</td>{cells}<td>{}</td></tr>\n", times.count)
        };
        let rows: String = self.distributions().into_iter().map(row).collect();
        format!(
            "<div class=\"table\"><table><tr><th>ms</th><th>p50</th><th>p90</th><th>p95</th><th>p99</th><th>p99.9</th>\
             <th>max</th><th>times</th></tr>\n{rows}</table></div>"
        )
    }
}
