// SPDX-License-Identifier: BSD-2-Clause

//! What is served where. The table of routes is one `match`, so that the type of the site can be
//! written down and put into a static.

use core::cell::RefCell;

use picoserve::ResponseSent;
use picoserve::io::{Read, Write};
use picoserve::request::{Path, Request};
use picoserve::response::custom::{CustomBody, CustomResponse};
use picoserve::response::{
    Content, ForEachHeader, HeadersIter, IntoResponse, NoContent, Response, ResponseWriter,
    StatusCode,
};
use picoserve::routing::{MethodHandler, PathRouterService, RequestHandlerService, get_service};
use stats::{HttpServer, Writer};
use time::Clock;

use crate::files::{self, StaticFile};
use crate::gate::{self, Refusal};
use crate::snapshot::{Counters, Identity, PdSource, Snapshot};
use crate::{ByteStream, Flow, pattern, yield_now};

/// The site.
#[derive(Clone, Copy)]
pub struct Site {
    /// Files, the page `/` among them.
    pub files: &'static [StaticFile],
    /// The PDs whose counters `/stats.json` shows.
    pub pds: &'static [PdSource],
    /// What else it shows.
    pub identity: &'static Identity,
    /// Where requests and responses are counted.
    pub stats: Writer<HttpServer>,
    /// Ticks and nanoseconds.
    pub clock: Clock,
    /// The time in ticks.
    pub now: fn() -> u64,
}

/// What a path leads to.
#[derive(Clone, Copy)]
enum Target {
    File(&'static StaticFile),
    Stats,
    Bytes(u32),
    Missing,
    TooManyBytes,
}

impl Site {
    fn target(&self, path: &str) -> Target {
        if path == "/stats.json" {
            return Target::Stats;
        }
        if let Some(number) = path.strip_prefix("/bytes/") {
            return bytes_target(number);
        }
        files::find(self.files, path).map_or(Target::Missing, Target::File)
    }

    /// Counts a response by its status.
    pub fn count(&self, status: StatusCode) {
        self.stats.inc(match status.as_u16() {
            ..300 => HttpServer::Responses2xx,
            300..400 => HttpServer::Responses3xx,
            400..500 => HttpServer::Responses4xx,
            500.. => HttpServer::Responses5xx,
        });
    }
}

fn bytes_target(number: &str) -> Target {
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Target::Missing;
    }
    match number.parse() {
        Ok(len) if len <= pattern::MAX_LEN => Target::Bytes(len),
        // All digits: what does not parse is too large.
        _ => Target::TooManyBytes,
    }
}

/// The site as one connection sees it.
pub(crate) struct Visit<'s, S> {
    pub site: &'s Site,
    pub counters: &'s RefCell<Counters>,
    pub stream: &'s S,
    pub flow: &'s Flow,
}

impl<S: ByteStream> PathRouterService for Visit<'_, S> {
    async fn call_path_router_service<R: Read, W: ResponseWriter<Error = R::Error>>(
        &self,
        (): &(),
        (): (),
        path: Path<'_>,
        request: Request<'_, R>,
        response_writer: W,
    ) -> Result<ResponseSent, W::Error> {
        if !self.flow.has_read.replace(false) {
            // Requests that came all at once are answered one a turn, so that their client has no
            // more than its share.
            yield_now().await;
        }
        self.site.stats.inc(HttpServer::Requests);
        let may_go_on = self.stream.requested();
        let parts = request.parts;
        let fields = parts
            .headers()
            .iter()
            .map(|(name, value)| (name.as_raw(), value.as_raw()));
        let checked = gate::check(parts.method(), path.encoded(), parts.http_version(), fields);
        let closes = !may_go_on || checked.is_ok_and(|accepted| accepted.closes);
        self.flow.closes.set(closes || checked.is_err());
        let sent = match checked {
            Ok(accepted) => {
                let page = Page {
                    site: self.site,
                    counters: self.counters,
                    target: self.site.target(accepted.path),
                    closes,
                };
                // Answers HEAD as it does GET, without the body.
                get_service(page)
                    .call_method_handler(&(), (), request, response_writer)
                    .await
            }
            Err(refusal) => {
                self.site.count(refusal.status);
                let response = refuse(refusal, parts.method() == "HEAD");
                let connection = request.body_connection.finalize().await?;
                response.write_to(connection, response_writer).await
            }
        };
        self.flow.is_over.set(self.flow.closes.get());
        sent
    }
}

struct Page<'s> {
    site: &'s Site,
    counters: &'s RefCell<Counters>,
    target: Target,
    /// This is the last response.
    closes: bool,
}

/// The fields of a response that do not follow from its body. One small type, because futures keep
/// several copies of what they write.
#[derive(Clone, Copy)]
struct Fields {
    caching: &'static str,
    /// Of a file.
    etag: Option<&'static str>,
    /// This is the last response. picoserve's own field is left out if there is one.
    closes: bool,
}

impl Fields {
    fn dynamic(closes: bool) -> Self {
        Fields {
            caching: "no-store",
            etag: None,
            closes,
        }
    }

    /// A client may keep a file, and asks with `If-None-Match` whether it is still current.
    fn file(file: &StaticFile, closes: bool) -> Self {
        Fields {
            caching: "no-cache",
            etag: Some(file.etag),
            closes,
        }
    }
}

impl HeadersIter for Fields {
    async fn for_each_header<F: ForEachHeader>(self, mut f: F) -> Result<F::Output, F::Error> {
        f.call("Server", "Isthmus").await?;
        f.call("Cache-Control", self.caching).await?;
        if let Some(etag) = self.etag {
            f.call("ETag", etag).await?;
        }
        if self.closes {
            f.call("Connection", "close").await?;
        }
        f.finalize().await
    }
}

impl RequestHandlerService for Page<'_> {
    async fn call_request_handler_service<R: Read, W: ResponseWriter<Error = R::Error>>(
        &self,
        (): &(),
        (): (),
        request: Request<'_, R>,
        response_writer: W,
    ) -> Result<ResponseSent, W::Error> {
        let Page { site, counters, .. } = *self;
        let asks_for_newer = |file: &StaticFile| {
            let field = request.parts.headers().get("If-None-Match");
            field.is_none_or(|field| !files::is_current(file, field.as_raw()))
        };
        match self.target {
            Target::File(file) if asks_for_newer(file) => {
                site.count(StatusCode::OK);
                let connection = request.body_connection.finalize().await?;
                Response::ok(file.body)
                    .with_content_type(file.content_type)
                    .with_headers(Fields::file(file, self.closes))
                    .write_to(connection, response_writer)
                    .await
            }
            Target::File(file) => {
                site.count(StatusCode::NOT_MODIFIED);
                let connection = request.body_connection.finalize().await?;
                let headers = Fields::file(file, self.closes);
                (StatusCode::NOT_MODIFIED, headers, NoContent)
                    .write_to(connection, response_writer)
                    .await
            }
            Target::Stats => {
                site.count(StatusCode::OK);
                let connection = request.body_connection.finalize().await?;
                counters.borrow_mut().read(site.pds, (site.now)());
                let snapshot = Snapshot { site, counters };
                Response::ok(format_args!("{snapshot}"))
                    .with_content_type("application/json")
                    .with_headers(Fields::dynamic(self.closes))
                    .write_to(connection, response_writer)
                    .await
            }
            Target::Bytes(len) => {
                site.count(StatusCode::OK);
                let connection = request.body_connection.finalize().await?;
                Response::ok(Pattern { len })
                    .with_headers(Fields::dynamic(self.closes))
                    .write_to(connection, response_writer)
                    .await
            }
            Target::Missing => {
                let status = StatusCode::NOT_FOUND;
                site.count(status);
                let connection = request.body_connection.finalize().await?;
                Response::new(status, "There is no such page.\n")
                    .with_headers(Fields::dynamic(self.closes))
                    .write_to(connection, response_writer)
                    .await
            }
            Target::TooManyBytes => {
                let status = StatusCode::BAD_REQUEST;
                site.count(status);
                let connection = request.body_connection.finalize().await?;
                Response::new(status, "At most 1073741824 bytes can be asked for.\n")
                    .with_headers(Fields::dynamic(self.closes))
                    .write_to(connection, response_writer)
                    .await
            }
        }
    }
}

/// The body of `/bytes/N`, produced where it is sent from.
struct Pattern {
    len: u32,
}

impl Content for Pattern {
    fn content_type(&self) -> &'static str {
        "application/octet-stream"
    }

    fn content_length(&self) -> usize {
        self.len as usize
    }

    async fn write_content<W: Write>(self, mut writer: W) -> Result<(), W::Error> {
        let mut at = 0;
        while at < self.len {
            at += writer
                .write_with(|mut cursor| {
                    let room = cursor.as_mut_slice();
                    let count = room.len().min((self.len - at) as usize);
                    pattern::fill(at, &mut room[..count]);
                    cursor.advance(count);
                    // At most `self.len`, which is a u32.
                    count as u32
                })
                .await?;
        }
        Ok(())
    }
}

/// A response after which the connection is closed.
fn refuse(refusal: Refusal, without_body: bool) -> impl IntoResponse {
    let text = Line(refusal.reason);
    let length = refusal.reason.len() + 1;
    let allow =
        (refusal.status == StatusCode::METHOD_NOT_ALLOWED).then_some(("Allow", "GET, HEAD"));
    // `CustomResponse` comes with `Connection: close`.
    CustomResponse::build(refusal.status)
        .with_headers(Fields::dynamic(false))
        .with_headers(allow)
        .with_header("Content-Type", "text/plain; charset=utf-8")
        .with_header("Content-Length", length)
        .with_body(if without_body { Line("") } else { text })
}

struct Line(&'static str);

impl CustomBody for Line {
    async fn write_response_body<W: Write>(self, mut writer: W) -> Result<(), W::Error> {
        if !self.0.is_empty() {
            writer.write_all(self.0.as_bytes()).await?;
            writer.write_all(b"\n").await?;
        }
        writer.flush().await
    }
}
