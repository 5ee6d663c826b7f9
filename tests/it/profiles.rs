//! REST profiles: what is said of bad ones, and what good ones do against servers.

mod joins;
mod kinds;
mod server;

use std::path::Path;

use connectors::contract::Connector as _;
use connectors::manifest::Manifest;
use connectors::profile::{Code, Profile, ProfileReport};
use miette::{GraphicalReportHandler, GraphicalTheme};

/// The report as a terminal without colours shows it.
fn render(report: &ProfileReport) -> String {
    let mut out = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(110);
    handler.render_report(&mut out, report).unwrap();
    out
}

fn load(path: &Path) -> Result<Profile, ProfileReport> {
    let name = path.file_name().unwrap().to_str().unwrap();
    Profile::load(name, &std::fs::read_to_string(path).unwrap())
}

#[test]
fn every_bad_profile_is_explained() {
    insta::glob!("../corpus/profile", "bad/*.toml", |path| {
        let report = load(path).expect_err("files in bad/ must not load");
        insta::assert_snapshot!(render(&report));
    });
}

#[test]
fn every_good_profile_loads() {
    insta::glob!("../corpus/profile", "good/*.toml", |path| {
        if let Err(report) = load(path) {
            panic!("{}", render(&report));
        }
    });
}

#[test]
fn every_code_has_a_page_and_a_bad_profile() {
    let corpus = Path::new("corpus/profile/bad");
    let shown: Vec<String> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|entry| render(&load(&entry.unwrap().path()).expect_err("files in bad/ must not load")))
        .collect();
    for code in Code::ALL {
        let page = format!("../docs/errors/{code}.md");
        let text = std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("{page} is missing"));
        assert!(text.starts_with(&format!("# {code}: ")), "{page} starts with its code");
        for (at, block) in text.split("```toml\n").skip(1).enumerate() {
            let block = block.split("```").next().unwrap();
            let wrong_on_purpose = *code == Code::NotToml && at == 0;
            assert_eq!(block.parse::<toml::Table>().is_ok(), !wrong_on_purpose, "{page}: {block}");
        }
        assert!(shown.iter().any(|shown| shown.contains(code.as_str())), "no bad profile shows {code}");
    }
}

/// The manifest of a profile is what a connector in Rust would have written.
#[test]
fn the_descriptive_part_is_a_manifest() {
    let text = r#"
        name = "shop"
        title = "Shop"
        about = "A shop."
        contract = "assumed"
        events = ["a", "b"]
        concurrency = 3
        [settings.key]
        about = "Key."
        secret = true
        [resources.orders]
        about = "Orders."
        key = "id"
        fetch = { filters = ["status"], since = ["at"], ascending = true }
        find = [{ by = ["id"], batch = 5, unique = true }]
        create = { idempotent = true }
        update = {}
        [resources.orders.fields]
        id = { required = true, max_length = 5, digits_only = true, about = "Number." }
        status = { values = ["a"], write_only = true }
        at = { type = "datetime", read_only = true }
        lines = { type = "list", fields = { sku = {} } }
        tags = { type = "list", items = "text" }
    "#;
    let manifest = Manifest::from_toml(text).unwrap();
    let profile = text
        .replace("[settings.key]", "[connection]\naddress = \"https://x.example\"\n[settings.key]")
        .replace("fetch = {", "fetch = { path = \"/orders\",")
        .replace("by = [\"id\"]", "by = [\"id\"], parameters = { ids = \"{id}\" }")
        .replace("idempotent = true", "idempotent = true, idempotency_header = \"Idempotency-Key\"")
        .replace("update = {}", "update = { path = \"/orders/{id}\" }");
    let loaded = Profile::load("shop.toml", &profile).unwrap_or_else(|report| panic!("{}", render(&report)));
    assert_eq!(format!("{manifest:#?}"), format!("{:#?}", loaded.manifest()));
}

/// Every TOML block of the guide that is a whole profile loads; the others are parts of one.
#[test]
fn the_guide_is_true() {
    let guide = std::fs::read_to_string("../docs/profiles.md").unwrap();
    let blocks: Vec<&str> =
        guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let mut whole = 0;
    for block in &blocks {
        let text = if block.starts_with("name = ") {
            whole += 1;
            (*block).to_owned()
        } else {
            assert!(block.parse::<toml::Table>().is_ok(), "not TOML:\n{block}");
            continue;
        };
        if let Err(report) = Profile::load("guide.toml", &text) {
            panic!("{}", render(&report));
        }
    }
    assert!(whole >= 1 && blocks.len() >= 5, "the guide shows profiles");
}

/// Whatever is written, something is said and nothing breaks.
#[test]
fn any_damage_is_reported_or_harmless() {
    let text = std::fs::read_to_string("corpus/profile/good/webshop.toml").unwrap();
    let random = fastrand::Rng::with_seed(7);
    let mut random = random;
    for _ in 0..400 {
        let mut damaged: Vec<char> = text.chars().collect();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(0..damaged.len());
            match random.u8(0..3) {
                0 => drop(damaged.remove(at)),
                1 => damaged.insert(at, *random.choice(&['{', '}', '"', '$', '[', 'é', '\n', '.']).unwrap()),
                _ => damaged[at] = *random.choice(&['{', 'x', '"', '=', ']', '0', '_']).unwrap(),
            }
        }
        let damaged: String = damaged.into_iter().collect();
        if let Err(report) = Profile::load("damaged.toml", &damaged) {
            assert!(!render(&report).is_empty() && !report.problems().is_empty());
        }
    }
}
