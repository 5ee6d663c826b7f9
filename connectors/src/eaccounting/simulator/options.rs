//! Switches for what the vendor does not say, and for what differs between companies.

/// How the simulated service behaves.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[derive(Clone, Debug)]
pub struct Options {
    /// Calls a minute for each kind of record; `None`: any number.
    pub calls_per_minute: Option<u32>,
    /// A 429 carries `Retry-After`.
    pub says_retry_after: bool,
    /// Each exchange of a refresh token gives a new one, and the old one is worth nothing.
    pub rotates: bool,
    /// How long an access token lasts.
    pub token_seconds: i64,
    /// A member that is not known is refused; else it is ignored.
    pub refuses_unknown_members: bool,
    /// Conflicts are answered with 409; else with 400.
    pub conflicts_are_409: bool,
    /// Records that are not there are answered with 400; else with 404.
    pub absences_are_400: bool,
    /// Lists without `$orderby` keep one order; else it is another one each time.
    pub keeps_order: bool,
    /// Rates on rows are written as 21; else as 0.21.
    pub rates_are_percent: bool,
    /// Lists hold documents without their rows.
    pub lists_lack_rows: bool,
    /// Properties that lists cannot be filtered by: path and member.
    pub unfilterable: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            calls_per_minute: Some(600),
            says_retry_after: false,
            rotates: true,
            token_seconds: 3600,
            refuses_unknown_members: false,
            conflicts_are_409: false,
            absences_are_400: false,
            keeps_order: false,
            rates_are_percent: false,
            lists_lack_rows: false,
            unfilterable: Vec::new(),
        }
    }
}
