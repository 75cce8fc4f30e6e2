//! What a store's refusal means to the reader.

use super::super::files::finding as place_finding;
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, Span};
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error;

/// Why a store gave no answer, or none that helps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub kind: Kind,
    /// In the reader's words.
    pub why: String,
    pub help: Option<&'static str>,
}

/// What a caller may do something about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// There is no such object.
    Missing,
    /// The server gives whole files only.
    WholeOnly,
    Other,
}

impl Fault {
    pub fn of(why: String) -> Fault {
        Fault { kind: Kind::Other, why, help: None }
    }
}

const CREDENTIALS: &str = "set the usual variables, such as `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, \
     `GOOGLE_SERVICE_ACCOUNT`, or `AZURE_STORAGE_ACCOUNT_NAME` and `AZURE_STORAGE_ACCOUNT_KEY`; for a public bucket \
     `AWS_SKIP_SIGNATURE=true`";

const ADDRESS: &str = "`AWS_ENDPOINT_URL` names the server of a store that is not Amazon's";

/// The finding about a URL.
pub(super) fn finding(url: &str, place: Option<Span>, fault: Fault) -> Diagnostic {
    let url = shown(url);
    let finding = place_finding(codes::UNREADABLE, place, format!("cannot read `{url}`: {}", fault.why));
    match fault.help {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// A URL without its query, which may hold a signature.
pub(super) fn shown(url: &str) -> &str {
    match url.split_once('?') {
        Some((shown, _)) if url.starts_with("http") => shown,
        _ => url,
    }
}

/// What an error of the library means.
pub(super) fn of(error: &object_store::Error) -> Fault {
    use object_store::Error as E;
    let text = all(error);
    let fault = |kind, why: &str, help| Fault { kind, why: why.to_owned(), help };
    if text.contains("NoSuchBucket") || text.contains("ContainerNotFound") {
        return fault(Kind::Other, "there is no such bucket", None);
    }
    if no_credentials(&text) {
        return fault(Kind::Other, "no credentials for it are there", Some(CREDENTIALS));
    }
    match error {
        E::NotFound { .. } => fault(Kind::Missing, "there is no such object", None),
        E::PermissionDenied { .. } => {
            fault(Kind::Other, "the store denies access to it with these credentials", Some(CREDENTIALS))
        }
        E::Unauthenticated { .. } => {
            fault(Kind::Other, "the store does not accept these credentials", Some(CREDENTIALS))
        }
        E::Precondition { .. } => fault(Kind::Other, "it was changed while it was being read", None),
        E::InvalidPath { source } => Fault::of(format!("its name is none that is read: {source}")),
        _ if ["non-partial response", "Range request not supported"].iter().any(|it| text.contains(it)) => {
            fault(Kind::WholeOnly, "its server gives no part of a file", None)
        }
        _ => transport(error),
    }
}

/// Without credentials in the environment the library asks the machine's own cloud for some.
fn no_credentials(text: &str) -> bool {
    const ASKED: [&str; 5] = [
        "latest/api/token",
        "169.254.169.254",
        "metadata.google.internal",
        "metadata/identity/oauth2",
        "MissingSecretAccessKey",
    ];
    ASKED.iter().any(|asked| text.contains(asked))
}

/// A failure on the way.
fn transport(error: &object_store::Error) -> Fault {
    let root = innermost(error);
    let kind = chain(error).find_map(|error| error.downcast_ref::<HttpError>()).map(HttpError::kind);
    let why = match kind {
        Some(HttpErrorKind::Timeout) => "its server does not answer in time".to_owned(),
        Some(HttpErrorKind::Connect) => format!("its server cannot be reached: {root}"),
        Some(_) => format!("its server broke off: {root}"),
        None => root,
    };
    Fault { kind: Kind::Other, why, help: kind.map(|_| ADDRESS) }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let text = chain(error).last().map_or_else(String::new, ToString::to_string);
    let text = text.trim_end_matches('.');
    // One line of what may be a page.
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

fn all(error: &(dyn Error + 'static)) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
