"""The seed paper's own measure of interpretability (arXiv 2507.12202) on MovieLens-1M, beside the held-out ones.

`python benchmarks/paper.py ml-1m --layers 1 2 --variants topk relu`: the folder holds `movies.dat` and `ratings.dat`
(or `sequences.parquet`: user_id, position, movie_id). Settings not given are those of the preset. Nothing trained is
kept, but for the recommender with `--checkpoint`. Definitions in docs/METHOD.md, *Beside the paper*.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.published import Lines, add_settings, settings
from seqsae_core.config import PRESETS, EvidenceConfig, SaeConfig
from seqsae_core.data import readers, sequences
from seqsae_core.data.concepts import ConceptTable, build_catalogue, build_concepts
from seqsae_core.data.interactions import GENRES, ITEM, TIME, TITLE, USER, drop_repeats, hash_share, k_core
from seqsae_core.data.sequences import FIT, SCORE, SELECT, Sequences, Split
from seqsae_core.device import use_threads
from seqsae_core.interpret import alignment, contest, rivals
from seqsae_core.interpret.alignment import ItemSums
from seqsae_core.interpret.rivals import Features
from seqsae_core.recommender import batching, training
from seqsae_core.sae import activations, fidelity
from seqsae_core.sae import training as sae_training
from seqsae_core.sae.activations import Activations
from seqsae_core.sweep import Grid

GRID = {"layers": int, "variants": str, "latents": int, "k": int, "l1": float}


def main() -> None:
    """Train the recommender once and every dictionary of the grid; print one JSON object."""
    options, threads = parse(), use_threads()
    config, (events, concepts, split) = PRESETS[options.preset](), prepare(options.folder)
    recipe = replace(config.recommender, **settings(options))
    own = replace(config.sae, learning_rate=options.sae_learning_rate or config.sae.learning_rate)
    grid = Grid.of(config, {name: vars(options)[name] for name in (*GRID, "steps") if vars(options)[name]})
    points = grid.points(recipe, own)
    trained = training.train(events, split, recipe, options.max_length, options.seed, Lines(), options.checkpoint)
    benches = {}
    for layer in grid.layers:
        roles = (activations.collect(trained.model, events, split, split.users(r), layer) for r in (FIT, SELECT, SCORE))
        benches[layer] = Bench(*(values.at_items() for values in roles), concepts)
    log = [{name: value for name, value in row.items() if name != "losses"} for row in trained.log]
    result = {"recommender": {"settings": asdict(recipe), "seed": options.seed, "log": log}, "threads": threads}
    result["max_length"] = options.max_length
    result["neurons"] = {layer: bench.neurons() for layer, bench in benches.items()}
    runs = [run(benches[point.layer], point, seed) for point in points for seed in options.seeds]
    print(json.dumps(result | {"chosen": choose(runs), "runs": runs}, indent=1))


def parse() -> argparse.Namespace:
    """The folder, the grid of dictionaries, and one option a setting of the recommender."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", choices=PRESETS, default="default")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0, help="of the recommender")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the dictionaries")
    parser.add_argument("--checkpoint", type=Path, help="folder that keeps the recommender's training, to go on from")
    parser.add_argument("--sae-learning-rate", type=float)
    parser.add_argument("--steps", type=int)
    for name, kind in GRID.items():
        parser.add_argument("--" + name, type=kind, nargs="+")
    add_settings(parser)
    return parser.parse_args()


def prepare(folder: Path) -> tuple[Sequences, ConceptTable, Split]:
    """The 5-core under the paper's split. Without times, a hash draws the test users instead of their last event."""
    if (folder / "sequences.parquet").is_file():
        layout = {"header": None, "names": [ITEM, TITLE, GENRES], "encoding": "latin-1"}
        items = pd.read_csv(folder / "movies.dat", sep="::", engine="python", **layout)
        rows = pd.read_parquet(folder / "sequences.parquet").sort_values([USER, "position"])
        users, user = np.unique(rows[USER], return_inverse=True)
        last = hash_share(users, "last").argsort()
        rows = rows.rename(columns={"movie_id": ITEM}).assign(**{TIME: last[user]})[[USER, ITEM, TIME]]
    else:
        rows, items = readers.read(str(folder))
        rows = drop_repeats(rows)
    events, item_ids = sequences.build_sequences(k_core(rows, 5))
    split = sequences.make_split(events, "user-disjoint")
    catalogue = build_catalogue(items, item_ids, batching.item_counts(events, split)[1:])
    return events, build_concepts(catalogue), split


@dataclass(frozen=True)
class Bench:
    """What every kind of feature of one layer is measured on: activations of the three roles, and the genres."""

    fit: Activations
    select: Activations
    score: Activations
    concepts: ConceptTable

    def figures(self, features: Features) -> dict[str, Any]:
        """`paper`: mean over genres of the largest r, on all test users as the paper has it, and on either half alone;
        `same_items`, `new_items`: chosen on select users, scored on score users."""
        genres = self.concepts.values[:, self.concepts.group("genre")].astype(np.float64)
        select, score = (alignment.item_sums(features, a, len(genres) - 1) for a in (self.select, self.score))
        both = ItemSums(select.counts + score.counts, select.total + score.total, select.square + score.square)
        of = {"select": select, "score": score, "test": both}
        largest = {name: alignment.correlation(sums, genres).max(0) for name, sums in of.items()}
        config = EvidenceConfig()
        genres = genres[:, score.counts @ genres >= config.min_positives]
        best = alignment.best_features(alignment.correlation(select, genres))
        same = alignment.correlation(score, genres)[best, np.arange(len(best))]
        halves = alignment.random_halves(len(genres) - 1, config.halves, 0)
        new, _ = alignment.new_items(select, score, genres, halves)
        names = [self.concepts.names[column] for column in self.concepts.group("genre")]
        return {
            "paper": {name: contest.mean(r) for name, r in largest.items()}, "genres": len(names),
            "same_items": contest.mean(same), "new_items": contest.mean(new), "genres_held_out": len(same),
            "paper_by_genre": dict(zip(names, largest["test"].round(3).tolist(), strict=True)),
        }  # fmt: skip

    def neurons(self) -> dict[str, Any]:
        """`signed`: as they are, as in the paper. `two_sided`: each side of the mean a feature, as in our evidence."""
        labels = tuple(map(str, range(self.fit.values.shape[1])))
        signed = self.figures(Features("neurons", labels, lambda x: x))
        return {"signed": signed, "two_sided": self.figures(rivals.neurons(self.fit.values.mean(0, dtype=np.float64)))}


def run(bench: Bench, point: SaeConfig, seed: int) -> dict[str, Any]:
    """One dictionary, trained on fit users; its figures on test users, and those of as many random directions."""
    began = time.monotonic()
    sae = sae_training.train(bench.fit.values, point, seed)
    found = {
        "settings": asdict(point), "seed": seed, "train_seconds": round(time.monotonic() - began, 1),
        "explained_variance": fidelity.explained_variance(bench.score, sae, seed)["explained_variance"],
        "l0": float(fidelity.density(sae, bench.score.values).sum()),
        "dead_fraction": float((fidelity.density(sae, bench.fit.values) == 0).mean()),
        "latents": bench.figures(rivals.latents(sae)),
        "random_directions": bench.figures(rivals.random_directions(bench.fit.values, point.latents, seed)),
    }  # fmt: skip
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def choose(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The settings whose latents have the largest `paper` on select users, mean over seeds; their figures' means."""
    table = pd.json_normalize(runs).assign(of=[json.dumps(one["settings"]) for one in runs])
    means = table[[c for c in table if "." not in c or "settings" not in c]].groupby("of").mean(numeric_only=True)
    best = means["latents.paper.select"].idxmax()
    return {"settings": json.loads(best), "seeds": int((table["of"] == best).sum())} | means.loc[best].to_dict()


if __name__ == "__main__":
    main()
