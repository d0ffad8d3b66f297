//! Questions and answers as bytes.

use super::zone::{DnsRecord, Names, plain};
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

/// Bytes of a question.
const QUESTION_BYTES_MAX: usize = 4096;
/// Bytes of an answer that a client takes without asking again over TCP, which isn't offered.
const ANSWER_BYTES_MAX: usize = 1232;
/// Aliases followed in a row.
const ALIASES_MAX: usize = 8;
/// Seconds that an answer may be kept.
const TTL: u32 = 60;

/// Answers until dropped.
pub(crate) async fn serve(socket: UdpSocket, shared: Arc<Shared>) {
    let mut buffer = vec![0; QUESTION_BYTES_MAX];
    loop {
        // An error here is a client that went away before its answer.
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
                .is_some_and(|query| state.dns_failing.contains(&plain(&query.name().to_string())));
            *state.requests.entry("DNS".to_owned()).or_default() += 1;
            answer(&question, &state.world.dns, failing)
        };
        if let Some(bytes) = encode(&reply) {
            // Whoever doesn't read the answer asks again.
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

/// The answer to one question; `failing`: the server has trouble with that name.
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
    let mut at = plain(&query.name().to_string());
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
        at = plain(&alias);
    }
    if !names.exists(&at) {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }
    // A missing record is only believed with the zone's own word for it.
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

/// A record from its text; `None` if the text isn't one of the kind.
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
            // One string holds 255 bytes.
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
    // The library knows how an issuer is written; only that kind is served.
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

    fn asked(name: &str, kind: RecordType) -> Message {
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
            let reply = asked(name, kind);
            assert!(!reply.answers.is_empty(), "{name}");
            assert!(reply.to_vec().unwrap().len() <= ANSWER_BYTES_MAX, "{name}");
        }
    }

    #[test]
    fn a_missing_name_and_a_missing_record_differ() {
        let missing = asked("nothing.birchworks.example.", RecordType::TXT);
        assert_eq!(missing.metadata.response_code, ResponseCode::NXDomain);
        let empty = asked("birchworks-shop.example.", RecordType::MX);
        assert_eq!(empty.metadata.response_code, ResponseCode::NoError);
        assert!(empty.answers.is_empty());
    }

    #[test]
    fn an_alias_to_nowhere_says_so() {
        let reply = asked("shop.birchworks.example.", RecordType::A);
        assert_eq!(reply.metadata.response_code, ResponseCode::NXDomain);
        assert_eq!(reply.answers.len(), 1);
    }
}
