//! What holds for a system as a whole: its abilities, its credentials, and its bad days.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use connectors::contract::{Advice, FetchRequest, RemoteError, Session};
use connectors::http::recorded;
use connectors::manifest::Answers;
use connectors::simulator::{Fault, Faults, Running, serve};

use crate::subject::{Bench, Check, Outcome, Subject, check, ensure, tiny, told, words};

pub(crate) const CHECKS: &[Check] = &[
    check!(Any, abilities_are_those_of_the_manifest),
    check!(Any, probe_works),
    check!(Any, missing_answers_are_refused),
    check!(Remote, wrong_secrets_ask_to_reconnect),
    check!(Remote, an_expired_sign_in_is_renewed_or_said),
    check!(Remote, a_server_that_is_away_is_tried_again),
    check!(Remote, a_server_that_is_down_is_tried_again),
    check!(Remote, cut_off_answers_are_tried_again),
    check!(Remote, html_is_no_answer),
    check!(Remote, garbage_is_survived),
    check!(Remote, secrets_stay_secret),
];

async fn abilities_are_those_of_the_manifest(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    for (name, resource) in bench.manifest.resources.iter() {
        let detail = resource.fetch.as_ref().is_some_and(|fetch| !fetch.detail.is_empty());
        let session = bench.session.as_ref();
        for (ability, promised, given) in [
            ("fetch", resource.fetch.is_some(), session.fetch(name).is_some()),
            ("detail", detail, session.detail(name).is_some()),
            ("find", !resource.find.is_empty(), session.find(name).is_some()),
            ("create", resource.create.is_some(), session.create(name).is_some()),
            ("update", resource.update.is_some(), session.update(name).is_some()),
        ] {
            ensure!(promised == given, "{name}: {ability} is promised: {promised}, given: {given}");
        }
    }
    let unknown = "no_such_resource";
    ensure!(bench.session.fetch(unknown).is_none(), "the session fetches what does not exist");
    ensure!(bench.session.create(unknown).is_none(), "the session creates what does not exist");
    Ok(())
}

async fn probe_works(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    let before = bench.simulator.books();
    let line = bench.session.probe().await.map_err(told)?;
    ensure!(!line.trim().is_empty() && !line.contains('\n'), "not one line about the account: `{line}`");
    ensure!(bench.simulator.books() == before, "the probe wrote something");
    Ok(())
}

/// The answers without one, or with another value for it.
fn changed(bench: &Bench, name: &str, value: Option<String>) -> Answers {
    let others =
        bench.answers.names().filter(|other| *other != name).filter_map(|other| {
            Some((other.to_owned(), bench.answers.get(&bench.manifest, other)?.to_owned()))
        });
    others.chain(value.map(|value| (name.to_owned(), value))).collect()
}

async fn missing_answers_are_refused(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    for (name, setting) in bench.manifest.settings.iter() {
        let answered = bench.answers.names().any(|answer| answer == name);
        if setting.default.is_some() || !answered {
            continue;
        }
        match subject.connector.connect(&changed(&bench, name, None), &bench.host()) {
            Ok(_) => return Err(format!("without `{name}` there is still a session")),
            Err(error) => ensure!(error.reason.contains(name), "`{error}` does not name `{name}`"),
        }
    }
    Ok(())
}

async fn wrong_secrets_ask_to_reconnect(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    for (name, _) in bench.manifest.settings.iter().filter(|(_, setting)| setting.secret) {
        let Some(right) = bench.answers.get(&bench.manifest, name) else { continue };
        // As long as the right one and of the same alphabet.
        let wrong: String =
            right.chars().rev().map(|letter| if letter == '1' { '2' } else { letter }).collect();
        let wrong = if wrong == right { right.replace(|_: char| true, "7") } else { wrong };
        let answers = changed(&bench, name, Some(wrong.clone()));
        let outcome = match subject.connector.connect(&answers, &bench.stale_host()) {
            Ok(session) => session.probe().await,
            Err(error) => Err(error),
        };
        let Err(error) = outcome else { return Err(format!("a wrong `{name}` is accepted")) };
        ensure!(error.advice == Advice::Reconnect, "a wrong `{name}`: {}", told(error));
        ensure!(!error.to_string().contains(&wrong), "`{name}` stands in the error");
    }
    Ok(())
}

async fn an_expired_sign_in_is_renewed_or_said(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    bench.session.probe().await.map_err(told)?;
    bench.running.faults.next([Fault::Expired]);
    if let Err(error) = bench.session.probe().await {
        ensure!(error.advice == Advice::Reconnect, "{}", told(error));
    }
    bench.running.faults.clear();
    bench.session.probe().await.map_err(told)?;
    bench.running.faults.rate(Fault::Expired, 1000);
    match bench.session.probe().await {
        Ok(_) => Err("the probe works though every sign-in is refused".to_owned()),
        Err(error) if error.advice == Advice::Reconnect => Ok(()),
        Err(error) => Err(told(error)),
    }
}

/// The first calls that a session makes: a probe, and the first page of each resource.
async fn knock(session: &dyn Session, bench: &Bench) -> Vec<(String, Result<usize, RemoteError>)> {
    let mut outcomes = vec![("probe".to_owned(), session.probe().await.map(|_| 0))];
    for (name, _) in bench.manifest.resources.iter() {
        if let Some(fetch) = session.fetch(name) {
            let request = FetchRequest { resource: name.to_owned(), size: 7, ..FetchRequest::default() };
            let outcome = fetch.page(&request, None).await;
            outcomes.push((format!("fetch {name}"), outcome.map(|page| page.records.len())));
        }
    }
    outcomes
}

fn retried(outcomes: Vec<(String, Result<usize, RemoteError>)>) -> Outcome {
    for (what, outcome) in outcomes {
        match outcome {
            Ok(_) => return Err(format!("{what} succeeds")),
            Err(error) => {
                ensure!(matches!(error.advice, Advice::Retry(_)), "{what}: {}", told(error));
                ensure!(error.reason.len() > 5 && !error.reason.contains('<'), "{what}: no words: {error}");
            }
        }
    }
    Ok(())
}

async fn a_server_that_is_away_is_tried_again(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    // A port where nobody listens any more.
    let elsewhere = serve(Router::new(), 0, Faults::default()).await.map_err(words)?;
    let away = elsewhere.url();
    elsewhere.stop().await;
    let session = subject.connector.connect(&bench.simulator.answers(&away), &bench.host()).map_err(told)?;
    retried(knock(session.as_ref(), &bench).await)
}

async fn a_server_that_is_down_is_tried_again(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    bench.running.faults.rate(Fault::Down, 1000);
    let before = bench.running.requests();
    let outcomes = knock(bench.session.as_ref(), &bench).await;
    let (calls, tried) = (outcomes.len() as u64, bench.running.requests() - before);
    retried(outcomes)?;
    let most = calls * u64::from(tiny().tries);
    ensure!(tried >= u64::from(tiny().tries), "only {tried} tries for {calls} calls");
    ensure!(tried <= most, "{tried} tries for {calls} calls, {most} are allowed");
    bench.running.faults.clear();
    bench.session.probe().await.map(|_| ()).map_err(told)
}

async fn cut_off_answers_are_tried_again(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    bench.running.faults.next([Fault::Cut]);
    bench.session.probe().await.map_err(told)?;
    bench.running.faults.rate(Fault::Cut, 1000);
    retried(knock(bench.session.as_ref(), &bench).await)
}

/// A server that says the same to everyone, and a session with it.
async fn parrot(
    subject: &Subject,
    bench: &Bench,
    kind: &'static str,
    body: String,
) -> Result<(Running, Arc<dyn Session>), String> {
    let router = Router::new().fallback(move || {
        let body = body.clone();
        async move { ([("content-type", kind)], body) }
    });
    let running = serve(router, 0, Faults::default()).await.map_err(words)?;
    let answers = bench.simulator.answers(&running.url());
    let session = subject.connector.connect(&answers, &bench.host()).map_err(told)?;
    Ok((running, session))
}

async fn html_is_no_answer(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    let page =
        "<!doctype html><html><head><title>Welcome</title></head><body><h1>It works</h1></body></html>";
    let (_running, session) = parrot(&subject, &bench, "text/html; charset=utf-8", page.to_owned()).await?;
    for (what, outcome) in knock(session.as_ref(), &bench).await {
        match outcome {
            Ok(_) => return Err(format!("{what} takes a web page for an answer")),
            Err(error) => {
                let advice = error.advice;
                let fits = matches!(advice, Advice::StopFlow | Advice::Retry(_));
                ensure!(fits, "{what}: a web page is {advice:?}");
                ensure!(!error.reason.contains("<html"), "{what}: the page stands in the error: {error}");
            }
        }
    }
    bench.running.faults.rate(Fault::Html, 1000);
    retried(knock(bench.session.as_ref(), &bench).await)
}

async fn garbage_is_survived(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    for body in
        ["", "null", "{}", "[]", "[1,\"x\",null]", "{\"a\":", "\u{0}\u{1}", "<a/>", "<a><b></a>", "9e999"]
    {
        let (_running, session) = parrot(&subject, &bench, "application/json", body.to_owned()).await?;
        // Some of these are empty pages to some systems. That nothing panics is checked by
        // being here; that no record is made of them is checked now.
        for (what, outcome) in knock(session.as_ref(), &bench).await {
            ensure!(outcome.unwrap_or_default() == 0, "{what} makes a record of `{body}`");
        }
    }
    let (_running, session) = parrot(&subject, &bench, "application/json", "[".repeat(200_000)).await?;
    for (what, outcome) in knock(session.as_ref(), &bench).await {
        ensure!(outcome.is_err(), "{what} takes endless nesting for an answer");
    }
    Ok(())
}

/// Sends back all that it is sent, headers too, as an error.
async fn echo(request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let text = format!("{} {:?} {}", head.uri, head.headers, String::from_utf8_lossy(&body));
    let status = match head.uri.path().len() % 3 {
        0 => StatusCode::INTERNAL_SERVER_ERROR,
        1 => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNAUTHORIZED,
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

async fn secrets_stay_secret(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    let running = serve(Router::new().fallback(echo), 0, Faults::default()).await.map_err(words)?;
    let gossip =
        subject.connector.connect(&bench.simulator.answers(&running.url()), &bench.host()).map_err(told)?;
    let mut told = String::new();
    for session in [&bench.session, &gossip] {
        let (outcomes, exchanges) = recorded(knock(session.as_ref(), &bench)).await;
        ensure!(!exchanges.is_empty(), "nothing is recorded");
        let _ = write!(told, "{outcomes:?} {exchanges:?}");
        for (name, _) in bench.manifest.resources.iter() {
            if let (Some(create), Some(sample)) = (session.create(name), bench.simulator.sample(name, 1)) {
                let (outcome, exchanges) = recorded(create.create(name, &sample, "secret-1")).await;
                let _ = write!(told, "{outcome:?} {exchanges:?}");
            }
        }
    }
    for (name, _) in bench.manifest.settings.iter().filter(|(_, setting)| setting.secret) {
        let Some(secret) = bench.answers.get(&bench.manifest, name) else { continue };
        if let Some(at) = told.find(secret) {
            let around: String = told
                .chars()
                .skip(told.get(..at).unwrap_or_default().chars().count().saturating_sub(60))
                .take(60)
                .collect();
            return Err(format!("the secret `{name}` is told after: {around}"));
        }
    }
    Ok(())
}
