//! Real servers on this machine: one that speaks S3, a web server, and a proxy that counts.

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt, PutPayload};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

pub struct Server {
    pub port: u16,
    /// It ends when its input does: at the latest with the tests.
    _running: Child,
}

/// The S3 server, with the bucket `lake` in it.
pub fn s3() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
        let setup = Command::new(here.join("setup")).stderr(Stdio::inherit()).output().unwrap();
        assert!(setup.status.success(), "tests/python/setup failed");
        let python = String::from_utf8(setup.stdout).unwrap();
        let mut running = Command::new(python.trim())
            .arg(here.join("s3_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        let mut made = TcpStream::connect(("127.0.0.1", port)).unwrap();
        made.write_all(
            b"PUT /lake HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )
        .unwrap();
        let mut answer = String::new();
        made.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
        Server { port, _running: running }
    })
}

impl Server {
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn bucket(&self) -> AmazonS3 {
        AmazonS3Builder::new()
            .with_bucket_name("lake")
            .with_endpoint(self.endpoint())
            .with_access_key_id("test")
            .with_secret_access_key("test")
            .with_region("us-east-1")
            .with_allow_http(true)
            .build()
            .unwrap()
    }

    /// Puts an object into the bucket `lake`.
    pub fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let key = Key::parse(key).unwrap();
        runtime.block_on(self.bucket().put(&key, PutPayload::from(bytes.into()))).unwrap();
    }
}

/// Stands between a reader and a server and counts what comes back.
pub struct Proxy {
    pub port: u16,
    pub answered: Arc<AtomicU64>,
    /// The ranges that were asked for, in order.
    pub ranges: Arc<Mutex<Vec<String>>>,
}

pub fn proxy(to: u16) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (answered, ranges) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
    let proxy = Proxy { port, answered: answered.clone(), ranges: ranges.clone() };
    thread::spawn(move || {
        for from in listener.incoming() {
            let (from, to) = (from.unwrap(), TcpStream::connect(("127.0.0.1", to)).unwrap());
            let (mut answers, mut back) = (to.try_clone().unwrap(), from.try_clone().unwrap());
            let (answered, ranges) = (answered.clone(), ranges.clone());
            thread::spawn(move || {
                let mut buffer = [0; 1 << 14];
                while let Ok(count @ 1..) = answers.read(&mut buffer) {
                    answered.fetch_add(count as u64, Ordering::SeqCst);
                    if back.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = back.shutdown(Shutdown::Both);
            });
            thread::spawn(move || forward(from, to, &ranges));
        }
    });
    proxy
}

/// Requests of a reader have no body: each line is one of their heads.
fn forward(from: TcpStream, mut to: TcpStream, ranges: &Mutex<Vec<String>>) {
    for line in BufReader::new(from).split(b'\n') {
        let Ok(mut line) = line else { break };
        line.push(b'\n');
        let text = String::from_utf8_lossy(&line).to_lowercase();
        if let Some(range) = text.trim().strip_prefix("range: ") {
            ranges.lock().unwrap().push(range.to_owned());
        }
        if to.write_all(&line).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// A web server that gives one file, whole, whatever is asked of it.
pub fn whole_only(content: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, content) = (stream.unwrap(), content.clone());
            thread::spawn(move || {
                let mut head = Vec::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while !head.ends_with(b"\r\n\r\n") && reader.read_until(b'\n', &mut head).unwrap_or(0) > 0 {}
                let there = head.starts_with(b"GET /data/users") || head.starts_with(b"HEAD /data/users");
                let status = if there { "200 OK" } else { "404 Not Found" };
                let length = if there { content.len() } else { 0 };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                if there && head.starts_with(b"GET") {
                    let _ = stream.write_all(&content);
                }
            });
        }
    });
    port
}

/// A server that takes connections and never says anything.
pub fn silent() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    port
}
