//! How a system speaks, compiled: everything of a profile that is not its manifest.

use std::time::Duration;

use jiff::tz::TimeZone;
use reqwest::header::HeaderName;

use super::body::Body;
use super::form::Moment;
use super::path::Path;
use super::shape::Shape;
use super::template::Template;
use super::tokens::{LoginWay, OAuthWay};
use crate::http::Method;
use crate::record::{Text, Value};

/// How a system speaks.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    pub(super) address: Template,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) sign_in: SignIn,
    pub(super) bounds: Bounds,
    pub(super) probe: Option<Probe>,
    /// Where refusals carry their reason.
    pub(super) reason: Vec<Path>,
    /// What a good answer says; without it a good status is enough.
    pub(super) ok_when: Option<(Path, Test)>,
    pub(super) rules: Vec<Rule>,
    /// What an emptied field is in a body.
    pub(super) nothing: Nothing,
    pub(super) resources: Vec<(String, Ways)>,
}

/// What a system allows.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounds {
    /// Calls a minute.
    pub(super) per_minute: Option<u32>,
    /// Calls a second: a number, or the setting that holds it.
    pub(super) per_second: Option<Template>,
    /// One call from start to end.
    pub(super) timeout: Option<Duration>,
}

/// What a field without a value is in the body of an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Nothing {
    #[default]
    Null,
    /// The empty text.
    Empty,
    /// Not in the body at all.
    LeftOut,
}

/// How a call proves who it comes from.
#[derive(Clone, Debug)]
pub(super) enum SignIn {
    None,
    Header(HeaderName, Template),
    Parameter(String, Template),
    Basic { user: Template, password: Template },
    OAuth(Box<OAuthWay>),
    Login(Box<LoginWay>),
}

/// A cheap read that proves the sign-in.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) path: Template,
    /// Where the answer names the account.
    pub(super) says: Option<Path>,
}

/// What some replies mean.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// First and last status; none: all.
    pub(super) statuses: Vec<(u16, u16)>,
    pub(super) body: Option<(Path, Test)>,
    /// The answer has one of these in it, in whatever case; none: whatever it says.
    pub(super) text: Vec<String>,
    pub(super) advice: Meaning,
    pub(super) reason: Option<Reason>,
    pub(super) help: Option<String>,
}

/// What the value in a reply's body must be.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// There, and not empty or false.
    There,
    /// One of these.
    Is(Vec<String>),
    /// With one of these in it, in whatever case.
    Contains(Vec<String>),
}

/// What a rule says to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Retry,
    Skip,
    Stop,
    Reconnect,
    /// There is no such record.
    Nothing,
}

/// Where a reason comes from.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    Path(Path),
    Text(String),
}

/// What can be done with a resource, and how.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    pub(super) key: String,
    pub(super) shape: Shape,
    pub(super) fetch: Option<FetchWay>,
    pub(super) detail: bool,
    pub(super) finds: Vec<FindWay>,
    pub(super) create: Option<WriteWay>,
    pub(super) update: Option<WriteWay>,
}

/// A question and where its answer has the records.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) path: Template,
    /// A question that is put by POST, with its parameters in the body.
    pub(super) body: Option<Body>,
    pub(super) parameters: Vec<(String, Template)>,
    /// Stands between values of one parameter; without it the parameter is repeated.
    pub(super) join: Option<String>,
    /// A sign that is written twice within values.
    pub(super) quote: Option<String>,
    pub(super) records: Path,
    pub(super) paging: Option<Paging>,
}

/// Reading page by page.
#[derive(Clone, Debug)]
pub(super) struct FetchWay {
    pub(super) ask: Ask,
    pub(super) filters: Vec<FilterWay>,
    pub(super) since: Vec<SinceWay>,
    pub(super) empty_on_404: bool,
}

/// Reading what has some value in a field.
#[derive(Clone, Debug)]
pub(super) struct FilterWay {
    pub(super) field: String,
    pub(super) parameter: String,
    /// An expression around the value: `Status eq '{value}'`.
    pub(super) value: Option<Template>,
}

/// Reading from some moment or marker on.
#[derive(Clone, Debug)]
pub(super) struct SinceWay {
    pub(super) field: String,
    pub(super) parameter: String,
    /// An expression around the value: `ChangedUtc ge {since}`.
    pub(super) value: Option<Template>,
    /// What the system may be behind: so much is read once more.
    pub(super) overlap: Duration,
    /// Form of a moment; none: as the field has it.
    pub(super) form: Option<(Moment, TimeZone)>,
    /// The system leaves out what is exactly as old: ask from a little earlier.
    pub(super) exclusive: bool,
    /// What else is sent when reading so, an order for example.
    pub(super) parameters: Vec<(String, Template)>,
}

/// How pages follow each other.
#[derive(Clone, Debug)]
pub(super) struct Paging {
    pub(super) kind: PagingKind,
    pub(super) parameter: String,
    pub(super) size_parameter: Option<String>,
    pub(super) size: u64,
    pub(super) first: u64,
    pub(super) most_pages: u64,
    pub(super) end: End,
    /// Pages after the first are asked for by the token alone.
    pub(super) alone: bool,
}

/// How the next page is asked for.
#[derive(Clone, Debug)]
pub(super) enum PagingKind {
    /// By its number.
    Page,
    /// By how many records came before it.
    Offset,
    /// By a token that the answer carries there.
    Cursor(Path),
    /// By the value that the last record has there.
    Keyset(Path),
    /// By an address that the answer carries there.
    NextUrl(Path),
    /// By the address in the header `Link` with `rel="next"`.
    LinkHeader,
}

/// How the last page is known.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// The answer names no next one.
    NoNext,
    /// It holds fewer records than a page can.
    Short,
    /// It holds none.
    Empty,
    /// The value there is missing, empty, false or zero.
    More(Path),
    /// So many records there are.
    Total(Path),
    /// So many pages there are.
    Pages(Path),
}

/// Finding records.
#[derive(Clone, Debug)]
pub(super) struct FindWay {
    pub(super) by: Vec<String>,
    pub(super) ask: Ask,
    pub(super) batch: usize,
    /// Stands between the keys of one call.
    pub(super) separator: String,
    /// The whole list is read and searched here.
    pub(super) reads_all: bool,
    /// Capitals do not count.
    pub(super) any_case: bool,
}

/// Writing a record.
#[derive(Clone, Debug)]
pub(super) struct WriteWay {
    pub(super) method: Method,
    pub(super) path: Template,
    /// Members that the record is put under.
    pub(super) wrap: Vec<Text>,
    /// Values that every body carries.
    pub(super) fixed: Vec<(Vec<Text>, Value)>,
    pub(super) returns: Returns,
    pub(super) idempotency_header: Option<HeaderName>,
    /// An update sends the whole record, not only what changed.
    pub(super) whole: bool,
}

/// What the answer to a write holds.
#[derive(Clone, Debug)]
pub(super) enum Returns {
    Record(Path),
    Id(Path),
    Nothing,
}

impl Ways {
    /// The same with the settings of a connection filled in.
    pub(super) fn settle(&self, setting: &dyn Fn(&str) -> String) -> Self {
        let mut ways = self.clone();
        let in_path = |name: &str| segment(&setting(name));
        let ask = |ask: &mut Ask| {
            ask.path = ask.path.settle(&in_path);
            settle_all(&mut ask.parameters, setting);
            if let Some(body) = &mut ask.body {
                body.settle(setting);
            }
        };
        if let Some(fetch) = &mut ways.fetch {
            ask(&mut fetch.ask);
            for filter in &mut fetch.filters {
                filter.value = filter.value.as_ref().map(|value| value.settle(setting));
            }
            for since in &mut fetch.since {
                since.value = since.value.as_ref().map(|value| value.settle(setting));
                settle_all(&mut since.parameters, setting);
            }
        }
        for find in &mut ways.finds {
            ask(&mut find.ask);
        }
        for write in ways.create.iter_mut().chain(&mut ways.update) {
            write.path = write.path.settle(&in_path);
        }
        ways
    }
}

fn settle_all(parameters: &mut [(String, Template)], setting: &dyn Fn(&str) -> String) {
    for (_, value) in parameters {
        *value = value.settle(setting);
    }
}

/// A value as one part of an address.
pub(super) fn segment(text: &str) -> String {
    const KEPT: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, &KEPT).to_string()
}
