// SPDX-License-Identifier: BSD-2-Clause

//! Files that are packed into the image.

/// A file of the site.
#[derive(Clone, Copy, Debug)]
pub struct StaticFile {
    /// Path in the URL, with the slash in front. The page of a folder has the folder's path.
    pub path: &'static str,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `ETag`, with its quotes. Another content must have another one.
    pub etag: &'static str,
    /// The content.
    pub body: &'static [u8],
}

/// Looks a path up, as it stands in the request: the paths of files have no character that needs
/// escaping.
pub fn find<'f>(files: &'f [StaticFile], path: &str) -> Option<&'f StaticFile> {
    files.iter().find(|file| file.path == path)
}

/// Whether a request's `If-None-Match` names what the file has (RFC 9110 section 13.1.2): the
/// client needs no second copy.
pub fn is_current(file: &StaticFile, if_none_match: &[u8]) -> bool {
    if_none_match.split(|&b| b == b',').any(|candidate| {
        let candidate = candidate.trim_ascii();
        let candidate = candidate.strip_prefix(b"W/").unwrap_or(candidate);
        candidate == file.etag.as_bytes() || candidate == b"*"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: StaticFile = StaticFile {
        path: "/a.css",
        content_type: "text/css",
        etag: "\"1f\"",
        body: b"",
    };

    #[test]
    fn paths_match_as_a_whole() {
        assert!(find(&[FILE], "/a.css").is_some());
        for path in ["/a.css/", "/a.cs", "/a", "a.css", "", "/../a.css"] {
            assert!(find(&[FILE], path).is_none(), "{path}");
        }
    }

    #[test]
    fn tags_are_compared_weakly() {
        for (field, current) in [
            (&b"\"1f\""[..], true),
            (b"\"0\", \"1f\"", true),
            (b"W/\"1f\"", true),
            (b"*", true),
            (b"1f", false),
            (b"", false),
            (b"\"1f", false),
        ] {
            assert_eq!(is_current(&FILE, field), current, "{field:?}");
        }
    }
}
