//! That the suite notices: each way to break the toy is caught by the check made for it.

use libtest_mimic::Trial;

use crate::subject::Subject;
use crate::toy::{self, Flaw};

/// The flaw, the resource that shows it, the check that has to fail, and a word of what it
/// then says.
const CAUGHT: &[(Flaw, &str, &str, &str)] = &[
    (Flaw::NamesAFieldThatIsNone, "", "manifest_is_sane", "filter `state` is no field"),
    (Flaw::OffersLess, "", "abilities_are_those_of_the_manifest", "products: find"),
    (Flaw::OffersMore, "", "abilities_are_those_of_the_manifest", "orders: update"),
    (Flaw::AcceptsMissingAnswers, "", "missing_answers_are_refused", "without"),
    (Flaw::CallsAWrongKeyTemporary, "", "wrong_secrets_ask_to_reconnect", "Retry"),
    (Flaw::GivesUpAtOnce, "", "a_server_that_is_down_is_tried_again", "only 3 tries"),
    (Flaw::GivesUpAtOnce, "", "cut_off_answers_are_tried_again", "cut off"),
    (Flaw::GivesUpAtOnce, "orders", "a_busy_server_is_read_whole", "Retry"),
    (Flaw::GivesUpAtOnce, "notes", "a_busy_server_takes_every_record", "Retry"),
    (Flaw::TakesWebPagesForPages, "", "html_is_no_answer", "takes a web page for an answer"),
    (Flaw::PanicsOnGarbage, "", "garbage_is_survived", "panicked"),
    (Flaw::TellsItsKey, "", "secrets_stay_secret", "the secret `key`"),
    (Flaw::LosesTheLastPage, "orders", "pages_add_up", "different records"),
    (Flaw::RepeatsARecord, "orders", "pages_add_up", "8 records in a page of 7"),
    (Flaw::IgnoresTheSize, "orders", "pages_add_up", "11 records in a page of 7"),
    (Flaw::GivesNumbersForText, "orders", "records_match_the_manifest", "status: is integer, not text"),
    (Flaw::ForgetsPositions, "orders", "positions_resume", "a new session reads"),
    (Flaw::SkipsWhatIsAtSince, "orders", "since_misses_nothing", "misses"),
    (Flaw::IgnoresSince, "orders", "since_misses_nothing", "leaves nothing out"),
    (Flaw::IgnoresFilters, "orders", "filters_filter", "were read"),
    (Flaw::DropsFieldsInDetail, "orders", "detail_completes", "became null"),
    (Flaw::FindsOutOfOrder, "products", "finds_what_is_there", "has other values"),
    (Flaw::FindsWhatBeginsSo, "products", "finds_exactly", "finds"),
    (Flaw::CreatesNothing, "notes", "what_is_created_is_there", "nothing was added"),
    (Flaw::ForgetsIdempotencyKeys, "products", "the_same_key_creates_once", "the same create"),
    (Flaw::RepeatsLostCreates, "notes", "a_lost_answer_never_doubles", "records were added"),
    (Flaw::EmptiesOtherFields, "products", "an_update_changes_only_what_it_says", "stock was"),
    (Flaw::StopsAtUnknownKeys, "products", "an_update_of_nothing_is_refused", "StopFlow"),
    (Flaw::TellsNothing, "", "events_are_those_of_the_manifest", "webhooks given: false"),
    (Flaw::BelievesEverybody, "", "what_happens_is_told", "another body"),
];

/// One trial a flaw, called `suite/notices/FLAW/CHECK`.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |&(flaw, resource, check, words): &'static (Flaw, &str, &str, &str)| {
        Trial::test(format!("suite/notices/{flaw:?}/{check}"), move || {
            let check = crate::checks().find(|known| known.name == check).ok_or("there is no such check")?;
            match toy::subject(Some(flaw)).run(check, resource) {
                Ok(()) => Err("nothing was noticed".into()),
                Err(found) if found.contains(words) => Ok(()),
                Err(found) => Err(format!("something else was noticed: {found}").into()),
            }
        })
    };
    let mut trials: Vec<_> = CAUGHT.iter().map(trial).collect();
    trials.push(Trial::test("suite/lists_what_it_cannot_check", || {
        let toy = Subject::new(toy::subject(None).connector, || None);
        let (ignored, runs): (Vec<_>, Vec<_>) =
            crate::trials(&toy).into_iter().partition(Trial::has_ignored_flag);
        let names: Vec<_> = runs.iter().map(Trial::name).collect();
        let fits = names == ["toy/manifest_is_sane"] && ignored.len() > 20;
        if fits { Ok(()) } else { Err(format!("runs {names:?}, ignores {}", ignored.len()).into()) }
    }));
    trials
}
