//! A server of a test's making.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use super::{Answer, Client};

/// A server that gives these answers; its end tells what it was asked: first line, content type, body.
pub(crate) fn server(answers: Vec<(u16, String)>) -> (Client, JoinHandle<Vec<[String; 3]>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let mut asked = Vec::new();
        let mut connection = BufReader::new(listener.accept().unwrap().0);
        for (status, answer) in answers {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(connection.read_line(&mut head).unwrap(), 0, "the client has gone");
            }
            let header = |name: &str| {
                let line = head.lines().find(|line| line.starts_with(name));
                line.map_or(String::new(), |line| line[name.len()..].to_string())
            };
            let mut body = vec![0; header("Content-Length: ").parse().unwrap_or(0)];
            connection.read_exact(&mut body).unwrap();
            let first = head.lines().next().unwrap().replace(" HTTP/1.1", "");
            asked.push([first, header("Content-Type: "), String::from_utf8(body).unwrap()]);
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", answer.len());
            let stream = connection.get_mut();
            stream.write_all((head + &answer).as_bytes()).unwrap();
        }
        asked
    });
    (Client::new(&url, Some("secret")).unwrap(), serving)
}

/// What a call makes of an answer, and what it has asked: first line, body.
pub(crate) fn exchange<T>(answer: &str, call: impl FnOnce(&Client) -> Answer<T>) -> (T, [String; 2]) {
    let (client, serving) = server(vec![(200, answer.to_string())]);
    let found = call(&client).unwrap();
    let mut asked = serving.join().unwrap();
    let [line, _, body] = asked.remove(0);
    (found, [line, body])
}
