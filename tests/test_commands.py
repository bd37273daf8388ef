"""A command that is printed builds the study that it is printed for."""

import shlex

import pytest

from seqsae_core.__main__ import _parser, chosen
from seqsae_core.commands import build_command
from seqsae_core.config import preset, to_dict

SETTINGS = (
    {"name": "default"},
    {"name": "quick"},
    {"name": "quick", "time_budget": 15.0},
    {"name": "default", "time_budget": 0.5},
    {"name": "tiny", "seed": 3, "source": "my events.csv", "items": "it's.csv", "time_budget": 1234567.0},
    {"name": "tiny", "split": "global-temporal", "architecture": "bert4rec"},
    {"name": "tiny", "split": "leave-one-out", "architecture": "sasrec"},
    {"name": "paper"},
    {"name": "quick", "memory": 0.25},
    {"name": "default", "user_column": "who", "concept_column": "two words"},
    {"name": "default", "min_interactions": 1},
    {"name": "paper", "min_interactions": 5},
    {"name": "paper", "split": "leave-one-out"},
)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_build_command_repeats_the_study(settings):
    config = preset(**settings)
    words = shlex.split(build_command("a folder/b", {"config": to_dict(config)}))
    options = _parser().parse_args(words[3:])
    assert str(options.out) == "a folder/b"
    assert chosen(options) == config


def test_only_what_is_unusual_is_printed():
    printed = build_command("s", {"config": to_dict(preset("quick"))})
    assert printed == "python -m seqsae_core build --preset quick --out s"
    printed = build_command("s", {"config": to_dict(preset("default", time_budget=60.0))})
    assert printed == "python -m seqsae_core build --time-budget 60 --out s"
    printed = build_command("s", {"config": to_dict(preset("paper", split="user-disjoint"))})
    assert printed == "python -m seqsae_core build --preset paper --out s"
    assert build_command("s", {"config": {}}) == build_command("s") == "python -m seqsae_core build --out s"
