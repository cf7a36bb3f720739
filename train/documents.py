"""Tables in documents that programs write: what stands between two marks of a Markdown page."""

from edge_app.errors import DataError

END = "<!-- end -->"


def with_block(page: str, command: str, text: str) -> str:
    """``page`` with ``text`` between the marks of ``command``, which writes it. Raises DataError without them."""
    mark = f"<!-- {command} -->"
    before, begin, rest = page.partition(mark)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise DataError(f"a page has no lines {mark} and {END}, between which the tables belong. Put them back.")
    return f"{before}{begin}\n{text}\n{end}{after}"
