//! What the simulator can be told to do otherwise: limits, lives of tokens, and every point
//! where the real service is not known for sure.

use jiff::Timestamp;

/// Every right that an integration can have.
const SCOPES: [&str; 8] =
    ["contacts", "companies", "deals", "orders", "invoices", "products", "departments", "users"];

/// Switches of a simulated account. The standard is the likelier answer to each open question,
/// without a limit on the number of calls.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Client that is registered.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Address that is registered for coming back after the sign-in.
    pub redirect: String,
    /// Rights of the integration.
    pub scopes: Vec<String>,
    /// How long an access token lasts, in seconds.
    pub token_seconds: u64,
    /// The person who is asked says no.
    pub consent_denied: bool,
    /// Calls a minute; `None`: any number.
    pub limit: Option<u32>,
    /// Moment that records are stamped with; `None`: the real one.
    pub clock: Option<Timestamp>,
    /// Pages that are too large are cut down instead of refused.
    pub clamps_pages: bool,
    /// `updated_since` leaves that very moment out.
    pub since_is_exclusive: bool,
    /// Linking a contact and a company again is refused.
    pub refuses_second_link: bool,
    /// Accepting a quotation makes an order.
    pub accepting_orders: bool,
    /// Invoices that are booked can be changed.
    pub booked_can_change: bool,
    /// Prices of price lists in replies stand flat: `price_list_id` and `amount`.
    pub flat_list_prices: bool,
    /// One credit note comes as a list, as its description says.
    pub credit_note_as_list: bool,
    /// Errors come with status 200.
    pub errors_as_success: bool,
    /// Deliveries of webhooks: how often each is made.
    pub deliveries: usize,
    /// Deliveries name the record under `data` instead of `subject`.
    pub delivers_data: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            client_id: "9f1c7a24b8d04b0f".to_owned(),
            client_secret: "c1d27e90a4f6483cb2f5".to_owned(),
            redirect: "http://localhost:8914/callback".to_owned(),
            scopes: SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            token_seconds: 3600,
            consent_denied: false,
            limit: None,
            clock: None,
            clamps_pages: false,
            since_is_exclusive: false,
            refuses_second_link: true,
            accepting_orders: true,
            booked_can_change: false,
            flat_list_prices: false,
            credit_note_as_list: false,
            errors_as_success: false,
            deliveries: 1,
            delivers_data: false,
        }
    }
}
