//! Traces. Comes in: spans, as they end. Goes out: OTLP over plain HTTP, in batches, from a thread of its own that
//! may wait; a collector on the same machine takes them further. What cannot be sent is dropped.

use crate::throttle::Throttle;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

/// For how long a collector may take nothing or say nothing; then what it was to get is dropped.
const COLLECTOR_WAIT: Duration = Duration::from_secs(5);
/// Bytes of a collector's answer that are read.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// Lines about traces that cannot be sent, per minute.
const LINES_PER_MINUTE: u32 = 1;

/// Where spans go.
#[derive(Clone)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// To a collector at this address.
    pub(super) fn to(endpoint: &str) -> Result<Self> {
        if !endpoint.starts_with("http://") {
            bail!(
                "--otel-endpoint {endpoint:?} is no http:// address; a collector on this machine speaks TLS for it"
            );
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(endpoint)
            .with_http_client(PlainHttp::default())
            .build()
            .with_context(|| format!("--otel-endpoint {endpoint:?} is no address"))?;
        let resource = Resource::builder().with_service_name("gamekeeper").build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource);
        Ok(Self(provider.build()))
    }

    /// What takes spans out of the log.
    pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("gamekeeper"))
    }

    /// Sends what is left.
    pub(super) fn finish(&self) {
        // Whatever could not be sent has its line already.
        let _ = self.0.shutdown_with_timeout(COLLECTOR_WAIT);
    }
}

/// HTTP/1.1 by hand, a connection for each request: two a minute do not need more, and the thread that sends
/// has no runtime.
#[derive(Debug)]
struct PlainHttp {
    lines: Throttle,
}

impl Default for PlainHttp {
    fn default() -> Self {
        Self { lines: Throttle::new(LINES_PER_MINUTE, Duration::from_secs(60)) }
    }
}

#[async_trait::async_trait]
impl HttpClient for PlainHttp {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = send(&request).and_then(|response| match response.status() {
            status if status.is_success() => Ok(response),
            status => bail!("the collector answers {status}"),
        });
        sent.map_err(|why| {
            if let Some(hidden) = self.lines.pass(Instant::now()) {
                let hidden = (hidden > 0).then_some(hidden);
                tracing::warn!(hidden, "traces cannot be sent: {why:#}");
            }
            why.into()
        })
    }
}

fn send(request: &Request<Bytes>) -> Result<Response<Bytes>> {
    let uri = request.uri();
    let host = uri.host().context("an address without a host")?;
    let port = uri.port_u16().unwrap_or(80);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = (bare, port).to_socket_addrs()?.next().context("no such host")?;
    let mut stream =
        TcpStream::connect_timeout(&address, COLLECTOR_WAIT).context("no connection")?;
    stream.set_read_timeout(Some(COLLECTOR_WAIT))?;
    stream.set_write_timeout(Some(COLLECTOR_WAIT))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut head = format!("{} {path} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let length = request.body().len();
    write!(head, "host: {host}:{port}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
    stream.write_all(&head)?;
    stream.write_all(request.body())?;

    let mut answer = BufReader::new(stream.take(ANSWER_BYTES_MAX));
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let status = line.split(' ').nth(1).context("that is no HTTP")?.parse::<u16>()?;
    // Headers and body tell nothing that is needed: what counts is whether it was taken.
    Ok(Response::builder().status(status).body(Bytes::new())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use tracing_subscriber::layer::SubscriberExt;

    /// Takes one request, answers it, and gives back head and body.
    fn collect(listener: &TcpListener) -> (String, Vec<u8>) {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            head += &line;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        (head, body)
    }

    #[test]
    fn a_collector_gets_the_spans() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let collector = std::thread::spawn(move || collect(&listener));
        let traces = Traces::to(&endpoint).unwrap();
        let subscriber = tracing_subscriber::registry().with(traces.layer());
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::error_span!("session", code = "AB..");
            span.in_scope(|| tracing::info!("something"));
        });
        traces.finish();
        let (head, body) = collector.join().unwrap();
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        for text in ["gamekeeper", "session", "AB..", "something"] {
            let found = body.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(found, "{text} in {:?}", String::from_utf8_lossy(&body));
        }
    }

    #[test]
    fn an_address_that_is_none_is_a_sentence() {
        for bad in ["127.0.0.1:4318", "https://collector.example", "http://"] {
            let why = Traces::to(bad).err().map(|why| why.to_string());
            assert!(
                why.as_deref().is_some_and(|why| why.contains("--otel-endpoint")),
                "{bad}: {why:?}"
            );
        }
    }
}
