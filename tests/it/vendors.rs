//! What goes over the wire while flows run, held against what the vendors say of their
//! interfaces: in both directions, as a validating proxy between connector and system would.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::Router;
use connectors::simulator::{Faults, Running, Simulator, serve_worded};
use tests::openapi::{Exchange, OpenApi, Tap};

use crate::wsdl;
use crate::wsdl::schema::Schema;

/// Teamleader's document, in its strict form.
pub(crate) const TEAMLEADER: &str = "teamleader-1.112.0.strict.json";

/// eAccounting's document, in its strict form.
pub(crate) const EACCOUNTING: &str = "eaccounting-v2.strict.json";

static OFFICE: LazyLock<Option<OpenApi>> = LazyLock::new(|| OpenApi::load(TEAMLEADER, ""));
static BOOKS: LazyLock<Option<OpenApi>> = LazyLock::new(|| OpenApi::load(EACCOUNTING, "/v2"));
static TILL: LazyLock<Option<Schema>> = LazyLock::new(wsdl::schema);

/// Where a vendor's description says something else than the vendor's service does.
struct Exception {
    system: &'static str,
    fits: fn(&str) -> bool,
}

const EXCEPTIONS: &[Exception] = &[
    // The document has a list of credit notes where one is asked for; every other `info` of it
    // answers with one record.
    Exception {
        system: "teamleader",
        fits: |problem| {
            problem.starts_with("POST /creditNotes.info: reply /data:")
                && problem.ends_with("is not of type \"array\"")
        },
    },
    // Contacts that are no longer in use: the list names the state, and so does the text beside the
    // values of a single one, but the values have `active` alone.
    Exception {
        system: "teamleader",
        fits: |problem| problem.starts_with("POST /contacts.info: reply /data/status: \"deactivated\""),
    },
    // A nested record names another one by a key that is read-only where that record itself is
    // written. The strict document refuses read-only members wherever they stand; without the
    // key no label and no term of payment could be named.
    Exception {
        system: "eaccounting",
        fits: |problem| {
            ["/ArticleLabels/", "/CustomerLabels/", "/TermsOfPayment/Id"]
                .iter()
                .any(|place| problem.contains(place))
                && problem.contains("/Id")
        },
    },
];

fn is_known(system: &str, problem: &str) -> bool {
    EXCEPTIONS.iter().any(|one| one.system == system && (one.fits)(problem))
}

/// What the document does not allow, without what is known of it.
pub(crate) fn violations(system: &str, document: &OpenApi, exchange: &Exchange) -> Vec<String> {
    let found = document.check(exchange).into_iter();
    found.filter(|problem| !is_known(system, problem)).collect()
}

fn check(system: &str, exchange: &Exchange) -> Vec<String> {
    match system {
        // Signing in is no part of either document.
        "teamleader" if exchange.path.starts_with("/oauth2") => Vec::new(),
        "eaccounting" if !exchange.path.starts_with("/v2") => Vec::new(),
        "teamleader" => OFFICE.iter().flat_map(|known| violations(system, known, exchange)).collect(),
        "eaccounting" => BOOKS.iter().flat_map(|known| violations(system, known, exchange)).collect(),
        "mpluskassa" => TILL.iter().filter_map(|schema| wsdl::problem(schema, exchange)).collect(),
        _ => Vec::new(),
    }
}

/// Stands between a connector and a simulator, and fails the test at its end when something went
/// over the wire that the vendor's description does not allow.
pub(crate) struct Proxy {
    system: &'static str,
    tap: Tap,
}

impl Proxy {
    fn on(system: &'static str, router: Router) -> (Self, Router) {
        let tap = Tap::default();
        let router = if Self::knows(system) { tap.on(router) } else { router };
        (Self { system, tap }, router)
    }

    /// In front of a simulator, which it starts.
    pub(crate) async fn start(
        system: &'static str,
        simulator: &dyn Simulator,
        faults: Faults,
    ) -> (Self, Running) {
        let (proxy, router) = Self::on(system, simulator.router());
        (proxy, serve_worded(router, 0, faults, simulator.wording()).await.unwrap())
    }

    /// A description of that system is at hand.
    fn knows(system: &str) -> bool {
        match system {
            "teamleader" => OFFICE.is_some(),
            "eaccounting" => BOOKS.is_some(),
            "mpluskassa" => TILL.is_some(),
            _ => false,
        }
    }

    /// What was not allowed.
    fn problems(&self) -> Vec<String> {
        let (mut problems, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for exchange in self.tap.take() {
            // The same question with the same answer is looked at once.
            let Exchange { path, query, request, status, reply, .. } = &exchange;
            if seen.insert((path.clone(), query.clone(), request.clone(), *status, reply.clone())) {
                problems.extend(check(self.system, &exchange));
            }
        }
        problems.into_iter().collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let problems = self.problems();
        let some: Vec<&str> = problems.iter().take(20).map(String::as_str).collect();
        assert!(
            problems.is_empty(),
            "{}: {} violations of its description\n{}",
            self.system,
            problems.len(),
            some.join("\n")
        );
    }
}

/// The net catches: a body that no description allows fails.
#[test]
fn the_proxy_hears_what_is_wrong() {
    let exchange = |path: &str, request: &str| Exchange {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: String::new(),
        request_type: Some("application/json".to_owned()),
        request: request.to_owned().into(),
        status: 200,
        reply_type: Some("application/json".to_owned()),
        reply: "{\"data\":[]}".to_owned().into(),
    };
    if OFFICE.is_some() {
        assert_eq!(check("teamleader", &exchange("/companies.list", "{}")), [""; 0]);
        assert!(!check("teamleader", &exchange("/companies.list", "{\"nmae\":1}")).is_empty());
    }
    if BOOKS.is_some() {
        assert!(!check("eaccounting", &exchange("/v2/customers", "{\"Nmae\":1}")).is_empty());
    }
    if TILL.is_some() {
        let envelope = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><n:getOrders xmlns:n=\"urn:mplusqapi\"/></e:Body></e:Envelope>";
        assert!(!check("mpluskassa", &exchange("/", envelope)).is_empty());
    }
}
