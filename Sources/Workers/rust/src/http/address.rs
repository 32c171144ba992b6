//! Where a server is: [`Address`].

use std::fmt;
use std::path::PathBuf;

/// `http://HOST[:PORT][/PATH]`, or `unix:PATH` for a socket on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub(super) place: Place,
    /// What goes before the path of every request, such as `/stepwell`.
    pub(super) prefix: String,
    /// The `Host` of every request.
    pub(super) host: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl Address {
    /// Reads an address. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Address, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err(format!("'{text}' names no socket; write unix:PATH"));
            }
            let place = Place::Unix(PathBuf::from(path));
            return Ok(Address {
                place,
                prefix: String::new(),
                host: "localhost".to_string(),
            });
        }
        if text.starts_with("https:") {
            return Err(format!(
                "'{text}': this program speaks no TLS, which Rust's standard library does not have; let a proxy \
                 on this machine speak it, such as stunnel, haproxy or nginx, and give its http:// address or its \
                 socket as unix:PATH"
            ));
        }
        let rest = text
            .strip_prefix("http://")
            .ok_or_else(|| format!("'{text}' is no address; write http://HOST:PORT or unix:PATH"))?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if path.contains(['?', '#'])
            || text.contains(|c: char| c.is_control() || c == ' ')
            || host.contains('@')
        {
            return Err(format!(
                "'{text}': an address has no user, no query and no fragment"
            ));
        }
        let (name, port) =
            split_port(host).ok_or_else(|| format!("'{text}' has no host, or a wrong port"))?;
        Ok(Address {
            place: Place::Tcp(name, port),
            prefix: path.trim_end_matches('/').to_string(),
            host: host.to_string(),
        })
    }
}

/// The host as the resolver wants it, and the port.
fn split_port(host: &str) -> Option<(String, u16)> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']')?;
            (
                name,
                rest.strip_prefix(':').or_else(|| rest.is_empty().then(|| "80"))?,
            )
        }
        None => host.split_once(':').unwrap_or((host, "80")),
    };
    let port = port
        .parse()
        .ok()
        .filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))?;
    (!name.is_empty()).then(|| (name.to_string(), port))
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tcp(..) => write!(formatter, "http://{}{}", self.host, self.prefix),
            Place::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(text: &str) -> (String, u16, String) {
        let address = Address::parse(text).unwrap();
        match address.place {
            Place::Tcp(name, port) => (name, port, address.prefix),
            Place::Unix(_) => panic!("{text} is no TCP address"),
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(
            tcp("http://127.0.0.1:7420"),
            ("127.0.0.1".into(), 7420, "".into())
        );
        assert_eq!(tcp("http://example.org/"), ("example.org".into(), 80, "".into()));
        assert_eq!(tcp("http://[::1]:8080/a/b/"), ("::1".into(), 8080, "/a/b".into()));
        assert_eq!(tcp("http://[::1]"), ("::1".into(), 80, "".into()));
        let socket = Address::parse("unix:a folder/api.sock").unwrap();
        assert_eq!(socket.place, Place::Unix(PathBuf::from("a folder/api.sock")));
        assert_eq!(socket.to_string(), "unix:a folder/api.sock");
        assert_eq!(
            Address::parse("http://h:1/x/").unwrap().to_string(),
            "http://h:1/x"
        );
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "unix:",
            "localhost:7420",
            "http://",
            "http://:80",
            "http://a:b",
            "http://a:99999",
            "http://a:+8",
            "http://[::1",
            "http://[::1]x",
            "http://u@h",
            "http://h/a?b",
            "http://h/a b",
            "http://h/\r\n",
            "ftp://h",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert!(Address::parse("https://h").unwrap_err().contains("no TLS"));
    }
}
