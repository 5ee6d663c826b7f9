//! `weft dead`: what a person sees of refused records, and what becomes of them.

use super::town::{CUSTOMERS, Folder, Town, golden};

/// Three customers of whom two are refused.
async fn refused() -> (Town, Folder) {
    let town = Town::with_customers(3).await;
    let refuse = "fail `${customer.email} is on the black list` if customer.email != \"klant1@voorbeeld.example\"\nupsert";
    let folder = town.project(&[("customers", &CUSTOMERS.replace("upsert", refuse))]);
    assert_eq!(folder.weft(&["run"]).await.code, Some(1));
    (town, folder)
}

/// The record with times and keys that are the same every day.
async fn shown(folder: &Folder, name: &str, args: &[&str]) {
    golden(name, folder.show(args).await);
}

#[tokio::test]
async fn refused_records_are_shown_and_tried_again() {
    let (town, folder) = refused().await;
    shown(&folder, "dead_list", &["dead", "list"]).await;
    shown(&folder, "dead_list_json", &["dead", "list", "klant2@voorbeeld.example", "--json"]).await;
    shown(&folder, "dead_show", &["dead", "show", "klant2@voorbeeld.example"]).await;
    shown(&folder, "dead_no_such", &["dead", "show", "klant9@voorbeeld.example"]).await;
    shown(&folder, "dead_which", &["dead", "replay"]).await;
    shown(&folder, "dead_unconfirmed", &["dead", "replay", "--all"]).await;
    shown(&folder, "dead_replay_refused", &["dead", "replay", "klant2@voorbeeld.example"]).await;
    folder.put("flows/customers.flow", CUSTOMERS);
    let shown_again = folder.show(&["dead", "show", "klant3@voorbeeld.example"]).await;
    assert!(shown_again.contains("the flow has changed since"), "{shown_again}");
    shown(&folder, "dead_replay", &["dead", "replay", "--reason", "BLACK LIST", "--yes"]).await;
    shown(&folder, "dead_none", &["dead", "list"]).await;
    assert_eq!(town.till.relations().len(), 3);
}

#[tokio::test]
async fn a_person_is_exported_and_forgotten() {
    let (_town, folder) = refused().await;
    let two = "klant2@voorbeeld.example";
    let made = folder.weft(&["export", two, "--out", "two.json"]).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let made: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("two.json")).unwrap()).unwrap();
    assert_eq!(made["records"].as_array().unwrap().len(), 1);
    assert_eq!(made["records"][0]["refused"]["source"]["email"], two);
    shown(&folder, "export_there_already", &["export", two, "--out", "two.json"]).await;
    shown(&folder, "export_nobody", &["export", "klant9@voorbeeld.example"]).await;
    shown(&folder, "forget_unconfirmed", &["forget", two]).await;
    shown(&folder, "forget", &["forget", two, "--yes"]).await;
    shown(&folder, "forget_again", &["forget", two, "--yes"]).await;
    let receipts = folder.show(&["forget", "--receipts", two]).await;
    assert!(receipts.contains("customers") && !receipts.contains("klant2@voorbeeld.example  "), "{receipts}");
    let others = folder.show(&["forget", "--receipts", "klant3@voorbeeld.example"]).await;
    assert!(others.contains("nobody was forgotten who goes by that"), "{others}");
    let mut left = std::fs::read(folder.store()).unwrap();
    left.extend(std::fs::read(folder.path().join(".weft/store.db-wal")).unwrap_or_default());
    assert!(!left.windows(two.len()).any(|part| part == two.as_bytes()));
    assert!(folder.weft(&["dead", "list"]).await.out.contains("klant3@voorbeeld.example"));
}

#[tokio::test]
async fn what_is_said_about_privacy_is_checked() {
    let (_town, folder) = refused().await;
    let main = std::fs::read_to_string(folder.path().join("weft.toml")).unwrap();
    let odd = "\n[privacy]\nkeep = 14\nmask = \"email\"\npayloads = \"no\"\nmaks = []\n";
    folder.put("weft.toml", format!("{main}keep = \"ever\"\n{odd}"));
    shown(&folder, "privacy_odd", &["check"]).await;
    folder.put(
        "weft.toml",
        format!("{main}keep = \"4 weeks\"\n[privacy]\nmask = [\"email\"]\nkeep = \"1 day\"\n"),
    );
    let checked = folder.weft(&["check"]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.err);
}

#[tokio::test]
async fn secrets_are_listed_by_name() {
    let (_town, folder) = refused().await;
    shown(&folder, "secret_none", &["secret", "list"]).await;
    shown(&folder, "secret_set_nothing", &["secret", "set", "till", "secret"]).await;
    shown(&folder, "secret_set_no_secret", &["secret", "set", "till", "ident"]).await;
    shown(&folder, "secret_rotate_nothing", &["secret", "rotate"]).await;
    shown(&folder, "secret_remove_nothing", &["secret", "remove", "till", "secret"]).await;
    let main = std::fs::read_to_string(folder.path().join("weft.toml")).unwrap();
    let secret = std::fs::read_to_string(folder.path().join("till.secret")).unwrap();
    folder.put("weft.toml", main.replace("{ file = \"till.secret\" }", "{ sealed = true }"));
    shown(&folder, "secret_missing", &["run"]).await;
    let mut set = folder.command(&["secret", "set", "till", "secret"]);
    let mut child = set.stdin(std::process::Stdio::piped()).spawn().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut child.stdin.take().unwrap(), secret.as_bytes()).await.unwrap();
    assert!(child.wait().await.unwrap().success());
    shown(&folder, "secret_list", &["secret", "list"]).await;
    let run = folder.weft(&["run"]).await;
    assert_eq!(run.code, Some(1), "it signs in with what was sealed: {}{}", run.out, run.err);
    shown(&folder, "secret_rotate", &["secret", "rotate"]).await;
    shown(&folder, "secret_reset_unconfirmed", &["secret", "reset"]).await;
    shown(&folder, "secret_reset", &["secret", "reset", "--yes"]).await;
}

#[tokio::test]
async fn a_refused_record_is_edited_and_given_up() {
    let (town, folder) = refused().await;
    let klant = |number: u32| format!("klant{number}@voorbeeld.example");
    let (two, three) = (klant(2), klant(3));
    shown(&folder, "dead_edit", &["dead", "edit", &two, "--set", "email=beter@voorbeeld.example"]).await;
    shown(&folder, "dead_edit_key", &["dead", "edit", &two, "--set", "id=4711"]).await;
    shown(&folder, "dead_edit_nothing", &["dead", "edit", &two, "--set", "email"]).await;
    folder.put("edited.json", "[1]");
    shown(&folder, "dead_edit_no_record", &["dead", "edit", &two, "--file", "edited.json"]).await;
    folder.put("editor", "#!/bin/sh\nsed -i 's/Sanne/Marieke/' \"$1\"\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path().join("editor"), mode).unwrap();
        let editor = folder.path().join("editor");
        let edited =
            folder.command(&["dead", "edit", &two]).env("EDITOR", editor).env_remove("VISUAL").status().await;
        assert!(edited.unwrap().success());
        let left = std::fs::read_dir(folder.path().join(".weft")).unwrap().flatten();
        assert!(left.into_iter().all(|file| !file.file_name().to_string_lossy().contains("edit")));
    }
    let letter = folder.show(&["dead", "show", &two]).await;
    assert!(letter.contains("beter@voorbeeld.example") && letter.contains("Marieke"), "{letter}");
    assert!(letter.contains(&two) && letter.contains("Sanne"), "the original stays: {letter}");
    let drop = ["dead", "drop", &three, "--why", "a test account"];
    let dropped = folder.command(&drop).env("USER", "ann").output().await.unwrap();
    assert!(dropped.status.success(), "{}", String::from_utf8_lossy(&dropped.stderr));
    shown(&folder, "dead_closed", &["dead", "list", "--closed"]).await;
    folder.put("flows/customers.flow", CUSTOMERS);
    let tried = folder.weft(&["run"]).await;
    assert_eq!(tried.code, Some(0), "{}{}", tried.out, tried.err);
    let emails: Vec<String> =
        town.till.relations().iter().map(|relation| relation.text("email").unwrap().to_owned()).collect();
    assert!(emails.contains(&"beter@voorbeeld.example".to_owned()), "{emails:?}");
    let history = folder.show(&["records", &three]).await;
    assert!(history.contains("dropped by ann: a test account"), "{history}");
}
