//! `weft init`: from an empty folder to a project that runs, by flags, by a file, and in parts.

use super::town::{Folder, Town, golden};

/// What a person would answer for both accounts, in a file; secrets are named, not written.
fn answers(town: &Town) -> String {
    format!(
        "pair = \"ccv_salespos-mpluskassa\"\nname = \"Koffiehuis\"\nflows = [\"customers_to_till\", \"orders\"]\non = true\n\n\
         [connections.shop]\naddress = \"{}\"\npublic_key = \"{}\"\nsecret_key = {{ env = \"SHOP_KEY\" }}\n\n\
         [connections.till]\naddress = \"{}\"\nident = \"{}\"\nsecret = {{ file = \"till.secret\" }}\n\n\
         [settings.orders]\nstart_date = \"2026-01-01\"\nstatuses = [\"new\", \"sent\"]\nrounding_limit = \"0.10\"\n\n\
         [tables.orders.payment_method]\nrows = [[\"Ideal\", \"IDEAL\"], [\"Cash\", \"CONTANT\"]]\notherwise = \"fail\"\n",
        town.shop_server.url(),
        town.secret("public_key"),
        town.till_server.url(),
        town.secret("ident"),
    )
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

/// A person who waits for a text, and types.
#[cfg(target_os = "linux")]
struct Person {
    child: tokio::process::Child,
    seen: String,
}

#[cfg(target_os = "linux")]
impl Person {
    /// Sits down at a terminal of their own; `None`: there is no `script` on this machine.
    fn at(folder: &Folder, call: &str) -> Option<Self> {
        let child = tokio::process::Command::new("script")
            .args(["-qfec", call, "/dev/null"])
            .current_dir(folder.path())
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        Some(Self { child: child.ok()?, seen: String::new() })
    }

    async fn until(&mut self, text: &str) {
        use tokio::io::AsyncReadExt as _;
        let out = self.child.stdout.as_mut().unwrap();
        let mut part = vec![0; 4096];
        while !self.seen.contains(text) {
            let read = tokio::time::timeout(std::time::Duration::from_mins(2), out.read(&mut part));
            let length = read.await.unwrap_or_else(|_| panic!("`{text}` never came: {}", self.seen)).unwrap();
            assert!(length > 0, "it ended before `{text}`: {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&part[..length]));
        }
        let at = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..at);
    }

    async fn types(&mut self, keys: &str) {
        use tokio::io::AsyncWriteExt as _;
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).await.unwrap();
    }

    /// Waits for the texts in their order, then types.
    async fn answers(&mut self, texts: &[&str], keys: &str) {
        for text in texts {
            self.until(text).await;
        }
        self.types(keys).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_person_at_a_terminal_is_led_through() {
    const DOWN: &str = "\u{1b}[B";
    let town = Town::with_customers(1).await;
    let folder = Folder::new();
    let call = format!("{} init p", env!("CARGO_BIN_EXE_weft"));
    let Some(mut person) = Person::at(&folder, &call) else { return };
    let enter = |text: &str| format!("{text}\r");
    person.answers(&["Which system is to be joined"], &format!("{DOWN}\r")).await;
    person.answers(&["with which other one"], "\r").await;
    person.answers(&["What is the project called"], "\r").await;
    person.answers(&["called `shop` here", "address"], &enter(&town.shop_server.url())).await;
    person.answers(&["public_key"], &enter(&town.secret("public_key"))).await;
    // Whoever gives up here finds everything as it was.
    person.until("secret_key (is not shown)").await;
    drop(person);
    assert!(!read(&folder, "p/weft.toml").contains("[connections"));

    let mut person = Person::at(&folder, &call).unwrap();
    person.answers(&["called `shop` here", "address"], &enter(&town.shop_server.url())).await;
    person.answers(&["public_key"], &enter(&town.secret("public_key"))).await;
    person.answers(&["secret_key (is not shown)"], &enter(&town.secret("secret_key"))).await;
    person.answers(&["Change one of the"], "\r").await;
    person.answers(&["called `till` here", "address"], &enter(&town.till_server.url())).await;
    person.answers(&["ident"], &enter(&town.secret("ident"))).await;
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
