//! Products, stock, categories and customers, both ways.

use super::*;

fn product(town: &Town, sku: &str) -> Value {
    let key = town.shop.key_by("products", "productnumber", sku).unwrap();
    town.shop.get("products", key).unwrap()
}

// shows R21, R22, R23, R28, R66, R68, R73, R76
#[tokio::test]
async fn articles_become_products_with_their_categories() {
    let town = Town::new().await;
    let label = town.books.add("articlelabels", &json!({"Name": "Mokken"})).unwrap();
    let key = town.article("100045", "Koffiemok", 21);
    town.books.change("articles", &key, &json!({"ArticleLabels": [{"Id": label, "Name": "Mokken", "Description": null}], "Note": "Van steengoed", "Barcodes": [{"Barcode": "8712345000017", "BarcodeType": 0}]}));
    town.article("200001", "Boek", 9);
    town.article("900", "Verzendkosten", 21);
    let categories = town.flow("categories_to_shop", "").await;
    assert_eq!(categories.settles().await, "1 created");

    let flow =
        town.flow("products_to_shop", "[settings]\nleave_out = [\"900\"]\nfeatures = [\"unit\"]\n").await;
    assert_eq!(flow.settles().await, "2 created, 1 skipped");
    let mug = product(&town, "100045");
    assert_eq!(
        (mug["name"].as_str(), mug["price"].as_f64(), mug["is_active"].as_bool()),
        (Some("Koffiemok"), Some(12.1), Some(true))
    );
    let text = mug["description"].as_str().unwrap();
    assert!(text.contains("Van steengoed") && text.contains("Eenheid: Stuk"), "{text}");
    let low = town.shop.books()["products"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["productnumber"] == "200001")
        .unwrap()
        .clone();
    assert_eq!(low["price"].as_f64(), Some(10.9));
    assert_eq!(town.shop.count("producttocategories"), 1);

    // A new price follows; a text that was made nicer in the shop stays.
    let shop_key = town.shop.key_by("products", "productnumber", "100045").unwrap();
    town.shop.update("products", shop_key, &json!({"name": "Mooie mok"})).unwrap();
    town.books.change("articles", &key, &json!({"NetPrice": 20, "GrossPrice": 24.2, "Name": "Mok"}));
    assert_eq!(flow.run(false).await.1, Vec::<String>::new());
    assert_eq!(
        (product(&town, "100045")["name"].as_str(), product(&town, "100045")["price"].as_f64()),
        (Some("Mooie mok"), Some(24.2))
    );
    flow.answer("[settings]\nalso_on_update = [\"name\"]\nshop_prices = \"without VAT\"\n");
    flow.run(true).await;
    assert_eq!(
        (product(&town, "100045")["name"].as_str(), product(&town, "100045")["price"].as_f64()),
        (Some("Mok"), Some(20.0))
    );
    // An article that is switched off leaves the shop, unless that is not wanted.
    town.books.change("articles", &key, &json!({"IsActive": false}));
    flow.answer("[settings]\nswitch_off = false\n");
    flow.run(false).await;
    assert_eq!(product(&town, "100045")["is_active"], true);
    flow.answer("");
    flow.run(true).await;
    assert_eq!(product(&town, "100045")["is_active"], false);
}

// shows R24, R25
#[tokio::test]
async fn content_and_offer_have_a_switch_each() {
    let town = Town::new().await;
    town.article("100045", "Koffiemok", 21);
    let flow = town.flow("products_to_shop", "[settings]\ncreate_content = false\n").await;
    assert_eq!(flow.run(false).await, ("1 skipped".to_owned(), vec![]));
    flow.answer("[settings]\ncreate_offer = false\nlabels = [\"Mokken\"]\n");
    assert_eq!(flow.run(true).await, ("1 skipped".to_owned(), vec![]));
    flow.answer("[settings]\ncreate_offer = false\n");
    assert_eq!(flow.run(true).await, ("1 created".to_owned(), vec![]));
    assert_eq!(product(&town, "100045")["is_active"], false);
}

// shows R63, R70
#[tokio::test]
async fn products_become_articles_of_one_coding() {
    let town = Town::new().await;
    let key = town.shop.add_product("A-100", "Koffiemok", Decimal::new(1995, 2), 12).unwrap();
    let many = town.shop.add_product("B-200", "Shirt", Decimal::new(1995, 2), 12).unwrap();
    town.shop.add_variants(many, &[("Maat", &["S", "L"])], 3);
    let flow = town.flow("products_to_books", "").await;
    assert_eq!(flow.settles().await, "1 created, 1 skipped");
    let article = town.books.by("articles", "Number", "A-100").unwrap();
    assert_eq!((&article["CodingName"], &article["UnitName"]), (&json!("Goederen 21 %"), &json!("Stuk")));
    assert_eq!((article["NetPrice"].as_f64(), article["GrossPrice"].as_f64()), (Some(16.49), Some(19.95)));

    town.shop.update("products", key, &json!({"price": 29.95})).unwrap();
    flow.answer("[settings]\nprices = \"with VAT\"\n");
    assert_eq!(flow.run(true).await.1, Vec::<String>::new());
    assert_eq!(town.books.by("articles", "Number", "A-100").unwrap()["GrossPrice"].as_f64(), Some(29.95));
    // A coding of the same percentage that somebody chose stays.
    let other = town.books.by("articleaccountcodings", "Name", "Diensten 21 %").unwrap()["Id"].clone();
    let id = article["Id"].as_str().unwrap().to_owned();
    town.books.change("articles", &id, &json!({"CodingId": other, "CodingName": "Diensten 21 %"}));
    town.shop.update("products", key, &json!({"active": false})).unwrap();
    flow.run(true).await;
    let article = town.books.by("articles", "Number", "A-100").unwrap();
    assert_eq!((&article["CodingName"], &article["IsActive"]), (&json!("Diensten 21 %"), &json!(false)));
}

#[tokio::test]
async fn wrong_tables_are_named_before_anything_is_written() {
    let town = Town::new().await;
    town.shop.add_product("A-100", "Koffiemok", Decimal::new(1995, 2), 12).unwrap();
    let flow = town.flow("products_to_books", "[tables.unit]\nrows = []\notherwise = \"Doos\"\n").await;
    let (_, refused) = flow.run(false).await;
    assert!(refused[0].contains("eAccounting has no unit called Doos; correct the table"), "{refused:?}");
    assert!(town.books.rows("articles").is_empty());
}

// shows R16, R61, R62
#[tokio::test]
async fn the_shop_shows_what_is_left_after_reservations() {
    let town = Town::stocked().await;
    let stock = |town: &Town| product(town, "100045")["stock"].as_f64();
    town.order("anna@example.nl", "", &[("100045", 3)]);
    let orders = town.flow("orders", super::orders::ANSWERS).await;
    assert_eq!(orders.run(false).await, ("1 created".to_owned(), vec![]));
    let flow = town.flow("stock", "").await;
    assert_eq!(flow.run(false).await.1, Vec::<String>::new());
    assert_eq!(stock(&town), Some(17.0));
    for (answers, expected) in [
        ("calculation = \"available\"", 20.0),
        ("keep_back = 5", 12.0),
        ("keep_back = 50", 0.0),
        ("keep_back = 50\nbelow_zero = true", -33.0),
    ] {
        flow.answer(&format!("[settings]\n{answers}\n"));
        assert_eq!(flow.run(true).await.1, Vec::<String>::new());
        assert_eq!(stock(&town), Some(expected), "{answers}");
    }
    flow.answer("[settings]\nmanage_stock = \"no\"\n");
    flow.run(true).await;
    assert_eq!(product(&town, "100045")["stockenabled"], false);
    flow.answer("[settings]\nmanage_stock = \"yes\"\n");
    flow.run(true).await;
    assert_eq!((product(&town, "100045")["stockenabled"].clone(), stock(&town)), (json!(true), Some(17.0)));
    flow.answer("[settings]\nonly_stock_articles = true\n");
    assert!(!flow.run(true).await.0.contains("updated"));
}

// shows R17, R19, R58, R59
#[tokio::test]
async fn customers_go_to_the_books_and_from_them() {
    let town = Town::new().await;
    town.shop.add_customer("inkoop@delinde.example", ("Sanne", "de Boer"), "De Linde").unwrap();
    town.shop.add_customer("anna@example.nl", ("Anna", "Ek"), "").unwrap();
    let flow = town.flow("customers_to_books", "[settings]\nterms_of_payment = \"14 dagen\"\n[tables.vat_treatment]\nrows = [[\"NL\", \"company\", \"by country of delivery\"]]\notherwise = \"normal\"\n").await;
    assert_eq!(flow.settles().await, "2 created");
    let firm = town.books.by("customers", "EmailAddress", "inkoop@delinde.example").unwrap();
    assert_eq!(
        (
            &firm["Name"],
            &firm["ContactPersonName"],
            &firm["DeliveryBasedVat"],
            &firm["TermsOfPayment"]["Name"]
        ),
        (&json!("De Linde"), &json!("Sanne de Boer"), &json!(true), &json!("14 dagen"))
    );

    let town = Town::new().await;
    let terms = town.books.rows("termsofpayments")[0]["Id"].clone();
    for (name, email, private) in
        [("De Linde BV", Some("info@delinde.example"), false), ("Zonder post", None, true)]
    {
        town.books
            .add("customers", &json!({"Name": name, "IsPrivatePerson": private, "IsActive": true, "InvoiceAddress1": "Lindelaan 14a", "InvoiceCity": "Utrecht",
                "InvoicePostalCode": "3511 AB", "InvoiceCountryCode": "NL", "TermsOfPaymentId": terms, "EmailAddress": email, "ContactPersonName": "Jan van der Berg"}))
            .unwrap();
    }
    let flow = town.flow("customers_to_shop", "").await;
    assert_eq!(flow.settles().await, "1 created, 1 skipped");
    assert_eq!(town.shop.count("users"), 1);
}
