"""The text of an HTML document, for matching and quoting.

One pass by the rules of the HTML standard §13.2.5 as far as they decide what is mark-up: tags (whose quoted attributes
may hold `>`), comments, entities, and script and style, of which nothing is text. Elements that begin a line break
one; mark-up inside a line vanishes, so that `V<b></b>iagra` is one word. Runs of white space are one blank.

Why not the stdlib parser: it looks again and again for the end of what is never closed, and takes minutes for what a
stranger writes on purpose. Here every step goes forward, and what is never closed takes the rest, as in a browser.
Behind more tags than any mail has, what is between angle brackets is left out in one sweep.
"""

from __future__ import annotations

import html
import re

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "dialog", "dir",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "head", "header", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "option", "p", "pre", "section",
    "select", "summary", "table", "tbody", "tfoot", "thead", "title", "tr", "ul",
})  # fmt: skip
_CELLS = frozenset({"td", "th"})
_NO_TEXT = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style", "template")}
_NAME = re.compile(r"/?+([A-Za-z][^\s/>]*+)")
# Quotes count only behind `=`. Possessive, so that what is never closed is looked at once.
_REST_OF_TAG = re.compile(r"(?:[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+'|))*+>")
# No longer than a character can need, so that no number of a million digits is ever made.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}(?![0-9])|#[xX][0-9A-Fa-f]{1,6}(?![0-9A-Fa-f])|[A-Za-z][A-Za-z0-9]{1,31}+);?")
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_MOST = 100_000  # tags, comments and the like that are read one by one
_CRUDE = re.compile(r"<[^<>]*+>")
_LINE = "\0"  # stands for the break of a line until the blanks are put together


def html_to_text(source: str) -> str:
    """The text without mark-up, its lines ended by LF."""
    out: list[str] = []
    position, end = 0, len(source)
    for _ in range(_MOST):
        start = source.find("<", position)
        if start < 0:
            start = end
        if start > position:
            out.append(_text(source[position:start]))
        if start == end:
            break
        position = _mark_up(source, start, out)
    else:
        out.append(_text(_CRUDE.sub("", source[position:])))
    lines = _BLANKS.sub(" ", "".join(out)).split(_LINE)
    return "\n".join(filter(None, (line.strip(" ") for line in lines)))


def _mark_up(source: str, start: int, out: list[str]) -> int:
    """What begins with `<`; where the text goes on."""
    if source.startswith("<!--", start):
        return _behind(source, "-->", start + 2)
    name = _NAME.match(source, start + 1)
    if name is None:
        if source[start + 1 : start + 2] in {"!", "?", "/"}:
            return _behind(source, ">", start + 1)
        out.append("<")
        return start + 1
    rest = _REST_OF_TAG.match(source, name.end())
    if rest is None:
        return len(source)
    element = name[1].lower()
    if element in _BLOCKS:
        out.append(_LINE)
    elif element in _CELLS:
        out.append(" ")
    elif element in _NO_TEXT and source[start + 1] != "/":
        closing = _NO_TEXT[element].search(source, rest.end())
        return closing.start() if closing else len(source)
    return rest.end()


def _behind(source: str, mark: str, start: int) -> int:
    found = source.find(mark, start)
    return len(source) if found < 0 else found + len(mark)


def _text(text: str) -> str:
    if _LINE in text:
        text = text.replace(_LINE, " ")
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def text_to_html(text: str) -> str:
    """A document that shows the text as it stands."""
    return f"<html><body><pre>{html.escape(text, quote=False)}</pre></body></html>\n"
