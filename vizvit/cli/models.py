"""`models`: what can be named as --model, how large it is, whether it is here, and why to look at it."""

from __future__ import annotations

import argparse
import fnmatch

from .options import Commands, UsageError
from .report import count, say

MODULES = ("vision_transformer", "deit", "eva", "beit", "vision_transformer_relpos", "naflexvit")

EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s dino
  %(prog)s --all "*reg4*"
  %(prog)s --all siglip

A name with a dot is an architecture and the weights trained for it; any of them goes to --model."""


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "models",
        help="the shipped model and those worth looking at",
        description="List models: the shipped one and those worth a look, or every name that timm has.",
        epilog=EXAMPLES,
    )
    parser.add_argument("pattern", nargs="?", default="", metavar="PATTERN", help="part of a name, or with * and ?")
    parser.add_argument("--all", action="store_true", help="every timm name of the supported modules, one a line")
    parser.set_defaults(run=models, command="models")


def models(args: argparse.Namespace) -> int:
    lines = _every_name(args.pattern) if args.all else _worth_a_look(args.pattern)
    if not lines:
        more = "" if args.all else " --all searches every timm name."
        raise UsageError(f'No model matches "{args.pattern}".{more}')
    for line in lines:
        print(line)
    if args.all:
        say(f"{count(len(lines), 'name')}. Those without pretrained weights need --weights random, or a file.")
    return 0


def _worth_a_look(pattern: str) -> list[str]:
    from ..model.catalog import CATALOG
    from ..model.hub import is_cached
    from ..model.loading import SHIPPED, shipped_dir

    trained = any(shipped_dir().glob("model.safetensors"))
    state = "shipped" if trained else "shipped, untrained"
    why = "The small model that comes with VizViT: it works at once, without a network."
    rows = [(SHIPPED, state, why)] if _matches(pattern, SHIPPED) else []
    for entry in CATALOG:
        if _matches(pattern, entry.name) or pattern.casefold() == entry.family.casefold():
            where = "on this machine" if is_cached(entry.name) else "to download"
            rows.append((entry.name, f"{entry.download_mb} MB, {where}", f"{entry.title}. {entry.why}"))
    width = max((len(name) for name, *_ in rows), default=0)
    return [f"{name:<{width}}  {state}\n    {why}" for name, state, why in rows]


def _every_name(pattern: str) -> list[str]:
    import timm

    from ..model.hub import is_cached

    lines = []
    for module in MODULES:
        tagged = timm.list_models(module=module, pretrained=True)
        bare = set(timm.list_models(module=module)) - {name.partition(".")[0] for name in tagged}
        for name in sorted([*tagged, *bare]):
            if not _matches(pattern, name):
                continue
            if name in bare:
                lines.append(f"{name}  (no pretrained weights)")
            else:
                lines.append(f"{name}  (on this machine)" if is_cached(name) else name)
    return lines


def _matches(pattern: str, name: str) -> bool:
    pattern, name = pattern.casefold(), name.casefold()
    return fnmatch.fnmatchcase(name, pattern) if set(pattern) & set("*?[") else pattern in name
