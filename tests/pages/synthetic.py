"""A study folder of invented figures over real titles: for page states that no build reaches quickly.

The page tests proper use a tiny build; here only the shape of the tables is real.
"""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from seqsae_core.build import make_stamps
from seqsae_core.config import preset, to_dict
from seqsae_core.data.concepts import ConceptTable, build_catalogue, build_concepts
from seqsae_core.study import Study, write_json, write_tables

MOVIES = Path(__file__).parents[2] / "assets/movietweetings/movies.parquet"
KINDS = {"latents": 1.0, "neurons": 0.75, "pca": 0.72, "random_directions": 0.7}
DICTIONARY = "layer1-topk-64-k4"
BUILT = ("sae", "evidence", "map", "steering")
LOG = [
    {"pass": 1, "loss": 6.5, "ndcg@10": 0.10, "seconds": 5.0, "planned": 2, "losses": [[0.5, 7.0], [1.0, 6.0]]},
    {"pass": 2, "loss": 5.5, "ndcg@10": 0.12, "seconds": 10.0, "planned": 2, "losses": [[1.5, 5.7], [2.0, 5.3]]},
]


def make(folder: Path, n_items: int = 400, latents: int = 64, until: str = "steering", seed: int = 0) -> Path:
    """Writes a study whose stages up to `until` are there; returns its folder."""
    rng = np.random.default_rng(seed)
    config = preset("tiny")
    manifest = {"config": to_dict(config), "fingerprint": "x", "seed": 0, "sizes": _sizes(n_items)}
    study, stamps = Study.create(folder, manifest), make_stamps(config, manifest["fingerprint"])
    catalogue = _catalogue(n_items, rng)
    concepts = build_concepts(catalogue)
    features = {kind: _features(kind, latents, concepts, strength, rng) for kind, strength in KINDS.items()}
    for stage, write in {
        "data": lambda f: _data(f, catalogue, concepts),
        "recommender": lambda f: write_json(f / "metrics.json", _recommender()),
        "sae": lambda f: _dictionary(f, latents, rng),
        "evidence": lambda f: _evidence(f, features, concepts, n_items, rng),
        "map": lambda f: write_tables(f, {"map": _map(features["latents"], rng)}),
        "steering": lambda f: _steering(f, latents, n_items, rng),
    }.items():
        with study.stage(stage, None if stage in ("data", "recommender") else DICTIONARY, stamps[stage]) as (
            aside,
            _,
        ):
            write(aside)
        if stage == "sae":
            study.update_manifest(default_dictionary=DICTIONARY)
        if stage == until:
            break
    return folder


def progress(
    folder: Path, running: str, state: str = "running", error: str | None = None, pid: int = 1, log: Sequence[dict] = ()
) -> None:
    """A progress file of a build that is in the stage `running`, which has logged these rows."""
    labels = {
        "data": "Reading interactions",
        "recommender": "Training the recommender",
        "sae": "Training the sparse autoencoder",
        "evidence": "Measuring what latents mean",
        "map": "Drawing the map",
        "steering": "Measuring what steering costs",
    }
    names, rows = list(labels), []
    for i, name in enumerate(names):
        at = i - names.index(running)
        done = {
            "name": name,
            "label": labels[name],
            "budget_seconds": 60,
            "seconds": 12.0 if at < 0 else None,
        }
        rows.append(
            done
            | {
                "state": "done" if at < 0 else "waiting" if at else state,
                "fraction": float(at < 0),
                "detail": "",
            }
            | ({"log": log} if log and not at else {})
        )
    rows[names.index(running)] |= {"fraction": 0.4, "seconds": 31.0, "detail": "NDCG@10 .121"}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(
        folder / "progress.json",
        {
            "stages": rows,
            "eta_seconds": 187.0,
            "state": state,
            "error": error,
            "updated": time.time(),
            "pid": pid,
        },
    )


def _sizes(n_items: int) -> dict:
    return {"users": 500, "items": n_items, "interactions": 12_345}


def _catalogue(n_items: int, rng: np.random.Generator) -> pd.DataFrame:
    movies = pd.read_parquet(MOVIES).tail(12_000).sample(n_items, random_state=0)
    items = pd.DataFrame(
        {"item_id": movies.iloc[:, 0], "title": movies.iloc[:, 1], "genres": movies.iloc[:, 2].fillna("")}
    )
    return build_catalogue(items, items["item_id"].to_numpy(), np.sort(rng.integers(5, 900, n_items))[::-1])


def _data(folder: Path, catalogue: pd.DataFrame, concepts: ConceptTable) -> None:
    names = [f"{g}:{n}" for g, n in zip(concepts.groups, concepts.names, strict=True)]
    write_tables(folder, {"catalogue": catalogue, "concepts": pd.DataFrame(concepts.values, columns=names)})


def _recommender() -> dict:
    def row(hr: float, ndcg: float) -> dict:
        return {
            "hr@10": hr,
            "hr@10_ci95": [hr * 0.95, hr * 1.05],
            "ndcg@10": ndcg,
            "ndcg@10_ci95": [ndcg * 0.95, ndcg * 1.05],
            "users": 500,
        }

    return {
        "split": "leave-one-out",
        "unseen_targets": 0.012,
        **row(0.21, 0.121),
        "train_seconds": 12.0,
        "baselines": {"popularity": row(0.05, 0.025), "markov": row(0.14, 0.08)},
        "log": LOG,
        "plan": {"passes": 2, "why": "as set"},
    }


def _dictionary(folder: Path, latents: int, rng: np.random.Generator) -> None:
    write_json(folder / "metrics.json", _fidelity())
    save_file({"W_dec": rng.normal(size=(latents, 32)).astype(np.float32)}, folder / "sae_weights.safetensors")


def _fidelity() -> dict:
    return {
        "layer": 1,
        "explained_variance": 0.912,
        "explained_variance_ci95": [0.908, 0.917],
        "l0": 4.0,
        "dead_fraction": 0.031,
        "ce_recovered": 0.94,
        "ndcg_change": -0.034,
        "rbo@10": 0.87,
        "rbo@10_ci95": [0.86, 0.88],
        "by_decile": [_decile(number) for number in range(1, 11)],
        "densities": {"edges": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0], "counts": [3, 9, 24, 20, 5, 1], "dead": 2},
    }


def _decile(number: int) -> dict:
    """Nobody's target in the first, no hit in the second, a loss that is shown in the last alone."""
    if number == 1:
        return {"decile": 1, "users": 0} | dict.fromkeys(
            ("ndcg", "ndcg_spliced", "ndcg_change", "ndcg_change_ci95", "rbo@10")
        )
    hits = number > 2
    return {
        "decile": number,
        "users": 10 * number,
        "ndcg": 0.012 * number if hits else 0.0,
        "ndcg_spliced": 0.011 * number if hits else 0.0,
        "ndcg_change": -1 / 12 if hits else None,
        "ndcg_change_ci95": [-0.15, -0.01 if number == 10 else 0.02] if hits else None,
        "rbo@10": 0.8 + number / 100,
    }


def _features(kind: str, n: int, concepts: ConceptTable, strength: float, rng: np.random.Generator) -> pd.DataFrame:
    column = rng.choice(np.flatnonzero(np.array(concepts.groups) != "year"), n)
    r = np.clip(strength * rng.beta(2, 6, n), 0, 1).astype(np.float32)
    alive, significant = np.arange(n) % 31 != 30, r > 0.15
    word = {"latents": "Latent", "neurons": "Neuron", "pca": "Component", "random_directions": "Direction"}[kind]
    labels = [
        f"{word} {i}" if kind in ("latents", "random_directions") else f"{word} {i // 2} {'+-'[i % 2]}"
        for i in range(n)
    ]
    names = [concepts.names[c] for c in column]
    table = pd.DataFrame(
        {
            "feature": np.arange(n, dtype=np.int32),
            "label": labels,
            "alive": alive,
            "density": np.where(alive, rng.gamma(1, 0.03, n), 0),
            "mean_activation": rng.gamma(3, 0.5, n),
            "sd_activation": rng.gamma(2, 0.3, n),
            "max_activation": rng.gamma(9, 0.5, n),
            "n_items": rng.integers(1, 90, n),
            "top_concept": np.where(alive, names, ""),
            "top_group": [concepts.groups[c] for c in column],
            "correlation": np.where(alive, r, np.nan),
            "correlation_low": r - 0.03,
            "correlation_high": r + 0.03,
            "z": r * 30,
            "significant": significant & alive,
            "fdr": (r > 0.1) & alive,
            "monosemanticity": strength * rng.normal(0.12, 0.08, n),
        }
    )
    if kind == "latents":
        table["name"] = [
            f"{n} ({n.lower()}-leaning)" if s else "unclear" for n, s in zip(names, table["significant"], strict=True)
        ]
        table["name_evidence"] = [
            f"fires 6.1 times as often on {n} as elsewhere; r = {v:.2f} on held-out users"
            for n, v in zip(names, r, strict=True)
        ]
        table["name_score"] = np.where(table["significant"], 0.6 + 0.3 * r, np.nan)
        table["neighbours"] = [rng.choice(n, 6, replace=False).astype(np.int32) for _ in range(n)]
        table["neighbour_cosines"] = [np.sort(rng.random(6))[::-1].astype(np.float32) for _ in range(n)]
    return table


def _best(features: dict[str, pd.DataFrame], concepts: ConceptTable, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for kind, strength in KINDS.items():
        for c in np.flatnonzero(concepts.values.sum(0) > 8):
            r = strength * rng.beta(3, 8)
            f = int(rng.integers(0, len(features[kind])))
            rows.append(
                {
                    "kind": kind,
                    "concept": concepts.names[c],
                    "group": concepts.groups[c],
                    "feature": f,
                    "label": features[kind]["label"][f],
                    "positives": 400,
                    "r_select": r + 0.02,
                    "r_score": r,
                    "low": r - 0.03,
                    "high": r + 0.03,
                    "r_new_items": r * 0.7,
                    "r_partial": r * 0.9,
                }
            )
    return pd.DataFrame(rows)


def _enrichment(n: int, concepts: ConceptTable, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for f in range(n):
        for c in np.flatnonzero(concepts.values.sum(0) > 8):
            lift, base = float(rng.lognormal(0, 0.8)), float(concepts.values[1:, c].mean())
            rows.append(
                {
                    "feature": f,
                    "concept": concepts.names[c],
                    "group": concepts.groups[c],
                    "share_firing": min(1, lift * base),
                    "share_base": base,
                    "lift": lift,
                    "low": lift * 0.8,
                    "high": lift * 1.25,
                    "correlation": (lift - 1) / 20,
                }
            )
    return pd.DataFrame(rows)


def _examples(kind: str, n: int, n_items: int, rng: np.random.Generator) -> list[dict]:
    rows = []
    for f in range(n):
        for quantile in range(5):
            for rank in range(3):
                size, peak = int(rng.integers(3, 9)), (5 - quantile) * 0.9 + rng.random() * 0.3
                at = size - 1 - rank if size > rank + 1 else size - 1
                acts = rng.random(size) * peak * (rng.random(size) > 0.5)
                acts[at] = peak
                rows.append(
                    {
                        "kind": kind,
                        "feature": f,
                        "quantile": quantile,
                        "rank": rank,
                        "user": rank,
                        "event": 40,
                        "activation": peak,
                        "at": at,
                        "items": rng.integers(1, n_items + 1, size).astype(np.int32),
                        "activations": acts.astype(np.float32),
                        "next_item": int(rng.integers(0, n_items)),
                    }
                )
    return rows


def _alignment(latents: pd.DataFrame, concepts: ConceptTable, rng: np.random.Generator) -> pd.DataFrame:
    live, names = latents.loc[latents["alive"], "feature"].to_numpy(), concepts.names
    rows = len(live) * len(names)
    figures = ("roc_auc", "average_precision", "f1", "mean_in", "mean_out", "r_select", "r_score", "r_partial", "z")
    return pd.DataFrame(
        {
            "feature": np.repeat(live, len(names)),
            "concept": pd.Categorical(np.tile(names, len(live))),
            **{name: rng.random(rows) for name in (*figures, "promotes", "promotes_auc")},
            "significant": rng.random(rows) < 0.1,
            "fdr": rng.random(rows) < 0.3,
        }
    )


def _context(n: int) -> pd.DataFrame:
    """Every second latent says something of the place."""
    even = np.arange(n) % 2 == 0
    table = pd.DataFrame({"kind": "latents", "feature": np.arange(n, dtype=np.int32), "group": "history"})
    return table.assign(concept="later in the history", r=0.1, r_within=-0.2, z=-9.0, significant=even)


def _histogram(n: int, rng: np.random.Generator) -> pd.DataFrame:
    edges = np.linspace(0, 5, 21)
    rows = [
        {"feature": f, "low": a, "high": b, "count": int(c)}
        for f in range(n)
        for a, b, c in zip(edges[:-1], edges[1:], rng.poisson(400 * np.exp(-edges[:-1])), strict=True)
    ]
    return pd.DataFrame(rows)


def _evidence(folder: Path, features: dict[str, pd.DataFrame], concepts: ConceptTable, n_items: int, rng) -> None:
    n = len(features["latents"])
    examples = pd.DataFrame([row for kind in KINDS for row in _examples(kind, n, n_items, rng)])
    write_tables(
        folder,
        {
            **features,
            "best": _best(features, concepts, rng),
            "enrichment": _enrichment(n, concepts, rng),
            "examples": examples,
            "alignment": _alignment(features["latents"], concepts, rng),
            "context": _context(n),
            "histogram": _histogram(n, rng),
        },
    )
    rows = {
        kind: {
            "mean_max_correlation": 0.25 * s,
            "mean_max_correlation_new_items": 0.18 * (0.7 + 0.3 * s),
            "mean_max_correlation_matched": 0.2 * s,
            "ci95": [0.25 * s - 0.02, 0.25 * s + 0.02],
            "concepts": 21,
            "significant_share": 0.5 * s,
            "monosemanticity": 0.12 * s,
            "features": n,
        }
        for kind, s in KINDS.items()
    }
    rows["latents"] |= {
        "named_by_concepts": 0.28, "named_by_items": 0.31, "context_share": 0.29, "median_name_score": 0.72
    }  # fmt: skip
    difference = {
        "same_items": {"mean": 0.0625, "ci95": [0.03, 0.09]},
        "new_items": {"mean": 0.013, "ci95": [-0.012, 0.03]},
    }
    write_json(
        folder / "summary.json",
        {
            "kinds": list(KINDS),
            **rows,
            "probe": {"mean_max_correlation": 0.4},
            "difference": {"latents_minus_neurons": difference},
            "seeds": 1,
        },
    )


def _map(latents: pd.DataFrame, rng: np.random.Generator, neurons: int = 64) -> pd.DataFrame:
    live = latents.loc[latents["alive"], "feature"].to_numpy()
    tables = []
    for layout, kind, features in (
        ("directions", "latents", live),
        ("directions", "neurons", np.arange(neurons)),
        ("coactivation", "latents", live),
    ):
        cluster, centre = rng.integers(0, 8, len(features)), rng.normal(0, 5, (8, 2))
        xy = centre[cluster] + rng.normal(0, 0.7, (len(features), 2))
        names = [f"Region {c}" if c else "mixed" for c in cluster]
        columns = {"layout": layout, "kind": kind, "feature": features, "x": xy[:, 0], "y": xy[:, 1]}
        tables.append(pd.DataFrame(columns | {"cluster": cluster, "cluster_name": names}))
    return pd.concat(tables, ignore_index=True)


def _steering(folder: Path, n: int, n_items: int, rng: np.random.Generator) -> None:
    def items() -> np.ndarray:
        return rng.choice(np.arange(1, n_items + 1), 10, replace=False).astype(np.int32)

    rows = [
        {
            "latent": i,
            "effect": (e := float(rng.gamma(2, 1.2))),
            "effect_low": max(0, e - 0.4),
            "effect_high": e + 0.4,
            "promoted": items(),
            "promoted_change": np.sort(rng.gamma(3, 0.4, 10))[::-1].astype(np.float32),
            "demoted": items(),
            "demoted_change": -np.sort(rng.gamma(3, 0.4, 10))[::-1].astype(np.float32),
        }
        for i in range(n)
    ]
    write_tables(folder, {"effects": pd.DataFrame(rows)})
    lifts = {"share_lift_at_1pct": 1.5, "share_lift_at_1pct_ci95": [1.4, 1.6], "frontier_area": 1.9}
    write_json(folder / "steering.json", {"latents": lifts})


def retrain(folder: Path) -> None:
    """Adds extras to a study of `make`: of its latents 0, 1 and 2 the first re-appears, the second partly, the third
    is not found again."""
    study = Study.open(folder)
    latents = study.features()
    stability = np.resize([0.93, 0.62, 0.31], len(latents)).astype(np.float32)
    with study.stage("extras", DICTIONARY, "stamp") as (aside, _):
        write_tables(aside, {"stability": pd.DataFrame({"feature": latents["feature"], "stability": stability})})
        write_json(aside / "evidence.json", {"sae": {"stability": 0.62, "stable_share": 1 / 3}})


def twin(folder: Path, name: str = "layer1-topk-64-k4-again", stages: Sequence[str] = BUILT) -> str:
    """Adds a copy of the dictionary under another name, as far as these stages; returns the name."""
    study = Study.open(folder)
    for stage in stages:
        with study.stage(stage, name, study.stamp(stage)) as (aside, _):
            shutil.copytree(study.folder(stage, DICTIONARY), aside, dirs_exist_ok=True)
    return name


def enlarge(folder: Path, latents: int, seed: int = 0) -> Path:
    """Gives a study of `make` a dictionary of so many latents, as far as the table and the map show it."""
    study, rng = Study.open(folder), np.random.default_rng(seed)
    features = _features("latents", latents, study.concepts(), 1.0, rng)
    evidence = study.folder("evidence")
    examples = pd.read_parquet(evidence / "examples.parquet").query("kind == 'latents' and quantile == 0")
    copies = [examples.assign(feature=examples["feature"] + start) for start in range(0, latents, 64)]
    write_tables(evidence, {"latents": features, "examples": pd.concat(copies)})
    write_tables(study.folder("map"), {"map": _map(features, rng)})
    effects = pd.DataFrame({"latent": np.arange(latents), "effect": rng.gamma(2, 1.2, latents)})
    write_tables(study.folder("steering"), {"effects": effects})
    return folder


def rename(latents: Path, feature: int, name: str) -> None:
    """Gives a latent of an evidence table another name."""
    table = pd.read_parquet(latents)
    table.loc[table["feature"] == feature, ["name", "alive"]] = [name, True]
    table.to_parquet(latents, index=False)
