"""The words of the interface: complete in every language, and none that nobody says."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import vizvit
from vizvit.analysis.fusion import HEAD_FUSIONS
from vizvit.explorer.selection import CHOICES
from vizvit.explorer.walk.parts import MEET_WORDS, SPREAD_WORDS
from vizvit.faithful import FILLS
from vizvit.interventions.positions import HOWS
from vizvit.model.catalog import CATALOG
from vizvit.model.outputs import KINDS as OUTPUT_KINDS
from vizvit.model.snapshots import snapshots
from vizvit.model.vit import POSITION_KINDS
from vizvit.pages.experiments.beforeafter import STEPS
from vizvit.pages.experiments.patches import MASKS
from vizvit.pages.experiments.weights import MAPS
from vizvit.pages.explanations.settings import SCALES, SHOWN, VIEWS
from vizvit.pages.explore.compare_controls import KINDS
from vizvit.pages.heads import MEASURES
from vizvit.pages.sidebar.model_choice import OUTPUTS, WEIGHTS
from vizvit.pages.studies.settings import ORDERS
from vizvit.pictures.samples import SAMPLES
from vizvit.study import MEASURES as STUDIED
from vizvit.study.table import COLUMNS
from vizvit.texts import LANGUAGES, _read, of_library, words
from vizvit.walk.lessons import EXPERIMENTS
from vizvit.walk.stages import STAGES

PACKAGE = Path(vizvit.__file__).parent
ROOT = PACKAGE.parent
ENGLISH = _read("en")
OTHERS = [language for language in LANGUAGES if language != "en"]
KEYS = [(section, key) for section, entries in ENGLISH.items() for key in entries]

# Units, signs and a name, the same in Japanese.
SAME = {
    "explanations.method_grad_cam",
    "sidebar.prefix",
    "experiments.nats",
    "experiments.from_to",
    "studies.between",
    "heads.entropy_unit",
    "heads.entropy_short",
    "heads.distance_short",
    "walk.flatten_constants",
    "explorer.entropy_value",
    "explorer.under_score",
    "explorer.why_product",
}
# Why a model lacks a stage of the walk.
ABSENT = {
    key for path in (PACKAGE / "walk").glob("*.py") for key in re.findall(r'"(absent_\w+)"', path.read_text("utf-8"))
}
# Keys that the code puts together, or looks up by a name that it has from elsewhere.
CHOSEN = {"tool": ("look", "area", "read"), "fold": ("why", "atlas", "numbers"), "fuse_short": HEAD_FUSIONS, **CHOICES}
MADE = {
    "explorer": {f"{name}_{one}{part}" for name in CHOSEN for one in CHOSEN[name] for part in ("", "_hint", "_note")},
    "compare": set(KINDS),
    "comparing": {"flip", "crop", "cover"},
    "experiments": {
        *(f"{name}_{part}" for name in EXPERIMENTS for part in ("name", "start")),
        *(f"{name}{part}" for name in MAPS for part in ("", "_unit", "_read", "_short")),
        *(f"positions_{kind}" for kind in ("trained", *HOWS)),
        *(f"heads_{state}" for state in ("cell", "on", "label", "label_on", "hint")),
        *(f"blind_{who}" for who in ("cls", "all")),
        *(f"mask_{mask}" for mask in MASKS),
        *(f"step_{step}" for step in STEPS),
    },
    "walk": {
        *(f"stage_{stage.name}" for stage in STAGES),
        *(f"choose_{name}" for name in ("picture", "query", "patch", "layer", "head")),
        *(f"qkv_{role}{part}" for role in ("query", "key", "value") for part in ("", "_note")),
        *(f"position_of_{kind}" for kind in ("embedding", "rotation", "bias")),
        *ABSENT,
        *(f"position_all_{when}" for when in ("before", "after")),
        *(f"scores_{kind}" for kind in ("scaled", "products")),
        *(f"meet_{name}" for name in MEET_WORDS),
        *(f"spread_{name}" for name in SPREAD_WORDS),
        *(f"end_{place}" for place in ("experiments", "explanations")),
        "badge",
        "badge_off",
    },
    "rollout": {"scale", "curve"},
    "handouts": {"from", "to", "flow", "attention", *(f"scale_{mode}" for mode in CHOICES["scale"])},
    "app": {"explore", "rollout", "explanations", "positions", "heads", "experiments", "walkthrough", "studies"},
    "catalog": {entry.name for entry in CATALOG},
    "explanations": {
        *(f"{part}_{method}" for part in ("method", "note") for method in SHOWN),
        *(f"{part}_{view}" for part in ("view", "headline", "axis", "followed") for view in VIEWS),
        *(f"scale_{scale}" for scale in SCALES),
        *(f"scaled_{scale}" for scale in (*SCALES, "shares")),
        *(f"fill_{fill}" for fill in FILLS),
        *(f"table_{column}" for column in ("map", "deletion", "insertion", "apart", "random", "centre")),
        *("view", "scale"),
    },
    "heads": {
        *(f"{measure}{part}" for measure in MEASURES for part in ("", "_unit", "_axis", "_mean", "_said")),
        *(f"{measure}_short" for measure in ("distance", "entropy")),
    },
    "failed": {"model", "picture", "capture", "filters", "change", "map", "study", "file", "whole"},
    "library": set(ENGLISH["library"]),
    "look": {*HEAD_FUSIONS, "pooling_query", "mean_query", "meaning_sigmoid", "meaning_value"},
    "outputs": {f"{number}_{kind}" for number in ("one", "many") for kind in OUTPUT_KINDS},
    "picture": {f"{kind}{name}" for name in SAMPLES for kind in ("", "sample_")},
    "sidebar": {*WEIGHTS, *(f"outputs_{kind or 'own'}" for kind in OUTPUTS)},
    "studies": {
        *(f"{measure}{part}" for measure in STUDIED for part in ("", "_axis", "_read")),
        *(f"column_{column}" for column in ("method", *COLUMNS)),
        *(f"{part}{order}" for part in ("", "ranked_") for order in ORDERS),
        *(f"whose_{whose}" for whose in ("class", "patches")),
        *(f"sorted_{by}" for by in ("areas", "pointing")),
    },
}


def fields(template: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_words_with_the_same_braces(language):
    other = _read(language)
    assert {section: set(entries) for section, entries in other.items()} == {
        section: set(entries) for section, entries in ENGLISH.items()
    }
    assert [(s, k) for s, k in KEYS if fields(other[s][k]) != fields(ENGLISH[s][k])] == []


def test_japanese_is_japanese():
    japanese = _read("ja")
    same = {f"{s}.{k}" for s, k in KEYS if japanese[s][k] == ENGLISH[s][k]}
    assert same <= SAME
    letters = re.compile(r"[A-Za-z]")
    kana_or_kanji = re.compile(r"[ぁ-ヿ一-鿿]")
    without = {f"{s}.{k}" for s, k in KEYS if letters.search(re.sub(r"{\w+}", "", japanese[s][k]))}
    without -= {f"{s}.{k}" for s, k in KEYS if kana_or_kanji.search(japanese[s][k])}
    assert without <= SAME


def test_braces_are_names():
    for section, key in KEYS:
        for language in LANGUAGES:
            assert all(name.isidentifier() for name in fields(_read(language)[section][key])), (section, key)


# --- what the code says


def spoken(path: Path) -> Iterator[tuple[str, str]]:
    """(section, key) of every word that a file looks up: `t = say("look")` and then `t["key"]`, or both in one."""
    tree = ast.parse(path.read_text("utf-8"))
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)] + [tree]
    for scope in scopes:
        sections = dict(assigned(scope))
        for node in ast.walk(scope):
            if not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)):
                continue
            section = section_of(node.value) or (
                sections.get(node.value.id) if isinstance(node.value, ast.Name) else None
            )
            if section and isinstance(node.slice.value, str):
                yield section, node.slice.value


def assigned(scope: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(scope):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = (
                node.value.elts if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) else [node.value]
            )
            for name, value in zip(names, values, strict=False):
                if isinstance(name, ast.Name) and section_of(value):
                    yield name.id, section_of(value)


def section_of(node: ast.AST) -> str | None:
    """The section that `say("look")`, `language.say("look")` or `words("look", ...)` opens."""
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return node.args[0].value if called in ("say", "words", "say_of") else None
    return None


FILES = [ROOT / "app.py", *sorted((PACKAGE / "pages").rglob("*.py")), PACKAGE / "model" / "catalog.py"]
SPEAKERS = [*FILES, *(PACKAGE / "study" / name for name in ("report.py", "table.py"))]


@pytest.mark.parametrize("path", [path for path in SPEAKERS if path.exists()], ids=lambda path: path.name)
def test_every_word_that_a_page_says_exists(path):
    assert {f"{s}.{k}" for s, k in spoken(path) if k not in ENGLISH[s]} == set()


def test_every_word_is_said_somewhere():
    said = {pair for path in SPEAKERS if path.exists() for pair in spoken(path)}
    said |= {(section, key) for section, keys in MADE.items() for key in keys}
    said |= {(section, f"{key}_{kind}") for section, key in said for kind in (*OUTPUT_KINDS, "features")}
    sources = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".js", ".html")]
    page = [path for path in (PACKAGE / "explorer").rglob("*.*") if "lesson" in str(path)]
    for section, files in (("explorer", sources), ("lesson", page)):
        names = {name for path in files for name in re.findall(r"\w+", path.read_text("utf-8"))}
        said |= {(section, key) for key in ENGLISH[section] if key in names}
    assert [f"{s}.{k}" for s, k in KEYS if (s, k) not in said] == []


def test_a_stage_that_is_absent_says_why():
    assert set(ENGLISH["walk"]) >= ABSENT


def test_words_are_found_in_the_code():
    """The check above would see what it looks for."""
    found = set(spoken(PACKAGE / "pages" / "rollout.py"))
    assert {("rollout", "title"), ("rollout", "figure_caption")} <= found
    assert ("sidebar", "running") in set(spoken(PACKAGE / "pages" / "sidebar" / "choice.py"))
    assert ("app", "starting") in set(spoken(ROOT / "app.py")) or not (ROOT / "app.py").exists()


def test_no_page_has_sentences_of_its_own():
    """A string of two words with a space between, outside docstrings, is most likely read by a person."""
    pages = [path for path in FILES if path.exists() and path.name not in ("catalog.py", "store.py")]
    for path in pages:
        tree = ast.parse(path.read_text("utf-8"))
        quiet = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        quiet |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet:
                assert not re.fullmatch(r"[A-Z][a-z]+( [a-z]+)+.*", node.value), f"{path.name}: {node.value}"


# --- what the library calls things


def library_words() -> set[str]:
    from vizvit.model.loading import SHIPPED

    kinds = set(POSITION_KINDS.values())
    weights = {vizvit.load_model(SHIPPED, weights=weights).weights for weights in WEIGHTS}
    weights |= {"pretrained weights", "weights of a local directory", "trained weights"}
    return kinds | weights | {moment.title for moment in snapshots(SHIPPED)} | {"class", "distillation", "register 4"}


@pytest.mark.parametrize("language", OTHERS)
def test_what_the_library_says_is_translated(language):
    for text in library_words():
        assert of_library(text, "en") == text
        assert of_library(text, language) != text, text


@pytest.mark.parametrize(
    "name", ["test_vit", "vit_small_patch16_dinov3", "beit_base_patch16_224", "eva02_tiny_patch14_224"]
)
def test_what_position_maps_show_is_translated(vit, name):
    from PIL import Image

    model = vit(name, depth=1)
    found = vizvit.position_map(vizvit.capture(model, Image.new("RGB", (64, 64))))
    for text in (found.what, found.unit, POSITION_KINDS[model.position_kind]):
        assert of_library(text, "ja") != text, text


def test_parts_of_what_the_library_says():
    assert of_library("register 3", "ja") == "レジスタ3"
    assert of_library("training snapshot at epoch 0.7", "ja") == "学習スナップショット（エポック 0.7）"
    assert of_library("epoch 13, the end", "ja") == "エポック 13（学習終了）"
    assert of_library("weights of run.pth", "ja") == "run.pth の重み"
    assert of_library("weights of a.pth, the teacher's, positions resampled from 6×6 patches", "ja") == (
        "a.pth の重み（教師モデル）（位置埋め込みは 6×6 パッチから補間）"
    )
    assert of_library("converted from transformers' ViT", "ja") == "transformers' ViT から変換"
    assert of_library("weights of class", "ja") == "class の重み"  # a file's name


def test_what_is_not_in_the_words_is_an_error_unless_a_person_may_have_said_it():
    with pytest.raises(KeyError, match="weights that I made"):
        of_library("weights that I made", "ja")
    assert of_library("weights that I made", "ja", own=True) == "weights that I made"


def test_unknown_languages_and_sections():
    with pytest.raises(KeyError, match="xx"):
        words("look", "xx")
    with pytest.raises(KeyError):
        words("nothing")
