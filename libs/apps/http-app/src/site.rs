// SPDX-License-Identifier: BSD-2-Clause

//! What is served where. The table of routes is one `match`, so that the type of the site can be
//! written down and put into a static.

use core::cell::RefCell;

use embassy_futures::yield_now;
use picoserve::ResponseSent;
use picoserve::io::{Read, Write};
use picoserve::request::{Path, Request};
use picoserve::response::{
    Content, ForEachHeader, HeadersIter, IntoResponse, NoContent, Response, ResponseWriter,
    StatusCode,
};
use picoserve::routing::PathRouterService;
use stats::{HttpServer, Writer};
use time::Clock;

use crate::files::{self, StaticFile};
use crate::gate::{self, Accepted, Refusal};
use crate::pattern;
use crate::snapshot::{Counters, Identity, PdSource, Snapshot};
use crate::stream::{ByteStream, Connection};

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

impl Site {
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

/// How many bytes `/bytes/…` asks for.
fn bytes_wanted(number: &str) -> Result<u32, Refusal> {
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(MISSING);
    }
    // All digits: what does not parse is too large.
    let wanted = number.parse().ok().filter(|&len| len <= pattern::MAX_LEN);
    wanted.ok_or(Refusal {
        status: StatusCode::BAD_REQUEST,
        reason: "At most 1073741824 bytes can be asked for.",
    })
}

const MISSING: Refusal = Refusal {
    status: StatusCode::NOT_FOUND,
    reason: "There is no such page.",
};

/// The site as one connection sees it.
pub(crate) struct Visit<'s, S> {
    pub site: &'s Site,
    pub counters: &'s RefCell<Counters>,
    pub connection: &'s Connection<S>,
}

impl<S> Visit<'_, S> {
    /// What a path leads to.
    fn page(&self, path: &str) -> Result<Page<'_>, Refusal> {
        let Visit { site, counters, .. } = *self;
        if path == "/stats.json" {
            return Ok(Page::Stats(Snapshot { site, counters }));
        }
        if let Some(number) = path.strip_prefix("/bytes/") {
            return bytes_wanted(number).map(Page::Bytes);
        }
        files::find(site.files, path).map(Page::File).ok_or(MISSING)
    }
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
        let Visit {
            site, connection, ..
        } = *self;
        if !connection.has_read.replace(false) {
            // Requests that came all at once are answered one a turn, so that their client has no
            // more than its share.
            yield_now().await;
        }
        site.stats.inc(HttpServer::Requests);
        let may_go_on = connection.stream.requested();
        let parts = request.parts;
        let fields = parts
            .headers()
            .iter()
            .map(|(name, value)| (name.as_raw(), value.as_raw()));
        let accepted = gate::check(parts.method(), path.encoded(), parts.http_version(), fields);
        let goes_on = |accepted: Accepted<'_>| may_go_on && !accepted.closes;
        let closes = !accepted.is_ok_and(goes_on);
        connection.closes.set(closes);
        let (mut status, page) = match accepted.and_then(|accepted| self.page(accepted.path)) {
            Ok(page) => (StatusCode::OK, page),
            Err(refusal) => (refusal.status, Page::Refusal(refusal.reason)),
        };
        let mut fields = Fields {
            caching: "no-store",
            etag: None,
            not_allowed: status == StatusCode::METHOD_NOT_ALLOWED,
            closes,
        };
        if let Page::File(file) = page {
            (fields.caching, fields.etag) = ("no-cache", Some(file.etag));
            let known = parts.headers().get("If-None-Match");
            if known.is_some_and(|known| files::is_current(file, known.as_raw())) {
                status = StatusCode::NOT_MODIFIED;
            }
        }
        site.count(status);
        if let Page::Stats(snapshot) = &page {
            snapshot.take();
        }
        let is_head = parts.method() == "HEAD";
        let body = request.body_connection.finalize().await?;
        let sent = if status == StatusCode::NOT_MODIFIED {
            let response = (status, fields, NoContent);
            response.write_to(body, response_writer).await
        } else {
            let response = Response::new(status, Answer { page, is_head }).with_headers(fields);
            response.write_to(body, response_writer).await
        };
        connection.is_over.set(closes);
        sent
    }
}

/// The fields of a response that do not follow from its body. One small type, because futures keep
/// several copies of what they write.
#[derive(Clone, Copy)]
struct Fields {
    /// A client may keep a file, and asks with `If-None-Match` whether it is still current.
    caching: &'static str,
    /// Of a file.
    etag: Option<&'static str>,
    /// The client is to learn which methods are allowed.
    not_allowed: bool,
    /// This is the last response. picoserve's own field is left out if there is one.
    closes: bool,
}

impl HeadersIter for Fields {
    async fn for_each_header<F: ForEachHeader>(self, mut f: F) -> Result<F::Output, F::Error> {
        f.call("Server", "Isthmus").await?;
        f.call("Cache-Control", self.caching).await?;
        if let Some(etag) = self.etag {
            f.call("ETag", etag).await?;
        }
        if self.not_allowed {
            f.call("Allow", "GET, HEAD").await?;
        }
        if self.closes {
            f.call("Connection", "close").await?;
        }
        f.finalize().await
    }
}

/// What a request leads to.
enum Page<'s> {
    File(&'static StaticFile),
    Stats(Snapshot<'s>),
    /// So many bytes of the pattern.
    Bytes(u32),
    /// Why there is nothing else, in a line without its end.
    Refusal(&'static str),
}

/// The body of a response.
struct Answer<'s> {
    page: Page<'s>,
    /// The length is that of the page, and there are no bytes.
    is_head: bool,
}

impl Content for Answer<'_> {
    fn content_type(&self) -> &'static str {
        match &self.page {
            Page::File(file) => file.content_type,
            Page::Stats(_) => "application/json",
            Page::Bytes(_) => "application/octet-stream",
            Page::Refusal(reason) => reason.content_type(),
        }
    }

    fn content_length(&self) -> usize {
        match &self.page {
            Page::File(file) => file.body.len(),
            Page::Stats(snapshot) => format_args!("{snapshot}").content_length(),
            Page::Bytes(len) => *len as usize,
            Page::Refusal(reason) => reason.len() + 1,
        }
    }

    async fn write_content<W: Write>(self, mut writer: W) -> Result<(), W::Error> {
        match self.page {
            _ if self.is_head => Ok(()),
            Page::File(file) => writer.write_all(file.body).await,
            Page::Stats(snapshot) => {
                let text = format_args!("{snapshot}");
                text.write_content(writer).await
            }
            Page::Bytes(len) => write_pattern(len, writer).await,
            Page::Refusal(reason) => {
                writer.write_all(reason.as_bytes()).await?;
                writer.write_all(b"\n").await
            }
        }
    }
}

/// Produces the bytes where they are sent from.
async fn write_pattern<W: Write>(len: u32, mut writer: W) -> Result<(), W::Error> {
    let mut at = 0;
    while at < len {
        at += writer
            .write_with(|mut cursor| {
                let room = cursor.as_mut_slice();
                let count = room.len().min((len - at) as usize);
                pattern::fill(at, &mut room[..count]);
                cursor.advance(count);
                // At most `len`, which is a u32.
                count as u32
            })
            .await?;
    }
    Ok(())
}
