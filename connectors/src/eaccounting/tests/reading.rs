//! Lists, filters, and what changes while they are read.

use super::*;
use crate::contract::Advice;

#[tokio::test]
async fn every_list_is_asked_for_in_an_order_and_with_a_size() {
    let bench = Bench::filled().await;
    for (name, resource) in super::super::MANIFEST.resources.iter() {
        if resource.fetch.is_some() {
            bench.all(name, 7).await;
        }
        for find in resource.find.iter().filter(|find| find.by.len() == 1) {
            bench.find(name, &find.by[0], "98989898").await;
        }
    }
    for seen in bench.running.log().iter().filter(|seen| seen.path.contains('?')) {
        assert!(seen.path.contains("%24orderby=") || seen.path.contains("$orderby="), "{}", seen.path);
        assert!(seen.path.contains("pagesize="), "{}", seen.path);
    }
    let lists = bench.running.log().iter().filter(|seen| seen.path.contains('?')).count();
    assert!(lists > 40, "{lists}");
}

#[tokio::test]
async fn a_record_that_moves_to_the_end_hides_no_other() {
    let bench = Bench::filled().await;
    let all = bench.all("customers", 500).await.len();
    let request = FetchRequest { resource: "customers".into(), size: 7, ..FetchRequest::default() };
    let fetch = bench.session.fetch("customers").unwrap();
    let first = fetch.page(&request, None).await.unwrap();
    let mut seen: Vec<String> = first.records.iter().map(|one| one.text("id").unwrap().to_owned()).collect();
    // Everything on the first page is changed, and goes behind the others.
    for id in &seen {
        bench.company.change("customers", id, &json!({"Note": "gewijzigd"}));
    }
    let mut position = first.next;
    while let Some(at) = position {
        let page = fetch.page(&request, Some(&at)).await.unwrap();
        seen.extend(page.records.iter().map(|one| one.text("id").unwrap().to_owned()));
        position = page.next;
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

#[tokio::test]
async fn a_property_that_cannot_be_filtered_by_is_looked_for_in_the_list() {
    let unfilterable = vec![("orders".to_owned(), "BuyersOrderReference".to_owned())];
    let bench = Bench::new(Options { unfilterable, ..Options::default() }).await;
    bench.company.fill();
    let found = bench.find("orders", "buyers_order_reference", "ORDE-2003").await;
    assert_eq!(found.len(), 1);
    let asked = bench.running.requests();
    // The service is not asked again what it has refused.
    assert!(bench.find("orders", "buyers_order_reference", "ORDE-9999").await.is_empty());
    assert_eq!(bench.running.requests() - asked, 1);
}

#[tokio::test]
async fn a_filter_that_is_refused_is_applied_here() {
    let unfilterable = vec![("articles".to_owned(), "IsActive".to_owned())];
    let bench = Bench::new(Options { unfilterable, ..Options::default() }).await;
    bench.company.fill();
    let conditions = vec![("is_active".to_owned(), Value::Bool(false))];
    let request =
        FetchRequest { resource: "articles".into(), conditions, size: 500, ..FetchRequest::default() };
    let page = bench.session.fetch("articles").unwrap().page(&request, None).await.unwrap();
    assert_eq!(page.records.len(), 3);
}

#[tokio::test]
async fn documents_without_their_rows_are_asked_for_them() {
    let bench = Bench::new(Options { lists_lack_rows: true, ..Options::default() }).await;
    bench.company.fill();
    let mut orders = bench.all("orders", 500).await;
    assert!(orders[0].get("lines").is_none());
    let whole = bench.session.detail("orders").unwrap().complete("orders", orders.remove(0)).await.unwrap();
    assert_eq!(whole.get("lines").unwrap().as_list().unwrap().len(), 2);
    let found = bench.find("orders", "number", "3").await;
    assert!(found[0].get("lines").is_some());
}

#[tokio::test]
async fn what_is_not_there_is_no_fault_however_it_is_said() {
    for absences_are_400 in [false, true] {
        let bench = Bench::new(Options { absences_are_400, ..Options::default() }).await;
        let nobody = "11111111-1111-4111-8111-111111111111";
        assert!(bench.find("customers", "id", nobody).await.is_empty());
        assert!(bench.find("customers", "id", "no key").await.is_empty());
        let error = bench.update("customers", nobody, &json!({"note": "x"})).await.unwrap_err();
        assert_eq!(error.advice, Advice::SkipRecord);
    }
}

#[tokio::test]
async fn quotes_in_names_and_capitals_in_addresses_are_found() {
    let bench = Bench::new(Options::default()).await;
    let id = bench.customer("'t Hoekje", false);
    bench.company.change("customers", &id, &json!({"EmailAddress": "Info@Hoekje.example"}));
    assert_eq!(bench.find("customers", "name", "'t Hoekje").await.len(), 1);
    assert_eq!(bench.find("customers", "email", "info@hoekje.example").await.len(), 1);
    assert!(bench.find("customers", "email", "info@hoekje").await.is_empty());
}

#[tokio::test]
async fn rates_are_percent_however_the_service_writes_them() {
    for rates_are_percent in [false, true] {
        let bench = Bench::new(Options { rates_are_percent, ..Options::default() }).await;
        bench.company.fill();
        let order = bench.find("orders", "number", "1").await.remove(0);
        let line = order.get("lines").unwrap().as_list().unwrap()[0].as_map().unwrap().clone();
        assert_eq!(line.get("vat_rate").unwrap().as_decimal(), Some(Decimal::from(9)));
        assert_eq!(line.get("price_excl").unwrap().as_decimal(), Some(Decimal::new(1595, 2)));
        assert_eq!(line.get("price_incl").unwrap().as_decimal(), Some(Decimal::new(173_855, 4)));
    }
}

#[tokio::test]
async fn a_busy_service_is_given_the_time_that_it_asks_for() {
    let company = Company::new(Options { calls_per_minute: Some(1), ..Options::default() });
    let token = company.consent("ea:api offline_access ea:sales");
    let bench = Bench::with(company, token, &[("calls_per_minute", "600")]).await;
    bench.session.probe().await.unwrap();
    let error = bench.session.probe().await.unwrap_err();
    let Advice::Retry(Some(after)) = error.advice else { panic!("{error:?}") };
    assert!(after > Duration::from_secs(2), "{after:?}");
    assert!(error.reason.contains("allows no more calls"), "{error}");
}

#[tokio::test]
async fn price_lists_want_the_large_subscription() {
    let bench = Bench::new(Options::default()).await;
    let request = FetchRequest { resource: "price_lists".into(), ..FetchRequest::default() };
    let error = bench.session.fetch("price_lists").unwrap().page(&request, None).await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
    assert!(error.help.unwrap().contains("subscription"));
}
