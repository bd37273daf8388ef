"""Fixtures that several rooms share."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from seqsae_core.data.sequences import Sequences, build_sequences

ROOT = Path(__file__).resolve().parents[1]
GRID = {"layers": [2], "k": [2], "variants": ["topk", "relu"], "l1": [1.0]}
OTHER_DATA = ROOT.parent / "shared" / "data"
# Two workers on two cores, one thread each; and studies of several processes are compared bit for bit.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a `tiny` study, built once from real MovieTweetings rows."""
    from seqsae_core.build import build
    from seqsae_core.config import preset

    folder = tmp_path_factory.mktemp("studies") / "movietweetings"
    build(folder, preset("tiny"))
    return folder


@pytest.fixture(scope="session")
def swept_study(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a `tiny` study with two more dictionaries, trained and screened."""
    from seqsae_core.sweep import sweep

    folder = tmp_path_factory.mktemp("swept") / "movietweetings"
    shutil.copytree(tiny_study, folder)
    sweep(folder, GRID)
    return folder


@pytest.fixture(scope="session")
def bare():
    """`bare(model)` has the members of the protocol `SequenceModel` and no others."""
    from seqsae_core.recommender.protocol import SequenceModel

    methods = [name for name, member in vars(SequenceModel).items() if callable(member) and not name.startswith("_")]
    names = [*SequenceModel.__annotations__, *methods]
    return lambda model: SimpleNamespace(**{name: getattr(model, name) for name in names})


@pytest.fixture(scope="session")
def toy_sequences() -> Sequences:
    """60 users over 40 items in Zipf order, 3 to 30 events each."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(3, 31, 60)
    users = np.repeat(np.arange(60), sizes)
    items = rng.zipf(1.5, len(users)) % 40
    frame = pd.DataFrame({"user_id": users, "item_id": items, "timestamp": np.arange(len(users))})
    return build_sequences(frame)[0]


@pytest.fixture(scope="session")
def other_data() -> Path:
    """Data sets that may not be shipped; tests that need them skip where they are absent."""
    if not OTHER_DATA.is_dir():
        pytest.skip("no ../shared/data beside the project: licences do not allow shipping these data sets")
    return OTHER_DATA


@pytest.fixture(scope="session", params=["sasrec", "bert4rec"])
def toy_model(request: pytest.FixtureRequest, toy_sequences: Sequences):
    """Untrained transformers of two blocks for `toy_sequences`, weights large enough to matter."""
    import torch

    from seqsae_core.recommender.transformer import ARCHITECTURES

    torch.manual_seed(5)
    model = ARCHITECTURES[request.param](toy_sequences.n_items, 8, blocks=2, heads=2, max_length=12)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model.eval().requires_grad_(False)
