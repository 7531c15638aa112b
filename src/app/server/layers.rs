//! What every request passes before anybody answers it: id, address, headers, caller, origin, guard of the pages.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use axum::{
    Extension,
    body::Body,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tracing::{info, warn};
use uuid::Uuid;

use crate::{
    access::server::{Caller, Cx, Origin},
    app::server::{AppState, agreed::APPLIER, metrics, own_data, preferences},
    base::{
        errors::{AppError, DenialCode},
        language::{self, td_string},
        server::config::Proxy,
    },
    consents,
    i18n::Locale,
    second_factor::server::forms::ACCOUNT as FACTOR_PAGE,
    sessions::server::{
        forms::{self, append},
        recognise,
    },
    tenants::server::branding,
};

/// Names the request, counts it, tells how it ended. The path is the route's pattern and the query is left out: ids and tokens stay
/// out of the log.
pub async fn log(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let metrics = state.heart.metrics();
    let _under_way = metrics.begin();
    let id = Uuid::now_v7();
    request.extensions_mut().insert(RequestId(id));
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // Authorization API 1.0, "Request identification": there the caller's own name of the request comes back.
    let named = request.headers().get("x-request-id").filter(|_| request.uri().path().starts_with("/access/")).cloned();
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    let took = started.elapsed();
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let path = path.as_deref().unwrap_or("other");
    metrics.answered(method.as_str(), path, status, took);
    info!(request.id = %id, http.method = %method, http.route = path, http.status = status, millis, "{method} {path} {status}");
    if let Some(id) = named.or_else(|| HeaderValue::from_str(&id.to_string()).ok()) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub Uuid);

/// The headers that protect a reader (I3). Pages bring their own Content-Security-Policy with the nonce of their render.
pub async fn protect(State(state): State<AppState>, request: Request, next: Next) -> Response {
    // RFC 6797 §7.2: it is not said where anybody on the way could have said it.
    let plain = came_in_the_clear(peer(&request), request.headers(), &state.proxies);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::X_FRAME_OPTIONS, "DENY");
    default(header::REFERRER_POLICY, "same-origin");
    default(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    default(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    default(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    );
    default(header::CACHE_CONTROL, "no-store");
    if state.heart.public_url().is_https() && !plain {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains");
    }
    response
}

/// What may be asked in the clear: probes ask the node itself, past the proxy.
const IN_THE_CLEAR: [&str; 3] = ["/healthz", "/readyz", metrics::PATH];

/// Where people come by https nothing is taken in the clear (I3). Who only looks is led to the public address; whatever
/// else came may hold a secret that was read on the way, and is told so instead of being sent once more.
pub async fn only_https(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let public = state.heart.public_url();
    let is_open = IN_THE_CLEAR.contains(&request.uri().path());
    if !public.is_https() || is_open || !came_in_the_clear(peer(&request), request.headers(), &state.proxies) {
        return next.run(request).await;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return AppError::denied(DenialCode::HttpsOnly).into_response();
    }
    // The host is ours whatever the request says; of its address only path and query are kept.
    let place = request.uri().path_and_query().map_or("/", |place| place.as_str());
    let place = if place.starts_with('/') { place.to_owned() } else { format!("/{place}") };
    match HeaderValue::from_str(&public.link(&place)) {
        Ok(location) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response(),
        Err(_unusable) => AppError::NotFound.into_response(),
    }
}

/// Whether a request is known to have come without TLS.
///
/// A proxy of ours says how it was reached. Whoever comes past the proxies comes to the node itself, which speaks nothing
/// but http; what they say of it does not count. Where no proxy is named the one in front cannot be told from a stranger,
/// and where one does not say how it was reached, nobody knows.
fn came_in_the_clear(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[Proxy]) -> bool {
    let Some(peer) = peer.filter(|_| !proxies.is_empty()) else { return false };
    if !is_ours(peer, proxies) {
        return true;
    }
    // The last word is that of the proxy that we hear from.
    let said = headers.get_all("x-forwarded-proto").iter().next_back();
    let last = said.and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
    last.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("http"))
}

fn is_ours(address: IpAddr, proxies: &[Proxy]) -> bool {
    proxies.iter().any(|proxy| proxy.0.contains(&address.to_canonical()))
}

fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
}

/// The policy of a page: our scripts by their nonce, WASM, nothing inline, nothing foreign.
pub fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

/// Finds out who asks, refuses what another site's page may have sent, and renews cookies.
pub async fn caller(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let ip = peer(&request).map(|peer| client_address(peer, request.headers(), &state.proxies));
    let origin = Origin {
        ip,
        user_agent: recognise::user_agent(request.headers()),
        request_id: request.extensions().get::<RequestId>().map(|id| id.0),
        ..Origin::default()
    };
    let cx = Cx::for_sign_in(state.heart.clone(), origin);
    let recognised = match recognise::recognise(cx, request.headers()).await {
        Ok(recognised) => recognised,
        Err(error) => return error.into_response(),
    };
    let public = state.heart.public_url().origin();
    if must_come_from_us(&request, recognised.by_cookie) && !comes_from_us(request.headers(), public) {
        return AppError::denied(DenialCode::BadOrigin).into_response();
    }
    request.extensions_mut().insert(recognised.cx);
    request.extensions_mut().insert(state.failures_last);
    request.extensions_mut().insert(APPLIER);
    let locale = preferences::locale(request.headers());
    request.extensions_mut().insert(locale);
    let mut response = next.run(request).await;
    // A sign-in or log-out has cookies of its own, which are newer.
    if !response.headers().contains_key(header::SET_COOKIE) {
        append(&mut response, recognised.cookies);
    }
    response
}

/// For files that are the same for everybody: nobody is recognised, and no cookie goes along with what a cache may keep.
pub async fn stranger(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let cx = Cx::for_sign_in(state.heart.clone(), Origin::default());
    request.extensions_mut().insert(cx);
    next.run(request).await
}

/// Finds what a page bears before it is drawn (D4): drawing does not wait for anything.
pub async fn branded(mut request: Request, next: Next) -> Response {
    if *request.method() == Method::GET && !request.uri().path().starts_with("/api/") {
        bear_brand(request.extensions_mut()).await;
    }
    next.run(request).await
}

/// Adds the brand of whoever asks to what is known of a request. Where it cannot be found the page bears the product's.
pub async fn bear_brand(known: &mut Extensions) {
    let Some(cx) = known.get::<Cx>().cloned() else { return };
    match branding::of_reader(&cx).await {
        Ok(brand) => drop(known.insert(brand)),
        Err(error) => warn!(%error, "a page is drawn without its brand"),
    }
}

/// Unsafe requests that a browser sends by itself: with cookies, and to forms and server functions also without (login
/// CSRF). REST without cookies is a program's.
fn must_come_from_us(request: &Request, by_cookie: bool) -> bool {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let path = request.uri().path();
    let is_rest = ["/auth/", "/admin/", "/access/"].iter().any(|start| path.starts_with(start));
    !is_safe && (by_cookie || !is_rest)
}

/// What a browser says of where a request comes from. Missing headers are no answer.
fn comes_from_us(headers: &HeaderMap, public: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), Some(origin)) => site == "same-origin" && origin == public,
        (Some(site), None) => site == "same-origin",
        (None, Some(origin)) => origin == public,
        (None, None) => false,
    }
}

/// The client's address: the right-most hop that is not one of our proxies. Whatever cannot be read ends the search, and
/// a direct peer is believed only about itself.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[Proxy]) -> IpAddr {
    let mut client = peer.to_canonical();
    let hops = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops = hops.flat_map(|value| value.split(',')).collect::<Vec<_>>();
    for hop in hops.iter().rev() {
        if !is_ours(client, proxies) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_unreadable) => break,
        }
    }
    client
}

/// Sends whoever is not signed in to the door before a page of the console is drawn.
pub async fn guard(
    Extension(cx): Extension<Cx>,
    Extension(locale): Extension<Locale>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_console = path == "/console" || path.starts_with("/console/");
    let is_own = path.starts_with("/account/") || path == "/reauthenticate";
    // Whoever must set up a second factor first is led there, and nowhere else: a passkey counts, and so does a proof.
    let sets_up = [FACTOR_PAGE, "/account/passkeys", "/reauthenticate"].contains(&path);
    let must_enrol = (is_console || is_own) && cx.must_enrol().await.unwrap_or(false);
    let leads_to_set_up = must_enrol && !sets_up;
    // Then whoever owes a consent is led to the texts. They may still take their data with them, and stay after all.
    let is_open = [consents::PAGE, "/reauthenticate"].contains(&path)
        || path == own_data::PATH && request.method() == Method::POST;
    let leads_to_consents = !must_enrol && cx.owes_consent() && (is_console || is_own) && !is_open;
    let target = match (path, cx.caller()) {
        ("/", _) => Some("/console".to_owned()),
        ("/login", Caller::Person(_)) if request.method() == Method::GET => Some(next_of(&request)),
        (_, Caller::Person(_)) if leads_to_set_up => Some(FACTOR_PAGE.to_owned()),
        (_, Caller::Person(_)) if leads_to_consents => Some(consents::PAGE.to_owned()),
        (_, Caller::Anonymous) if is_console || is_own => {
            let next = request.uri().path_and_query().map_or("/console", |path| path.as_str());
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            let login = format!("/login?{query}");
            if is_followed_from_elsewhere(&request) {
                return go_on_from_here(locale, &login);
            }
            Some(login)
        }
        _ => None,
    };
    match target {
        Some(target) => match HeaderValue::from_str(&target) {
            Ok(location) => (StatusCode::FOUND, [(header::LOCATION, location)]).into_response(),
            Err(_unusable) => AppError::signed_out().into_response(),
        },
        None => next.run(request).await,
    }
}

/// Where the door leads whoever is signed in already: to the page of ours that was asked for.
fn next_of(request: &Request) -> String {
    let query = request.uri().query().unwrap_or_default();
    let next = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    let next = next.as_ref().and_then(|(_, next)| forms::local(next));
    next.unwrap_or("/console").to_owned()
}

/// Whether somebody follows a link on another site's page, a mail service's for one. Browsers keep our cookies back then
/// (`SameSite=Strict`): that nobody is signed in is not known.
fn is_followed_from_elsewhere(request: &Request) -> bool {
    let says = |name: &str, values: &[&str]| {
        let said = request.headers().get(name).and_then(|value| value.to_str().ok());
        said.is_some_and(|said| values.contains(&said))
    };
    *request.method() == Method::GET
        && says("sec-fetch-mode", &["navigate"])
        && says("sec-fetch-site", &["cross-site", "same-site"])
}

/// A page of ours that goes on to the door by itself. That request comes from us, so it brings the cookies, and the door
/// leads whoever is signed in to where they wanted to go.
fn go_on_from_here(locale: Locale, login: &str) -> Response {
    let (code, direction) = (language::code(locale), language::direction(locale));
    let (title, go_on) = (td_string!(locale, sessions.going_on), td_string!(locale, sessions.go_on));
    // The path is form-urlencoded, which leaves nothing that HTML reads.
    let page = format!(
        "<!DOCTYPE html><html lang=\"{code}\" dir=\"{direction}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"icon\" href=\"/favicon.svg\"><meta http-equiv=\"refresh\" content=\"0;url={login}\"><title>{title}</title></head>\
         <body><p>{title} <a href=\"{login}\">{go_on}</a></p></body></html>"
    );
    // Browsers ask for the site's picture by themselves.
    let policy = "default-src 'none'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'";
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, page).into_response()
}

/// How long the drawing of a page may take, attempt by attempt, before it counts as lost. The last one leaves room for a
/// machine that is merely busy.
pub const LOST: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15)];

/// Draws a page anew that the renderer has lost. To ask for a page changes nothing, so it is asked for again.
pub async fn draw_lost_pages_again(request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let (parts, _no_body) = request.into_parts();
    until_drawn(&LOST, || next.clone().run(Request::from_parts(parts.clone(), Body::empty()))).await
}

/// The first of these attempts to draw a page that is not lost. Also for a page that a form leads to, which no layer may
/// ask for twice.
///
/// Leptos 0.8 now and then misses, on the server, that the last resource of a `Suspense` has arrived (its issues #4673 and
/// #4851; seen here once in some thousand pages), and would wait for ever.
pub async fn until_drawn<F: Future<Output = Response>>(patience: &[Duration], attempt: impl Fn() -> F) -> Response {
    for &patience in patience {
        if let Ok(response) = tokio::time::timeout(patience, attempt()).await {
            return response;
        }
        warn!("a page was lost while it was drawn; it is drawn again");
    }
    AppError::Unavailable.into_response()
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// H3: a page that the renderer loses is drawn again; one that is lost each time is refused, and not waited for.
    #[tokio::test]
    async fn a_lost_page_is_drawn_again() {
        let patience = [Duration::from_millis(1), Duration::from_secs(3600)];
        let attempts = AtomicUsize::new(0);
        let second_is_drawn = || async {
            if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                return pending().await;
            }
            StatusCode::GONE.into_response()
        };
        assert_eq!(until_drawn(&patience, second_is_drawn).await.status(), StatusCode::GONE);
        assert_eq!(attempts.into_inner(), 2);
        let refused = until_drawn(&patience[..1], pending).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")))
            .collect()
    }

    /// ZerosAndOnesLLC/AiFw#165, CVE-2024-47070: only our own proxies are believed, and nothing that cannot be read.
    #[test]
    fn the_client_is_the_right_most_hop_that_is_not_ours() {
        let proxies = ["10.0.0.0/8".parse::<Proxy>().expect("a network")];
        let of = |peer: &str, forwarded: &str, proxies: &[Proxy]| {
            let peer = peer.parse().expect("an address");
            client_address(peer, &headers(&[("x-forwarded-for", forwarded)]), proxies).to_string()
        };
        assert_eq!(of("192.0.2.1", "198.51.100.7", &proxies), "192.0.2.1", "a direct peer");
        assert_eq!(of("10.0.0.1", "198.51.100.7", &proxies), "198.51.100.7");
        assert_eq!(of("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.2", &proxies), "198.51.100.7");
        assert_eq!(of("10.0.0.1", "198.51.100.7", &[]), "10.0.0.1", "no proxy is trusted");
        for unreadable in ["a", "", "1.2.3", "::1%eth0", "198.51.100.7:80"] {
            assert_eq!(of("10.0.0.1", unreadable, &proxies), "10.0.0.1", "{unreadable}");
        }
        assert_eq!(of("::ffff:10.0.0.1", "2001:db8::1", &proxies), "2001:db8::1");
    }

    /// I3: only our own proxies are believed about how they were reached, and only what is known counts.
    #[test]
    fn what_came_in_the_clear_is_known_from_our_proxies_alone() {
        let proxies = ["10.0.0.0/8".parse::<Proxy>().expect("a network")];
        let clear = |peer: &str, said: &[&str], proxies: &[Proxy]| {
            let mut headers = HeaderMap::new();
            for value in said {
                headers.append("x-forwarded-proto", HeaderValue::from_str(value).expect("a value"));
            }
            came_in_the_clear(Some(peer.parse().expect("an address")), &headers, proxies)
        };
        for said in [&["http"][..], &["HTTP"], &["https, http"], &["https", " http "]] {
            assert!(clear("10.0.0.1", said, &proxies), "{said:?}");
            assert!(clear("::ffff:10.0.0.1", said, &proxies), "{said:?}");
            assert!(!clear("192.0.2.1", said, &[]), "{said:?}: nobody knows without a proxy of ours");
        }
        for said in [&["https"][..], &["http, https"], &["http", "https"], &["wss"], &[""], &[]] {
            assert!(!clear("10.0.0.1", said, &proxies), "{said:?}");
            assert!(clear("192.0.2.1", said, &proxies), "{said:?}: past the proxies");
        }
        assert!(!came_in_the_clear(None, &HeaderMap::new(), &proxies));
    }

    /// leptos#3786: what a browser could be made to send must say that it comes from us.
    #[test]
    fn a_foreign_or_silent_origin_is_not_ours() {
        let public = "https://id.example.com";
        let ours = |pairs: &[(&'static str, &str)]| comes_from_us(&headers(pairs), public);
        assert!(ours(&[("origin", public)]));
        assert!(ours(&[("sec-fetch-site", "same-origin")]));
        assert!(ours(&[("sec-fetch-site", "same-origin"), ("origin", public)]));
        assert!(!ours(&[]));
        assert!(!ours(&[("origin", "null")]));
        assert!(!ours(&[("origin", "https://id.example.com.evil")]));
        assert!(!ours(&[("origin", "http://id.example.com")]));
        for site in ["same-site", "cross-site", "none"] {
            assert!(!ours(&[("sec-fetch-site", site), ("origin", public)]), "{site}");
        }
    }
}
