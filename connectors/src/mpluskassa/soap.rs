//! Envelopes: what goes around every request and every reply.

use bytes::Bytes;

use super::xml::{self, Element, Malformed, OURS, SOAP, Space};

/// What an envelope holds.
#[derive(Debug)]
pub(super) enum Body {
    /// The one element of the body.
    Element(Element),
    /// An error of the service.
    Fault(Fault),
}

/// An error of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Code without prefix, `Client.Authentication`.
    pub(super) code: String,
    /// What the service says.
    pub(super) text: String,
}

impl Fault {
    /// The first part of the code, which decides.
    pub(super) fn side(&self) -> &str {
        self.code.split('.').next().unwrap_or_default()
    }

    /// The service does not take the ident and secret.
    pub(super) fn is_authentication(&self) -> bool {
        self.code.split('.').any(|part| part == "Authentication")
    }
}

/// An envelope around an element, whose names get that prefix; the empty prefix makes the
/// namespace the default one.
pub(super) fn envelope(element: &Element, prefix: &str) -> String {
    let colon = if prefix.is_empty() { "" } else { ":" };
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{SOAP}\" xmlns{colon}{prefix}=\"{OURS}\">\
         <SOAP-ENV:Header/><SOAP-ENV:Body>"
    );
    element.write(prefix, &mut out);
    out.push_str("</SOAP-ENV:Body></SOAP-ENV:Envelope>\n");
    out
}

/// An envelope around a fault; the simulator's.
pub(super) fn fault_envelope(fault: &Fault) -> String {
    let mut inner = String::new();
    Element::leaf("faultcode", format!("SOAP-ENV:{}", fault.code)).write("", &mut inner);
    Element::leaf("faultstring", fault.text.as_str()).write("", &mut inner);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{SOAP}\"><SOAP-ENV:Body>\
         <SOAP-ENV:Fault>{inner}</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>\n"
    )
}

/// Opens an envelope.
pub(super) fn open(page: &Bytes) -> Result<Body, Malformed> {
    let envelope = xml::read(page)?;
    if (envelope.space, envelope.name.as_str()) != (Space::Soap, "Envelope") {
        return Err(Malformed(format!("`{}` is no SOAP envelope", envelope.name)));
    }
    let body = envelope
        .children
        .into_iter()
        .find(|child| (child.space, child.name.as_str()) == (Space::Soap, "Body"));
    let first = body.and_then(|body| body.children.into_iter().next());
    let element = first.ok_or_else(|| Malformed("the SOAP envelope is empty".into()))?;
    if (element.space, element.name.as_str()) != (Space::Soap, "Fault") {
        return Ok(Body::Element(element));
    }
    let text = |name| element.child(name).map_or("", |child| child.text.trim());
    let code = text("faultcode");
    let code = code.rsplit_once(':').map_or(code, |(_, code)| code);
    Ok(Body::Fault(Fault { code: code.to_owned(), text: text("faultstring").to_owned() }))
}

/// True when a text could be a whole envelope: it does not stop halfway, and is no web page.
pub(super) fn looks_whole(page: &Bytes) -> bool {
    let tail = page.get(page.len().saturating_sub(200)..).unwrap_or_default();
    String::from_utf8_lossy(tail).trim_end().ends_with("Envelope>")
}
