//! `weft connect` and `weft doctor`: into an account with a browser, by hand, or not at all.

use std::fmt::Write as _;

use connectors::accountview::simulator::AccountViewSimulator;
use connectors::simulator::{Faults, Running, Simulator, start};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::town::{Folder, golden};

/// A project with one account that wants a person's consent.
async fn office() -> (Running, Folder) {
    office_of(AccountViewSimulator::default(), "office").await
}

/// The same with an account of this stand-in, under that name.
pub(crate) async fn office_of(simulator: AccountViewSimulator, connection: &str) -> (Running, Folder) {
    simulator.fill();
    let running = start(&simulator, 0, Faults::default()).await.unwrap();
    let folder = Folder::new();
    let connector = connectors::all().into_iter().find(|one| one.manifest().name == "accountview").unwrap();
    let (manifest, answers) = (connector.manifest(), simulator.answers(&running.url()));
    let mut text = format!("[connections.{connection}]\nsystem = \"accountview\"\n");
    for name in answers.names().filter(|name| *name != "client_secret") {
        writeln!(text, "{name} = \"{}\"", answers.get(manifest, name).unwrap()).unwrap();
    }
    text.push_str("client_secret = { file = \"secret\" }\n");
    folder.put("weft.toml", text).put("secret", answers.get(manifest, "client_secret").unwrap());
    (running, folder)
}

/// An address to come back to that nobody else on this machine waits at.
pub(crate) fn callback() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://localhost:{}/callback", free.local_addr().unwrap().port())
}

/// What a browser does: asks, and follows where it is sent. Gives the address it is sent to.
pub(crate) async fn sent_to(address: &str) -> String {
    let answer = get(address).await;
    let line = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("location:"));
    line.unwrap_or_else(|| panic!("sent nowhere: {answer}")).split_once(' ').unwrap().1.trim().to_owned()
}

pub(crate) async fn get(address: &str) -> String {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host.replace("localhost", "127.0.0.1")).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The same text whatever the ports, states and times of today.
fn settled(text: &str, server: &Running) -> String {
    let state = |text: String| match text.split_once("state=") {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|letter: char| letter.is_ascii_hexdigit());
            format!("{before}state=STATE{rest}")
        }
        None => text,
    };
    state(text.replace(&server.url(), "SERVER"))
}

// shows R79
#[tokio::test]
async fn a_browser_comes_back() {
    let simulator = AccountViewSimulator::default();
    let callback = callback();
    simulator.comes_back_to(&callback);
    let (server, folder) = office_of(simulator, "office").await;
    golden("connect_not_yet", settled(&folder.show(&["connect"]).await, &server));

    let mut child = folder.command(&["--json", "connect", "office"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: serde_json::Value =
        serde_json::from_str(&lines.next_line().await.unwrap().expect("an address")).unwrap();
    // While the browser is waited for, another process may exchange the token.
    let project = engine::project::Project::open(folder.path()).unwrap();
    project.vault.attach(&engine::store::open_at(&project.store).await.unwrap());
    let tokens = project.vault.tokens("office");
    let lock = tokio::time::timeout(std::time::Duration::from_secs(30), tokens.lock());
    drop(lock.await.expect("it is free").unwrap());
    let back = sent_to(first["open"].as_str().unwrap()).await;
    // Anybody may come by; only the one with our state counts.
    assert!(get(&format!("{callback}?code=x&state=other")).await.starts_with("HTTP/1.1 400"));
    assert!(get(&back).await.contains("Weft is let in"));
    let last: serde_json::Value =
        serde_json::from_str(&lines.next_line().await.unwrap().expect("an answer")).unwrap();
    assert_eq!(last["answers"], true);
    assert!(child.wait().await.unwrap().success());

    // Nobody is asked again, in another process either.
    golden("connect_signed_in", settled(&folder.show(&["connect", "office"]).await, &server));
    golden("connect_all", settled(&folder.show(&["connect"]).await, &server));
    golden("doctor", settled(&folder.show(&["doctor", "office"]).await, &server));
    let kept = std::fs::read_to_string(folder.path().join(".weft/doctor/office.json")).unwrap();
    assert!(kept.contains("\"result\": \"pass\""));
}

// shows R79
#[tokio::test]
async fn a_person_brings_the_address() {
    let (server, folder) = office().await;
    let connector = connectors::all().into_iter().find(|one| one.manifest().name == "accountview").unwrap();
    let project = engine::project::Project::open(folder.path()).unwrap();
    let oauth = connector.consent(&project.connections["office"].answers).unwrap().unwrap();
    let back = sent_to(oauth.consent_address("mine").unwrap().as_str()).await;
    golden(
        "connect_by_hand",
        settled(&folder.show(&["connect", "office", "--code", &back]).await, &server).replace(&back, "BACK"),
    );
}

#[tokio::test]
async fn a_code_that_nobody_gave_is_refused() {
    let (server, folder) = office().await;
    let shown =
        folder.show(&["connect", "office", "--code", "http://localhost:8914/callback?code=made-up"]).await;
    golden("connect_wrong_code", settled(&shown, &server));
    let shown = folder.show(&["connect", "office", "--code", "http://localhost/?error=access_denied"]).await;
    golden("connect_denied", settled(&shown, &server));
    golden("connect_no_such", settled(&folder.show(&["connect", "ofice"]).await, &server));
    golden("doctor_not_yet", settled(&folder.show(&["doctor", "office"]).await, &server));
    golden(
        "doctor_no_such",
        settled(&folder.show(&["doctor", "office", "--resource", "artcles"]).await, &server),
    );
}

#[tokio::test]
async fn a_draft_of_a_profile() {
    let folder = Folder::new();
    folder.put("weft.toml", "").put(
        "answer.json",
        r#"{"orders":[{"id":1001,"ref":"W-17","updatedAt":"2026-11-21T09:30:00Z","total":19.95}]}"#,
    );
    let args = ["connect", "--new", "tulip", "--answer", "answer.json"];
    golden("connect_new", folder.show(&args).await);
    golden("connect_new_draft", std::fs::read_to_string(folder.path().join("systems/tulip.toml")).unwrap());
    golden("connect_new_again", folder.show(&args).await);
    assert_eq!(folder.weft(&["check"]).await.code, Some(0));
}

/// A connection that is not there yet is asked for, tried and written down.
mod new {
    use super::super::town::Town;
    use super::*;

    fn read(folder: &Folder) -> String {
        std::fs::read_to_string(folder.path().join("weft.toml")).unwrap()
    }

    // shows R79
    #[tokio::test]
    async fn by_flags() {
        let town = Town::new().await;
        let folder = Folder::new();
        folder.put("weft.toml", "name = \"mine\"\n\n[flows.x]\nfile = \"x.flow\"\non = false\n");
        folder
            .put("till.secret", "wrong")
            .put("answers.toml", "[connections.till]\nsecret = { file = \"till.secret\" }\n");
        let (address, ident) = (town.till_server.url(), town.secret("ident"));
        let settings = [format!("address={address}"), format!("ident={ident}")];
        let [one, two] = &settings;
        let all = [
            "connect",
            "till",
            "--system",
            "mpluskassa",
            "--setting",
            one,
            "--setting",
            two,
            "--answers",
            "answers.toml",
        ];
        let told = folder.weft(&all).await;
        assert_eq!(told.code, Some(3), "{}{}", told.out, told.err);
        assert!(told.err.contains("R049") && !read(&folder).contains("[connections"), "{}", told.err);
        folder.put("till.secret", town.secret("secret"));
        let shown = folder.show(&all).await;
        golden("connect_added", shown.replace(&address, "TILL").replace(&ident, "IDENT"));
        let main = read(&folder);
        assert!(main.contains("[connections.till]") && main.contains("sealed = true"), "{main}");
        assert!(!main.contains(&town.secret("secret")), "{main}");
        assert_eq!(folder.weft(&["connect", "till"]).await.code, Some(0));
        golden("connect_there_already", folder.show(&["connect", "till", "--system", "mpluskassa"]).await);
        assert_eq!(read(&folder), main);
        let unknown = folder.show(&["connect", "shop", "--system", "ccv_salespo"]).await;
        let nameless = folder.show(&["connect", "my shop", "--system", "ccv_salespos"]).await;
        let nobody = folder.show(&["connect", "shop", "--setting", "address=x"]).await;
        let stranger =
            folder.show(&["connect", "shop", "--system", "ccv_salespos", "--setting", "adress=x"]).await;
        let not_given = folder.show(&["connect", "shop"]).await;
        golden("connect_cannot_add", [unknown, nameless, nobody, stranger, not_given].join("\n\n"));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn by_questions() {
        use super::super::person::Person;

        let town = Town::new().await;
        let folder = Folder::new();
        folder.put("weft.toml", "name = \"mine\"\n");
        let Some(mut person) = Person::at(&folder, "weft connect kassa") else { return };
        let till = connectors::all()
            .iter()
            .map(|one| one.manifest().name.clone())
            .collect::<std::collections::BTreeSet<_>>();
        let down = till.iter().position(|name| name == "mpluskassa").unwrap();
        person.answers(&["Which system is `kassa`?"], &format!("{}\r", "\u{1b}[B".repeat(down))).await;
        person.answers(&["called `kassa` here", "address"], &format!("{}\r", town.till_server.url())).await;
        person.answers(&["ident"], &format!("{}\r", town.secret("ident"))).await;
        person.answers(&["secret (is not shown)"], &format!("{}\r", town.secret("secret"))).await;
        person.answers(&["Change one of these"], "\r").await;
        person.until("connection `kassa` is in weft.toml").await;
        assert!(person.leaves().await.success());
        assert!(read(&folder).contains("[connections.kassa]\nsystem = \"mpluskassa\""), "{}", read(&folder));
        // What looks misspelt is not added.
        let mut person = Person::at(&folder, "weft connect kasa").unwrap();
        person.until("did you mean `kassa`?").await;
        assert_eq!(person.leaves().await.code(), Some(2));
    }
}
