"""The figure of ranks against strength."""

import numpy as np

from seqsae_core.figures.bump import bump, ranks
from seqsae_core.figures.style import DEMOTED, PROMOTED, RIVALS

LISTS = [[3, 1, 2, 7], [1, 2, 3, 7], [2, 7, 1, 9]]


def test_ranks_are_those_of_each_list_and_missing_where_it_has_not_got_the_item():
    found = ranks(LISTS, 2)
    assert set(found) == {3, 1, 2, 7}
    assert found[1].tolist() == [2, 1, 3] and found[7].tolist() == [4, 4, 2]
    assert found[3][:2].tolist() == [1, 3] and np.isnan(found[3][2])


def test_colours_say_whether_an_item_ends_higher_than_at_0_and_titles_are_escaped():
    figure = bump([-1.0, 0.0, 2.0], LISTS, {1: "a", 2: "<b>", 3: "c", 7: "d"}, 2, 0.5)
    colours = {line.name: line.line.color for line in figure.data}
    assert colours == {"a": DEMOTED, "&lt;b&gt;": PROMOTED, "c": DEMOTED, "d": PROMOTED}
    assert bump([0.0, 1.0], [[1, 2], [1, 2]], {1: "a", 2: "b"}, 2, 0.0).data[0].line.color == RIVALS
