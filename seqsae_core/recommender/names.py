"""What the figures of a recommender are called, wherever they are written, printed or drawn."""

CUTOFFS = (5, 10, 20)
ACCURACY = tuple(f"{metric}@{k}" for metric in ("hr", "ndcg", "mrr") for k in CUTOFFS)
LIST = 10
LISTS = tuple(f"{figure}@{LIST}" for figure in ("coverage", "gini", "novelty", "popularity", "diversity"))
BASELINES = {"popularity": "Popularity", "markov": "Markov", "item_knn": "Item kNN"}
