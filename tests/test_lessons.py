"""The lessons: complete in both languages, the same formulas and numbers in each, and LaTeX that can be typeset."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import astuple, fields, replace
from pathlib import Path

import pytest

import vizvit
from vizvit.texts import LANGUAGES
from vizvit.walk import lessons
from vizvit.walk.lessons import EXPERIMENTS, LESSONS, PLACEHOLDERS, Lesson, experiments, lesson

ROOT = Path(vizvit.__file__).parent.parent
FILES = (*LESSONS, "20-experiments")
BOTH = [(name, language) for name in LESSONS for language in LANGUAGES]
NUMBERS = {name: 1000 + index for index, name in enumerate(PLACEHOLDERS)}
KANA = re.compile("[ぁ-ゖァ-ヺ]")
COMMANDS = re.compile(
    r"\\(Phi|beta|delta|ell|gamma|mu|sigma|varepsilon|begin|end|bigl|bigr|cos|left|right|lVert|rVert|cdots?|ldots|vdots|exp|frac"
    r"|hat|in|ln|longrightarrow|mathbb|mathbf|odot|operatorname|partial|q?quad|sqrt|sum|text|tilde|times|top)(?![A-Za-z])"
)


def source(name: str, language: str) -> str:
    return (lessons.lessons_dir() / language / f"{name}.md").read_text("utf-8")


def blocks(text: str) -> list[str]:
    """The formulas on lines of their own."""
    return re.findall(r"^\$\$$(.*?)^\$\$$", text, flags=re.MULTILINE | re.DOTALL)


def inline(text: str) -> list[str]:
    """The formulas within lines."""
    return re.findall(r"\$([^$]+)\$", re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL))


def prose(text: str) -> str:
    """What is left without any formula."""
    return re.sub(r"\$\$.*?\$\$|\$[^$]+\$", "", text, flags=re.DOTALL)


def placeholders(text: str) -> Counter:
    return Counter(re.findall(r"\{(\w+)\}", prose(text)))


def paragraphs(text: str) -> list[str]:
    """Paragraphs and the items of lists, without headings and formulas on lines of their own."""
    parts = [part.strip() for part in re.split(r"\n\n|\n(?=- )", text)]
    return [part for part in parts if not part.startswith(("#", "$$"))]


def test_every_language_has_every_file_and_no_other():
    for language in LANGUAGES:
        assert sorted(path.stem for path in (lessons.lessons_dir() / language).iterdir()) == sorted(FILES)
    assert sorted(path.name for path in lessons.lessons_dir().iterdir()) == sorted(LANGUAGES)


@pytest.mark.parametrize("name", FILES)
def test_headings_are_the_same_in_every_language(name):
    levels = {language: re.findall(r"^(#+) \S", source(name, language), re.MULTILINE) for language in LANGUAGES}
    sections = len(fields(Lesson)) - 1 if name in LESSONS else len(EXPERIMENTS)
    assert levels["en"] == levels["ja"] == ["#", *["##"] * sections]


@pytest.mark.parametrize("language", LANGUAGES)
def test_headings_are_the_same_in_every_lesson(language):
    assert len({tuple(re.findall(r"^## (.+)$", source(name, language), re.MULTILINE)) for name in LESSONS}) == 1


@pytest.mark.parametrize("name", FILES)
def test_formulas_are_the_same_in_every_language(name):
    english, japanese = source(name, "en"), source(name, "ja")
    assert blocks(english) == blocks(japanese)
    assert english.count("$$") == 2 * len(blocks(english))
    assert set(inline(english)) == set(inline(japanese))
    assert blocks(english) or name not in LESSONS


@pytest.mark.parametrize("name", LESSONS)
def test_numbers_are_the_same_in_every_language(name):
    english, japanese = lesson(name, "en"), lesson(name, "ja")
    for field in fields(Lesson):
        assert placeholders(getattr(english, field.name)) == placeholders(getattr(japanese, field.name)), field.name
    assert placeholders(english.shapes)


@pytest.mark.parametrize(("name", "language"), [(name, language) for name in FILES for language in LANGUAGES])
def test_braces_outside_formulas_are_known_names(name, language):
    text = source(name, language)
    assert set(placeholders(text)) <= set(PLACEHOLDERS if name in LESSONS else ())
    assert not re.search(r"[{}]", re.sub(r"\{\w+\}", "", prose(text)))


def test_every_number_is_used():
    used = {name for stage in LESSONS for name in placeholders(source(stage, "en"))}
    assert set(PLACEHOLDERS) - used == {"model"}


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_every_section_is_there_and_short_enough_for_a_class(name, language):
    one = lesson(name, language)
    assert all(astuple(one))
    if language == "en":
        assert 90 <= len(one.what.split()) <= 170
        assert all(8 <= len(text.split()) <= 90 for text in (one.try_, one.question, one.answer))
    else:
        assert 250 <= len(one.what) <= 500
        assert all(25 <= len(text) <= 300 for text in (one.try_, one.question, one.answer))
    assert one.question.rstrip().endswith(("?", "か。"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_experiment_is_told_in_a_few_sentences(language):
    told = experiments(language)
    assert tuple(told) == EXPERIMENTS
    sizes = [len(text.split()) if language == "en" else len(text) for text in told.values()]
    assert all(40 <= size <= 90 for size in sizes) if language == "en" else all(120 <= size <= 280 for size in sizes)


@pytest.mark.parametrize("name", FILES)
def test_japanese_is_japanese_and_english_english(name):
    assert not re.search("[ぁ-ヿ一-鿿]", source(name, "en"))
    japanese = source(name, "ja")
    assert re.findall(r"^## (.+)$", japanese, re.MULTILINE) != re.findall(
        r"^## (.+)$", source(name, "en"), re.MULTILINE
    )
    for paragraph in paragraphs(japanese):
        spoken = prose(paragraph)
        assert KANA.search(spoken) or not re.search("[A-Za-z]", re.sub(r"\{\w+\}", "", spoken)), paragraph
        assert not re.search(r"[A-Za-z]+( [A-Za-z]+){2}", spoken), paragraph
        # A line's end would be drawn as a space between two letters.
        assert "\n" not in paragraph, paragraph


@pytest.mark.parametrize("name", FILES)
def test_japanese_says_desu_and_masu_to_the_end_of_each_sentence(name):
    ends = "です|ます|ません|でした|ました|ください|でしょう|ましょう|でしょうか"
    for paragraph in paragraphs(source(name, "ja")):
        for sentence in re.findall(r"([^。]+)。", re.sub(r"（[^（）]*[^。（）]）", "", paragraph)):
            assert re.search(rf"({ends})$", sentence), sentence


@pytest.mark.parametrize("name", FILES)
def test_formulas_are_latex(name):
    for formula in (*blocks(source(name, "en")), *inline(source(name, "en"))):
        assert not re.search(r"\\[A-Za-z]", COMMANDS.sub("", formula)), formula
        assert not re.search(r"[^\x20-\x7e\n]", formula), formula
        bare = re.sub(r"\\[{}\\]", "", formula)
        depth = 0
        for letter in bare:
            depth += (letter == "{") - (letter == "}")
            assert depth >= 0, formula
        assert depth == 0, formula
        assert formula.count(r"\left") == formula.count(r"\right")
        for opening, closing in (("bigl", "bigr"), ("lVert", "rVert")):
            assert formula.count(f"\\{opening}") == formula.count(f"\\{closing}"), formula
        assert re.findall(r"\\begin\{(\w+)\}", formula)[::-1] == re.findall(r"\\end\{(\w+)\}", formula), formula


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_emphasis_opens_and_closes(name, language):
    """CommonMark reads ** beside punctuation and letters together as two stars."""
    marks = re.finditer(r"\*+", re.sub(r"\$\$.*?\$\$", "", text := source(name, language), flags=re.DOTALL))
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    inner = [text[mark.end()] if index % 2 == 0 else text[mark.start() - 1] for index, mark in enumerate(marks)]
    assert len(inner) % 2 == 0
    assert all(letter.isalnum() or letter == "ー" for letter in inner), inner


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_filling_replaces_names_and_nothing_else(name, language):
    template = lesson(name, language)
    filled = template.fill(**NUMBERS)
    assert filled.formula == template.formula
    for before, after in zip(astuple(template), astuple(filled), strict=True):
        assert not placeholders(after)
        assert inline(after) == inline(before)
        expected = prose(before)
        for key, number in NUMBERS.items():
            expected = expected.replace(f"{{{key}}}", str(number))
        assert prose(after) == expected


def test_filling_leaves_latex_alone():
    latex = r"$\mathrm{head} \text{ of } x^{patch}_{layer}\,\frac{1}{D}$"
    template = replace(lesson("01-patches", "en"), what=latex + " {head}, {unknown}")
    assert template.fill(**NUMBERS).what == f"{latex} {NUMBERS['head']}, {{unknown}}"


def test_a_number_that_is_not_given_is_an_error():
    with pytest.raises(KeyError, match="cols"):
        lesson("01-patches", "en").fill(**{key: 1 for key in PLACEHOLDERS if key != "cols"})


def test_no_other_stage_and_no_other_language():
    with pytest.raises(KeyError, match="14-more"):
        lesson("14-more", "en")
    for read in (lambda: lesson("01-patches", "fr"), lambda: experiments("fr")):
        with pytest.raises(KeyError, match="fr"):
            read()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "## Only a section\n\ntext\n",
        "# Title\n\nastray\n\n## One\n\ntext\n",
        "# Title\n\n## One\n\n## Two\n\ntext\n",
        "# Title\n\n## One\n\ntext\n\n## One\n\ntext\n",
        "# Title\n\n## One\n\n",
    ],
)
def test_a_file_that_is_no_lesson_is_an_error(text):
    with pytest.raises(ValueError, match="one-file"):
        lessons.parse(text, "one-file")


def test_a_section_left_out_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "ja").mkdir()
    for name in ("01-patches", "20-experiments"):
        short = re.sub(r"^## [^#]+\Z", "", source(name, "ja"), flags=re.MULTILINE)
        (tmp_path / "ja" / f"{name}.md").write_text(short, "utf-8")
    monkeypatch.setattr(lessons, "lessons_dir", lambda: tmp_path)
    lessons._read.cache_clear()
    try:
        with pytest.raises(ValueError, match="01-patches"):
            lesson("01-patches", "ja")
        with pytest.raises(ValueError, match="20-experiments"):
            experiments("ja")
        with pytest.raises(FileNotFoundError):
            lesson("01-patches", "en")
    finally:
        lessons._read.cache_clear()


def test_the_wheel_takes_the_lessons_along():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    assets = lessons.lessons_dir().parent
    packed = {path for pattern in patterns["vizvit.assets"] for path in assets.glob(pattern)}
    assert set(lessons.lessons_dir().rglob("*.md")) <= packed
    assert sum(path.stat().st_size for path in lessons.lessons_dir().rglob("*.md")) < 150_000


def test_lessons_need_neither_torch_nor_streamlit():
    code = (
        "import sys, types\n"
        "package = sys.modules['vizvit'] = types.ModuleType('vizvit')\n"
        f"package.__path__ = [{str(ROOT / 'vizvit')!r}]\n"
        "import vizvit.walk.lessons\n"
        "assert not {'torch', 'timm', 'numpy', 'streamlit'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
