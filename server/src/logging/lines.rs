//! Lines as JSON objects. Comes in: events, and the spans around them. Goes out: one line each, to those that
//! are kept and, where the log is JSON, to stderr.

use super::Kept;
use super::writer::LineWriter;
use crate::store::unix_ms;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Makes lines of events.
pub(super) struct KeepLines {
    pub(super) kept: Arc<Kept>,
    /// Where they go besides, if the log is JSON.
    pub(super) written: Option<LineWriter>,
}

/// A span's fields, kept with it.
struct SpanFields(Map<String, Value>);

/// Collects fields as JSON.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn core::fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }
}

/// An event as one line.
fn line<S: Subscriber + for<'a> LookupSpan<'a>>(
    event: &Event<'_>,
    context: &Context<'_, S>,
) -> Value {
    let mut fields = Map::new();
    event.record(&mut Fields(&mut fields));
    let message = fields.remove("message").unwrap_or_default();
    let spans = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
    let spans: Vec<_> = spans
        .map(|span| {
            let mut all = Map::new();
            all.insert("name".into(), span.name().into());
            if let Some(SpanFields(fields)) = span.extensions().get() {
                all.extend(fields.clone());
            }
            Value::Object(all)
        })
        .collect();
    let (level, target) = (event.metadata().level().as_str(), event.metadata().target());
    json!({ "at": unix_ms(), "level": level, "target": target, "message": message, "fields": fields, "spans": spans })
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for KeepLines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Map::new();
        attributes.record(&mut Fields(&mut fields));
        span.extensions_mut().insert(SpanFields(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(SpanFields(fields)) = span.extensions_mut().get_mut() {
            values.record(&mut Fields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let line = line(event, &context).to_string();
        if let Some(writer) = &self.written {
            writer.add(format!("{line}\n").into_bytes());
        }
        self.kept.add(line.into());
    }
}

/// What stands in place of lines that were left out.
const LEFT_OUT: &str = "lines of the log were left out, as nobody read them";
const LEFT_OUT_TARGET: &str = "server::logging";

/// As a line of text.
pub(super) fn left_out_as_text(left_out: u64) -> String {
    let mut at = String::new();
    // A string has room.
    let _ = SystemTime.format_time(&mut Writer::new(&mut at));
    format!("{at}  WARN {LEFT_OUT_TARGET}: {LEFT_OUT} left_out={left_out}\n")
}

/// As a line of JSON.
pub(super) fn left_out_as_json(left_out: u64) -> String {
    let line = json!({
        "at": unix_ms(), "level": "WARN", "target": LEFT_OUT_TARGET, "message": LEFT_OUT,
        "fields": { "left_out": left_out }, "spans": [],
    });
    format!("{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn a_line_has_its_fields_and_its_spans() {
        let kept = Arc::new(Kept::new());
        let keep = KeepLines { kept: Arc::clone(&kept), written: None };
        let before = unix_ms();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(keep), || {
            let outer = tracing::error_span!("session", code = "AB..");
            let _in_outer = outer.enter();
            let inner = tracing::error_span!("connection", id = 7, peer = tracing::field::Empty);
            inner.record("peer", "a \"quoted\" one");
            let _in_inner = inner.enter();
            tracing::warn!(player = 3_u16, hidden = None::<u64>, ok = true, "was\nhere");
        });
        let lines = kept.newest.lock();
        assert_eq!(lines.len(), 1);
        let mut line: Value = serde_json::from_str(&lines[0]).unwrap();
        let at = line["at"].take().as_u64().unwrap();
        assert!((before..=unix_ms()).contains(&at));
        assert_eq!(
            line,
            json!({
                "at": null, "level": "WARN", "target": "server::logging::lines::tests", "message": "was\nhere",
                "fields": { "player": 3, "ok": true },
                "spans": [
                    { "name": "session", "code": "AB.." },
                    { "name": "connection", "id": 7, "peer": "a \"quoted\" one" },
                ],
            })
        );
    }
}
