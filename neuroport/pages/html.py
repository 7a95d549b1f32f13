"""Pages as HTML, for notebooks: no styles and no scripts, so that they look like what is around them."""

from __future__ import annotations

from html import escape

from neuroport.pages import Lines, Page, Table, Text
from neuroport.pages.plain import numeric, shown


def html(page: Page, what: str = "") -> str:
    """A page as a piece of HTML, headed by what it tells of where its name does not say that."""
    name, title = escape(f"{what} {page.name}".strip()), escape(page.title)
    head = f"<p><b>{name}</b>: {title}</p>" if title else f"<p><b>{name}</b></p>"
    return "<div>" + "".join([head, *parts(page)]) + "</div>"


def parts(page: Page) -> list[str]:
    """The parts of a page, a piece of HTML each."""
    return [_part(part) for part in page.filled]


def _part(part: Text | Lines | Table) -> str:
    match part:
        case Text():
            return f"<p>{escape(part.text)}</p>"
        case Lines():
            return f"<p>{escape(part.title)}</p><pre>{escape(part.text)}</pre>"
        case Table():
            return _table(part)


def _table(part: Table) -> str:
    sides = ["right" if right else "left" for right in numeric(part.rows)]
    rows = [[escape(shown(cell)) for cell in row] for row in part.rows]
    head = "".join(f'<th style="text-align:{s}">{escape(c)}</th>' for s, c in zip(sides, part.columns, strict=True))
    body = ["".join(f'<td style="text-align:{s}">{c}</td>' for s, c in zip(sides, row, strict=True)) for row in rows]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in body)}</tbody></table>"
