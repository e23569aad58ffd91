//! Compares with what node's parser made of the same inputs (`tests/http_parser/record.js`), at every split.

use super::connection::{Call, Connection};
use super::machine::{Failure, Lenient, Machine, Step};
use super::message::{Answer, Kind};

struct Case {
    kind: Kind,
    lenient: Lenient,
    header_bytes_max: u64,
    answer: u64,
    parts: Vec<Vec<u8>>,
    seen: Vec<String>,
}

/// What the callbacks of a run saw, in the words of `record.js`.
struct Observer {
    connection: Connection,
    answer: u64,
    seen: Vec<String>,
}

impl Observer {
    fn new(case: &Case) -> Observer {
        let mut connection = Connection::new();
        connection.initialize(Machine::new(case.kind, case.lenient), case.header_bytes_max, None);
        Observer { connection, answer: case.answer, seen: Vec::new() }
    }

    fn run(mut self, parts: &[&[u8]]) -> Vec<String> {
        let mut before = 0;
        for part in parts {
            match self.execute(part) {
                Ok(read) if read == part.len() => {}
                Ok(read) => {
                    self.seen.push(format!("read {}", before + read));
                    break;
                }
                Err((failure, at)) => {
                    self.seen.push(format!("error {} {} {}", failure.code, failure.reason, before + at));
                    return self.seen;
                }
            }
            before += part.len();
        }
        let end = match self.connection.obstacle() {
            Some(_) => Ok(false),
            None => self.connection.machine.end(),
        };
        match end {
            Ok(completes) => {
                if completes {
                    self.seen.push("complete".to_owned());
                }
                self.seen.push("end".to_owned());
            }
            Err(_) if self.connection.machine.is_upgrade => self.seen.push("end".to_owned()),
            Err(failure) => self.seen.push(format!("end {} {}", failure.code, failure.reason)),
        }
        self.seen
    }

    fn execute(&mut self, input: &[u8]) -> Result<usize, (Failure, usize)> {
        self.connection.machine.begin();
        loop {
            let step = self.connection.machine.step(input);
            let at = self.connection.machine.position();
            match step {
                Step::Done => return Ok(input.len()),
                Step::Upgraded => return Ok(at),
                Step::Failed(_) if self.connection.machine.is_upgrade => return Ok(at),
                Step::Failed(failure) => return Err((failure, at)),
                Step::Event(event) => match self.connection.note(event, input, || 1.0) {
                    Ok(call) => self.answer(call, input),
                    Err(failure) => self.connection.machine.refuse(failure),
                },
            }
        }
    }

    fn answer(&mut self, call: Call, input: &[u8]) {
        match call {
            Call::None => {}
            Call::MessageBegin => self.seen.push("begin".to_owned()),
            Call::Flush(span, range) => {
                self.flush();
                self.connection.add_text(span, range, input);
            }
            Call::HeadersComplete => self.complete_headers(),
            Call::Body(range) => {
                let text = latin1(&input[range]);
                match self.seen.last_mut() {
                    Some(last) if last.starts_with("body ") => last.push_str(&text),
                    _ => self.seen.push(format!("body {text}")),
                }
            }
            Call::MessageComplete => {
                if self.connection.has_fields() {
                    self.flush();
                }
                self.seen.push("complete".to_owned());
            }
        }
    }

    fn flush(&mut self) {
        let fields: Vec<String> = self.connection.fields().map(latin1).collect();
        self.seen.push(format!("flush {}", serde_json::json!([fields, latin1(self.connection.url())])));
        self.connection.forget_flushed();
    }

    fn complete_headers(&mut self) {
        let (mut fields, mut url) = (serde_json::Value::Null, serde_json::Value::Null);
        let is_request = self.connection.machine.kind == Kind::Request;
        if self.connection.has_flushed {
            self.flush();
        } else {
            fields = self.connection.fields().map(latin1).collect();
            if is_request {
                url = latin1(self.connection.url()).into();
            }
        }
        self.connection.forget_fields();
        let machine = &self.connection.machine;
        let (method, status, reason) = if is_request {
            (machine.method.into(), serde_json::Value::Null, serde_json::Value::Null)
        } else {
            (serde_json::Value::Null, machine.status.into(), latin1(self.connection.reason()).into())
        };
        let arguments = serde_json::json!([
            machine.major,
            machine.minor,
            fields,
            method,
            url,
            status,
            reason,
            machine.is_upgrade,
            machine.should_keep_alive()
        ]);
        self.seen.push(format!("headers {arguments}"));
        self.connection.machine.after_headers(match self.answer {
            0 => Answer::ReadBody,
            1 => Answer::SkipBody,
            _ => Answer::Upgrade,
        });
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn cases(text: &str) -> impl Iterator<Item = Case> {
    text.lines().map(|line| {
        let case: serde_json::Value = serde_json::from_str(line).expect("a recorded line is JSON");
        let number = |name: &str| case[name].as_u64().expect("a number");
        let texts = |name: &str| -> Vec<String> {
            case[name]
                .as_array()
                .expect("a list")
                .iter()
                .map(|text| text.as_str().expect("a text").to_owned())
                .collect()
        };
        Case {
            kind: if number("type") == 1 { Kind::Request } else { Kind::Response },
            lenient: Lenient(u32::try_from(number("lenient")).expect("flags")),
            header_bytes_max: number("max"),
            answer: number("answer"),
            parts: texts("parts").iter().map(|part| part.chars().map(|unit| unit as u32 as u8).collect()).collect(),
            seen: texts("seen"),
        }
    })
}

const RECORDED: &str = include_str!("../../../tests/http_parser/recorded.jsonl");

/// What is committed, or a longer recording.
fn recorded() -> String {
    match std::env::var("EDGE_HTTP_RECORDED") {
        Ok(path) => std::fs::read_to_string(path).expect("the recorded file can be read"),
        Err(_) => RECORDED.to_owned(),
    }
}

#[test]
fn sees_what_node_sees() {
    let mut wrong = 0;
    for case in cases(&recorded()) {
        let parts: Vec<&[u8]> = case.parts.iter().map(Vec::as_slice).collect();
        let seen = Observer::new(&case).run(&parts);
        if seen != case.seen {
            wrong += 1;
            if wrong < 8 {
                let input = case.parts.iter().map(|part| latin1(part)).collect::<Vec<_>>();
                println!(
                    "lenient {} max {} answer {} {:?}\n{:?}\n  ours {:#?}\n  node {:#?}\n",
                    case.lenient.0, case.header_bytes_max, case.answer, case.kind, input, seen, case.seen
                );
            }
        }
    }
    assert_eq!(wrong, 0);
}

#[test]
fn sees_the_same_at_every_split() {
    for case in cases(RECORDED) {
        let input = case.parts.concat();
        let whole = Observer::new(&case).run(&[&input]);
        if whole.iter().any(|seen| seen.starts_with("read ")) {
            // What lies behind an upgrade is another protocol's only as far as the same input goes.
            continue;
        }
        for at in 1..input.len() {
            let (start, end) = input.split_at(at);
            assert_eq!(Observer::new(&case).run(&[start, end]), whole, "{:?} at {at}", latin1(&input));
        }
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(Observer::new(&case).run(&bytes), whole, "{:?} byte by byte", latin1(&input));
    }
}
