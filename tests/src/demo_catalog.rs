//! A catalog to check flows against: a web shop and a till, as in the design's example.

use dsl::catalog::{Catalog, Deleted, Fetch, Field, Function, Resource, Script, System, Type};

/// What the script of addresses says.
const ADDRESS: &str = r#"
fn street(address) {
    trim(address.street)
}

fn number(address) {
    let number = address.number ?? address.house_number;
    if number == () { return ""; }
    number
}

fn join(address, lines) {
    let codes = lines.map(|line| line.code);
    `${street(address)} ${number(address)} ${address.zip} ${codes}`
}
"#;

/// The catalog of the golden tests and of the examples in the docs.
#[must_use]
pub fn demo_catalog() -> Catalog {
    let systems = [shop(), till()].into_iter().map(|system| (system.name.clone(), system)).collect();
    let address = Script { text: ADDRESS.to_owned(), ..script(&[("street", 1), ("number", 1), ("join", 2)]) };
    let broken = Script {
        broken: Some(("expecting ')' to close the parameters list of function `total`".to_owned(), 3, 18)),
        ..Script::default()
    };
    let scripts = [
        ("scripts/address.rhai", address),
        ("scripts/names.rhai", script(&[("full_name", 2), ("person", 1)])),
        ("scripts/broken.rhai", broken),
    ];
    Catalog {
        roles: std::collections::BTreeMap::new(),
        systems,
        scripts: scripts.into_iter().map(|(path, script)| (path.to_owned(), script)).collect(),
        functions: library(),
    }
}

/// Fewest and most values and signature of functions that the program's library has as well.
const LIBRARY: &[(usize, usize, &str)] = &[
    (1, 1, "trim(text) -> text"),
    (1, 1, "to_upper(text) -> text"),
    (1, 1, "to_lower(text) -> text"),
    (2, 2, "contains(text | list | record | table, value) -> boolean"),
    (2, 2, "starts_with(text, start: text) -> boolean"),
    (2, 2, "ends_with(text, end: text) -> boolean"),
    (3, 3, "replace(text, old: text, new: text) -> text"),
    (1, 3, "split(text, separator: text, most: integer) -> list"),
    (2, 3, "sub_string(text, start: integer, length: integer) -> text"),
    (2, 2, "truncate(text, length: integer) -> text"),
    (1, 1, "is_digits(text) -> boolean"),
    (1, 1, "is_blank(value) -> boolean"),
    (1, 1, "or_nothing(value) -> value"),
    (2, 2, "index_of(text | list, value) -> integer"),
    (1, 1, "to_text(value) -> text"),
    (1, 2, "round(number, digits: integer) -> number"),
    (1, 1, "floor(number) -> integer"),
    (1, 1, "abs(number) -> number"),
    (1, 2, "min(a, b) -> value, min(list) -> value"),
    (1, 2, "max(a, b) -> value, max(list) -> value"),
    (1, 1, "decimal(value) -> decimal"),
    (1, 1, "to_integer(value) -> integer"),
    (1, 1, "len(list | text | record) -> integer"),
    (1, 1, "is_empty(list | text | record) -> boolean"),
    (1, 1, "first(list) -> value"),
    (1, 1, "last(list) -> value"),
    (2, 2, "map(list, function) -> list"),
    (2, 2, "filter(list, function) -> list"),
    (2, 2, "find(list, function) -> value"),
    (2, 2, "any(list, function) -> boolean"),
    (2, 2, "all(list, function) -> boolean"),
    (1, 2, "sum(list, function) -> number"),
    (3, 3, "reduce(list, function, start) -> value"),
    (2, 2, "join(list, separator: text) -> text"),
    (1, 1, "unique(list) -> list"),
    (1, 2, "sort(list, function) -> list"),
    (2, 3, "slice(list, start: integer, length: integer) -> list"),
    (1, 1, "flatten(list) -> list"),
    (2, 2, "push(list, item)"),
    (1, 1, "keys(record) -> list"),
    (2, 2, "get(record, name: text) -> value"),
    (3, 3, "set(record, name: text, value)"),
    (1, 1, "is_nothing(value) -> boolean"),
    (2, 2, "to_date(moment: text, zone: text) -> text"),
    (2, 2, "days_between(from: text, to: text) -> integer"),
];

/// Functions of no library but this one.
const OWN: &[(usize, usize, &str)] = &[
    (1, 2, "round_money(number, digits: integer) -> decimal"),
    (1, 1, "country_code(value) -> text"),
    (2, 2, "format_date(text, pattern: text) -> text"),
];

/// What expressions may call.
fn library() -> Vec<Function> {
    let entries = LIBRARY.iter().chain(OWN);
    entries
        .flat_map(|(least, most, signature)| {
            (*least..=*most).map(|arity| Function {
                name: signature.split('(').next().unwrap_or_default().to_owned(),
                arity,
                about: String::new(),
                signature: (*signature).to_owned(),
            })
        })
        .collect()
}

fn functions(list: &[(&str, usize)]) -> Vec<Function> {
    let function = |(name, arity): &(&str, usize)| Function {
        name: (*name).to_owned(),
        arity: *arity,
        ..Function::default()
    };
    list.iter().map(function).collect()
}

fn script(list: &[(&str, usize)]) -> Script {
    Script { functions: functions(list), ..Script::default() }
}

/// A field from its name and type; marks after the name: `!` required, `<` read only, `>` write only.
fn field(name: &str, kind: Type) -> Field {
    let bare = name.trim_end_matches(['!', '<', '>']);
    Field {
        name: bare.to_owned(),
        kind,
        about: String::new(),
        required: name.contains('!'),
        read_only: name.contains('<'),
        write_only: name.contains('>'),
        max_length: None,
        digits_only: false,
    }
}

fn of_length(name: &str, max_length: usize) -> Field {
    Field { max_length: Some(max_length), ..field(name, Type::Text) }
}

fn options(list: &[&str]) -> Type {
    Type::Enum(list.iter().map(|option| (*option).to_owned()).collect())
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn sets(list: &[&[&str]]) -> Vec<Vec<String>> {
    list.iter().map(|set| names(set)).collect()
}

fn system(name: &str, title: &str, events: &[&str], resources: Vec<Resource>) -> System {
    let resources = resources.into_iter().map(|resource| (resource.name.clone(), resource)).collect();
    System { name: name.to_owned(), title: title.to_owned(), resources, events: names(events) }
}

fn address() -> Type {
    Type::Record(vec![
        field("street", Type::Text),
        field("house_number", Type::Text),
        field("postcode", Type::Text),
        field("city", Type::Text),
        field("country", Type::Text),
    ])
}

fn order_line() -> Type {
    Type::Record(vec![
        field("position", Type::Integer),
        field("sku", Type::Text),
        field("title", Type::Text),
        field("quantity", Type::Integer),
        field("price_incl", Type::Decimal),
        field("vat_rate", Type::Integer),
    ])
}

fn customer() -> Vec<Field> {
    vec![
        field("email", Type::Text),
        field("company", Type::Text),
        field("full_name", Type::Text),
        field("phone", Type::Text),
        field("newsletter", Type::Boolean),
    ]
}

fn shop() -> System {
    let orders = Resource {
        name: "orders".to_owned(),
        about: "Orders of the web shop.".to_owned(),
        key: "id".to_owned(),
        fields: vec![
            field("id<", Type::Integer),
            field("number<", Type::Text),
            field("status", options(&["new", "paid", "sent", "cancelled"])),
            field("created_at<", Type::DateTime),
            field("modified_at<", Type::DateTime),
            field("delivery_date", Type::Date),
            field("total_incl<", Type::Decimal),
            field("remark", Type::Text),
            field("api_token>", Type::Text),
            field("customer", Type::Record(customer())),
            field("billing", address()),
            field("shipping", address()),
            field("payment", Type::Record(vec![field("method", Type::Text), field("paid", Type::Boolean)])),
            field("lines", Type::List(Box::new(order_line()))),
            field("tags", Type::List(Box::new(Type::Text))),
            field("extra", Type::Any),
        ],
        fetch: Some(Fetch { filters: names(&["status"]), since: names(&["modified_at", "created_at"]) }),
        find: sets(&[&["number"]]),
        create: false,
        update: true,
        deleted: None,
    };
    let customers = Resource {
        name: "customers".to_owned(),
        key: "id".to_owned(),
        fields: [vec![field("id<", Type::Integer)], customer()].concat(),
        fetch: Some(Fetch::default()),
        find: sets(&[&["email"]]),
        create: true,
        update: true,
        deleted: Some(Deleted::Event("customers.deleted".to_owned())),
        ..Resource::default()
    };
    let stock = Resource {
        name: "stock".to_owned(),
        key: "sku".to_owned(),
        fields: vec![field("sku!", Type::Text), field("available!", Type::Integer)],
        find: sets(&[&["sku"]]),
        update: true,
        ..Resource::default()
    };
    system(
        "ccv_salespos",
        "CCV SalesPOS",
        &["orders.created", "orders.updated", "customers.deleted"],
        vec![orders, customers, stock],
    )
}

fn till() -> System {
    system("mpluskassa", "MplusKASSA", &[], vec![till_orders(), products(), relations()])
}

fn till_orders() -> Resource {
    Resource {
        name: "orders".to_owned(),
        key: "id".to_owned(),
        fields: vec![
            field("id<", Type::Integer),
            of_length("ext_order_id!", 20),
            field("relation_number!", Type::Integer),
            field("employee_number!", Type::Integer),
            field("order_type", options(&["order", "invoice"])),
            field("payment_method", Type::Text),
            field("reference", Type::Text),
            field("delivery_date", Type::Date),
            field("paid", Type::Boolean),
            field("discount", Type::Decimal),
            field("delivery", address()),
            field(
                "lines!",
                Type::List(Box::new(Type::Record(vec![
                    Field { digits_only: true, ..field("article_number!", Type::Text) },
                    field("quantity!", Type::Integer),
                    field("price", Type::Decimal),
                    field("vat_code", Type::Integer),
                    of_length("description", 40),
                ]))),
            ),
        ],
        find: sets(&[&["ext_order_id"]]),
        create: true,
        ..Resource::default()
    }
}

fn products() -> Resource {
    Resource {
        name: "products".to_owned(),
        key: "id".to_owned(),
        fields: vec![
            field("id<", Type::Integer),
            Field { digits_only: true, ..field("article_number!", Type::Text) },
            field("branch", Type::Integer),
            field("description!", Type::Text),
            field("price", Type::Decimal),
            field("stock<", Type::Integer),
        ],
        fetch: Some(Fetch { filters: Vec::new(), since: Vec::new() }),
        find: sets(&[&["article_number"], &["article_number", "branch"]]),
        ..Resource::default()
    }
}

fn relations() -> Resource {
    Resource {
        name: "relations".to_owned(),
        key: "number".to_owned(),
        fields: vec![
            // The design's example writes a house number into it and reads the debtor's from it.
            field("number", Type::Any),
            field("email", Type::Text),
            field("ext_relation_id", Type::Text),
            field("kind!", options(&["person", "company"])),
            field("name!", Type::Text),
            field("contact", Type::Text),
            field("street", Type::Text),
            field("house_number", Type::Text),
            field("phone", Type::Text),
            field("language", options(&["nl", "en", "de"])),
            field("credit_limit", Type::Decimal),
            field("when", Type::Text),
            field("blocked", Type::Boolean),
        ],
        fetch: Some(Fetch { filters: Vec::new(), since: Vec::new() }),
        find: sets(&[&["email"], &["number"], &["ext_relation_id"]]),
        create: true,
        update: true,
        ..Resource::default()
    }
}
