"""A reviewer's way through the queue, without a browser."""

import numpy as np
import pandas as pd
import pytest

from seqsae_core.errors import UserError
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.session import Session
from seqsae_core.reviews.weights import Weights

FINGERPRINT = "f" * 16
WEIGHTS = Weights(FINGERPRINT, np.eye(4, dtype=np.float32))
FEATURES = pd.DataFrame(
    {
        "feature": range(4), "alive": True, "name": ["Horror", "War", "Drama", "Comedy"],
        "name_score": [0.9, 0.8, 0.7, 0.6], "density": [0.4, 0.3, 0.2, 0.1],
    }
).set_index("feature", drop=False)  # fmt: skip


def sit(reviews, who: str = "Ada", **more) -> Session:
    """A session over four latents, those that fire most first."""
    return Session(reviews, WEIGHTS, FEATURES, who, "Traffic", **more)


def answer(session: Session, verdict: str, **more) -> None:
    """Answers the question that is asked."""
    session.decide({"token": session.token, "verdict": verdict, "confidence": 2} | more)


def test_a_verdict_is_kept_with_all_that_was_said_and_the_next_is_asked(reviews):
    session = sit(reviews)
    assert (session.latent, session.following, session.step) == (0, 1, "verdict")
    answer(session, "rename", name="Slashers", note="=x", tags="a, b,,a", confidence=3)
    event = reviews.verdicts(FINGERPRINT)[0]
    assert (event.latent, event.name, event.automatic, event.note, event.tags, event.confidence, event.blind) == (
        0, "Slashers", "Horror", "=x", ("a", "b"), 3, False,
    )  # fmt: skip
    assert event.seconds >= 0
    assert reviews.directions(FINGERPRINT)[0].tolist() == [1, 0, 0, 0]
    assert session.latent == 1 and "Saved: 0 renamed" in session.saved


def test_what_was_decided_is_not_asked_again_and_a_link_begins_with_its_latent(reviews):
    answer(sit(reviews), "confirm")
    assert sit(reviews).queue == [1, 2, 3]
    assert sit(reviews, start=3).queue == [3, 1, 2]
    assert sit(reviews, start=0).queue == [0, 1, 2, 3]


def test_a_late_answer_does_not_fall_on_the_next_latent(reviews):
    session = sit(reviews)
    token = session.token
    answer(session, "confirm")
    session.decide({"token": token, "verdict": "reject"})
    session.skip({"token": token})
    assert [e.verdict for e in reviews.events()] == ["confirm"] and session.latent == 1


def test_a_second_reviewer_is_blind_until_the_verdict(reviews):
    answer(sit(reviews), "confirm")
    session = sit(reviews, "Bob")
    assert session.step == "reading"
    answer(session, "rename", name="Scary")
    assert (session.latent, session.step, session.own) == (0, "compare", "Scary")
    assert "Ada" not in session.saved
    answer(session, "rename")
    assert "Ada confirmed it" in session.saved and "Horror" in session.saved
    kinds = [(e.kind, e.name, e.blind) for e in reviews.events(latent=0) if e.reviewer == "Bob"]
    assert kinds == [("reading", "Scary", True), ("verdict", "Scary", True)]
    assert session.step == "verdict"


def test_the_same_meaning_confirms_the_automatic_name(reviews):
    answer(sit(reviews), "confirm")
    session = sit(reviews, "Bob")
    answer(session, "rename", name="Scary")
    answer(session, "confirm")
    assert reviews.outcomes(FINGERPRINT).loc[0, ["status", "name"]].tolist() == ["accepted", "Horror"]


def test_undo_asks_again(reviews):
    session = sit(reviews)
    answer(session, "confirm")
    answer(session, "reject")
    session.undo()
    assert (session.latent, session.done) == (1, 1)
    session.undo()
    assert (session.latent, session.done) == (0, 0)
    session.undo()
    assert session.saved == "Nothing to take back."
    assert reviews.verdicts(FINGERPRINT) == []


def test_undo_of_an_earlier_session_and_of_a_reading(reviews):
    answer(sit(reviews), "confirm")
    later = sit(reviews)
    later.undo()
    assert (later.latent, later.before, later.done) == (0, 0, 0)
    answer(later, "confirm")
    bob = sit(reviews, "Bob")
    answer(bob, "rename", name="Scary")
    bob.undo()
    assert (bob.latent, bob.step, bob.own, bob.done) == (0, "reading", "", 0)


def test_skipping_keeps_the_latent_for_later(reviews):
    session = sit(reviews)
    session.skip({"token": session.token})
    assert session.latent == 1 and reviews.events() == []
    assert sit(reviews).queue == [0, 1, 2, 3]


def test_what_cannot_be_kept_leaves_the_question(reviews):
    session = sit(reviews)
    for wrong in ({"verdict": "rename", "name": " "}, {"verdict": "maybe"}, {"verdict": "confirm", "confidence": "3"}):
        with pytest.raises(UserError):
            session.decide({"token": session.token} | wrong)
    assert session.latent == 0 and reviews.events() == []


def test_a_reviewer_has_a_name(reviews):
    with pytest.raises(UserError, match="reviewer's name"):
        sit(reviews, "  ")


def test_the_end_of_the_queue_asks_nothing(reviews):
    session = sit(reviews)
    for _ in range(4):
        answer(session, "confirm")
    assert session.latent is None
    answer(session, "confirm")
    session.skip({"token": session.token})
    assert len(reviews.events()) == 4
    reviews.record(Event("Bob", FINGERPRINT, 0, "verdict", "reject"))
    assert sit(reviews).latent is None
