//! What a writer would call each rule of the grammar.
//!
//! The match has no catch-all: a rule without a plain name does not build.

use crate::parse::Rule;

/// The plain name of a rule for "expected …"; `None` for rules that say nothing to a writer.
#[expect(clippy::too_many_lines, reason = "one arm a rule, so that the compiler sees what is missing")]
pub(crate) fn plain_name(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI => "the end of the line",
        Rule::name | Rule::path | Rule::key_field => "a name",
        Rule::word | Rule::kind => "a type",
        Rule::choice => "options",
        Rule::list_of => "`list of`",
        Rule::optional => "`?`",
        Rule::text => "a text in quotes",
        Rule::number | Rule::duration => "a length of time such as `5 minutes`",
        Rule::constant => "a constant",
        Rule::rest | Rule::match_value | Rule::field_value => "an expression",
        Rule::message => "a text for people",
        Rule::resource => "a resource such as `shop.orders`",
        Rule::table_keys | Rule::key_group => "the keys",
        Rule::row_keys => "a key",
        Rule::key | Rule::setting_key => "a field to find by",
        Rule::r#match => "`field = value`",
        Rule::condition => "`if` or `unless`",
        Rule::on_create => "`on create`",
        Rule::on_update => "`on update`",
        Rule::on_delete => "`on delete`",
        Rule::colon => "`:`",
        Rule::equals | Rule::match_equals | Rule::field_equals => "`=`",
        Rule::arrow => "`->`",
        Rule::bar => "`|`",
        Rule::dot => "`.`",
        Rule::as_word => "`as`",
        Rule::ask_word | Rule::ask => "`ask`",
        Rule::of_word => "`of`",
        Rule::at_word => "`at`",
        Rule::least_word => "`least`",
        Rule::apart_word => "`apart`",
        Rule::in_word => "`in`",
        Rule::on_word => "`on`",
        Rule::webhook_word => "`webhook`",
        Rule::runs_word => "`runs`",
        Rule::once_word => "`once`",
        Rule::queue_word => "`queue`",
        Rule::skip_word => "`skip`",
        Rule::fail_word => "`fail`",
        Rule::keep_word => "`keep`",
        Rule::from_word => "`from`",
        Rule::since_word | Rule::since => "`since`",
        Rule::overlap_word => "`overlap`",
        Rule::where_word | Rule::where_list => "`where`",
        Rule::and_word => "`and`",
        Rule::all_word => "`all`",
        Rule::by_word => "`by`",
        Rule::if_word => "`if`",
        Rule::unless_word => "`unless`",
        Rule::with_word => "`with`",
        Rule::else_word => "`else`",
        Rule::when_word | Rule::field_when => "`when`",
        Rule::list_word => "`list`",
        Rule::settings_word => "`settings`",
        Rule::flow_word
        | Rule::source_word
        | Rule::target_word
        | Rule::use_word
        | Rule::setting_word
        | Rule::table_word
        | Rule::otherwise_word
        | Rule::every_word
        | Rule::overlapping_word
        | Rule::missed_word
        | Rule::fetch_word
        | Rule::filter_word
        | Rule::lookup_word
        | Rule::notify_word
        | Rule::map_word
        | Rule::upsert_word
        | Rule::create_word
        | Rule::update_word
        | Rule::delete_word
        | Rule::each_word
        | Rule::all
        | Rule::fail_only
        | Rule::keep_only
        | Rule::line
        | Rule::field_line
        | Rule::row_line
        | Rule::flow
        | Rule::source
        | Rule::target
        | Rule::uses
        | Rule::setting
        | Rule::table
        | Rule::row
        | Rule::otherwise
        | Rule::every
        | Rule::at
        | Rule::webhook
        | Rule::overlapping
        | Rule::missed
        | Rule::apart
        | Rule::fetch
        | Rule::filter
        | Rule::lookup
        | Rule::skip
        | Rule::fail
        | Rule::notify
        | Rule::map
        | Rule::upsert
        | Rule::create
        | Rule::update
        | Rule::each
        | Rule::when
        | Rule::otherwise_when
        | Rule::otherwise_block
        | Rule::field
        | Rule::field_each
        | Rule::field_block
        | Rule::clause_word
        | Rule::verb
        | Rule::name_start
        | Rule::name_rest
        | Rule::letter
        | Rule::field_clause
        | Rule::WHITESPACE => return None,
    })
}
