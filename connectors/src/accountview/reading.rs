//! Reading page by page, each page behind the last key of the one before, so that a row that
//! comes or goes in between moves no other across a border.

use async_trait::async_trait;
use jiff::civil::Date;

use super::client::{Question, unusable};
use super::layout::{Layout, OBJECT, Table};
use super::rows::{Filter, Wanted};
use super::wire::{self, cell};
use super::{Office, finding};
use crate::contract::{Advice, Fetch, FetchRequest, Page, RemoteError};
use crate::record::{Map, Record, Value};

/// Rows of a page when nobody says how many.
const USUAL: usize = 200;

/// Where the list of business objects is.
const OBJECTS: &str = "accountviewsystembusinessobjects";

#[async_trait]
impl Fetch for Office {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        if request.resource == "business_objects" {
            return Ok(Page { records: self.business_objects().await?, next: None });
        }
        let layout = self.layout(&request.resource)?;
        let Some(filters) = self.filters(layout, request)? else { return Ok(Page::default()) };
        let size = if request.size == 0 { USUAL } else { request.size };
        let wanted = Wanted { filters, any: false, size, after: position.map(str::to_owned) };
        let rows = self.rows(layout, &wanted).await?;
        let mut records = rows.records;
        // What the server makes of padding and capitals is not known.
        records.retain(|record| finding::fits(layout, record, &request.conditions));
        Ok(Page { records, next: rows.next })
    }
}

impl Office {
    /// The filters of a request; `None` when no row can pass.
    fn filters(&self, layout: &Layout, request: &FetchRequest) -> Result<Option<Vec<Filter>>, RemoteError> {
        let mut filters = Vec::new();
        for (field, value) in &request.conditions {
            let Some(column) = layout.table.column(field) else {
                return Err(unusable(Advice::StopFlow, &format!("`{field}` is no column to choose by")));
            };
            let Some(filter) = Filter::equal(column, value) else { return Ok(None) };
            filters.push(filter);
        }
        if let Some((field, value)) = &request.since {
            let column = layout.table.column(field).zip(self.day(value));
            let Some((column, day)) = column else {
                let reason = format!("`{field}` since `{value}` is not a moment");
                return Err(unusable(Advice::StopFlow, &reason));
            };
            filters.push(Filter::from_day(column, day));
        }
        Ok(Some(filters))
    }

    /// The day of a moment where AccountView runs. Whether the server looks at the time of day
    /// is not known, so the whole day is asked for.
    fn day(&self, moment: &Value) -> Option<Date> {
        let moment: jiff::Timestamp = moment.as_str()?.parse().ok()?;
        Some(moment.to_zoned(self.client.settings.zone.clone()).date())
    }
}

impl Office {
    /// What the web API of this installation offers, all at once.
    pub(super) async fn business_objects(&self) -> Result<Vec<Record>, RemoteError> {
        let answer = self.client.read(OBJECTS, &Question::default()).await?;
        let rows = match &answer {
            Value::List(rows) => rows.iter().filter_map(Value::as_map).collect(),
            one @ Value::Map(row) if cell(row, "Code").is_some() => one.as_map().into_iter().collect(),
            _ => Vec::new(),
        };
        let columns = Table::of("", &[OBJECT]);
        let records = rows.into_iter().map(|row: &Map| wire::read(&columns, row, &self.client.settings.zone));
        Ok(records.filter(|record| record.text("code").is_some()).collect())
    }
}
