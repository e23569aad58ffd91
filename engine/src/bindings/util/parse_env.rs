//! Turns the text of a `.env` file into variables, as `node --env-file` reads it.

use std::collections::BTreeMap;

/// Adds the variables of `text`; a later one of the same name wins.
pub(super) fn parse(text: &str, variables: &mut BTreeMap<String, String>) {
    let text = text.replace('\r', "");
    let mut rest = trim(&text);
    while !rest.is_empty() {
        rest = entry(rest, variables).trim_start_matches(BLANKS);
    }
}

const BLANKS: [char; 3] = [' ', '\t', '\n'];

fn trim(text: &str) -> &str {
    text.trim_matches(BLANKS)
}

/// Reads one entry, comment or invalid line; what follows it.
fn entry<'a>(text: &'a str, variables: &mut BTreeMap<String, String>) -> &'a str {
    let (line, after_line) = split_line(text);
    let Some(equals) = line.find('=').filter(|_| !line.starts_with('#')) else { return after_line };
    let key = trim(&line[..equals]);
    if key.is_empty() {
        return after_line;
    }
    let key = key.strip_prefix("export ").map_or(key, trim);
    let rest = &text[equals + 1..];
    let (value, rest) = if rest.starts_with('\n') { (String::new(), rest) } else { value(trim(rest)) };
    variables.insert(key.to_owned(), value);
    rest
}

/// The value at the start of `text`, and what follows its line.
fn value(text: &str) -> (String, &str) {
    let quote = text.chars().next().filter(|first| ['"', '\'', '`'].contains(first));
    let (line, after_line) = split_line(text);
    let Some(quote) = quote else {
        let end = line.find('#').unwrap_or(line.len());
        return (trim(&line[..end]).to_owned(), after_line);
    };
    let Some(closing) = text[1..].find(quote) else { return (line.to_owned(), after_line) };
    let quoted = &text[1..=closing];
    let quoted = if quote == '"' { quoted.replace("\\n", "\n") } else { quoted.to_owned() };
    (quoted, split_line(&text[closing + 2..]).1)
}

fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        let mut variables = BTreeMap::new();
        parse(text, &mut variables);
        variables.iter().map(|(name, value)| format!("{name}={value};")).collect()
    }

    #[test]
    fn reads_what_node_reads() {
        assert_eq!(parsed("b=1\na=2\n1=3"), "1=3;a=2;b=1;");
        assert_eq!(parsed("A=\nB=1"), "A=;B=1;");
        assert_eq!(parsed("A= \nB=1"), "A=B=1;");
        assert_eq!(parsed("A=\"x\\ny\""), "A=x\ny;");
        assert_eq!(parsed("A='x\\ny'"), "A=x\\ny;");
        assert_eq!(parsed("A=\"x\ny\"z\nB=1"), "A=x\ny;B=1;");
        assert_eq!(parsed("A=\"x\nB=2"), "A=\"x;B=2;");
        assert_eq!(parsed("A=\"abc\n\n"), "A=\"abc;");
        assert_eq!(parsed("A=x # c\nB=2"), "A=x;B=2;");
        assert_eq!(parsed("export A=1\nexport  B = 2"), "A=1;B=2;");
        assert_eq!(parsed("=5\nnoeq\n#C=3\nA=1"), "A=1;");
        assert_eq!(parsed("A=#x\nB=1"), "A=;B=1;");
        assert_eq!(parsed("A='x' # 'y'"), "A=x;");
    }
}
