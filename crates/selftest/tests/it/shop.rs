//! A server on loopback for the tests: a shop, its trackers and others under names of their own, told apart by the host that is asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

/// The value of every cookie and key that the trackers leave: it must be in no report.
pub(crate) const SECRET: &str = "visitor-4711";
pub(crate) const HOST: &str = "www.shop.localhost";

/// An answer: its type, more lines of its head, its text.
#[derive(Debug, Clone)]
pub(crate) struct Answer(pub(crate) &'static str, pub(crate) String, pub(crate) Vec<u8>);

/// A shop that is open.
#[derive(Debug)]
pub(crate) struct Shop {
    port: u16,
}

impl Shop {
    /// Opens a shop with these pages, by host and path; `PORT` in them stands for the port of all.
    pub(crate) fn open(pages: &[(&str, Answer)]) -> Shop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let fill = |text: &[u8]| match std::str::from_utf8(text) {
            Ok(text) => text.replace("PORT", &port.to_string()).into_bytes(),
            Err(_) => text.to_vec(),
        };
        let pages: BTreeMap<String, Answer> = pages
            .iter()
            .map(|(path, Answer(kind, head, text))| {
                ((*path).to_owned(), Answer(kind, fill_text(head, port), fill(text)))
            })
            .collect();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let pages = pages.clone();
                thread::spawn(move || drop(serve(&stream, &pages)));
            }
        });
        Shop { port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{HOST}:{}", self.port)
    }
}

fn fill_text(text: &str, port: u16) -> String {
    text.replace("PORT", &port.to_string())
}

/// A page of HTML.
pub(crate) fn page(text: &str) -> Answer {
    Answer("text/html", String::new(), text.as_bytes().to_vec())
}

/// A script.
pub(crate) fn script(text: &str) -> Answer {
    Answer("text/javascript", String::new(), text.as_bytes().to_vec())
}

/// A tracker as they are: leaves cookies and keys on the shop's page, a cookie under its own name, and tells a collector.
pub(crate) fn tracker() -> [(&'static str, Answer); 2] {
    let text = format!(
        "document.cookie = '_count={SECRET};path=/;max-age=999;domain=shop.localhost';
         localStorage.setItem('count_id', '{SECRET}');
         new Image().src = 'http://collector.localhost:PORT/collect?who={SECRET}';"
    );
    let cookie = format!("set-cookie: uid={SECRET}; Path=/; Max-Age=999; SameSite=None; Secure\r\n");
    let Answer(kind, _, text) = script(&text);
    [("tracker.localhost/count.js", Answer(kind, cookie, text)), ("ads.localhost/pixel.gif", gif())]
}

/// The smallest image.
pub(crate) fn gif() -> Answer {
    Answer("image/gif", String::new(), b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;".to_vec())
}

/// A file that other parts of the project have.
pub(crate) fn file(kind: &'static str, path: impl AsRef<Path>) -> Answer {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    Answer(
        kind,
        String::new(),
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    )
}

fn serve(stream: &TcpStream, pages: &BTreeMap<String, Answer>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let (mut host, mut cookie, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut head = String::new();
        reader.read_line(&mut head)?;
        let Some((name, value)) = head.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "host" => host = value.split(':').next().unwrap().to_owned(),
            "cookie" => value.clone_into(&mut cookie),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = target.split('?').next().unwrap();
    let Answer(kind, head, text) = match (path, host.as_str()) {
        ("/w/srp_harbour/init", HOST) => init(&cookie, &pages["init"]),
        ("/w/srp_harbour/choices", HOST) => choices(&cookie, &body),
        _ => pages.get(&format!("{host}{path}")).cloned().unwrap_or_else(gif),
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\naccess-control-allow-origin: *\r\n{head}\r\n",
        text.len()
    )?;
    stream.write_all(&text)
}

/// An answer of `init`, as docs/spec/window.md has it. Takes: what the shop says, without what stands.
fn init(cookie: &str, said: &Answer) -> Answer {
    let mut init: Value = serde_json::from_slice(&said.2).unwrap();
    let stands = stands(cookie);
    init["ask"] = json!(stands.is_empty());
    init["choices"] = json!(stands);
    Answer("application/json", "cache-control: no-store\r\n".into(), init.to_string().into_bytes())
}

fn choices(cookie: &str, body: &[u8]) -> Answer {
    let said: Value = serde_json::from_slice(body).unwrap();
    let mut stands = stands(cookie);
    for (name, yes) in said["choices"].as_object().unwrap() {
        stands.insert(name.clone(), yes.as_bool().unwrap());
    }
    let of = |yes: bool| {
        let names = stands.iter().filter(|(_, said)| **said == yes).map(|(name, _)| name.as_str());
        names.collect::<Vec<_>>().join("+")
    };
    let standing = format!("1.3.{}.{}", of(true), of(false));
    let head = format!(
        "set-cookie: sr={standing}; Path=/; Max-Age=999; SameSite=Lax; Secure\r\n\
         set-cookie: srv=somebody; Path=/w/; Max-Age=999; HttpOnly; SameSite=Lax; Secure\r\n"
    );
    let saved = json!({ "choices": stands, "receipt_url": null, "until": null, "standing": standing });
    Answer("application/json", head, saved.to_string().into_bytes())
}

fn stands(cookie: &str) -> BTreeMap<String, bool> {
    let value = cookie.split("; ").find_map(|pair| pair.strip_prefix("sr=")).unwrap_or_default();
    let mut parts = value.split('.').skip(2);
    let mut all = BTreeMap::new();
    for yes in [true, false] {
        let names = parts.next().unwrap_or_default();
        all.extend(names.split('+').filter(|name| !name.is_empty()).map(|name| (name.to_owned(), yes)));
    }
    all
}
