//! A mail server that speaks SMTP on loopback, and does with letters what a test says.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What it does with whoever comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// Takes letters.
    Takes,
    /// Takes none: `550`.
    Refuses,
    /// Says nothing, and keeps the line open.
    Hangs,
}

/// A mail server.
pub(crate) struct MailServer {
    pub(crate) at: SocketAddr,
    letters: Arc<Mutex<Vec<Letter>>>,
    manners: Arc<Mutex<Manners>>,
}

/// A letter as it came.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    /// Its head and body, decoded.
    pub(crate) text: String,
}

impl MailServer {
    pub(crate) fn start(manners: Manners) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = MailServer {
            at: listener.local_addr().unwrap(),
            letters: Arc::default(),
            manners: Arc::new(Mutex::new(manners)),
        };
        let (letters, manners) = (Arc::clone(&server.letters), Arc::clone(&server.manners));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (letters, manners) = (Arc::clone(&letters), *manners.lock().unwrap());
                std::thread::spawn(move || talk(stream, manners, &letters));
            }
        });
        server
    }

    /// The letters that came so far.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }

    /// Waits for the letter of this number, counted from 1.
    #[track_caller]
    pub(crate) fn letter(&self, number: usize) -> Letter {
        let began = Instant::now();
        loop {
            if let Some(letter) = self.letters().get(number - 1) {
                return letter.clone();
            }
            assert!(began.elapsed() < Duration::from_secs(20), "letter {number} came within twenty seconds");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Letter {
    /// The eight digits in it.
    pub(crate) fn code(&self) -> String {
        let body = self.text.split("\r\n\r\n").nth(1).unwrap();
        let digits: String = body.chars().take(20).filter(char::is_ascii_digit).collect();
        assert_eq!(digits.len(), 8, "{}", self.text);
        digits
    }
}

fn talk(stream: TcpStream, manners: Manners, letters: &Mutex<Vec<Letter>>) {
    if manners == Manners::Hangs {
        std::thread::sleep(Duration::from_secs(120));
        return;
    }
    let mut out = stream.try_clone().unwrap();
    let mut say = |line: &str| out.write_all(format!("{line}\r\n").as_bytes()).is_ok();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut to = String::new();
    say("220 mail.example ESMTP");
    while let Some(line) = lines.next() {
        let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match word.as_str() {
            "EHLO" | "HELO" => say("250-mail.example\r\n250 8BITMIME"),
            "MAIL" if manners == Manners::Refuses => say("550 not here"),
            "MAIL" => say("250 ok"),
            "RCPT" => {
                line.split(['<', '>']).nth(1).unwrap_or_default().clone_into(&mut to);
                say("250 ok")
            }
            "DATA" => {
                say("354 go on");
                let text: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                letters.lock().unwrap().push(Letter { to: to.clone(), text: decoded(&text.join("\r\n")) });
                say("250 taken")
            }
            "QUIT" => {
                say("221 bye");
                return;
            }
            _ => say("500 what?"),
        };
    }
}

/// A letter with its body decoded: as it stands, quoted-printable or base64.
fn decoded(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let lower = head.to_ascii_lowercase();
    let body = if lower.contains("content-transfer-encoding: base64") {
        let joined: String = body.split_whitespace().collect();
        String::from_utf8(data_encoding::BASE64.decode(joined.as_bytes()).unwrap()).unwrap()
    } else if lower.contains("content-transfer-encoding: quoted-printable") {
        unquoted(body)
    } else {
        body.to_owned()
    };
    format!("{head}\r\n\r\n{body}")
}

fn unquoted(body: &str) -> String {
    let body = body.replace("=\r\n", "");
    let (mut bytes, mut rest) = (Vec::new(), body.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'=' && behind.len() >= 2 {
            let hex = std::str::from_utf8(&behind[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).unwrap()
}
