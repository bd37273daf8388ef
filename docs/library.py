"""A study from two tables, its latents, and a steered recommendation: `python docs/library.py [FOLDER]`."""

import sys

import pandas as pd

import seqsae_core as ss

out = sys.argv[1] if len(sys.argv) > 1 else "studies/library"
interactions = pd.read_parquet("assets/movietweetings/ratings.parquet")
items = pd.read_parquet("assets/movietweetings/movies.parquet")

# tiny takes seconds and is only good for a look; leave it out for a study worth reading.
study = ss.build(interactions, items, out=out, preset="tiny")
print(study)

latents = study.latents.sort_values("correlation", ascending=False)
print(latents[["name", "top_concept", "correlation", "density"]].head())

steerer = ss.Steerer(study)
history = ["Gravity (2013)", "Her (2013)"]
before = steerer.recommend(history, k=5, by="title")
after = steerer.recommend(history, [ss.Edit(int(latents.index[0]), 4.0)], k=5, by="title")
print(before.table(), after.table(), sep="\n")
