//! Parses DNS queries and encodes responses.

use super::zone::{DnsRecord, Names, normalized};
use crate::control::Shared;
use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, CAA, CNAME, MX, NS, NULL, SOA, TXT},
    },
};
use std::{str::FromStr, sync::Arc};
use tokio::net::UdpSocket;

/// The size of the buffer for a query, in bytes.
const QUESTION_BYTES_MAX: usize = 4096;
/// The longest response in bytes that isn't truncated. A client repeats a truncated query over TCP, which isn't supported.
const ANSWER_BYTES_MAX: usize = 1232;
/// The most aliases that are followed for one query.
const ALIASES_MAX: usize = 8;
/// The time for which a response may be cached, in seconds.
const TTL: u32 = 60;

/// Serves queries until the future is dropped.
pub(crate) async fn serve(socket: UdpSocket, shared: Arc<Shared>) {
    let mut buffer = vec![0; QUESTION_BYTES_MAX];
    loop {
        // An error here means that a client closed its socket before it got its response.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let Some(question) = buffer
            .get(..length)
            .and_then(|bytes| Message::from_vec(bytes).ok())
        else {
            continue;
        };
        let reply = {
            let mut state = shared.state();
            let failing = question
                .queries
                .first()
                .is_some_and(|query| state.dns_failing.contains(&normalized(&query.name().to_string())));
            *state.requests.entry("DNS".to_owned()).or_default() += 1;
            answer(&question, &state.world.dns, failing)
        };
        if let Some(bytes) = encode(&reply) {
            // A client that doesn't get the response repeats the query.
            let _ = socket.send_to(&bytes, client).await;
        }
    }
}

fn encode(reply: &Message) -> Option<Vec<u8>> {
    let bytes = reply.to_vec().ok()?;
    if bytes.len() <= ANSWER_BYTES_MAX {
        Some(bytes)
    } else {
        reply.truncate().to_vec().ok()
    }
}

/// Returns the response to a query. If `failing` is set, it is `SERVFAIL`.
pub(super) fn answer(question: &Message, names: &Names, failing: bool) -> Message {
    let mut reply = Message::response(question.metadata.id, OpCode::Query);
    reply.metadata.message_type = MessageType::Response;
    reply.metadata.recursion_desired = question.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    let [query] = question.queries.as_slice() else {
        reply.metadata.response_code = ResponseCode::FormErr;
        return reply;
    };
    reply.add_query(query.clone());
    if failing {
        reply.metadata.response_code = ResponseCode::ServFail;
        return reply;
    }
    let mut at = normalized(&query.name().to_string());
    for _ in 0..ALIASES_MAX {
        let Ok(owner) = Name::from_str(&format!("{at}.")) else {
            break;
        };
        let alias = names.records(&at, DnsRecord::Cname).first().cloned();
        let Some(alias) = alias.filter(|_| query.query_type() != RecordType::CNAME) else {
            let kind = kind_of(query.query_type());
            let records = kind.map_or(&[][..], |kind| names.records(&at, kind));
            for value in records {
                if let Some(data) = kind.and_then(|kind| data(kind, value)) {
                    reply.add_answer(Record::from_rdata(owner.clone(), TTL, data));
                }
            }
            break;
        };
        if let Some(data) = data(DnsRecord::Cname, &alias) {
            reply.add_answer(Record::from_rdata(owner, TTL, data));
        }
        at = normalized(&alias);
    }
    if !names.exists(&at) {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }
    // Resolvers accept a negative response only with the SOA record of the zone.
    if let (Ok(zone), Ok(server)) = (
        Name::from_str("example."),
        Name::from_str("ns1.nameserve.example."),
    ) {
        let authority = SOA::new(server.clone(), server, 1, 3600, 600, 86_400, TTL);
        reply.add_authority(Record::from_rdata(zone, TTL, RData::SOA(authority)));
    }
    reply
}

fn kind_of(kind: RecordType) -> Option<DnsRecord> {
    Some(match kind {
        RecordType::A => DnsRecord::A,
        RecordType::CAA => DnsRecord::Caa,
        RecordType::CNAME => DnsRecord::Cname,
        RecordType::DS => DnsRecord::Ds,
        RecordType::MX => DnsRecord::Mx,
        RecordType::NS => DnsRecord::Ns,
        RecordType::TXT => DnsRecord::Txt,
        _ => return None,
    })
}

/// Parses the text of a record. Returns `None` if the text isn't valid for the record type.
pub(super) fn data(kind: DnsRecord, text: &str) -> Option<RData> {
    let name = |text: &str| Name::from_str(text).ok();
    Some(match kind {
        DnsRecord::A => RData::A(A(text.parse().ok()?)),
        DnsRecord::Cname => RData::CNAME(CNAME(name(text)?)),
        DnsRecord::Ns => RData::NS(NS(name(text)?)),
        DnsRecord::Mx => {
            let (preference, host) = text.split_once(' ')?;
            RData::MX(MX::new(preference.parse().ok()?, name(host)?))
        }
        DnsRecord::Txt => {
            // A string of a TXT record has at most 255 bytes.
            let parts: Vec<&[u8]> = text.as_bytes().chunks(255).collect();
            RData::TXT(TXT::from_bytes(parts))
        }
        DnsRecord::Caa => RData::CAA(authority(text)?),
        DnsRecord::Ds => RData::Unknown {
            code: RecordType::DS,
            rdata: NULL::with(signing_key(text)?),
        },
    })
}

fn authority(text: &str) -> Option<CAA> {
    let (_, rest) = text.split_once(' ')?;
    let (tag, value) = rest.split_once(' ')?;
    let value = value.trim_matches('"');
    // Only `issue` is supported, since the library can encode its value.
    if tag != "issue" {
        return None;
    }
    let issuer = match value {
        ";" => None,
        name => Some(Name::from_str(name).ok()?),
    };
    Some(CAA::new_issue(false, issuer, Vec::new()))
}

fn signing_key(text: &str) -> Option<Vec<u8>> {
    let mut words = text.split(' ');
    let tag: u16 = words.next()?.parse().ok()?;
    let mut bytes = tag.to_be_bytes().to_vec();
    bytes.push(words.next()?.parse().ok()?);
    bytes.push(words.next()?.parse().ok()?);
    let digest = words.next()?.as_bytes();
    for pair in digest.chunks(2) {
        let pair = std::str::from_utf8(pair).ok()?;
        bytes.push(u8::from_str_radix(pair, 16).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::company::Company;
    use hickory_proto::op::Query;

    fn response_to(name: &str, kind: RecordType) -> Message {
        let mut question = Message::query();
        question.add_query(Query::query(Name::from_str(name).unwrap(), kind));
        let names = Company::load_embedded().unwrap().dns;
        answer(&question, &names, false)
    }

    #[test]
    fn every_record_of_the_fixture_can_be_sent_in_one_packet() {
        let names = Company::load_embedded().unwrap().dns;
        for (name, kind, value) in names.all() {
            assert!(data(kind, value).is_some(), "{name}: {value}");
        }
        for (name, kind) in [
            ("birchworks.example.", RecordType::TXT),
            ("birchworks-news.example.", RecordType::TXT),
            ("selector1._domainkey.birchworks.example.", RecordType::TXT),
        ] {
            let reply = response_to(name, kind);
            assert!(!reply.answers.is_empty(), "{name}");
            assert!(reply.to_vec().unwrap().len() <= ANSWER_BYTES_MAX, "{name}");
        }
    }

    #[test]
    fn a_missing_name_and_a_missing_record_give_different_responses() {
        let missing = response_to("nothing.birchworks.example.", RecordType::TXT);
        assert_eq!(missing.metadata.response_code, ResponseCode::NXDomain);
        let empty = response_to("birchworks-shop.example.", RecordType::MX);
        assert_eq!(empty.metadata.response_code, ResponseCode::NoError);
        assert!(empty.answers.is_empty());
    }

    #[test]
    fn an_alias_of_a_missing_name_gives_nxdomain() {
        let reply = response_to("shop.birchworks.example.", RecordType::A);
        assert_eq!(reply.metadata.response_code, ResponseCode::NXDomain);
        assert_eq!(reply.answers.len(), 1);
    }
}
