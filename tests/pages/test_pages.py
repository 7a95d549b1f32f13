"""One page in the forms that readers see: plain text, HTML and Markdown."""

from __future__ import annotations

from neuroport.pages import Lines, Page, Table, Text
from neuroport.pages.html import html
from neuroport.pages.markdown import escaped, markdown
from neuroport.pages.plain import broken, text

PAGE = Page(
    "one",
    "What <it> is",
    (
        Text(""),
        Text("a text with `a < b` and a_b * c"),
        Lines("equations", "v = v < w\n  deeper"),
        Table(("name", "count", "share", "none"), (("a", 12000, 0.25, "-"), ("b|c", "-", 1.0, "-"))),
        Table(("name", "count"), ()),
        Text("the end"),
    ),
)


def test_plain() -> None:
    assert text(PAGE, None) == (
        "one: What <it> is\n"
        "a text with `a < b` and a_b * c\n"
        "\n"
        "equations\n"
        "  v = v < w\n"
        "    deeper\n"
        "\n"
        "  name   count  share  none\n"
        "  a     12,000   0.25  -\n"
        "  b|c        -      1  -\n"
        "\n"
        "the end"
    )


def test_a_width_is_kept_but_for_long_words() -> None:
    assert broken("a text with words of which some are long", 24) == ["a text with words of", "  which some are long"]
    assert broken("    x = " + "y" * 40 + " + z", 20, more=4) == ["    x =", "        " + "y" * 40, "        + z"]
    assert broken("short  ", 20) == ["short"]
    assert max(map(len, text(PAGE, 30).splitlines())) <= 30


def test_html() -> None:
    assert html(PAGE) == (
        "<div><p><b>one</b>: What &lt;it&gt; is</p><p>a text with `a &lt; b` and a_b * c</p>"
        "<p>equations</p><pre>v = v &lt; w\n  deeper</pre>"
        '<table><thead><tr><th style="text-align:left">name</th><th style="text-align:right">count</th>'
        '<th style="text-align:right">share</th><th style="text-align:left">none</th></tr></thead><tbody>'
        '<tr><td style="text-align:left">a</td><td style="text-align:right">12,000</td>'
        '<td style="text-align:right">0.25</td><td style="text-align:left">-</td></tr>'
        '<tr><td style="text-align:left">b|c</td><td style="text-align:right">-</td>'
        '<td style="text-align:right">1</td><td style="text-align:left">-</td></tr></tbody></table><p>the end</p></div>'
    )


def test_markdown() -> None:
    assert markdown(PAGE) == (
        "### one\n\nWhat \\<it> is.\n\na text with `a < b` and a_b \\* c\n\n"
        "Equations:\n\n```text\nv = v < w\n  deeper\n```\n\n"
        "| name | count | share | none |\n|---|---:|---:|---|\n| a | 12,000 | 0.25 | - |\n| b\\|c | - | 1 | - |\n\n"
        "the end\n"
    )
    assert escaped("_a_ b_c **d** [e](f) `_g_`") == "\\_a\\_ b_c \\*\\*d\\*\\* \\[e\\](f) `_g_`"
