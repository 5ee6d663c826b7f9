//! Orders of the shop in eAccounting: what they become, what each setting does.

use super::*;

pub(super) const ANSWERS: &str = "[settings]\nstart_date = \"2020-01-01\"\nshipping_article = \"900\"\ncosts_article = \"901\"\ndiscount_article = \"902\"\ndeposit_article = \"903\"\nrounding_article = \"904\"\n";

fn answers(more: &str) -> String {
    format!("{ANSWERS}{more}\n")
}

/// The only document of that kind.
fn only(town: &Town, path: &str) -> Value {
    let mut rows = town.books.rows(path);
    assert_eq!(rows.len(), 1, "{path}: {rows:?}");
    rows.remove(0)
}

/// Article number or text, quantity and price of the rows.
fn rows(document: &Value) -> Vec<String> {
    let word = |row: &Value| row["ArticleNumber"].as_str().or(row["Text"].as_str()).unwrap_or("?").to_owned();
    document["Rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} x {} at {}", word(row), row["Quantity"], row["UnitPrice"]))
        .collect()
}

// shows R1, R2, R38, R41, R45, R50, R56
#[tokio::test]
async fn an_order_becomes_each_kind_of_document() {
    for (kind, path, amount) in [
        ("quotation", "quotes", "TotalAmount"),
        ("order", "orders", "Amount"),
        ("invoice draft", "customerinvoicedrafts", "TotalAmount"),
        ("sales invoice", "customerinvoices", "TotalAmount"),
    ] {
        let town = Town::stocked().await;
        let key = town.order("inkoop@delinde.example", "De Linde", &[("100045", 2), ("100050", 1)]);
        let flow = town.flow("orders", &answers(&format!("send_as = \"{kind}\""))).await;
        assert_eq!(flow.settles().await, "1 created", "{kind}");
        let document = only(&town, path);
        assert_eq!(document[amount].as_f64(), town.total(key).as_f64(), "{kind}: {:?}", rows(&document));
        let number = town.shop.get("orders", key).unwrap()["ordernumber_full"].clone();
        assert_eq!(document["BuyersOrderReference"], number);
        for other in ["quotes", "orders", "customerinvoicedrafts", "customerinvoices"] {
            assert_eq!(town.books.rows(other).len(), usize::from(other == path), "{kind}: {other}");
        }
        // Sent as something else afterwards, it is still there already.
        flow.answer(&answers("send_as = \"quotation\""));
        let (counts, _) = flow.run(true).await;
        assert_eq!(counts, "1 skipped", "{kind}");
    }
}

// shows R10, R53
#[tokio::test]
async fn a_paid_order_is_booked_with_its_payment() {
    let town = Town::stocked().await;
    town.order("anna@example.nl", "", &[("100045", 1)]);
    let flow = town.flow("orders", &answers("send_as = \"sales invoice\"")).await;
    assert_eq!(flow.settles().await, "1 created");
    let invoice = only(&town, "customerinvoices");
    assert_eq!((&invoice["PaymentStatus"], invoice["RemainingAmount"].as_f64()), (&json!(0), Some(0.0)));

    let town = Town::stocked().await;
    town.order("anna@example.nl", "", &[("100045", 1)]);
    let flow = town.flow("orders", &answers("send_as = \"sales invoice\"\nbook_payments = false")).await;
    assert_eq!(flow.settles().await, "1 created");
    assert_eq!(only(&town, "customerinvoices")["PaymentStatus"], 1);
}

// shows R3, R39, R42, R43, R44
#[tokio::test]
async fn companies_have_a_contact_and_persons_have_not() {
    let town = Town::stocked().await;
    town.order("inkoop@delinde.example", "De Linde", &[("100045", 1)]);
    town.order("anna@example.nl", "", &[("100045", 1)]);
    let flow = town.flow("orders", &answers("")).await;
    assert_eq!(flow.settles().await, "2 created");
    let firm = town.books.by("customers", "EmailAddress", "inkoop@delinde.example").unwrap();
    assert_eq!(
        (&firm["Name"], &firm["IsPrivatePerson"], &firm["ContactPersonName"]),
        (&json!("De Linde"), &json!(false), &json!("Sanne de Boer"))
    );
    let person = town.books.by("customers", "EmailAddress", "anna@example.nl").unwrap();
    assert_eq!(
        (&person["Name"], &person["IsPrivatePerson"], &person["ContactPersonName"]),
        (&json!("Sanne de Boer"), &json!(true), &json!(null))
    );
    assert_eq!(
        (&person["InvoiceAddress1"], &person["InvoicePostalCode"]),
        (&json!("Lindelaan 14"), &json!("3511 AB"))
    );
    // A second order of the same customer makes no second customer.
    town.order("Anna@Example.nl", "", &[("100050", 1)]);
    assert_eq!(flow.run(false).await.1, Vec::<String>::new());
    assert_eq!(town.books.rows("customers").len(), 2);
}

// shows R3, R18
#[tokio::test]
async fn customers_are_brought_up_to_date_only_when_that_is_wanted() {
    for (update, expected) in [(true, "Lindelaan 14"), (false, "Oude weg 1")] {
        let town = Town::stocked().await;
        let terms = town.books.rows("termsofpayments")[0]["Id"].clone();
        town.books
            .add("customers", &json!({"Name": "Sanne", "IsPrivatePerson": true, "IsActive": true, "InvoiceCity": "Assen",
                "InvoicePostalCode": "9401 AA", "InvoiceAddress1": "Oude weg 1", "EmailAddress": "anna@example.nl", "TermsOfPaymentId": terms}))
            .unwrap();
        town.order("anna@example.nl", "", &[("100045", 1)]);
        let flow = town.flow("orders", &answers(&format!("update_customers = {update}"))).await;
        assert_eq!(flow.run(false).await, ("1 created".to_owned(), vec![]));
        assert_eq!(only(&town, "customers")["InvoiceAddress1"], expected);
    }
}

// shows R14, R54
#[tokio::test]
async fn one_customer_can_take_all_orders() {
    let town = Town::stocked().await;
    let terms = town.books.rows("termsofpayments")[0]["Id"].clone();
    town.books
        .add(
            "customers",
            &json!({"Name": "Webwinkel", "CustomerNumber": "5000", "IsPrivatePerson": true, "IsActive": true,
            "InvoiceCity": "Utrecht", "InvoicePostalCode": "3511 AB", "TermsOfPaymentId": terms}),
        )
        .unwrap();
    town.order("anna@example.nl", "", &[("100045", 1)]);
    let flow = town.flow("orders", &answers("default_debtor = \"5001\"")).await;
    let (_, refused) = flow.run(false).await;
    assert!(refused[0].contains("eAccounting has no customer 5001"), "{refused:?}");
    flow.answer(&answers("default_debtor = \"5000\""));
    assert_eq!(flow.run(false).await, ("1 created".to_owned(), vec![]));
    assert_eq!(
        (only(&town, "orders")["CustomerNumber"].clone(), town.books.rows("customers").len()),
        (json!("5000"), 1)
    );
}

// shows R42
#[tokio::test]
async fn customers_can_be_matched_by_number() {
    let town = Town::stocked().await;
    let terms = town.books.rows("termsofpayments")[0]["Id"].clone();
    town.books
        .add("customers", &json!({"Name": "De Linde", "CustomerNumber": "7", "IsPrivatePerson": false, "IsActive": true,
            "InvoiceCity": "Utrecht", "InvoicePostalCode": "3511 AB", "TermsOfPaymentId": terms, "EmailAddress": "old@delinde.example"}))
        .unwrap();
    let product = town.shop.key_by("products", "productnumber", "100045");
    town.shop
        .add("orders", &json!({"orderrows": [{"product_id": product, "count": 1}], "paid": true, "status": 1,
            "customer": {"email": "new@delinde.example", "customertype": "b2b", "reference": "7", "billingaddress":
                {"first_name": "Sanne", "last_name": "de Boer", "company": "De Linde", "street": "Lindelaan", "housenumber": 14,
                 "zipcode": "3511 AB", "city": "Utrecht", "country_code": "NL"}}}))
        .unwrap();
    let flow = town.flow("orders", &answers("match_customers_by = \"number\"")).await;
    assert_eq!(flow.run(false).await, ("1 created".to_owned(), vec![]));
    assert_eq!(only(&town, "customers")["EmailAddress"], "new@delinde.example");
}

// shows R13, R36
#[tokio::test]
async fn status_and_payment_decide_when_an_order_goes() {
    let town = Town::stocked().await;
    let order = |status, is_paid| {
        let lines = [("100045", 1)];
        let order = NewOrder {
            email: "anna@example.nl",
            name: ("Anna", "Ek"),
            company: "",
            lines: &lines,
            status,
            is_paid,
        };
        town.shop.add_order(&order).unwrap()
    };
    order(1, false);
    order(8, true);
    let flow = town.flow("orders", &answers("statuses = [\"new\"]")).await;
    assert_eq!(flow.run(false).await, ("2 skipped".to_owned(), vec![]));
    flow.answer(&answers("statuses = [\"new\"]\nonly_paid = false"));
    assert_eq!(flow.run(true).await, ("1 created, 1 skipped".to_owned(), vec![]));
    flow.answer(&format!("{}\nonly_paid = false", ANSWERS.replace("2020-01-01", "2099-01-01")));
    assert_eq!(flow.run(true).await.0, "2 skipped");
}

// shows R7, R15
#[tokio::test]
async fn texts_references_and_numbers_are_as_asked() {
    let town = Town::stocked().await;
    let key = town.order("anna@example.nl", "", &[("100045", 1)]);
    let more = "number_prefix = \"A-\"\nour_reference = \"Piet\"\ntext_lines = []\n[tables.delivery_method]\nrows = []\notherwise = \"Fietskoerier\"";
    let flow = town.flow("orders", &answers(more)).await;
    assert_eq!(flow.run(false).await, ("1 created".to_owned(), vec![]));
    let order = only(&town, "orders");
    let number = town.shop.get("orders", key).unwrap()["ordernumber_full"].as_str().unwrap().to_owned();
    assert_eq!(order["BuyersOrderReference"], format!("A-{number}"));
    assert_eq!((&order["OurReference"], &order["YourReference"]), (&json!("Piet"), &json!("Sanne de Boer")));
    assert!(order["Rows"].as_array().unwrap().iter().all(|row| row["IsTextRow"] == false));
    assert_eq!(order["DeliveryMethodName"], "Fietskoerier");

    let town = Town::stocked().await;
    town.order("anna@example.nl", "", &[("100045", 1)]);
    town.flow("orders", &answers("")).await.run(false).await;
    let last = only(&town, "orders")["Rows"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["IsTextRow"], last["Text"].as_str().unwrap().starts_with("Order ")),
        (&json!(true), true)
    );
}

// shows R9, R41, R52
#[tokio::test]
async fn terms_follow_the_payment_method_and_must_exist() {
    let town = Town::stocked().await;
    town.order("anna@example.nl", "", &[("100045", 1)]);
    let table =
        |name: &str| answers(&format!("[tables.terms_of_payment]\nrows = []\notherwise = \"{name}\""));
    let flow = town.flow("orders", &table("12 dagen")).await;
    let (_, refused) = flow.run(false).await;
    assert!(refused[0].contains("no terms of payment called 12 dagen"), "{refused:?}");
    assert!(town.books.rows("customers").is_empty(), "a refused order leaves no customer behind");
    flow.answer(&table("7 dagen"));
    assert_eq!(flow.run(false).await, ("1 created".to_owned(), vec![]));
    let terms = town.books.by("termsofpayments", "Name", "7 dagen").unwrap();
    assert_eq!(only(&town, "orders")["TermsOfPaymentId"], terms["Id"]);
}

// shows R5, R6, R12
#[tokio::test]
async fn tax_code_and_revenue_account_can_differ_by_country() {
    let town = Town::stocked().await;
    town.order("anna@example.nl", "", &[("100045", 1)]);
    let wants = |name: &str| answers(&format!("[tables.tax_code]\nrows = [[\"NL\", 21, \"{name}\"]]"));
    let flow = town.flow("orders", &wants("Diensten 21 %")).await;
    let (_, refused) = flow.run(false).await;
    assert!(refused[0].contains("has the coding Goederen 21 %, not Diensten 21 %"), "{refused:?}");
    flow.answer(&answers("[tables.article_ending]\nrows = [[\"NL\", \"-NL\"]]"));
    let (_, refused) = flow.run(false).await;
    assert!(refused[0].contains("eAccounting has no article 100045-NL"), "{refused:?}");
    town.article("100045-NL", "Koffiemok", 21);
    assert_eq!(flow.run(false).await, ("1 created".to_owned(), vec![]));
    assert_eq!(only(&town, "orders")["Rows"][0]["ArticleNumber"], "100045-NL");
}

// shows R40
#[tokio::test]
async fn articles_that_are_missing_or_taxed_otherwise_are_named() {
    let town = Town::stocked().await;
    town.shop.add_product("200001", "Boek", Decimal::new(1000, 2), 5).unwrap();
    let order = town.order("anna@example.nl", "", &[("200001", 1)]);
    let flow = town.flow("orders", &answers("")).await;
    let (_, refused) = flow.run(false).await;
    assert!(refused[0].contains("Boek: eAccounting has no article 200001; add it there"), "{refused:?}");
    town.article("200001", "Boek", 9);
    let (_, refused) = flow.run(false).await;
    assert!(
        refused[0].contains("the shop charges 21 % VAT, and article 200001 has a coding of 9 %"),
        "{refused:?}"
    );
    assert!(town.books.rows("customers").is_empty());
    assert!(town.total(order).as_f64() > Some(0.0));
}

#[tokio::test]
async fn persons_can_have_prices_with_vat() {
    let town = Town::stocked().await;
    town.books.set("ShowPricesExclVatPC", &json!(true));
    let key = town.order("anna@example.nl", "", &[("100045", 2)]);
    let firm = town.order("inkoop@delinde.example", "De Linde", &[("100045", 3)]);
    let flow = town.flow("orders", &answers("persons_with_vat = true")).await;
    assert_eq!(flow.settles().await, "2 created");
    for (key, with_vat) in [(key, true), (firm, false)] {
        let number = town.shop.get("orders", key).unwrap()["ordernumber_full"].as_str().unwrap().to_owned();
        let order = town.books.by("orders", "BuyersOrderReference", &number).unwrap();
        assert_eq!(
            (order["Amount"].as_f64(), &order["IncludesVat"]),
            (town.total(key).as_f64(), &json!(with_vat))
        );
    }
}

// shows R8
#[tokio::test]
async fn cents_that_cannot_be_reckoned_away_are_booked_without_vat() {
    // 64.50 is 53.31 without VAT, and that is 64.51 with it.
    async fn one(answers: &str) -> (Town, i64, (String, Vec<String>)) {
        let town = Town::stocked().await;
        town.shop.add_product("100060", "Weegschaal", Decimal::new(6450, 2), 5).unwrap();
        town.article("100060", "Weegschaal", 21);
        let key = town.order("anna@example.nl", "", &[("100060", 1)]);
        let outcome = town.flow("orders", answers).await.run(false).await;
        (town, key, outcome)
    }
    let (town, key, outcome) = one(ANSWERS).await;
    assert_eq!(outcome, ("1 created".to_owned(), vec![]));
    let order = only(&town, "orders");
    assert_eq!(order["Amount"].as_f64(), town.total(key).as_f64());
    assert!(rows(&order).iter().any(|row| row.starts_with("904 x -1 at 0.01")), "{:?}", rows(&order));
    // Without an article for them the order is refused, and says what to do.
    let (_, _, (_, refused)) = one(&ANSWERS.replace("rounding_article = \"904\"\n", "")).await;
    assert!(refused[0].contains("cents of rounding: no article number"), "{refused:?}");
}

#[tokio::test]
async fn a_draft_that_was_left_behind_is_booked_in_the_next_run() {
    let town = Town::stocked().await;
    town.order("anna@example.nl", "", &[("100045", 1)]);
    let drafts = town.flow("orders", &answers("send_as = \"invoice draft\"")).await;
    assert_eq!(drafts.run(false).await.0, "1 created");
    let flow = town.flow("orders", &answers("send_as = \"sales invoice\"")).await;
    assert_eq!(flow.run(false).await, ("1 created".to_owned(), vec![]));
    assert_eq!(
        (town.books.rows("customerinvoicedrafts").len(), town.books.rows("customerinvoices").len()),
        (0, 1)
    );
}

#[tokio::test]
async fn orders_and_invoices_of_eaccounting_can_go_to_the_shop() {
    for (name, path) in [("orders_reverse", "orders"), ("invoices_reverse", "customerinvoices")] {
        let town = Town::stocked().await;
        let terms = town.books.rows("termsofpayments")[0]["Id"].clone();
        let customer = town.books
            .add("customers", &json!({"Name": "Jan van der Berg", "IsPrivatePerson": true, "IsActive": true, "InvoiceAddress1": "Dorpsstraat 12b",
                "InvoiceCity": "Den Burg", "InvoicePostalCode": "1791 AB", "TermsOfPaymentId": terms, "EmailAddress": "jan@example.nl"}))
            .unwrap();
        let article = town.books.by("articles", "Number", "100045").unwrap()["Id"].clone();
        let sale = |reference: Value| {
            json!({"CustomerId": customer, "CurrencyCode": "EUR", "EuThirdParty": false, "ReverseChargeOnConstructionServices": false,
            "RotReducedInvoicingType": 0, "Status": 2, "BuyersOrderReference": reference, "Rows": [
                {"LineNumber": 1, "ArticleId": article, "IsTextRow": false, "IsWorkCost": false, "EligibleForReverseChargeOnVat": false, "Quantity": 2, "UnitPrice": 10}]})
        };
        town.books.add(path, &sale(json!(null))).unwrap();
        town.books.add(path, &sale(json!("2026-1"))).unwrap();
        let flow = town.flow(name, "[settings]\nstart_date = \"2020-01-01\"\n").await;
        assert_eq!(flow.run(false).await, ("1 created, 1 skipped".to_owned(), vec![]), "{name}");
        let books = town.shop.books();
        let order = &books["orders"][0];
        assert_eq!(order["total_price"].as_f64(), Some(24.2), "{name}: {order}");
        let (again, refused) = flow.run(true).await;
        assert_eq!((again.contains("created"), refused.len()), (false, 0), "{name}: {again}");
        assert_eq!(town.shop.count("orders"), 1);
    }
}
