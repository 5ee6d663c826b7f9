//! `weft init`: from an empty folder to a project that runs, by flags, by a file, and in parts.

#[cfg(target_os = "linux")]
use connectors::simulator::{Faults, Simulator, start};

#[cfg(target_os = "linux")]
use super::connect::{get, sent_to};
use super::docs::blocks;
#[cfg(target_os = "linux")]
use super::person::Person;
use super::town::{Folder, Town, golden};

/// The file of answers that the guide shows, for the accounts of a town.
fn answers(town: &Town) -> String {
    let guide = include_str!("../../../docs/getting-started.md");
    let (_, text) = blocks(guide).into_iter().find(|(_, text)| text.starts_with("pair = ")).unwrap();
    let accounts = [
        ("https://koffiehuis.ccvshop.nl", town.shop_server.url()),
        ("api.mpluskassa.nl:34562", town.till_server.url()),
        ("pk_1234", town.secret("public_key")),
        ("ident = \"koffiehuis\"", format!("ident = \"{}\"", town.secret("ident"))),
    ];
    accounts.iter().fold(text.to_owned(), |text, (guide, today)| {
        assert_eq!(text.matches(guide).count(), 1, "{guide}");
        text.replace(guide, today)
    })
}

/// The program in that folder, where the shop's key is in a variable.
async fn weft(folder: &Folder, town: &Town, args: &[&str]) -> (Option<i32>, String) {
    let output = folder.command(args).env("SHOP_KEY", town.secret("secret_key")).output().await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).join("");
    (output.status.code(), text.replace(&folder.path().to_string_lossy().into_owned(), "FOLDER"))
}

fn read(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap_or_default()
}

// shows R78
#[tokio::test]
async fn a_file_of_answers_makes_a_project_that_runs() {
    let town = Town::with_customers(2).await;
    let folder = Folder::new();
    folder.put("answers.toml", answers(&town)).put("p/till.secret", town.secret("secret"));
    let (code, told) = weft(&folder, &town, &["init", "p", "--answers", "answers.toml", "--look"]).await;
    assert_eq!(code, Some(0), "{told}");
    let files = format!(
        "{told}\n== weft.toml\n{}\n== settings/orders.toml\n{}",
        read(&folder, "p/weft.toml"),
        read(&folder, "p/settings/orders.toml")
    );
    let files = files.replace(&town.shop_server.url(), "SHOP").replace(&town.till_server.url(), "TILL");
    golden(
        "init_by_file",
        files.replace(&town.secret("public_key"), "KEY").replace(&town.secret("ident"), "IDENT"),
    );
    let main = read(&folder, "p/weft.toml");
    assert!(!main.contains(&town.secret("secret_key")) && !main.contains(&town.secret("secret")), "{main}");
    let project = folder.path().join("p");
    for args in [&["check"][..], &["run", "customers_to_till"]] {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_weft"));
        let output = command.arg("--project").arg(&project).args(args).output().await.unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let before = read(&folder, "p/weft.toml");
    let (code, told) = weft(&folder, &town, &["init", "p"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(read(&folder, "p/weft.toml"), before, "there is nothing left to do");
}

#[tokio::test]
async fn without_a_terminal_what_is_missing_is_named_and_what_was_answered_is_kept() {
    let town = Town::new().await;
    let folder = Folder::new();
    folder.put("p/till.secret", town.secret("secret"));
    let mut told = String::new();
    let mut args = vec!["init".to_owned(), "p".to_owned()];
    let mut step = async |more: &[&str], code: i32, args: &mut Vec<String>| {
        args.extend(more.iter().map(|text| (*text).to_owned()));
        let all: Vec<&str> = args.iter().map(String::as_str).collect();
        let (came, text) = weft(&folder, &town, &all).await;
        assert_eq!(came, Some(code), "{text}");
        told.push_str(&text);
    };
    step(&[], 2, &mut args).await;
    step(&["--pair", "ccv_salespos-mpluskasa"], 2, &mut args).await;
    args.truncate(2);
    step(&["--pair", "ccv_salespos-mpluskassa", "--no-questions"], 2, &mut args).await;
    // From here on the folder is a project that was begun.
    args.truncate(2);
    let address = format!("shop.address={}", town.shop_server.url());
    let key = format!("shop.public_key={}", town.secret("public_key"));
    step(&["--connection", &address, "--connection", &key], 2, &mut args).await;
    folder.put("secrets.toml", "[connections.shop]\nsecret_key = { env = \"SHOP_KEY\" }\n[connections.till]\nsecret = { file = \"till.secret\" }\n");
    step(&["--answers", "secrets.toml"], 2, &mut args).await;
    let main = read(&folder, "p/weft.toml");
    assert!(main.contains("[connections.shop]") && !main.contains("[connections.till]"), "{main}");
    let address = format!("till.address={}", town.till_server.url());
    let ident = format!("till.ident={}", town.secret("ident"));
    args.truncate(2);
    step(&["--answers", "secrets.toml", "--connection", &address, "--connection", &ident], 2, &mut args)
        .await;
    args.truncate(2);
    step(&["--flows", "customers_to_till,customers_to_shop"], 2, &mut args).await;
    args.truncate(2);
    step(&["--flows", "orders"], 2, &mut args).await;
    step(&["--setting", "orders.start_dat=2026-01-01"], 2, &mut args).await;
    args.truncate(2);
    step(&["--setting", "orders.start_date=yesterday"], 2, &mut args).await;
    args.truncate(2);
    step(&["--setting", "orders.start_date=2026-01-01"], 0, &mut args).await;
    assert!(read(&folder, "p/weft.toml").contains("on = false"));
    args.truncate(2);
    step(&["--on"], 0, &mut args).await;
    assert!(!read(&folder, "p/weft.toml").contains("on = false"));
    let told = told.replace(&town.shop_server.url(), "SHOP").replace(&town.till_server.url(), "TILL");
    golden("init_in_parts", told);
}

// shows R79
#[tokio::test]
async fn an_account_that_refuses_is_told_and_nothing_is_written_of_it() {
    let town = Town::new().await;
    let folder = Folder::new();
    folder.put("answers.toml", answers(&town)).put("p/till.secret", "wrong");
    let (code, told) = weft(&folder, &town, &["init", "p", "--answers", "answers.toml"]).await;
    assert_eq!(code, Some(3), "{told}");
    let main = read(&folder, "p/weft.toml");
    assert!(main.contains("[connections.shop]") && !main.contains("[connections.till]"), "{main}");
    folder.put("p/till.secret", town.secret("secret"));
    let (code, told) = weft(&folder, &town, &["init", "p", "--answers", "answers.toml"]).await;
    assert_eq!(code, Some(0), "{told}");
}

#[tokio::test]
async fn a_project_of_somebody_else_is_left_alone() {
    let folder = Folder::new();
    folder.put("weft.toml", "name = \"mine\"\n");
    golden("init_not_ours", folder.show(&["init", "."]).await);
    assert_eq!(read(&folder, "weft.toml"), "name = \"mine\"\n");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_person_at_a_terminal_is_led_through() {
    const DOWN: &str = "\u{1b}[B";
    let town = Town::with_customers(1).await;
    let folder = Folder::new();
    let call = "weft init p";
    let Some(mut person) = Person::at(&folder, call) else { return };
    let enter = |text: &str| format!("{text}\r");
    person.answers(&["Which system is to be joined"], &format!("{DOWN}\r")).await;
    person.answers(&["with which other one"], "\r").await;
    person.answers(&["What is the project called"], "\r").await;
    person.answers(&["called `shop` here", "address"], &enter(&town.shop_server.url())).await;
    person.answers(&["public_key"], &enter(&town.secret("public_key"))).await;
    // Whoever gives up here finds everything as it was.
    person.answers(&["secret_key (is not shown)"], "\u{3}").await;
    person.until("R131").await;
    assert_eq!(person.leaves().await.code(), Some(2));
    assert!(!read(&folder, "p/weft.toml").contains("[connections"));

    let mut person = Person::at(&folder, call).unwrap();
    person.answers(&["called `shop` here", "address"], &enter(&town.shop_server.url())).await;
    person.answers(&["public_key"], &enter(&town.secret("public_key"))).await;
    person.answers(&["secret_key (is not shown)"], &enter(&town.secret("secret_key"))).await;
    person.answers(&["Change one of the"], "\r").await;
    person.answers(&["called `till` here", "address"], &enter(&town.till_server.url())).await;
    person.answers(&["ident"], &enter(&town.secret("ident"))).await;
    // Nothing is no secret: it is asked again.
    person.answers(&["secret (is not shown)"], "\r").await;
    person.answers(&["secret (is not shown)"], "wrong\r").await;
    person.answers(&["Change one of the"], "\r").await;
    // The account refuses, and what was typed before is offered again.
    person.answers(&["R049", "address"], "\r").await;
    person.answers(&["ident"], "\r").await;
    person.answers(&["secret (is not shown)"], &enter(&town.secret("secret"))).await;
    person.answers(&["Change one of the"], "\r").await;
    person.answers(&["Which flows?", "orders_reverse"], &format!("{} \r", DOWN.repeat(8))).await;
    person.answers(&["Go through the"], "\r").await;
    for question in ["How are orders of new customers", "Do new customers", "What does the till call"] {
        person.answers(&[question, "Is that right?"], "\r").await;
    }
    person.answers(&["See what the first 10 records"], "\r").await;
    person.answers(&["klant1@voorbeeld.example", "Switch on customers_to_till?"], "\r").await;
    person.until("on: customers_to_till").await;
    assert!(person.child.wait().await.unwrap().success());
    let main = read(&folder, "p/weft.toml");
    assert!(main.contains("[flows.customers_to_till]") && !main.contains("on = false"), "{main}");
    assert!(!main.contains(&town.secret("secret_key")), "{main}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn whoever_stops_at_a_list_finds_the_cursor_again() {
    let folder = Folder::new();
    let Some(mut person) = Person::at(&folder, "weft init p") else { return };
    person.answers(&["Which system is to be joined"], "\u{3}").await;
    person.until("R131").await;
    assert_eq!(person.leaves().await.code(), Some(2));
    assert!(!person.screen.hides_cursor);
}

/// An account that a person lets Weft into in a browser, in the midst of the questions: what is
/// typed afterwards answers those that come afterwards.
#[cfg(target_os = "linux")]
async fn lets_in(pair: &str, role: &str, simulator: &dyn Simulator, redirect: &str, next: &[(&str, String)]) {
    use std::fmt::Write as _;

    let server = start(simulator, 0, Faults::default()).await.unwrap();
    let answers = simulator.answers(&server.url());
    let all = connectors::all();
    let asks_a_person = |one: &&std::sync::Arc<dyn connectors::contract::Connector>| {
        pair.contains(&one.manifest().name) && one.consent(&answers).is_some()
    };
    let manifest = all.iter().find(asks_a_person).unwrap().manifest();
    let folder = Folder::new();
    // Nobody's own browser is to open.
    folder.put("bin/xdg-open", "#!/bin/sh\n");
    let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path().join("bin/xdg-open"), runs).unwrap();
    let mut given = format!("[connections.{role}]\nredirect_address = \"{redirect}\"\n");
    for (name, about) in manifest.settings.iter().filter(|(name, _)| *name != "redirect_address") {
        let Some(answer) = answers.get(manifest, name) else { continue };
        if about.secret {
            folder.put("p/office.secret", answer);
            writeln!(given, "{name} = {{ file = \"office.secret\" }}").unwrap();
        } else {
            writeln!(given, "{name} = {}", toml::Value::from(answer)).unwrap();
        }
    }
    folder.put("answers.toml", given);
    let call = format!("env PATH=$PWD/bin:$PATH weft init p --pair {pair} --name P --answers answers.toml");
    let Some(mut person) = Person::at(&folder, &call) else { return };
    person.until("called `").await;
    person
        .sees("the browser", |screen| {
            let text = screen.text();
            text.contains("Waiting for the browser") || text.contains("Change one of")
        })
        .await;
    if !person.screen.text().contains("Waiting for the browser") {
        person.types("n").await;
    }
    person.until("Waiting for the browser to come back").await;
    let shown = person.screen.text();
    let address = shown.lines().find(|line| line.contains("authorize?")).unwrap_or_else(|| panic!("{shown}"));
    let back = sent_to(address.trim()).await;
    assert!(back.starts_with(redirect), "{back}");
    assert!(get(&back).await.contains("Weft is let in"));
    person.until("signed in").await;
    for (question, answer) in next {
        person.until(question).await;
        person.types(answer).await;
    }
    person.until("Which flows?").await;
    let main = read(&folder, "p/weft.toml");
    assert!(main.contains(&format!("[connections.{role}]")), "{main}");
    drop(person);
    // Nobody is asked for it again.
    let mut person = Person::at(&folder, "weft init p").unwrap();
    person.until(&format!("{role} is connected")).await;
}

/// Where the browser comes back to.
#[cfg(target_os = "linux")]
fn redirect() -> String {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://localhost:{}/callback", free.local_addr().unwrap().port())
}

// shows R79
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_browser_comes_back_to_the_questions_from_teamleader() {
    use connectors::teamleader::simulator::{Office, Options};

    let town = Town::new().await;
    let redirect = redirect();
    let office = Office::new(Options { redirect: redirect.clone(), ..Options::default() });
    office.fill();
    let next = [
        ("called `till` here", String::new()),
        ("address", format!("{}\r", town.till_server.url())),
        ("ident", format!("{}\r", town.secret("ident"))),
        ("secret (is not shown)", format!("{}\r", town.secret("secret"))),
        ("Change one of these", "n".to_owned()),
    ];
    lets_in("teamleader-mpluskassa", "office", &office, &redirect, &next).await;
}

// shows R79
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_browser_comes_back_to_the_questions_from_eaccounting() {
    use connectors::eaccounting::simulator::{Company, Options};

    let town = Town::new().await;
    let company = Company::new(Options::default());
    company.fill();
    let next = [
        ("called `shop` here", String::new()),
        ("address", format!("{}\r", town.shop_server.url())),
        ("public_key", format!("{}\r", town.secret("public_key"))),
        ("secret_key (is not shown)", format!("{}\r", town.secret("secret_key"))),
        ("Change one of these", "n".to_owned()),
    ];
    lets_in("eaccounting-ccv_salespos", "books", &company, &redirect(), &next).await;
}
