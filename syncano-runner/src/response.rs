//! A script's own HTTP response, and what it must be like to be sent.

use bytes::Bytes;

/// A checked HTTP response of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// 200 to 599: a 1xx announces another answer, so it can't be one itself.
    pub status: u16,
    /// At most 255 characters of printable ASCII with a `/` among them.
    pub content_type: String,
    /// At most 50, in the script's order. What belongs to the connection or to the server (`Connection`,
    /// `Content-Length`, `Syncano-*`, …) has been dropped.
    pub headers: Vec<(String, String)>,
    /// The body, at most 6 MiB.
    pub content: Bytes,
}

const MAX_HEADERS: usize = 50;
const MAX_CONTENT_TYPE: usize = 255;
const MAX_NAME: usize = 127;
const MAX_VALUE: usize = 4096;
const MAX_TOTAL: usize = 8 * 1024;

/// Headers that describe the connection or the body's framing: the server's business.
const NOT_FOR_SCRIPTS: [&str; 11] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

impl Response {
    /// The response that a worker's head (`[status, content type, [[name, value], …]]` in JSON) and body say, or why
    /// it can't be sent.
    pub(crate) fn from_parts(head: &[u8], content: Bytes) -> Result<Response, String> {
        let (status, content_type, headers): (i64, String, Vec<(String, String)>) =
            serde_json::from_slice(head).map_err(|error| format!("its head can't be read: {error}"))?;
        Response::checked(status, content_type, headers, content)
    }

    fn checked(
        status: i64,
        mut content_type: String,
        headers: Vec<(String, String)>,
        content: Bytes,
    ) -> Result<Response, String> {
        let status = u16::try_from(status)
            .ok()
            .filter(|status| (200..=599).contains(status))
            .ok_or_else(|| format!("its status {status} is not within 200 to 599"))?;
        if headers.len() > MAX_HEADERS {
            return Err(format!("it has {} headers; at most {MAX_HEADERS} are allowed", headers.len()));
        }
        let mut kept = Vec::with_capacity(headers.len());
        let mut total = 0;
        for (name, value) in headers {
            check_header(&name, &value)?;
            total += name.len() + value.len();
            let lower = name.to_ascii_lowercase();
            if lower == "content-type" {
                // Said twice; the header is the more deliberate of the two.
                content_type = value;
            } else if !NOT_FOR_SCRIPTS.contains(&&*lower) && !lower.starts_with("syncano-") {
                kept.push((name, value));
            }
        }
        if total > MAX_TOTAL {
            return Err(format!("its headers have {total} bytes; at most {MAX_TOTAL} are allowed"));
        }
        if content_type.len() > MAX_CONTENT_TYPE
            || !is_printable(&content_type)
            || !content_type.contains('/')
        {
            return Err(format!(
                "its content type must be at most {MAX_CONTENT_TYPE} characters of printable ASCII with a `/`: \
                 {content_type:?}"
            ));
        }
        Ok(Response { status, content_type, headers: kept, content })
    }
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_token) {
        return Err(format!("a header's name must be 1 to {MAX_NAME} letters, digits or dashes: {name:?}"));
    }
    if value.len() > MAX_VALUE || !is_printable(value) {
        return Err(format!(
            "the value of its header `{name}` must be at most {MAX_VALUE} characters of printable ASCII"
        ));
    }
    Ok(())
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// What HTTP allows in the name of a header.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str) -> Result<Response, String> {
        Response::from_parts(head.as_bytes(), Bytes::new())
    }

    #[test]
    fn the_range_of_a_status() {
        for good in [200, 599] {
            assert_eq!(check(&format!(r#"[{good},"text/plain",[]]"#)).unwrap().status, good);
        }
        for bad in [99, 600, -1, 70_000] {
            assert!(check(&format!(r#"[{bad},"text/plain",[]]"#)).unwrap_err().contains("200 to 599"));
        }
    }

    #[test]
    fn a_content_type_is_printable_and_has_a_slash() {
        for bad in ["json", "text/\\u0007", "text/\\u00e9"] {
            assert!(check(&format!(r#"[200,"{bad}",[]]"#)).is_err(), "{bad}");
        }
        assert!(check(&format!(r#"[200,"text/{}",[]]"#, "a".repeat(251))).is_err());
    }

    #[test]
    fn headers_of_the_connection_and_of_the_server_are_dropped() {
        let response = check(
            r#"[200,"text/plain",[["Connection","close"],["CONTENT-LENGTH","7"],["Syncano-Status","success"],
                ["X-Kept","1"]]]"#,
        )
        .unwrap();
        assert_eq!(response.headers, [("X-Kept".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_content_type_among_the_headers_wins() {
        let response = check(r#"[200,"application/json",[["content-type","text/html"]]]"#).unwrap();
        assert_eq!((&*response.content_type, response.headers.len()), ("text/html", 0));
    }

    #[test]
    fn headers_are_bounded() {
        let many: Vec<_> = (0..51).map(|n| format!(r#"["X-{n}","1"]"#)).collect();
        assert!(check(&format!(r#"[200,"a/b",[{}]]"#, many.join(","))).unwrap_err().contains("51 headers"));
        for bad in [r#"["X Y","1"]"#, r#"["X\r\n","1"]"#, r#"["","1"]"#, r#"["X","a\r\nB: c"]"#] {
            assert!(check(&format!(r#"[200,"a/b",[{bad}]]"#)).is_err(), "{bad}");
        }
        let long = format!(r#"["A","{0}"],["B","{0}"],["C","{0}"]"#, "x".repeat(4000));
        assert!(check(&format!(r#"[200,"a/b",[{long}]]"#)).unwrap_err().contains("bytes"));
    }
}
