"""`import seqsae_core as ss`: what a notebook does, on real rows."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import seqsae_core as ss

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "assets/movietweetings"


def test_the_documented_script_runs_and_is_short(tmp_path):
    script = ROOT / "docs/library.py"
    assert len(script.read_text().splitlines()) <= 40
    done = subprocess.run(
        [sys.executable, script, tmp_path / "study"], cwd=ROOT, env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "423 users" in done.stdout and "top_concept" in done.stdout
    assert "6/6 Measuring what steering costs |" in done.stderr and "100%" in done.stderr and "done." in done.stderr


def test_tables_make_the_study_that_files_make_and_it_can_be_gone_on_with(tiny_study, tmp_path):
    tables = [pd.read_parquet(DATA / name) for name in ("ratings.parquet", "movies.parquet")]
    study = ss.build(*tables, out=tmp_path / "mine", preset="tiny")
    pd.testing.assert_frame_equal(study.latents, ss.Study.open(tiny_study).latents)
    before = study.manifest["stages"]
    assert ss.build(*tables, out=tmp_path / "mine", preset="tiny").manifest["stages"] == before
    assert str(tmp_path / "mine" / "source" / "interactions.parquet") in study.build_command()


def test_the_module_build_is_the_librarys_function_too():
    from seqsae_core.build import PIPELINE

    assert PIPELINE and callable(ss.build)
    with pytest.raises(ss.UserError, match="colour"):
        ss.build("movietweetings", colour="red")
    with pytest.raises(AttributeError, match="nonsense"):
        ss.nonsense  # noqa: B018


def test_a_steerer_of_a_study_takes_and_gives_names(tiny_study):
    study = ss.Study.open(tiny_study)
    mine, plain = ss.Steerer(study), ss.Recommender.from_study(study)
    titles = list(plain.lookup.titles[:3])
    found = mine.recommend(titles, k=5, by="title")
    assert found.table().equals(plain.recommend([1, 2, 3], 5).table())
    latent = int(study.latents["correlation"].idxmax())
    steered = mine.recommend(titles, [ss.Edit(latent, 4.0)], k=5, by="title")
    before, after = mine.compare([1, 2, 3], [ss.Edit(latent, 4.0)], k=5)
    assert np.array_equal(steered.items, after.items) and np.array_equal(found.items, before.items)
    assert "layer 1" in repr(mine) and "last" in repr(mine) and "all" in repr(mine.at("all"))
    assert "423 users" in repr(study) and f"{plain.model.n_items:,} items" in repr(plain)
    assert all(title in repr(found) for title in found.titles)
    with pytest.raises(ss.UserError, match="Nowhere"):
        mine.recommend(["Nowhere at all"], by="title")


def test_nothing_slow_is_imported_before_it_is_asked_for():
    code = "import sys, seqsae_core as ss; ss.Study; assert not {'torch', 'umap', 'sklearn'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
