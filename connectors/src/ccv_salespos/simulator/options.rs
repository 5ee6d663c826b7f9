//! What the simulator can be told to do otherwise: limits, and every point where the real
//! service is not known for sure.

use std::time::Duration;

use jiff::Timestamp;

/// Switches of a simulated shop. The standard is the likelier answer to each open question,
/// without limits on the number of calls.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Public key that is known.
    pub public_key: String,
    /// Its secret.
    pub secret_key: String,
    /// How far a request's date may be off; `None`: any distance.
    pub clock_skew: Option<Duration>,
    /// Moment that records are stamped with; `None`: the real one.
    pub clock: Option<Timestamp>,
    /// Calls a minute.
    pub limits: CallLimits,
    /// `size` and `start` out of bounds are moved to the bound instead of refused.
    pub clamps_pages: bool,
    /// Size of a page when none is asked for.
    pub standard_size: usize,
    /// A PATCH that changes nothing fails with 500.50.
    pub refuses_no_change: bool,
    /// How a POST is answered.
    pub post_answer: PostAnswer,
    /// The same `productnumber` may be used twice.
    pub allows_equal_numbers: bool,
    /// Most active products; -1 for any number.
    pub product_limit: i64,
    /// What `expand=orderrows` does on a list of orders.
    pub orders_expand: Expand,
    /// What `expand` does on a list of products.
    pub products_expand: Expand,
    /// Members that a body may not have are refused.
    pub refuses_unknown_members: bool,
    /// An address in a PATCH takes the place of the old one, with all that it does not say.
    pub patch_replaces_addresses: bool,
    /// `user.id` of orders comes as text.
    pub user_id_is_text: bool,
    /// A change of stock counts as a change of the product.
    pub stock_moves_modifydate: bool,
    /// `productnumber` and its like find parts of numbers too.
    pub filters_are_loose: bool,
    /// Dates in filters count by the day.
    pub dates_count_by_day: bool,
    /// Answers carry the right signature.
    pub signs_rightly: bool,
    /// Answers carry a signature.
    pub signs: bool,
    /// Address that links name; `None`: the one that was asked.
    pub link_host: Option<String>,
    /// Kinds of record that the key has no right to.
    pub forbidden: Vec<String>,
    /// Members of products that cannot be changed, as in a connected shop of a chain.
    pub read_only_members: Vec<String>,
    /// Webhooks may go to http addresses of this computer, for tests.
    pub allows_loopback_hooks: bool,
}

/// Calls a minute; `None` for any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallLimits {
    /// GET, for each kind of record.
    pub reads: Option<u32>,
    /// POST, PATCH, PUT and DELETE, each, for each kind of record.
    pub writes: Option<u32>,
    /// GET of `productqueries`.
    pub queries: Option<u32>,
    /// All calls together.
    pub overall: Option<u32>,
}

impl CallLimits {
    /// The published limits, and a guess at the one that is not.
    #[must_use]
    pub const fn published() -> Self {
        Self { reads: Some(150), writes: Some(100), queries: Some(30), overall: Some(600) }
    }
}

/// How a POST is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostAnswer {
    /// 201 with the record.
    Created,
    /// 200 with the record.
    Ok,
    /// 204 without a body.
    Empty,
}

/// What `expand` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expand {
    /// The page carries the sub-lists.
    Honoured,
    /// Nothing.
    Ignored,
    /// The list is refused.
    Refused,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_key: "pk_demo_0001".to_owned(),
            secret_key: "sk_demo_secret".to_owned(),
            clock_skew: Some(Duration::from_mins(15)),
            clock: None,
            limits: CallLimits::default(),
            clamps_pages: false,
            standard_size: 50,
            refuses_no_change: false,
            post_answer: PostAnswer::Created,
            allows_equal_numbers: true,
            product_limit: -1,
            orders_expand: Expand::Honoured,
            products_expand: Expand::Honoured,
            refuses_unknown_members: true,
            patch_replaces_addresses: false,
            user_id_is_text: false,
            stock_moves_modifydate: false,
            filters_are_loose: false,
            dates_count_by_day: false,
            signs_rightly: true,
            signs: true,
            link_host: None,
            forbidden: Vec::new(),
            read_only_members: Vec::new(),
            allows_loopback_hooks: true,
        }
    }
}

impl Options {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.unwrap_or_else(Timestamp::now)
    }
}
