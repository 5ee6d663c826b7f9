//! What the simulator enforces, row by row, at the wire: each test fails when its rule is gone.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt as _;

use super::*;
use crate::simulator::Simulator as _;

const QUERY: &str = "/?ident=weft-demo&secret=p%40ss%2Fword%261";

async fn send(till: &TillSimulator, method: &str, path: &str, body: String) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
    let response = till.router().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Sends the content of a body; its names have no prefix.
async fn raw(till: &TillSimulator, content: &str) -> (u16, String) {
    let (head, rest) = content.split_once(['>', '/']).unwrap();
    let at = head.len();
    let body = format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>{head} \
         xmlns=\"urn:mplusqapi\"{}{rest}</e:Body></e:Envelope>",
        content.get(at..=at).unwrap()
    );
    send(till, "POST", QUERY, body).await
}

/// The reply without prefixes.
async fn ask(till: &TillSimulator, content: &str) -> String {
    let (status, reply) = raw(till, content).await;
    assert_eq!(status, 200, "{reply}");
    reply.replace("<ns:", "<").replace("</ns:", "</").replace("<q1:", "<").replace("</q1:", "</")
}

/// The request is refused with a fault that names this.
async fn refused(till: &TillSimulator, content: &str, named: &str) {
    let (status, reply) = raw(till, content).await;
    assert_eq!(status, 500, "{content}: {reply}");
    assert!(reply.contains("<faultcode>SOAP-ENV:Client</faultcode>"), "{reply}");
    assert!(reply.contains(named), "{content}: {reply}");
}

/// The texts between the tags of that name.
fn values<'r>(reply: &'r str, name: &str) -> Vec<&'r str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    reply.split(&start).skip(1).filter_map(|rest| rest.split_once(&end)).map(|(value, _)| value).collect()
}

fn order(ext: &str, changes: &[(&str, &str)]) -> String {
    let order = format!(
        "<createOrderV3><request><idempotencyKey>key-{ext}</idempotencyKey><order><orderId/>\
         <extOrderId>{ext}</extOrderId><employeeNumber>999999</employeeNumber>\
         <relationNumber>7</relationNumber><financialBranchNumber>1</financialBranchNumber><lineList><line>\
         <articleNumber>100</articleNumber><data><quantity>2</quantity><price>1210</price></data></line></lineList>\
         </order></request></createOrderV3>"
    );
    changes.iter().fold(order, |order, (from, to)| {
        assert!(order.contains(from), "{from}");
        order.replace(from, to)
    })
}

/// Article 100 at 12.10 with 10 pieces free, relation 7.
fn small() -> TillSimulator {
    let till = TillSimulator::new();
    till.add_articles([json(
        r#"{"article_number":"100","description":"Muts","vat_code":"1","price_incl":12.10}"#,
    )]);
    till.add_relations([json(r#"{"relation_number":"7","name":"Jan Bakker","email":"Jan@Example.com"}"#)]);
    till.count_stock(1, 100, 10.into());
    till
}

#[tokio::test]
async fn only_posts_with_credentials_are_answered() {
    let till = small();
    assert_eq!(send(&till, "GET", "/", String::new()).await.0, 405);
    assert_eq!(send(&till, "GET", "/?wsdl", String::new()).await.0, 200);
    assert_eq!(send(&till, "GET", "/?docs", String::new()).await.0, 200);
    for query in
        ["/", "/?ident=weft-demo", "/?ident=weft-demo&secret=other", "/?ident=x&secret=p%40ss%2Fword%261"]
    {
        let (status, reply) = send(&till, "POST", query, "<getApiVersion/>".into()).await;
        assert_eq!(status, 500);
        assert!(reply.contains("SOAP-ENV:Client.Authentication"), "{reply}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_a_fault() {
    let till = small();
    for body in ["", "hello", "<a>", "<getApiVersion xmlns='urn:mplusqapi'/>"] {
        let (status, reply) = send(&till, "POST", QUERY, body.into()).await;
        assert!(status == 500 && reply.contains("SOAP-ENV:Client<"), "{body}: {reply}");
    }
    refused(&till, "<getMagic/>", "getMagic").await;
    let other = "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>\
                 <getApiVersion xmlns='urn:other'/></e:Body></e:Envelope>";
    assert_eq!(send(&till, "POST", QUERY, other.into()).await.0, 500);
    till.forget_operation("getApiVersion");
    refused(&till, "<getApiVersion/>", "not implemented").await;
}

#[tokio::test]
async fn required_elements_must_be_there() {
    let till = small();
    for (content, named) in [
        ("<getProducts><request/></getProducts>", "pluNumbers"),
        ("<getOrders><request><articleBarcodes/></request></getOrders>", "articlePluNumbers"),
        ("<getInvoices><request><articlePluNumbers/></request></getInvoices>", "articleBarcodes"),
        ("<getStock><request><branchNumber>1</branchNumber></request></getStock>", "articleNumbers"),
        ("<getStock><request><articleNumbers/></request></getStock>", "branchNumber"),
        ("<getPaymentMethodsV2/>", "request"),
        ("<findOrder/>", "extOrderId"),
    ] {
        refused(&till, content, &format!("{named}: is missing")).await;
    }
    for (from, named) in [
        ("<orderId/>", "orderId"),
        ("<articleNumber>100</articleNumber>", "articleNumber"),
        ("<quantity>2</quantity>", "quantity"),
        ("<idempotencyKey>key-A</idempotencyKey>", "idempotencyKey"),
    ] {
        refused(&till, &order("A", &[(from, "")]), &format!("{named}: is missing")).await;
    }
    for (payment, named) in [("<amount>1</amount>", "method"), ("<method>PIN</method>", "amount")] {
        let paid = format!("</order><paymentList><payment>{payment}</payment></paymentList>");
        refused(&till, &order("A", &[("</order>", &paid)]), &format!("{named}: is missing")).await;
    }
    assert!(till.orders().is_empty());
}

#[tokio::test]
async fn values_must_have_their_type() {
    let till = small();
    for (from, to, named) in [
        ("<articleNumber>100<", "<articleNumber>AB-1<", "articleNumber"),
        ("<price>1210<", "<price>12.10<", "price"),
        ("<quantity>2<", "<quantity/><quantity>2<", "quantity"),
        ("<employeeNumber>", "<orderType>SALES</orderType><employeeNumber>", "orderType"),
        (
            "<employeeNumber>",
            "<entryBranchNumber>3000000000</entryBranchNumber><employeeNumber>",
            "entryBranchNumber",
        ),
        (
            "<lineList>",
            "<financialDate><mon>1</mon><day>1</day><year>2026</year></financialDate><lineList>",
            "financialDate",
        ),
        // Unknown, or in another place than the schema says.
        ("<lineList>", "<colour>red</colour><lineList>", "colour"),
        (
            "<extOrderId>A</extOrderId><employeeNumber>999999</employeeNumber>",
            "<employeeNumber>999999</employeeNumber><extOrderId>A</extOrderId>",
            "extOrderId",
        ),
        // A list without its wrapper, or with something else in it.
        ("<lineList><line>", "<lineList>", "articleNumber"),
        ("<lineList><line>", "<lineList><lines>", "lines"),
    ] {
        let mut changes = vec![(from, to)];
        match to {
            "<lineList>" if from == "<lineList><line>" => changes.push(("</line></lineList>", "</lineList>")),
            "<lineList><lines>" => changes.push(("</line></lineList>", "</lines></lineList>")),
            _ => {}
        }
        refused(&till, &order("A", &changes), named).await;
    }
    let nested = "<getProducts><request><pluNumbers><text>100</text></pluNumbers></request></getProducts>";
    refused(&till, nested, "text").await;
}

#[tokio::test]
async fn prefixes_vary_and_names_do_not() {
    let till = small();
    let mut prefixes = Vec::new();
    for _ in 0..10 {
        let (_, reply) = raw(&till, "<getApiVersion/>").await;
        let at = reply.find("getApiVersionResponse").unwrap();
        prefixes.push(reply.get(..at).unwrap().rsplit('<').next().unwrap().to_owned());
        assert!(reply.contains("=\"urn:mplusqapi\""));
    }
    prefixes.sort_unstable();
    prefixes.dedup();
    assert_eq!(prefixes, ["", "ns:", "q1:"]);
    for (request, answer) in [
        ("<getBranches/>", "getBranchesResponse"),
        ("<getVatGroupList/>", "getVatGroupListResponse"),
        ("<getPriceGroupList/>", "getPriceGroupListResponse"),
        ("<getSalesPriceList/>", "getSalesPriceListResponse"),
        ("<getOrderCategories/>", "GetOrderCategoriesResponse"),
        ("<findOrder><extOrderId>1</extOrderId></findOrder>", "GetOrderResponse"),
        ("<findInvoice><extInvoiceId>1</extInvoiceId></findInvoice>", "GetInvoiceResponse"),
        ("<getPaymentMethodsV2><request/></getPaymentMethodsV2>", "GetPaymentMethodsResponse"),
    ] {
        assert!(ask(&till, request).await.contains(answer), "{request}");
    }
}

fn products(rest: &str) -> String {
    format!("<getProducts><request><pluNumbers/>{rest}</request></getProducts>")
}

#[tokio::test]
async fn markers_are_inclusive_rise_by_one_and_come_shuffled() {
    let till = TillSimulator::new();
    let some = (1..=40).map(|n| json(&format!(r#"{{"relation_number":"{n}","name":"N{n}"}}"#)));
    till.add_relations(some);
    let relations = |from: i64, limit: i64| {
        format!(
            "<getRelations><request><syncMarker>{from}</syncMarker><syncMarkerLimit>{limit}</syncMarkerLimit>\
             </request></getRelations>"
        )
    };
    let numbers = |reply: &str| -> Vec<i64> {
        values(reply, "syncMarker").iter().map(|value| value.parse().unwrap()).collect()
    };
    let first = numbers(&ask(&till, &relations(11, 10)).await);
    assert!(!first.is_sorted(), "{first:?}");
    let mut sorted = first;
    sorted.sort_unstable();
    assert_eq!(sorted, (11..=20).collect::<Vec<_>>(), "the lowest first, from the asked one on");
    till.edit_relation("3", json(r#"{"city":"Den Burg"}"#));
    assert_eq!(numbers(&ask(&till, &relations(41, 10)).await), [41], "one further, and only once");
    assert_eq!(numbers(&ask(&till, &relations(1, 100)).await).len(), 40);
    assert!(numbers(&ask(&till, &relations(42, 10)).await).is_empty());
}

#[tokio::test]
async fn an_answer_holds_a_thousand_at_most() {
    let till = TillSimulator::new();
    till.add_relations((1..=1_050).map(|n| json(&format!(r#"{{"name":"N{n}"}}"#))));
    let all = ask(&till, "<getRelations><request/></getRelations>").await;
    assert_eq!(values(&all, "relationNumber").len(), 1000);
    let many = "<getRelations><request><syncMarker>0</syncMarker><syncMarkerLimit>5000</syncMarkerLimit>\
                </request></getRelations>";
    assert_eq!(values(&ask(&till, many).await, "relationNumber").len(), 1000);
}

#[tokio::test]
async fn the_limit_counts_articles_and_splits_no_product() {
    let till = TillSimulator::new();
    let articles = |from: i64| {
        let one = |n: i64| format!(r#"{{"article_number":"{n}","vat_code":"1"}}"#);
        format!(r#"{{"articles":[{},{},{}]}}"#, one(from), one(from + 1), one(from + 2))
    };
    for from in [100, 200, 300] {
        till.add_product(json(&articles(from)));
    }
    let ask_some = async |limit: i64| {
        let rest = format!("<syncMarker>0</syncMarker><syncMarkerLimit>{limit}</syncMarkerLimit>");
        values(&ask(&till, &products(&rest)).await, "articleNumber").len()
    };
    assert_eq!(ask_some(1).await, 3, "the first one whole, though it is too long");
    assert_eq!(ask_some(4).await, 3);
    assert_eq!(ask_some(6).await, 6);
    till.edit_article("101", json(r#"{"description":"new"}"#));
    let changed = ask(&till, &products("<syncMarker>10</syncMarker>")).await;
    assert_eq!(values(&changed, "articleNumber"), ["101"], "changed articles only");
    let rest = "<syncMarker>10</syncMarker><includeAllArticlesOfSelectedProducts>true\
                </includeAllArticlesOfSelectedProducts>";
    assert_eq!(values(&ask(&till, &products(rest)).await, "articleNumber").len(), 3);
}

#[tokio::test]
async fn numbers_are_given_once() {
    let till = small();
    let create = |inside: &str| format!("<createProduct><product>{inside}</product></createProduct>");
    let article = "<articleList><article><articleNumber>100</articleNumber></article></articleList>";
    assert!(ask(&till, &create(article)).await.contains("FAILED-ARTICLE-NUMBER-ALREADY-TAKEN"));
    let product = "<productNumber>1001</productNumber>";
    assert!(ask(&till, &create(product)).await.contains("FAILED-PRODUCT-NUMBER-ALREADY-TAKEN"));
    let relation = "<createRelation><relation><relationNumber>7</relationNumber></relation></createRelation>";
    assert!(
        ask(&till, relation).await.contains("CREATE-RELATION-RESULT-FAILED-RELATION-NUMBER-ALREADY-TAKEN")
    );
    let unknown = "<updateProduct><product><productNumber>9</productNumber></product></updateProduct>";
    assert!(ask(&till, unknown).await.contains("UPDATE-PRODUCT-RESULT-NOT-FOUND"));
    let unknown = "<updateRelation><relation><relationNumber>9</relationNumber></relation></updateRelation>";
    assert!(ask(&till, unknown).await.contains("UPDATE-RELATION-RESULT-NOT-FOUND"));
}

#[tokio::test]
async fn articles_are_checked_and_priced() {
    let till = small();
    let create = |inside: &str| {
        format!(
            "<createProduct><product><articleList><article>{inside}</article></articleList></product></createProduct>"
        )
    };
    for (inside, result) in [
        ("<turnoverGroup>1000</turnoverGroup>", "CREATE-PRODUCT-RESULT-FAILED<"),
        ("<vatCode>8</vatCode>", "CREATE-PRODUCT-RESULT-FAILED<"),
        ("<turnoverGroup>999</turnoverGroup><vatCode>0</vatCode>", "CREATE-PRODUCT-RESULT-FAILED<"),
        ("<turnoverGroup>0</turnoverGroup><vatCode>2</vatCode>", "CREATE-PRODUCT-RESULT-OK<"),
    ] {
        assert!(ask(&till, &create(inside)).await.contains(result), "{inside}");
    }
    for (number, sent, incl, excl) in [
        ("501", "<vatCode>1</vatCode><priceIncl>7995</priceIncl>", "7995", "6607"),
        ("502", "<vatCode>1</vatCode><priceExcl>50</priceExcl>", "61", "50"), // 60.5 half up
        ("503", "<vatCode>2</vatCode><priceIncl>1000</priceIncl>", "1000", "917"),
        ("504", "<vatCode>1</vatCode><priceIncl>1000</priceIncl><priceExcl>800</priceExcl>", "1000", "800"),
    ] {
        ask(&till, &create(&format!("<articleNumber>{number}</articleNumber>{sent}"))).await;
        let rest = format!("<articleNumbers>{number}</articleNumbers>");
        let reply = ask(
            &till,
            &rest.replace(
                &rest,
                &format!("<getProducts><request>{rest}<pluNumbers/></request></getProducts>"),
            ),
        )
        .await;
        assert_eq!(
            (values(&reply, "priceIncl"), values(&reply, "priceExcl")),
            (vec![incl], vec![excl]),
            "{sent}"
        );
    }
}

#[tokio::test]
async fn stock_is_refused_where_there_is_none() {
    let till = small();
    till.add_articles([json(r#"{"article_number":"101","stock_article":false}"#)]);
    let set = |branch: u8, article: u8, amount: &str| {
        format!(
            "<setStock><request><branchNumber>{branch}</branchNumber><articleNumber>{article}</articleNumber>\
             {amount}</request></setStock>"
        )
    };
    let five = "<amount>5</amount>";
    assert!(ask(&till, &set(9, 100, five)).await.contains("SET-STOCK-RESULT-BRANCH-NOT-FOUND"));
    assert!(ask(&till, &set(1, 99, five)).await.contains("SET-STOCK-RESULT-ARTICLE-NOT-FOUND"));
    assert!(ask(&till, &set(1, 101, five)).await.contains("SET-STOCK-RESULT-NO-STOCK-ARTICLE"));
    let first = ask(&till, &set(1, 100, five)).await;
    let second = ask(&till, &set(1, 100, "<amount>125</amount><decimalPlaces>1</decimalPlaces>")).await;
    let id = |reply: &str| values(reply, "stockId")[0].parse::<i64>().unwrap();
    assert!(id(&second) > id(&first));
    assert_eq!(till.stock(1, 100).get("amount_free"), Some(&euro("12.5")));
}

#[tokio::test]
async fn orders_reserve_stock_until_they_are_cancelled_or_delivered() {
    let till = small();
    let stock = |field: &str| till.stock(1, 100).get(field).and_then(Value::as_decimal).unwrap().to_string();
    ask(&till, &order("A", &[])).await;
    assert_eq!((stock("amount_free"), stock("amount_reserved")), ("8".into(), "2".into()));
    let id = till.orders()[0].text("order_id").unwrap().to_owned();
    till.cancel_order(&id);
    assert_eq!((stock("amount_free"), stock("amount_reserved")), ("10".into(), "0".into()));
    ask(&till, &order("B", &[])).await;
    let id = till.orders()[1].text("order_id").unwrap().to_owned();
    till.deliver_order(&id);
    assert_eq!((stock("amount_free"), stock("amount_reserved")), ("8".into(), "0".into()));
    till.sell(vec![json(r#"{"article_number":"100","quantity":3}"#)], "PIN");
    assert_eq!(stock("amount_free"), "5");
}

#[tokio::test]
async fn relations_are_found_by_part_or_exactly() {
    let till = small();
    till.add_relations([json(r#"{"relation_number":"8","name":"Janneke","email":"an@example.com"}"#)]);
    let find = |email: &str, exact: &str| {
        format!(
            "<findRelationV2><request><relation><email>{email}</email></relation>{exact}</request></findRelationV2>"
        )
    };
    let exact = "<exactMatch>true</exactMatch>";
    assert_eq!(
        values(&ask(&till, &find("AN@example.com", "")).await, "relationNumber"),
        ["7"],
        "part, first hit"
    );
    assert_eq!(values(&ask(&till, &find("AN@example.com", exact)).await, "relationNumber"), ["8"]);
    assert!(ask(&till, &find("n@example.com", exact)).await.contains("FIND-RELATION-RESULT-NOT-FOUND"));
}

#[tokio::test]
async fn orders_refer_to_what_exists() {
    let till = small();
    till.add_branch(2, "De Koog");
    let employee = "<employeeNumber>999999</employeeNumber>";
    let relation = "<relationNumber>7</relationNumber>";
    let branch = "<financialBranchNumber>1</financialBranchNumber>";
    for (from, to) in [
        (relation, "<relationNumber>8</relationNumber>".to_owned()),
        (relation, "<relationNumber>0</relationNumber>".to_owned()),
        (relation, String::new()),
        (employee, "<employeeNumber>5</employeeNumber>".to_owned()),
        (employee, String::new()),
        (branch, "<financialBranchNumber>9</financialBranchNumber>".to_owned()),
        (employee, format!("<entryBranchNumber>9</entryBranchNumber>{employee}")),
        (employee, format!("<entryBranchNumber>2</entryBranchNumber>{employee}")), // no workplace
        ("<articleNumber>100<", "<articleNumber>101<".to_owned()),
        ("<lineList>", "<deliveryMethod>DRONE</deliveryMethod><lineList>".to_owned()),
        ("<lineList>", "<paymentMethod>SCHELPEN</paymentMethod><lineList>".to_owned()),
        ("<lineList>", "<orderCategoryNumber>9</orderCategoryNumber><lineList>".to_owned()),
        ("<price>", "<price>1</price><vatCode>8</vatCode><discountAmount>".to_owned()),
    ] {
        let request = order("A", &[(from, &to)]);
        let request = request.replace("<discountAmount>1210</price>", "<discountAmount>0</discountAmount>");
        let reply =
            ask(&till, &request.replace("key-A", &format!("key {from} {to}").replace(['<', '>', '/'], "")))
                .await;
        assert!(reply.contains("<result>CREATE-ORDER-RESULT-FAILED<"), "{to}: {reply}");
        assert!(!values(&reply, "errorMessage")[0].is_empty(), "{to}");
    }
    let workplace = format!("{branch}<workplaceNumber>1</workplaceNumber>");
    let entry = format!("<entryBranchNumber>2</entryBranchNumber>{employee}");
    let fine = order("A", &[(employee, &entry), (branch, &workplace)]);
    assert!(ask(&till, &fine).await.contains("<result>CREATE-ORDER-RESULT-OK<"));
}

#[tokio::test]
async fn a_foreign_number_is_used_once_for_ever() {
    let till = small();
    ask(&till, &order("A", &[])).await;
    let id = till.orders()[0].text("order_id").unwrap().to_owned();
    let again = order("A", &[("key-A", "key-2")]);
    assert!(ask(&till, &again).await.contains("CREATE-ORDER-RESULT-EXT-ORDER-ID-ALREADY-EXISTS"));
    till.cancel_order(&id);
    let again = order("A", &[("key-A", "key-3")]);
    assert!(ask(&till, &again).await.contains("CREATE-ORDER-RESULT-EXT-ORDER-ID-ALREADY-EXISTS"));
    assert_eq!(till.orders().len(), 1);
}

#[tokio::test]
async fn an_idempotency_key_brings_back_its_answer() {
    let till = small();
    let first = ask(&till, &order("A", &[])).await;
    assert!(first.contains("IDEMPOTENCY-RESULT-ORIGINAL-RESPONSE"));
    let again = ask(&till, &order("A", &[])).await;
    assert!(again.contains("IDEMPOTENCY-RESULT-REPLAY-RESPONSE"));
    assert_eq!(values(&first, "orderId"), values(&again, "orderId"));
    assert_eq!(values(&first, "orderNumber"), values(&again, "orderNumber"));
    assert_eq!(till.orders().len(), 1);
    let id = till.orders()[0].text("order_id").unwrap().to_owned();
    let pay = format!(
        "<payOrderV2><request><idempotencyKey>p</idempotencyKey><orderId>{id}</orderId><prepay>true</prepay>\
         <paymentList><payment><method>PIN</method><amount>500</amount></payment></paymentList></request></payOrderV2>"
    );
    ask(&till, &pay).await;
    assert!(ask(&till, &pay).await.contains("IDEMPOTENCY-RESULT-REPLAY-RESPONSE"));
    assert_eq!(till.orders()[0].get("prepaid_amount"), Some(&euro("5.00")), "booked once");
}

#[tokio::test]
async fn changes_need_the_current_counters() {
    let till = small();
    ask(&till, &order("A", &[])).await;
    let id = till.orders()[0].text("order_id").unwrap().to_owned();
    let update = |reference: &str, change: i64, version: i64| {
        format!(
            "<updateOrderV2><request><order><orderId>{id}</orderId><reference>{reference}</reference>\
             <changeCounter>{change}</changeCounter><versionNumber>{version}</versionNumber></order></request>\
             </updateOrderV2>"
        )
    };
    assert!(ask(&till, &update("x", 2, 1)).await.contains("UPDATE-ORDER-RESULT-ORDER-HAS-CHANGED"));
    assert!(ask(&till, &update("x", 1, 2)).await.contains("UPDATE-ORDER-RESULT-ORDER-HAS-CHANGED"));
    assert!(ask(&till, &update("x", 1, 1)).await.contains("UPDATE-ORDER-RESULT-OK"));
    assert!(ask(&till, &update("y", 1, 1)).await.contains("UPDATE-ORDER-RESULT-ORDER-HAS-CHANGED"));
    assert!(ask(&till, &update("x", 2, 1)).await.contains("UPDATE-ORDER-RESULT-NO-CHANGES"));
    assert!(
        ask(&till, &update("x", 2, 1).replace(&id, "none")).await.contains("UPDATE-ORDER-RESULT-NOT-FOUND")
    );
}

#[tokio::test]
async fn cancelling_twice_brings_the_order_back() {
    let till = small();
    ask(&till, &order("A", &[])).await;
    let id = till.orders()[0].text("order_id").unwrap().to_owned();
    let cancel = format!(
        "<cancelOrderV2><request><workplace><branchNumber>1</branchNumber><workplaceNumber>1</workplaceNumber>\
         </workplace><employee><employeeNumber>999999</employeeNumber></employee><orderId>{id}</orderId></request>\
         </cancelOrderV2>"
    );
    assert!(ask(&till, &cancel).await.contains("CANCEL-ORDER-RESULT-OK"));
    assert_eq!(till.orders()[0].text("cancel_state"), Some("complete"));
    assert!(ask(&till, &cancel).await.contains("CANCEL-ORDER-RESULT-UNDO-CANCEL-OK"));
    assert_eq!(till.orders()[0].text("cancel_state"), Some("nothing"));
    let unknown = cancel.replace(&id, "none");
    assert!(ask(&till, &unknown).await.contains("CANCEL-ORDER-RESULT-NOT-FOUND"));
    assert_eq!(till.stock(1, 100).get("amount_reserved"), Some(&euro("2")));
}

#[tokio::test]
async fn payments_are_checked() {
    let till = small();
    let paid = |ext: &str, prepay: bool, method: &str, cents: i64| {
        let payment = format!(
            "</order><prepay>{prepay}</prepay><paymentList><payment><method>{method}</method>\
             <amount>{cents}</amount></payment></paymentList>"
        );
        order(ext, &[("</order>", &payment)])
    };
    assert!(ask(&till, &paid("A", true, "SCHELPEN", 1)).await.contains("CREATE-ORDER-RESULT-PAYMENT-FAILED"));
    let reply = ask(&till, &paid("B", false, "PIN", 2419)).await;
    assert!(reply.contains("CREATE-ORDER-RESULT-PAYMENT-FAILED") && reply.contains("PAYMENT-INSUFFICIENT"));
    assert!(till.orders().is_empty());
    let reply = ask(&till, &paid("C", true, "PIN", 2000)).await;
    assert!(
        reply.contains("<payResult>PAY-ORDER-RESULT-OK<") && reply.contains("<fullyPaid>false<"),
        "{reply}"
    );
    let id = till.orders()[0].text("order_id").unwrap().to_owned();
    let pay = |key: &str, cents: i64| {
        format!(
            "<payOrderV2><request><idempotencyKey>{key}</idempotencyKey><orderId>{id}</orderId><prepay>false</prepay>\
             <paymentList><payment><method>PIN</method><amount>{cents}</amount></payment></paymentList></request>\
             </payOrderV2>"
        )
    };
    assert!(ask(&till, &pay("1", 419)).await.contains("PAY-ORDER-RESULT-PAYMENT-INSUFFICIENT"));
    let reply = ask(&till, &pay("2", 420)).await;
    assert!(reply.contains("PAY-ORDER-RESULT-OK") && values(&reply, "invoiceId").len() == 1);
    assert_eq!(till.invoices()[0].text("state"), Some("paid"));
    assert!(ask(&till, &pay("3", 420)).await.contains("PAY-ORDER-RESULT-ORDER-ALREADY-INVOICED"));
}

#[tokio::test]
async fn invoices_are_not_overpaid() {
    let till = small();
    let save = "<saveInvoice><invoice><extInvoiceId>F1</extInvoiceId><employeeNumber>999999</employeeNumber>\
                <relationNumber>7</relationNumber><lineList><line><articleNumber>100</articleNumber><data>\
                <quantity>1</quantity></data></line></lineList></invoice></saveInvoice>";
    let reply = ask(&till, save).await;
    assert!(reply.contains("SAVE-INVOICE-RESULT-OK"), "{reply}");
    assert!(ask(&till, save).await.contains("SAVE-INVOICE-RESULT-EXT-INVOICE-ID-ALREADY-EXISTS"));
    let pay = |cents: i64| {
        format!(
            "<payInvoice><request><invoiceId>{}</invoiceId><paymentList><payment><method>BANK</method>\
             <amount>{cents}</amount></payment></paymentList></request></payInvoice>",
            values(&reply, "invoiceId")[0]
        )
    };
    assert!(ask(&till, &pay(1211)).await.contains("PAY-INVOICE-RESULT-PAYMENT-TOO-HIGH"));
    assert!(ask(&till, &pay(1000)).await.contains("PAY-INVOICE-RESULT-OK"));
    assert_eq!(till.invoices()[0].text("state"), Some("partly_paid"));
    assert!(ask(&till, &pay(211)).await.contains("PAY-INVOICE-RESULT-PAYMENT-TOO-HIGH"));
    assert!(ask(&till, &pay(210)).await.contains("PAY-INVOICE-RESULT-OK"));
    assert_eq!(till.invoices()[0].text("state"), Some("paid"));
}

#[tokio::test]
async fn totals_are_exact_and_rounded_half_up() {
    for (method, line, incl, excl, vat) in [
        // The contract's own example: 2 × 79.95 and 4.95 shipping.
        ("INCLUSIVE", "<quantity>2</quantity><price>7995</price>", "15990", "13215", "2775"),
        (
            "INCLUSIVE",
            "<quantity>530</quantity><decimalPlaces>3</decimalPlaces><price>999</price>",
            "529",
            "437",
            "92",
        ),
        (
            "INCLUSIVE",
            "<quantity>1</quantity><price>1000</price><discountPercentage>1250</discountPercentage>",
            "875",
            "723",
            "152",
        ),
        (
            "INCLUSIVE",
            "<quantity>5</quantity><decimalPlaces>1</decimalPlaces><price>1</price>",
            "1",
            "1",
            "0",
        ),
        ("EXCLUSIVE", "<quantity>3</quantity><priceExcl>333</priceExcl>", "1209", "999", "210"),
        ("SHIFTED", "<quantity>1</quantity><priceExcl>1000</priceExcl>", "1000", "1000", "0"),
        ("NONE", "<quantity>1</quantity><price>1210</price>", "1000", "1000", "0"),
    ] {
        let till = small();
        let method = format!("<vatMethod>VAT-METHOD-{method}</vatMethod><lineList>");
        let request =
            order("A", &[("<lineList>", &method), ("<quantity>2</quantity><price>1210</price>", line)]);
        let reply = ask(&till, &request).await;
        assert_eq!(values(&reply, "totalInclAmount")[0], incl, "{line}");
        assert_eq!(values(&reply, "totalExclAmount")[0], excl, "{line}");
        assert_eq!(values(&reply, "vatAmount"), [vat], "{line}");
    }
    let till = small();
    let more = "</line><line><articleNumber>100</articleNumber><data><quantity>1</quantity><price>495</price></data></line></lineList>";
    let request = order("A", &[("<price>1210<", "<price>7995<"), ("</line></lineList>", more)]);
    let reply = ask(&till, &request).await;
    assert_eq!((values(&reply, "exclAmount"), values(&reply, "vatAmount")), (vec!["13624"], vec!["2861"]));
}

#[tokio::test]
async fn the_switch_for_faults_works() {
    let till = small();
    till.fail_next(1);
    let (status, reply) = raw(&till, "<getApiVersion/>").await;
    assert!(status == 500 && reply.contains("SOAP-ENV:Server"), "{reply}");
    assert_eq!(raw(&till, "<getApiVersion/>").await.0, 200);
}
