//! Every answer to every question of every ready flow counts: in one of the cases beside the flow
//! it leads to something else.
//!
//! A choice has to show in each of its words, a list of boxes in each of its boxes. Other answers
//! are those that other cases give, and what the type of the question and the texts of the case
//! suggest. That a record is refused shows nothing: any answer that makes no sense does that.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use connectors::record::Value as Any;
use dsl::plan::{Constant, Plan, Setting, SettingType, Table};
use engine::case::{CaseFile, Difference, FileReport, Subject, Suite};
use engine::project::Project;
use serde_json::{Value, json};

use super::compile;
use super::pair::files;

/// Other answers that are tried at once.
const AT_ONCE: usize = 40;

/// Something that has to show: a question, or one word or box of its answer.
struct Asked {
    name: String,
    about: About,
}

enum About {
    Setting(Setting),
    /// One word of a choice.
    Word(Setting, String),
    /// One box of a list of boxes, which is ticked or not.
    Box(Setting, String),
    Table(Table),
}

/// All that a flow asks.
fn asked(plan: &Plan) -> Vec<Asked> {
    let mut all = Vec::new();
    for setting in &plan.settings {
        let words = |list: &[String], about: &dyn Fn(&str) -> About| -> Vec<Asked> {
            list.iter()
                .map(|word| Asked { name: format!("{} {word:?}", setting.name), about: about(word) })
                .collect()
        };
        match &setting.kind {
            SettingType::Choice(choices) => {
                let usual = setting.default.as_ref().map(written);
                let others: Vec<String> =
                    choices.iter().filter(|word| usual != Some(json!(word))).cloned().collect();
                all.extend(words(&others, &|word| About::Word(setting.clone(), word.to_owned())));
            }
            SettingType::List(inner) if let SettingType::Choice(boxes) = &**inner => {
                all.extend(words(boxes, &|word| About::Box(setting.clone(), word.to_owned())));
            }
            _ => all.push(Asked { name: setting.name.clone(), about: About::Setting(setting.clone()) }),
        }
    }
    let tables = plan.tables.iter();
    all.extend(tables.map(|table| Asked { name: table.name.clone(), about: About::Table(table.clone()) }));
    all
}

impl Asked {
    /// The cases, answered otherwise: those that answer the question first, and of each of them
    /// one answer before the next.
    fn others(&self, cases: &[Value]) -> Vec<Value> {
        let (part, name) = match &self.about {
            About::Setting(setting) | About::Word(setting, _) | About::Box(setting, _) => {
                ("settings", &setting.name)
            }
            About::Table(table) => ("tables", &table.name),
        };
        let given = cases.iter().map(|case| &case[part][name]).filter(|answer| !answer.is_null());
        let elsewhere: Vec<Value> = given.cloned().collect();
        let mut others = Vec::new();
        for (place, case) in cases.iter().enumerate() {
            let given = &case[part][name];
            for (turn, answer) in self.answers(given, &elsewhere, case).into_iter().enumerate() {
                let mut other = case.clone();
                let members = other.as_object_mut().unwrap();
                let answers = members.entry(part).or_insert_with(|| json!({})).as_object_mut().unwrap();
                match answer {
                    Some(answer) => drop(answers.insert(name.clone(), answer)),
                    None => drop(answers.remove(name)),
                }
                others.push(((given.is_null(), turn, place), other));
            }
        }
        others.sort_by_key(|(likely, _)| *likely);
        others.into_iter().map(|(_, other)| other).collect()
    }

    /// Answers other than the one of the case; `None`: that of the flow.
    fn answers(&self, given: &Value, elsewhere: &[Value], case: &Value) -> Vec<Option<Value>> {
        let is_given = !given.is_null();
        match &self.about {
            About::Setting(setting) => {
                let usual = setting.default.as_ref().map(written);
                let now = if is_given { Some(given.clone()) } else { usual.clone() };
                let mut answers = Vec::new();
                if is_given && (setting.default.is_some() || setting.optional) {
                    answers.push(None);
                }
                let further = elsewhere.iter().cloned().chain(values(&setting.kind, case));
                answers.extend(further.filter(|other| Some(other) != now.as_ref()).map(Some));
                answers
            }
            About::Word(setting, word) => {
                let usual = setting.default.as_ref().map(written);
                let now = if is_given { Some(given.clone()) } else { usual.clone() };
                match (now, usual) {
                    (Some(now), _) if now != json!(word) => vec![Some(json!(word))],
                    (_, Some(_)) => vec![None],
                    _ => Vec::new(),
                }
            }
            About::Box(setting, word) => {
                let usual = setting.default.as_ref().map(written).unwrap_or_default();
                let now = if is_given { given.clone() } else { usual };
                let mut ticked = now.as_array().cloned().unwrap_or_default();
                let before = ticked.len();
                ticked.retain(|one| one != word);
                if ticked.len() == before {
                    ticked.push(json!(word));
                }
                vec![Some(Value::Array(ticked))]
            }
            About::Table(table) => {
                let others = values(&table.value, &Value::Null).into_iter();
                let others = others.map(|other| Some(json!({"rows": [], "otherwise": other})));
                is_given.then_some(None).into_iter().chain(others).collect()
            }
        }
    }
}

/// Values of a type; names are those of the case.
fn values(kind: &SettingType, case: &Value) -> Vec<Value> {
    match kind {
        SettingType::Text => {
            let mut texts = BTreeSet::new();
            within(&case["source"], &mut texts);
            within(&case["target"], &mut texts);
            [json!("77")].into_iter().chain(texts.into_iter().map(Value::String)).collect()
        }
        SettingType::Integer => vec![json!(0), json!(3), json!(77)],
        SettingType::Decimal => vec![json!(0), json!(1), json!(77.5)],
        SettingType::Boolean => vec![json!(true), json!(false)],
        SettingType::Date => vec![json!("2999-01-01"), json!("2000-01-01")],
        SettingType::Choice(choices) => choices.iter().map(|choice| json!(choice)).collect(),
        SettingType::List(inner) => {
            let one = values(inner, case).into_iter().map(|value| json!([value]));
            [json!([])].into_iter().chain(one).collect()
        }
    }
}

/// Texts and names in records.
fn within(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(texts.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| within(item, texts)),
        Value::Object(members) => members.values().for_each(|value| within(value, texts)),
        _ => {}
    }
}

fn written(constant: &Constant) -> Value {
    match constant {
        Constant::Text(text) => json!(text),
        Constant::Integer(number) => json!(number),
        Constant::Decimal(number) => serde_json::from_str(&number.to_string()).unwrap(),
        Constant::Boolean(yes) => json!(yes),
        Constant::Nothing => Value::Null,
        Constant::List(items) => items.iter().map(written).collect(),
    }
}

/// Whether a record came otherwise, and was not refused for it.
fn shows(differences: &[Difference]) -> bool {
    let says = |key: &String, name: &str, came: &str| {
        differences.iter().any(|one| {
            one.at == [key.clone(), name.to_owned()] && one.came.as_ref().and_then(Any::as_str) == Some(came)
        })
    };
    differences.iter().any(|one| {
        let Some(key) = one.at.first() else { return false };
        one.at.get(1).is_some_and(|name| name != "reason") && !says(key, "outcome", "failed")
    })
}

/// Plays cases of flows.
struct Player<'p> {
    suite: Suite<'p>,
    folder: tempfile::TempDir,
}

impl<'p> Player<'p> {
    fn new(project: &'p Project) -> Self {
        Self { suite: Suite::new(project, false).unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    async fn play(&self, flow: &str, cases: &[&Value]) -> FileReport {
        let path = self.folder.path().join("otherwise.case.json");
        std::fs::write(&path, json!(cases).to_string()).unwrap();
        let file = CaseFile { path, name: "otherwise".into(), subject: Subject::Flow(flow.into()) };
        self.suite.play(&file).await.unwrap()
    }

    /// Which of these cases come otherwise. An answer that cannot be given makes an end of the
    /// file: what stands behind it is played anew.
    async fn show(&self, flow: &str, cases: &[&Value]) -> Vec<bool> {
        let mut shown = Vec::new();
        while shown.len() < cases.len() {
            let report = self.play(flow, &cases[shown.len()..]).await;
            let ran = report.cases.iter();
            shown.extend(ran.map(|ran| ran.ended.is_none() && shows(&ran.differences)));
            if !report.problems.is_empty() {
                shown.push(false);
            }
        }
        shown
    }
}

/// What a flow asks without any of its cases showing why.
async fn idle(player: &Player<'_>, flow: &str, plan: &Plan, cases: &[Value]) -> BTreeSet<String> {
    let mut open: Vec<(String, std::vec::IntoIter<Value>)> =
        asked(plan).into_iter().map(|one| (one.name.clone(), one.others(cases).into_iter())).collect();
    let mut idle = BTreeSet::new();
    while !open.is_empty() {
        let mut round = Vec::new();
        open.retain_mut(|(name, others)| match others.next() {
            Some(other) => {
                round.push(other);
                true
            }
            None => {
                idle.insert(name.clone());
                false
            }
        });
        let mut shown = Vec::new();
        for part in round.iter().collect::<Vec<_>>().chunks(AT_ONCE) {
            shown.extend(player.show(flow, part).await);
        }
        let mut shown = shown.into_iter();
        open.retain(|_| !shown.next().unwrap());
    }
    idle
}

async fn every_answer_counts(pair: &str) {
    let project = crate::cases::bare(&crate::cases::root());
    let player = Player::new(&project);
    let folder = format!("flows/{pair}");
    let cases = files(&folder, "json");
    let mut missing = String::new();
    for (flow, text) in &files(&folder, "flow") {
        let plan = compile(flow, text).unwrap_or_else(|report| panic!("{report}"));
        let cases = cases.get(&flow.replace(".flow", ".case.json")).map_or("[]", String::as_str);
        let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
        let idle = idle(&player, flow, &plan, &cases).await;
        idle.iter().for_each(|name| writeln!(missing, "{flow}: {name}").unwrap());
    }
    assert!(missing.is_empty(), "no case shows that these answers count:\n{missing}");
}

#[tokio::test]
async fn a_question_that_changes_nothing_is_named() {
    const FLOW: &str = "flows/teamleader-mpluskassa/stock_to_teamleader.flow";
    const ASKED: &str = r#"
setting idle: boolean = true
setting boxes: list of "a" | "b" = ["a"]
table unread: text -> text
    otherwise keep
every 5 minutes"#;
    const READ: &str = "since stock_id\nfilter settings.idle || \"a\" in settings.boxes";
    let text = &files("flows/teamleader-mpluskassa", "flow")[FLOW];
    let text = text.replace("every 5 minutes", ASKED).replace("since stock_id", READ);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stock.flow"), &text).unwrap();
    let project = crate::cases::bare(folder.path());
    let cases = &files("flows/teamleader-mpluskassa", "json")[&FLOW.replace(".flow", ".case.json")];
    let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
    let plan = compile("stock.flow", &text).unwrap_or_else(|report| panic!("{report}"));
    let idle = idle(&Player::new(&project), "stock.flow", &plan, &cases).await;
    assert_eq!(idle.into_iter().collect::<Vec<_>>(), ["boxes \"a\"", "boxes \"b\"", "idle", "unread"]);
}

macro_rules! pairs {
    ($($name:ident: $pair:literal,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                every_answer_counts($pair).await;
            }
        )*

        /// No pair is left out.
        #[test]
        fn every_pair_is_asked() {
            let pairs: BTreeSet<String> =
                files("flows", "flow").keys().map(|flow| flow.split('/').nth(1).unwrap().to_owned()).collect();
            assert_eq!(pairs, [$($pair.to_owned()),*].into());
        }
    };
}

pairs! {
    accountview_and_the_till: "accountview-mpluskassa",
    the_shop_and_the_till: "ccv_salespos-mpluskassa",
    eaccounting_and_the_shop: "eaccounting-ccv_salespos",
    the_till_and_softmaat: "mpluskassa-softmaat",
    teamleader_and_the_till: "teamleader-mpluskassa",
}
