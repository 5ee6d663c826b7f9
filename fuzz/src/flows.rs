//! Flow files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use dsl::catalog::Catalog;
use dsl::{Problem, Source, compile, format, parse};
use engine::script::{catalog_functions, describe_script};

/// What the checker knows of the systems and scripts that come with Weft.
static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let systems = connectors::all()
        .iter()
        .map(|connector| {
            let system = engine::catalog::system(connector.manifest());
            (system.name.clone(), system)
        })
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    let scripts = fs::read_dir(folder).expect("the folder of scripts").flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Path::new(&name).extension().filter(|extension| *extension == "rhai")?;
        let (path, text) = (format!("scripts/{name}"), fs::read_to_string(entry.path()).ok()?);
        let script = describe_script(&path, &text);
        Some((path, script))
    });
    Catalog { systems, roles: BTreeMap::new(), scripts: scripts.collect(), functions: catalog_functions() }
});

fn places_stand_in_the_text<'p>(source: &Source, problems: impl Iterator<Item = &'p Problem>) {
    for problem in problems {
        let stands = source.text().is_empty() || source.text().get(problem.span()).is_some();
        assert!(stands, "{:?} is no place: {problem}", problem.span());
    }
}

/// Any text is read, and every problem points at a place in it.
pub fn parser(bytes: &[u8]) {
    let Ok(source) = Source::from_bytes("fuzz.flow", bytes) else { return };
    let (_, problems) = parse(&source);
    places_stand_in_the_text(&source, problems.iter());
}

/// Whatever can be read is laid out: only blanks change, and a second time changes nothing.
pub fn layout(bytes: &[u8]) {
    let Ok(source) = Source::from_bytes("fuzz.flow", bytes) else { return };
    let Ok(laid) = format(&source) else { return };
    let letters = |text: &str| -> String {
        text.trim_start_matches('\u{feff}').chars().filter(|letter| !letter.is_whitespace()).collect()
    };
    assert_eq!(letters(&laid), letters(source.text()), "something else than blanks has changed");
    let again = format(&Source::new("fuzz.flow", laid.clone()));
    assert_eq!(again.ok().as_deref(), Some(laid.as_str()), "laid out twice");
}

/// Any flow is checked against real systems: a plan, or problems that point at places in it.
pub fn checker(bytes: &[u8]) {
    let Ok(source) = Source::from_bytes("fuzz.flow", bytes) else { return };
    match compile(&source, &CATALOG) {
        Ok(_) => {}
        Err(report) => {
            assert!(!report.problems().is_empty(), "refused without a reason");
            places_stand_in_the_text(&source, report.problems().iter());
        }
    }
}
