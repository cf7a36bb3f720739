"""What docs/tutorial.md says, held against its sources: figures, tables, commands and what they print.

How the page is marked:
- a paragraph that has numbers ends with a comment that gives each its source: <!-- 693,962 = parameters(cnn1) -->;
- a table stands between <!-- table: SOURCE --> and <!-- end -->;
- a block of code follows <!-- run -->, with options behind a colon, <!-- run slowly -->, or <!-- not run: REASON -->.
In what is expected "..." stands for any text, on a line of its own for any lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tutorial_figures import ROOT, figure, made_table

PAGE = ROOT / "docs" / "tutorial.md"
UPDATE = "`scripts/check-tutorial --update` writes it anew"
WORDS = {
    name: str(number)
    for number, name in enumerate(
        ("three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=3
    )
} | {"hundred": "100", "thousand": "1,000", "million": "1,000,000"}
TABLE = re.compile(r"^<!-- table: (.+?) -->\n((?:\|.*\n)*)<!-- end -->$", re.MULTILINE)
BLOCK = re.compile(r"^<!-- (run|run slowly|not run)(?:: ([^>]+))? -->\n```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```\w*$", re.MULTILINE)
PARAGRAPH = re.compile(r"(?:^.*\S.*(?:\n|\Z))+", re.MULTILINE)
NOTE = re.compile(r"^<!-- (.*?) -->$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(rf"(?<![\w-])\d+(?:[.,x]\d+)*(?: ?%)?|\b(?:{'|'.join(WORDS)})\b", re.IGNORECASE)
NO_PROSE = re.compile(r"`[^`]*`|\]\([^)]*\)")


@dataclass(frozen=True)
class Block:
    """A block of code: where it stands, how it is run, in which language it is, and its text."""

    line: int
    how: str
    options: tuple[str, ...]
    language: str
    text: str

    @property
    def steps(self) -> list[tuple[int, str, list[str]]]:
        """Of a console: (line, command, the lines it is expected to print) each."""
        steps: list[tuple[int, str, list[str]]] = []
        for number, line in enumerate(self.text.splitlines(), start=self.line + 2):
            if line.startswith("$ "):
                steps.append((number, line[2:], []))
            elif steps:
                steps[-1][2].append(line)
        return steps


@dataclass(frozen=True)
class Paragraph:
    """A paragraph with the comment at its end: where it begins in the page, and {what it says: its source}."""

    start: int
    text: str
    sources: dict[str, str]

    @property
    def numbers(self) -> list[str]:
        """The numbers in its prose, in digits or words, as they stand there."""
        prose = NO_PROSE.sub(" ", NOTE.sub("", self.text))
        return NUMBER.findall(re.sub(r"\s+", " ", prose))


def line_of(page: str, position: int) -> int:
    return page.count("\n", 0, position) + 1


def blocks(page: str) -> list[Block]:
    """All blocks of code that are marked."""
    found = []
    for match in BLOCK.finditer(page):
        options = tuple(part.strip() for part in (match[2] or "").split(","))
        found.append(Block(line_of(page, match.start()), match[1], options, match[3], match[4]))
    return found


def paragraphs(page: str) -> Iterator[Paragraph]:
    """What is neither a table nor a block of code."""
    for match in PARAGRAPH.finditer(TABLE.sub(_emptied, BLOCK.sub(_emptied, page))):
        note = NOTE.search(match[0])
        entries = [entry.split(" = ") for entry in note[1].split(";")] if note else []
        sources = {entry[0].strip(): " ".join(entry[1].split()) for entry in entries if len(entry) == 2}
        yield Paragraph(match.start(), match[0], sources)


def _emptied(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def value_of(source: str) -> str | None:
    """A figure by its source, or None if there is no such source."""
    try:
        return figure(source)
    except (KeyError, TypeError, ValueError, StopIteration, OSError):
        return None


def problems(page: str) -> list[str]:
    """Everything in the page that its sources do not bear out, each with its line."""
    return [f"{PAGE.name}, line {line}: {words}" for line, words in sorted(_problems(page))]


def _problems(page: str) -> Iterator[tuple[int, str]]:
    for paragraph in paragraphs(page):
        line = line_of(page, paragraph.start)
        yield from ((line, words) for words in _of_paragraph(paragraph))
    for match in TABLE.finditer(page):
        if match[2] != made_table(match[1]) + "\n":
            yield line_of(page, match.start()), f"the table {match[1]} has changed; {UPDATE}"
    marked = {line_of(page, match.start()) + 1 for match in BLOCK.finditer(page)}
    opening = [line_of(page, match.start()) for match in FENCE.finditer(page)][::2]
    yield from ((line, "this block has no mark run, run slowly or not run: REASON") for line in set(opening) - marked)
    for match in re.finditer(r"\]\(([^)#]*)(#[^)]*)?\)", page):
        if "://" not in match[1] and not (PAGE.parent / match[1]).exists():
            yield line_of(page, match.start()), f"there is no {match[1]}"


def _of_paragraph(paragraph: Paragraph) -> Iterator[str]:
    left = list(paragraph.numbers)
    for said, source in paragraph.sources.items():
        value = value_of(source)
        if value is None:
            yield f"no figure has the source {source}"
        elif WORDS.get(said.lower(), said) != value:
            yield f"{said} should be {value}, which is {source}; {UPDATE}"
        if said not in " ".join(NOTE.sub("", paragraph.text).split()):
            yield f"{said} is in the comment, but not in the paragraph"
        left = [number for number in left if number.lower() != said.lower()]
    yield from (f"{number} has no source; name one in a comment behind the paragraph" for number in left)


def _as_said(said: str, value: str) -> str:
    """A value in words, if it was in words and there is one."""
    names = {number: name for name, number in WORDS.items()}
    return names.get(value, value) if said.lower() in WORDS else value


def _replaced(text: str, changed: dict[str, str]) -> str:
    """Each of these figures replaced where it stands alone, be it broken over two lines."""
    alone = [rf"(?<![\w.,-]){re.escape(said)}(?!\d|[.,x]\d)".replace(r"\ ", r"\s+") for said in changed]
    return re.sub("|".join(alone), lambda found: changed[" ".join(found[0].split())], text)


def updated(page: str) -> str:
    """The page with the numbers and tables as they are now. A sentence whose name has changed is left to people."""
    for paragraph in reversed(list(paragraphs(page))):
        new = {said: value_of(source) for said, source in paragraph.sources.items()}
        changed = {
            said: _as_said(said, value)
            for said, value in new.items()
            if value is not None and WORDS.get(said.lower(), said) != value and NUMBER.fullmatch(said)
        }
        if changed:
            end = paragraph.start + len(paragraph.text)
            page = page[: paragraph.start] + _replaced(paragraph.text, changed) + page[end:]
    return TABLE.sub(lambda found: f"<!-- table: {found[1]} -->\n{made_table(found[1])}\n<!-- end -->", page)
