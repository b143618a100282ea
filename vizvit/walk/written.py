"""A lesson's Markdown as HTML that needs no network: its formulas are MathML, which browsers typeset themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping

from latex2mathml.converter import convert
from markdown_it import MarkdownIt

from .lessons import Lesson

_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
_KEPT = re.compile("\ue000(\\d+)\ue001")  # of private use: no text has them, and Markdown leaves them alone
_LINES = re.compile(r"\\begin\{gathered\}(.*)\\end\{gathered\}", re.DOTALL)


def article(words: Lesson, t: Mapping[str, str]) -> str:
    """A stage's texts in their order. t: the words of the section [walk]."""
    return (
        f"{html_of(words.what)}{html_of(words.formula)}<h3>{t['shapes']}</h3>{html_of(words.shapes)}"
        f'<div class="try"><h3>{t["try"]}</h3>{html_of(words.try_)}</div>'
        f"<h3>{t['question']}</h3>{html_of(words.question)}"
        f"<details><summary>{t['answer']}</summary>{html_of(words.answer)}</details>"
    )


def html_of(markdown: str) -> str:
    """Markdown with LaTeX between dollars as HTML; HTML in it stays text."""
    formulas: list[str] = []

    def keep(found: re.Match) -> str:
        formulas.append(_on_lines(found[1]) if found[1] else _mathml(found[2], "inline"))
        return f"\ue000{len(formulas) - 1}\ue001"

    text = MarkdownIt("commonmark", {"html": False}).render(_FORMULA.sub(keep, markdown))
    return _KEPT.sub(lambda found: formulas[int(found[1])], text)


def _on_lines(latex: str) -> str:
    """A formula on lines of its own, each of which is a formula: the converter knows no `gathered`."""
    gathered = _LINES.search(latex)
    lines = gathered[1].split(r"\\[6pt]") if gathered else [latex]
    return "".join(_mathml(line, "block") for line in lines)


def _mathml(latex: str, display: str) -> str:
    # Names of functions are names: as operators they would stand apart from their brackets.
    return re.sub(r"<mo>([A-Za-z]{2,})</mo>", r"<mi>\1</mi>", convert(latex.strip(), display=display))
