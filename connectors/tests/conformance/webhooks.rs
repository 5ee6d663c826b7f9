//! What holds for systems that tell what happens: they are asked, they tell, and nobody else is
//! believed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use connectors::simulator::{Faults, Running, serve};
use connectors::webhook::{Delivery, Incoming, Refused, Webhooks};

use crate::subject::{Bench, Check, Outcome, Subject, check, ensure, told, words};

pub(crate) const CHECKS: &[Check] =
    &[check!(Any, events_are_those_of_the_manifest), check!(Remote, what_happens_is_told)];

async fn events_are_those_of_the_manifest(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    let (promised, given) = (!bench.manifest.events.is_empty(), bench.session.webhooks().is_some());
    ensure!(promised == given, "events are promised: {promised}, webhooks given: {given}");
    Ok(())
}

/// Something that came in.
#[derive(Clone)]
struct Heard {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// Listens, believes everything, and remembers it.
struct Ear {
    running: Running,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Ear {
    async fn open() -> Result<Self, String> {
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let hear = async |State(heard): State<Arc<Mutex<Vec<Heard>>>>, uri: Uri, headers, body| {
            let path = uri.path().to_owned();
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(Heard { path, headers, body });
        };
        let router = Router::new().fallback(hear).with_state(Arc::clone(&heard));
        let running = serve(router, 0, Faults::default()).await.map_err(words)?;
        Ok(Self { running, heard })
    }

    /// Simulators call this computer where an address begins so.
    fn address(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.running.address.port())
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Until something has come, and then nothing more for a moment.
    async fn listen(&self) -> Vec<Heard> {
        let mut before = 0;
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(25)).await;
            let now = self.heard().len();
            if now > 0 && now == before {
                break;
            }
            before = now;
        }
        self.heard()
    }
}

/// Creates one record of everything, and changes what can be changed; the keys.
async fn stir(bench: &Bench, number: usize) -> Result<Vec<(String, String)>, String> {
    let mut made = Vec::new();
    for (name, _) in bench.manifest.resources.iter() {
        let Some(create) = bench.session.create(name) else { continue };
        let sample = bench.sample(name, number)?;
        let written = create.create(name, &sample, &format!("stir-{number}-{name}")).await.map_err(told)?;
        if let (Some(update), Some(change)) =
            (bench.session.update(name), bench.simulator.change(name, number))
        {
            update.update(name, &written.key, &change, None).await.map_err(told)?;
        }
        made.push((name.to_owned(), written.key));
    }
    Ok(made)
}

async fn judge(
    hooks: &dyn Webhooks,
    ear: &Ear,
    heard: &Heard,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Delivery, Refused> {
    let address = ear.address(&heard.path);
    hooks.judge(&Incoming { address: &address, headers, body }).await
}

async fn what_happens_is_told(subject: Subject) -> Outcome {
    let bench = subject.bench().await?;
    let Some(hooks) = bench.session.webhooks() else { return Ok(()) };
    let ear = Ear::open().await?;
    let address = ear.address("/hooks/here/8f2k");
    let events: Vec<&str> = bench.manifest.events.iter().map(String::as_str).collect();
    let others = hooks.list().await.map_err(told)?;
    hooks.register(&events, &address).await.map_err(told)?;
    let listed = hooks.list().await.map_err(told)?;
    for event in &events {
        let is_it = listed.iter().any(|hook| {
            hook.is_active && hook.goes_to(&address) && hook.events.iter().any(|known| known == event)
        });
        ensure!(is_it, "{event} was registered and is not listed");
    }
    hooks.register(&events, &address).await.map_err(told)?;
    ensure!(hooks.list().await.map_err(told)? == listed, "registering twice changes something");
    let made = stir(&bench, 1).await?;
    let heard = ear.listen().await;
    ensure!(!heard.is_empty(), "nothing was told");
    let afresh = bench.again()?;
    let afresh = afresh.webhooks().ok_or("another session has no webhooks")?;
    let mut named = 0;
    for one in &heard {
        for hooks in [hooks, afresh] {
            let delivery = judge(hooks, &ear, one, &one.headers, &one.body).await.map_err(|refused| {
                format!("{} is refused: {refused:?}", String::from_utf8_lossy(&one.body))
            })?;
            let Delivery { event, record, .. } = delivery;
            ensure!(events.contains(&event.as_str()), "`{event}` is no event of the manifest");
            named += usize::from(record.is_some_and(|record| made.contains(&record)));
        }
        forgeries(hooks, &ear, one).await?;
    }
    ensure!(named > 0, "no delivery names a record that was written");
    for hook in listed.iter().filter(|hook| hook.goes_to(&address)) {
        hooks.unregister(hook).await.map_err(told)?;
    }
    ensure!(hooks.list().await.map_err(told)? == others, "unregistering leaves something, or takes too much");
    stir(&bench, 2).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    ensure!(ear.heard().len() == heard.len(), "what is no longer registered is told");
    Ok(())
}

/// A delivery that was changed on its way is not believed, where the system signs.
async fn forgeries(hooks: &dyn Webhooks, ear: &Ear, one: &Heard) -> Outcome {
    if !hooks.signs() {
        return Ok(());
    }
    let mut body = one.body.to_vec();
    body.push(b' ');
    let elsewhere = Heard { path: format!("{}x", one.path), ..one.clone() };
    for (what, heard, headers, body) in [
        ("another body", one, &one.headers, &Bytes::from(body)),
        ("no signature", one, &HeaderMap::new(), &one.body),
        ("another address", &elsewhere, &one.headers, &one.body),
    ] {
        let judged = judge(hooks, ear, heard, headers, body).await;
        // An address that nobody knows yet may have been registered a moment ago.
        let is_refused = match &judged {
            Err(Refused::Forged) => true,
            Err(Refused::Later(_)) => what == "another address",
            _ => false,
        };
        ensure!(is_refused, "{what}: {judged:?}");
    }
    Ok(())
}
