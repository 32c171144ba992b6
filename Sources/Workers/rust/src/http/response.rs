//! Reading an answer: [`Response`].

use std::io::{self, BufRead, Read};

const HEAD_BYTES_MAX: u64 = 64 << 10;
const BODY_BYTES_MAX: u64 = 1 << 30;

/// An answer of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Such as 200.
    pub status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header, whose name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str, String> {
        std::str::from_utf8(&self.body).map_err(|error| format!("the answer is not UTF-8: {error}"))
    }

    /// Whether the connection may be used again.
    pub(super) fn keeps_connection(&self, is_old: bool) -> bool {
        let wish = self.header("connection").unwrap_or("").to_ascii_lowercase();
        let has_end = self.status == 204
            || self.header("content-length").is_some()
            || self.header("transfer-encoding").is_some();
        has_end && !wish.contains("close") && (!is_old || wish.contains("keep-alive"))
    }

    /// Reads an answer, passing over those that only announce one. Says besides whether the server speaks HTTP/1.0.
    pub(crate) fn read(source: &mut impl BufRead) -> io::Result<(Response, bool)> {
        loop {
            let (mut response, is_old) = read_head(source)?;
            if (100..200).contains(&response.status) {
                continue;
            }
            response.body = read_body(source, &response)?;
            return Ok((response, is_old));
        }
    }
}

fn read_head(source: &mut impl BufRead) -> io::Result<(Response, bool)> {
    let mut source = source.take(HEAD_BYTES_MAX);
    let first = read_line(&mut source)?;
    let mut words = first.splitn(3, ' ');
    let is_old = match words.next() {
        Some("HTTP/1.1") => false,
        Some("HTTP/1.0") => true,
        _ => return Err(wrong("the answer is not HTTP")),
    };
    let status = words
        .next()
        .filter(|word| word.len() == 3)
        .and_then(|word| word.parse().ok());
    let status = status
        .filter(|status| *status >= 100)
        .ok_or_else(|| wrong("the answer has no status"))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(&mut source)?;
        if line.is_empty() {
            return Ok((
                Response {
                    status,
                    headers,
                    body: Vec::new(),
                },
                is_old,
            ));
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| wrong("the answer has a wrong header"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
}

fn read_body(source: &mut impl BufRead, response: &Response) -> io::Result<Vec<u8>> {
    if matches!(response.status, 204 | 304) {
        return Ok(Vec::new());
    }
    if let Some(coding) = response.header("transfer-encoding") {
        if !coding.eq_ignore_ascii_case("chunked") {
            return Err(wrong("the answer has an unknown transfer encoding"));
        }
        return read_chunks(source);
    }
    let mut body = Vec::new();
    match response.header("content-length") {
        Some(length) => {
            let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
            let length = length.parse().ok().filter(|_| is_number);
            let length = length.ok_or_else(|| wrong("the answer has a wrong length"))?;
            read_exactly(source, length, &mut body)?;
        }
        None => {
            source.take(BODY_BYTES_MAX + 1).read_to_end(&mut body)?;
            if body.len() as u64 > BODY_BYTES_MAX {
                return Err(wrong("the answer is too long"));
            }
        }
    }
    Ok(body)
}

fn read_chunks(source: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(&mut source.take(HEAD_BYTES_MAX))?;
        let digits = line.split(';').next().unwrap_or("").trim();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = u64::from_str_radix(digits, 16).ok().filter(|_| is_number);
        let size = size.ok_or_else(|| wrong("the answer has a wrong chunk"))?;
        if size == 0 {
            break;
        }
        read_exactly(source, size, &mut body)?;
        if !read_line(&mut source.take(2))?.is_empty() {
            return Err(wrong("the answer has a wrong chunk"));
        }
    }
    // What may follow the last chunk.
    while !read_line(&mut source.take(HEAD_BYTES_MAX))?.is_empty() {}
    Ok(body)
}

fn read_exactly(source: &mut impl BufRead, size: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if size > BODY_BYTES_MAX || body.len() as u64 + size > BODY_BYTES_MAX {
        return Err(wrong("the answer is too long"));
    }
    // A length is believed only so far.
    body.reserve(size.min(1 << 20) as usize);
    if source.take(size).read_to_end(body)? as u64 != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// One line without its end.
fn read_line(source: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    source.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| wrong("the answer's head is not text"))
}

fn wrong(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<(Response, bool)> {
        Response::read(&mut text.as_bytes())
    }

    #[test]
    fn a_body_with_a_length() {
        let mut two =
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A:  b \r\n\r\nabcHTTP/1.1 204 No Content\r\n\r\n"
                .as_bytes();
        let (first, is_old) = Response::read(&mut two).unwrap();
        assert_eq!(
            (first.status, first.text().unwrap(), first.header("x-a")),
            (200, "abc", Some("b"))
        );
        assert!(first.keeps_connection(is_old));
        let (second, _) = Response::read(&mut two).unwrap();
        assert_eq!((second.status, second.body.len()), (204, 0));
    }

    #[test]
    fn a_body_in_chunks() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                    3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
        assert_eq!(read(text).unwrap().0.text().unwrap(), "abc0123456789");
    }

    #[test]
    fn a_body_up_to_the_end() {
        let (response, is_old) = read("HTTP/1.0 200\n\nabc").unwrap();
        assert_eq!(response.text().unwrap(), "abc");
        assert!(!response.keeps_connection(is_old));
    }

    #[test]
    fn a_connection_that_is_to_be_closed() {
        let (response, is_old) =
            read("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n").unwrap();
        assert!(!response.keeps_connection(is_old));
    }

    #[test]
    fn what_is_no_answer() {
        for text in [
            "",
            "\r\n\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 OK\r\n\r\n",
            "HTTP/1.1 99 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(HEAD_BYTES_MAX as usize));
        assert!(read(&endless).is_err());
    }
}
