//! Keys that fit, keys that do not, and changes of the key that are cut short anywhere.

use super::*;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn own(&self) -> Source {
        Source::Own(self.folder.path().join(".weft/key"))
    }

    /// A vault as another process would have it.
    async fn vault(&self) -> Vault {
        self.vault_with(self.own()).await
    }

    async fn vault_with(&self, source: Source) -> Vault {
        let vault = Vault::with(self.folder.path(), source);
        vault.attach(&crate::store::open(&self.folder.path().join("store.db")).await.unwrap());
        vault
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(".weft").join(name)
    }

    fn key(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }
}

async fn secret(vault: &Vault) -> Option<String> {
    let text = vault.get("till", "secret").await.unwrap()?;
    Some(String::from_utf8(text.to_vec()).unwrap())
}

fn said(trouble: &Trouble) -> String {
    let help = miette::Diagnostic::help(trouble).map(|help| help.to_string()).unwrap_or_default();
    format!("{}: {trouble}\n{help}", miette::Diagnostic::code(trouble).unwrap())
}

fn variable(byte: &str) -> Source {
    Source::Variable("WEFT_KEY", Zeroizing::new(byte.repeat(32)))
}

#[tokio::test]
async fn a_secret_is_kept_sealed_and_the_key_is_made_for_its_owner_only() {
    let bench = Bench::new();
    let vault = bench.vault().await;
    assert_eq!(secret(&vault).await, None);
    assert!(!bench.file("key").exists(), "nothing is sealed, so no key is needed");
    vault.put("till", "secret", b"hunter2").await.unwrap();
    vault.put("till", "secret", b"hunter3").await.unwrap();
    assert_eq!(secret(&bench.vault().await).await.as_deref(), Some("hunter3"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(bench.file("key")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let listed = vault.list().await.unwrap();
    assert_eq!(listed.len(), 1, "the mark of the key is no secret of anybody: {listed:?}");
    assert_eq!((listed[0].connection.as_str(), listed[0].name.as_str()), ("till", "secret"));
    assert!(vault.remove("till", "secret").await.unwrap());
    assert!(!vault.remove("till", "secret").await.unwrap());
    assert_eq!(secret(&vault).await, None);
    let files: Vec<_> =
        std::fs::read_dir(bench.file("")).unwrap().flatten().map(|file| file.file_name()).collect();
    assert_eq!(files, ["key"], "nothing else is left");
}

#[tokio::test]
async fn many_vaults_that_begin_at_once_agree_on_one_key() {
    let bench = Bench::new();
    let mut vaults = Vec::new();
    for _ in 0..6 {
        vaults.push(bench.vault().await);
    }
    let names: Vec<String> = (0..6).map(|number| format!("setting_{number}")).collect();
    let kept = vaults.iter().zip(&names).map(|(vault, name)| vault.put("till", name, name.as_bytes()));
    for done in futures::future::join_all(kept).await {
        done.unwrap();
    }
    let late = bench.vault().await;
    for name in &names {
        assert_eq!(late.get("till", name).await.unwrap().unwrap().as_slice(), name.as_bytes());
    }
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_told_and_changes_nothing() {
    let bench = Bench::new();
    bench.vault_with(variable("01")).await.put("till", "secret", b"hunter2").await.unwrap();
    let wrong = bench.vault_with(variable("02")).await;
    let mut told = vec![said(&wrong.get("till", "secret").await.unwrap_err())];
    told.push(said(&wrong.put("till", "secret", b"other").await.unwrap_err()));
    assert_eq!(told[0], told[1]);
    let missing = bench.vault().await;
    told[1] = said(&missing.put("till", "other", b"x").await.unwrap_err());
    assert!(!bench.file("key").exists(), "no new key is made where one is missing");
    let odd = bench.vault_with(Source::Variable("WEFT_KEY", Zeroizing::new("hunter2".to_owned()))).await;
    told.push(said(&odd.get("till", "secret").await.unwrap_err()));
    let nowhere = bench.vault_with(Source::File("/nowhere/key".into())).await;
    told.push(said(&nowhere.get("till", "secret").await.unwrap_err()));
    let folder = bench.folder.path().display().to_string();
    let told = told.join("\n---\n").replace(&folder, "PROJECT");
    insta::assert_snapshot!(told);
    assert_eq!(secret(&bench.vault_with(variable("01")).await).await.as_deref(), Some("hunter2"));
}

#[tokio::test]
async fn a_new_key_opens_everything_and_the_old_one_nothing() {
    let bench = Bench::new();
    let (vault, running) = (bench.vault().await, bench.vault().await);
    assert!(said(&vault.rotate_to(None).await.unwrap_err()).starts_with("R085: nothing is sealed yet"));
    for name in ["secret", "other"] {
        vault.put("till", name, b"hunter2").await.unwrap();
    }
    assert_eq!(secret(&running).await.as_deref(), Some("hunter2"));
    let old = bench.key("key");
    assert_eq!(vault.rotate_to(None).await.unwrap(), Rotated { secrets: 2, to_do: None });
    assert_ne!(bench.key("key"), old);
    assert!(!bench.file("key.new").exists());
    // A process that was running all the time notices.
    assert_eq!(secret(&running).await.as_deref(), Some("hunter2"));
    let stale = bench.vault().await;
    assert_eq!(secret(&stale).await.as_deref(), Some("hunter2"));
    vault.rotate_to(None).await.unwrap();
    stale.put("till", "secret", b"written with a stale key").await.unwrap();
    assert_eq!(secret(&bench.vault().await).await.as_deref(), Some("written with a stale key"));
    std::fs::write(bench.file("key"), old).unwrap();
    assert!(said(&bench.vault().await.get("till", "secret").await.unwrap_err()).starts_with("R082"));
}

#[tokio::test]
async fn a_change_of_the_key_that_is_killed_loses_nothing() {
    // Before the commit: the old key fits, and a file waits for nothing.
    let bench = Bench::new();
    bench.vault().await.put("till", "secret", b"hunter2").await.unwrap();
    let old = bench.key("key");
    std::fs::write(bench.file("key.new"), Key::random().unwrap().to_text().as_bytes()).unwrap();
    assert_eq!(secret(&bench.vault().await).await.as_deref(), Some("hunter2"));
    // After the commit: the new key still waits.
    bench.vault().await.rotate_to(None).await.unwrap();
    std::fs::rename(bench.file("key"), bench.file("key.new")).unwrap();
    std::fs::write(bench.file("key"), &old).unwrap();
    let vault = bench.vault().await;
    assert_eq!(secret(&vault).await.as_deref(), Some("hunter2"));
    vault.put("till", "secret", b"hunter3").await.unwrap();
    assert_eq!(secret(&bench.vault().await).await.as_deref(), Some("hunter3"));
    // The next change begins by bringing that one to its end.
    assert_eq!(vault.rotate_to(None).await.unwrap().secrets, 1);
    assert!(!bench.file("key.new").exists());
    assert_eq!(secret(&bench.vault().await).await.as_deref(), Some("hunter3"));
}

#[tokio::test]
async fn a_key_of_the_environment_is_changed_by_its_owner() {
    let bench = Bench::new();
    let vault = bench.vault_with(variable("01")).await;
    vault.put("till", "secret", b"hunter2").await.unwrap();
    insta::assert_snapshot!(said(&vault.rotate_to(None).await.unwrap_err()));
    let next = Source::Variable("WEFT_NEW_KEY", Zeroizing::new("02".repeat(32)));
    let done = vault.rotate_to(Some(next)).await.unwrap();
    assert_eq!(done.secrets, 1);
    assert_eq!(
        done.to_do.unwrap(),
        "put the key of the environment variable `WEFT_NEW_KEY` in the place of that in the environment variable `WEFT_KEY`"
    );
    assert_eq!(secret(&bench.vault_with(variable("02")).await).await.as_deref(), Some("hunter2"));
    assert!(bench.vault_with(variable("01")).await.get("till", "secret").await.is_err());
}

#[tokio::test]
async fn a_secret_that_was_moved_or_changed_in_the_store_is_not_used() {
    let bench = Bench::new();
    let vault = bench.vault().await;
    vault.put("till", "secret", b"hunter2").await.unwrap();
    let store = vault.store().unwrap();
    let sealed = store.kept("till", "secret").await.unwrap().unwrap();
    let mark = store.key_mark().await.unwrap().unwrap();
    let moved = Keep { mark: &mark, connection: "shop", name: "secret", sealed: &sealed, only_new: false };
    store.keep(&moved).await.unwrap();
    insta::assert_snapshot!(said(&vault.get("shop", "secret").await.unwrap_err()));
    let refused = vault.rotate_to(None).await.unwrap_err();
    assert!(said(&refused).starts_with("R083"), "{refused}");
    assert!(!bench.file("key.new").exists());
    assert_eq!(secret(&bench.vault().await).await.as_deref(), Some("hunter2"));
}

#[tokio::test]
async fn a_guard_goes_to_one_and_comes_back_from_the_dead() {
    let bench = Bench::new();
    let (one, two) = (bench.vault().await, bench.vault().await);
    let store = one.store().unwrap();
    let ttl = std::time::Duration::from_mins(1);
    let take = |ticket: &'static str, dead: fn(&str) -> bool| {
        let store = Arc::clone(&store);
        async move { store.take_guard("t", ticket, "h", ttl, &move |holder: &str| dead(holder)).await.unwrap() }
    };
    assert!(take("a", |_| false).await);
    assert!(!take("b", |_| false).await);
    assert!(take("c", |holder| holder == "h").await, "its holder is dead");
    store.end_guard("t", "a").await.unwrap();
    assert!(!take("d", |_| false).await, "who lost it cannot give it back");
    store.end_guard("t", "c").await.unwrap();
    let held = one.guard("t").await.unwrap();
    held.end().await.unwrap();
    two.guard("t").await.unwrap();
}
