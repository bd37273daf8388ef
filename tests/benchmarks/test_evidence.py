"""The benchmark of evidence runs, in a process of its own, on a small case."""

from benchmarks import evidence


def test_a_small_case_is_measured():
    found = evidence.in_a_process(32, 4, 2000)
    assert (found["latents"], found["concepts"]) == (32, 4) and found["mib_more"] >= 0
    assert set(found["seconds"]) == {"sums", "correlation", "significance", "every_pair", "direct_effect"}
    assert all(seconds >= 0 for seconds in found["seconds"].values())
