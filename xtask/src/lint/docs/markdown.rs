//! Finding what a document shows as code.

/// Fences whose lines are commands.
const SHELLS: [&str; 5] = ["bash", "console", "sh", "shell", "shell-session"];

/// A piece of a document that is not prose.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Where it begins, counted from 1.
    pub(super) line: usize,
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Between backticks.
    Inline,
    /// A line of a fenced block of shell commands. Other fences hold examples.
    Shell,
    /// The target of a link.
    Link,
}

pub(super) fn spans(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut fence: Option<Fence> = None;
    let mut paragraph = Paragraph::default();
    for (line, content) in (1..).zip(text.lines()) {
        let marker = Fence::opened_by(content);
        match (&fence, marker) {
            (Some(open), _) if open.is_closed_by(content) => fence = None,
            (Some(open), _) if open.is_shell => spans.push(Span { line, kind: Kind::Shell, text: command(content) }),
            (Some(_), _) => {}
            (None, Some(opened)) => {
                paragraph.finish(&mut spans);
                fence = Some(opened);
            }
            (None, None) if content.trim().is_empty() => paragraph.finish(&mut spans),
            (None, None) => paragraph.add(line, content),
        }
    }
    paragraph.finish(&mut spans);
    spans
}

struct Fence {
    marker: char,
    length: usize,
    is_shell: bool,
}

impl Fence {
    fn opened_by(line: &str) -> Option<Self> {
        let line = line.trim_start();
        let marker = line.chars().next().filter(|marker| ['`', '~'].contains(marker))?;
        let info = line.trim_start_matches(marker);
        let length = line.len() - info.len();
        let language = info.split([' ', ',', '{']).next().unwrap_or_default();
        // "```code```" on one line is an inline span.
        (length >= 3 && !info.contains('`')).then(|| Self { marker, length, is_shell: SHELLS.contains(&language) })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.length && line.chars().all(|character| character == self.marker)
    }
}

/// Lines that belong together: a span of code may begin on one and end on the next.
#[derive(Default)]
struct Paragraph {
    first_line: usize,
    text: String,
}

impl Paragraph {
    fn add(&mut self, line: usize, content: &str) {
        if self.text.is_empty() {
            self.first_line = line;
        }
        self.text.push_str(content);
        self.text.push('\n');
    }

    fn finish(&mut self, spans: &mut Vec<Span>) {
        let Self { first_line, text } = std::mem::take(self);
        let mut line = first_line;
        let mut rest = text.as_str();
        while let Some((before, opened)) = split_at_backticks(rest) {
            add_links(line, before, spans);
            line += newlines(before);
            let ticks = ticks_at_start(opened);
            let Some((code, after)) = split_at_closing(opened, ticks) else {
                rest = opened.get(ticks..).unwrap_or_default();
                continue;
            };
            spans.push(Span { line, kind: Kind::Inline, text: inline(code) });
            line += newlines(code);
            rest = after;
        }
        add_links(line, rest, spans);
    }
}

fn split_at_backticks(text: &str) -> Option<(&str, &str)> {
    text.split_at_checked(text.find('`')?)
}

fn ticks_at_start(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}

/// Splits `opened`, which begins with `ticks` backticks, into the code they open and what comes after it.
fn split_at_closing(opened: &str, ticks: usize) -> Option<(&str, &str)> {
    let body = opened.get(ticks..)?;
    let mut from = 0;
    loop {
        let start = from + body.get(from..)?.find('`')?;
        let length = ticks_at_start(body.get(start..)?);
        if length == ticks {
            return Some((body.get(..start)?, body.get(start + length..)?));
        }
        from = start + length;
    }
}

/// Targets of `[text](target)`. A text in backticks is cut off before `prose` begins, which does not matter.
fn add_links(line: usize, prose: &str, spans: &mut Vec<Span>) {
    let mut before = String::new();
    for part in prose.split_inclusive("](") {
        if before.ends_with("](")
            && let Some((target, _)) = part.split_once(')')
        {
            let line = line + newlines(&before);
            spans.push(Span { line, kind: Kind::Link, text: target.trim().to_owned() });
        }
        before.push_str(part);
    }
}

fn newlines(text: &str) -> usize {
    text.matches('\n').count()
}

/// In a table, a pipe inside code is written `\|`.
fn inline(code: &str) -> String {
    code.replace('\n', " ").replace("\\|", "|").trim().to_owned()
}

fn command(line: &str) -> String {
    line.trim().trim_start_matches("$ ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(usize, Kind, &str)]) {
        let found = spans(text);
        let found: Vec<_> = found.iter().map(|span| (span.line, span.kind, span.text.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn code_between_backticks() {
        check(
            "Use `a` and\n`b c`.\n\n``d`e``",
            &[(1, Kind::Inline, "a"), (2, Kind::Inline, "b c"), (4, Kind::Inline, "d`e")],
        );
    }

    #[test]
    fn code_may_cross_a_line_but_not_a_paragraph() {
        check("one `a\nb` two", &[(1, Kind::Inline, "a b")]);
        check("a stray ` here\n\nand `b` there", &[(3, Kind::Inline, "b")]);
    }

    #[test]
    fn a_pipe_in_a_table_is_unescaped() {
        check("| `a\\|b` | c |", &[(1, Kind::Inline, "a|b")]);
    }

    #[test]
    fn lines_of_shell_fences() {
        check(
            "```sh\n$ cargo build\nnora serve\n```\nthen `a`",
            &[(2, Kind::Shell, "cargo build"), (3, Kind::Shell, "nora serve"), (5, Kind::Inline, "a")],
        );
    }

    #[test]
    fn other_fences_hold_examples() {
        check("~~~rust\nlet a = `b`;\n```\n~~~\n`c`", &[(5, Kind::Inline, "c")]);
    }

    #[test]
    fn targets_of_links() {
        check(
            "See [one](docs/a.md) and\n[`two`](../b.md#part).",
            &[(1, Kind::Link, "docs/a.md"), (2, Kind::Inline, "two"), (2, Kind::Link, "../b.md#part")],
        );
    }
}
