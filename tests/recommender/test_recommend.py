"""One history at a time: the lists of the batch evaluation, whatever the architecture and however items are named."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from seqsae_core.__main__ import main
from seqsae_core.data.sequences import Sequences
from seqsae_core.errors import UserError
from seqsae_core.recommender import evaluation
from seqsae_core.recommender.recommend import Recommender, best
from seqsae_core.recommender.transformer import ARCHITECTURES
from seqsae_core.study import Study

ITEMS, WINDOW, USERS = 120, 12, 200


def catalogue(items: int = ITEMS) -> pd.DataFrame:
    """Ids that are the item numbers in reverse, so that the two cannot be confused unnoticed."""
    numbers = np.arange(1, items + 1)
    years = pd.array(1900 + numbers, "Int16")
    titles = [f"Title {n}" for n in numbers]
    columns = {"item": numbers, "item_id": numbers[::-1], "title": titles, "year": years, "count": numbers % 7}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def recommender(request) -> Recommender:
    """In double precision, where rounding cannot exchange two items between one row and a batch."""
    torch.manual_seed(3)
    model = ARCHITECTURES[request.param](ITEMS, 8, 2, 2, WINDOW).double().eval().requires_grad_(False)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return Recommender(model, catalogue())


@pytest.fixture(scope="module")
def sequences() -> Sequences:
    """200 users of 1 to 40 different items and, at the end, a target that they have not had."""
    rng = np.random.default_rng(1)
    sizes = rng.integers(2, 42, USERS)
    items = np.concatenate([rng.permutation(ITEMS)[:n] + 1 for n in sizes]).astype(np.int32)
    return Sequences(np.arange(USERS), items, np.concatenate([[0], np.cumsum(sizes)]), None, ITEMS)


def test_lists_are_those_of_the_batch_evaluation(recommender, sequences):
    ends = sequences.lengths - 1
    expected = evaluation.rank_users(recommender.model, sequences, np.arange(USERS), ends).lists
    found = [recommender.recommend(sequences.of(user)[:end]).items for user, end in enumerate(ends)]
    assert (ends > WINDOW).any() and (ends == 1).any()
    assert (np.array(found) == expected).all()


def test_any_model_of_the_protocol_is_ranked(recommender, sequences, bare):
    other = Recommender(bare(recommender.model), catalogue())
    for user, end in enumerate(sequences.lengths[:40] - 1):
        history = sequences.of(user)[:end]
        found, expected = other.recommend(history), recommender.recommend(history)
        assert np.array_equal(found.items, expected.items)
        assert np.allclose(found.scores, expected.scores, rtol=0, atol=1e-10)


def test_numbers_ids_and_titles_of_the_same_items_give_the_same_list(recommender):
    items = [5, 77, 5, 120, 31]
    ids, titles = [ITEMS + 1 - i for i in items], [f"title {i}" for i in items]
    one = recommender.recommend(items)
    for names, by in ((ids, "id"), (list(map(str, ids)), "id"), (titles, "title"), (items, "item")):
        other = recommender.recommend(names, by=by)
        assert (other.items == one.items).all() and (other.scores == one.scores).all()


def test_what_the_list_says_of_its_items(recommender):
    found = recommender.recommend([5, 77], k=4)
    table = found.table()
    assert list(table) == ["rank", "item", "item_id", "title", "score"]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert (table["item_id"] == ITEMS + 1 - found.items).all()
    assert found.titles.tolist() == [f"Title {i} ({1900 + i})" for i in found.items]
    assert (np.diff(found.scores) <= 0).all()


def test_the_window_is_read_and_the_whole_history_removed(recommender):
    history = np.arange(1, 31)
    found = recommender.recommend(history, k=ITEMS)
    short = recommender.recommend(history[-WINDOW:], k=ITEMS)
    assert sorted(found.items) == list(range(31, ITEMS + 1))
    assert found.items.tolist() == [i for i in short.items if i > 30]


def test_a_reversed_view_of_a_history_is_a_history(recommender):
    history = np.array([5, 77, 31, 9])
    scores = torch.zeros(1, ITEMS + 1)
    assert set(best(scores, history[::-1], ITEMS)[0].items) == set(range(ITEMS + 1)) - set(history.tolist())
    assert np.array_equal(recommender.recommend(history[::-1]).items, recommender.recommend([9, 31, 77, 5]).items)


def test_seen_items_stay_when_asked(recommender):
    history = [5, 77, 5]
    everything = recommender.recommend(history, k=ITEMS, exclude_seen=False)
    unseen = recommender.recommend(history, k=ITEMS)
    assert sorted(everything.items) == list(range(1, ITEMS + 1))
    assert unseen.items.tolist() == [i for i in everything.items if i not in history]


@pytest.mark.parametrize("k", [1, 10, ITEMS - 3, ITEMS - 2, ITEMS - 1, 10 * ITEMS])
def test_a_longer_list_begins_with_the_shorter_and_ends_with_the_catalogue(recommender, k):
    every = recommender.recommend([5, 77], k=ITEMS - 2)
    found = recommender.recommend([5, 77], k=k)
    assert found.items.tolist() == every.items[:k].tolist()
    assert len(found.items) == min(k, ITEMS - 2) == len(found.table())


def test_the_most_popular_are_the_remedy_for_an_empty_history(recommender):
    with pytest.raises(UserError, match=r"empty.*popular"):
        recommender.recommend([])
    found = recommender.popular(20)
    assert found.items.tolist() == [*range(6, ITEMS + 1, 7), *range(5, 25, 7)]
    assert found.scores.tolist() == [6.0] * 17 + [5.0] * 3


@pytest.mark.parametrize("history", [["Title 5"], "Title 5", [1.0], [0], [ITEMS + 1], [True], [[1, 2]]])
def test_what_holds_no_item_numbers_is_refused(recommender, history):
    with pytest.raises(UserError):
        recommender.recommend(history)


def test_other_mistakes_are_named(recommender):
    with pytest.raises(UserError, match="at least 1"):
        recommender.recommend([1], k=0)
    with pytest.raises(UserError, match="item, id, title"):
        recommender.recommend([1], by="name")
    with pytest.raises(ValueError, match="119 items"):
        Recommender(recommender.model, catalogue(ITEMS - 1))


def test_a_study_recommends_on_the_command_line(tiny_study, capsys):
    recommender = Recommender.from_study(Study.open(tiny_study))
    items = [7, 3, 11]
    expected = recommender.recommend(items, k=5)
    ids = [str(i) for i in recommender.lookup.item_ids[np.array(items) - 1]]
    command = ["recommend", str(tiny_study)]
    assert main([*command, *ids, "--by", "id", "--k", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["history"] == [recommender.lookup.titles[i - 1] for i in items]
    assert found["recommendations"] == expected.table().to_dict("records")
    assert main([*command, "--k", "5", "--by", "item", *map(str, items)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert all(title in line for title, line in zip(expected.titles, lines[1:], strict=True))
    assert main([*command, "No such title there is"]) == 2
    assert "No such title there is" in capsys.readouterr().err
