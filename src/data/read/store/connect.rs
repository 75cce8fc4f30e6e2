//! From a URL to the store that it names, with the credentials of the environment, and with limits
//! on how long anything may take.

use super::super::files::finding;
use super::KNOWN_SCHEMES;
use super::words::{self, Fault};
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Span};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long a server may say nothing before a request is given up.
const SILENCE: Duration = Duration::from_secs(10);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a request is tried again.
const RETRIES: usize = 3;
/// How long a request may be tried again.
const RETRY_TIME: Duration = Duration::from_secs(30);

/// A bucket, a container or a web server.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub inner: Arc<dyn ObjectStore>,
    /// What stands before a key in a URL: `s3://bucket/`.
    pub root: String,
}

/// What a URL names.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub store: Store,
    /// What follows the bucket: a key, the beginning of some, or a pattern.
    pub key: String,
    /// Whether the store has folders and patterns: not so a web server.
    pub lists: bool,
}

/// Splits a URL and makes its store; nothing is asked of it yet.
pub(super) fn connect(url: &str, place: Option<Span>) -> Result<Address, Diagnostic> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, key) = rest.split_once('/').unwrap_or((rest, ""));
    if host.is_empty() {
        return Err(unknown(url, place, "has no bucket or host after `://`"));
    }
    let scheme = scheme.to_ascii_lowercase();
    let root = format!("{scheme}://{host}");
    let made = match scheme.as_str() {
        "s3" | "s3a" => amazon(&root),
        "gs" => google(&root),
        "az" | "azure" | "abfs" | "abfss" => azure(&root),
        "http" | "https" => {
            let (key, query) = key.split_once('?').map_or((key, None), |(key, query)| (key, Some(query)));
            let store = web(&root, query).map_err(|fault| words::finding(url, place, fault))?;
            let store = Store { inner: store, root: format!("{root}/") };
            return Ok(Address { store, key: key.to_owned(), lists: false });
        }
        _ => return Err(unknown(url, place, "is a URL of a kind that is not read")),
    };
    let inner = made.map_err(|fault| words::finding(url, place, fault))?;
    Ok(Address { store: Store { inner, root: format!("{root}/") }, key: key.to_owned(), lists: true })
}

fn unknown(url: &str, place: Option<Span>, what: &str) -> Diagnostic {
    finding(codes::UNKNOWN_STORE, place, format!("`{url}` {what}"))
        .help(format!("URLs that are read begin with {KNOWN_SCHEMES}; a file of this machine needs no `://`"))
}

type Made = Result<Arc<dyn ObjectStore>, Fault>;

fn amazon(root: &str) -> Made {
    let silence = AmazonS3ConfigKey::Client(ClientConfigKey::ReadTimeout);
    let mut builder = AmazonS3Builder::from_env().with_url(root).with_retry(retries());
    if builder.get_config_value(&silence).is_none() {
        builder = builder.with_config(silence, seconds(SILENCE));
    }
    provide();
    Ok(Arc::new(builder.build().map_err(|error| words::of(&error))?))
}

fn google(root: &str) -> Made {
    let silence = GoogleConfigKey::Client(ClientConfigKey::ReadTimeout);
    let mut builder = GoogleCloudStorageBuilder::from_env().with_url(root).with_retry(retries());
    if builder.get_config_value(&silence).is_none() {
        builder = builder.with_config(silence, seconds(SILENCE));
    }
    provide();
    Ok(Arc::new(builder.build().map_err(|error| words::of(&error))?))
}

fn azure(root: &str) -> Made {
    let silence = AzureConfigKey::Client(ClientConfigKey::ReadTimeout);
    let mut builder = MicrosoftAzureBuilder::from_env().with_url(root).with_retry(retries());
    if builder.get_config_value(&silence).is_none() {
        builder = builder.with_config(silence, seconds(SILENCE));
    }
    provide();
    Ok(Arc::new(builder.build().map_err(|error| words::of(&error))?))
}

/// A web server; the query, which may hold a signature, goes with each request.
fn web(root: &str, query: Option<&str>) -> Made {
    let url = match query {
        Some(query) => format!("{root}/?{query}"),
        None => format!("{root}/"),
    };
    // A large file may come as one long answer.
    let options = ClientOptions::new()
        .with_timeout_disabled()
        .with_read_timeout(SILENCE)
        .with_connect_timeout(CONNECT)
        .with_allow_http(root.starts_with("http://"));
    let builder = HttpBuilder::new().with_url(url).with_client_options(options).with_retry(retries());
    provide();
    Ok(Arc::new(builder.build().map_err(|error| words::of(&error))?))
}

fn seconds(time: Duration) -> String {
    format!("{} seconds", time.as_secs())
}

fn retries() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(200),
        max_backoff: Duration::from_secs(3),
        base: 2.0,
    };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_TIME }
}

/// Says which library does the cryptography of TLS.
fn provide() {
    // Whoever embeds Strata may have chosen one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Waits for an answer of a store. Threads may wait at the same time.
pub(super) fn wait<T>(asked: impl Future<Output = Result<T, object_store::Error>>) -> Result<T, Fault> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())
    });
    match made {
        Ok(runtime) => runtime.block_on(asked).map_err(|error| words::of(&error)),
        Err(error) => Err(Fault::of(error.clone())),
    }
}
