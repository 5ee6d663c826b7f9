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
    let (code, told) = weft(&folder, &town, &["init", "p", "--answers", "answers.toml"]).await;
    assert_eq!(code, Some(0), "{told}");
    let files = format!("{told}\n== weft.toml\n{}\n== settings/orders.toml\n{}", read(&folder, "p/weft.toml"), read(&folder, "p/settings/orders.toml"));
    let files = files.replace(&town.shop_server.url(), "SHOP").replace(&town.till_server.url(), "TILL");
    golden("init_by_file", files.replace(&town.secret("public_key"), "KEY").replace(&town.secret("ident"), "IDENT"));
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
    step(&["--answers", "secrets.toml", "--connection", &address, "--connection", &ident], 2, &mut args).await;
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
