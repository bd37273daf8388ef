"""The log: what is in a line, that it stays small, and that nothing depends on it."""

import json
import threading

from seqsae_core import log


def lines(folder, name=log.LOG) -> list[dict]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def test_an_error_is_found_under_its_id_with_its_traceback(tmp_path, capsys):
    try:
        {}["missing"]
    except KeyError as error:
        name = log.error(tmp_path, error, page="steer")
    (line,) = lines(tmp_path)
    assert (line["event"], line["id"], line["type"], line["page"]) == ("error", name, "KeyError", "steer")
    assert '{}["missing"]' in line["traceback"] and name in capsys.readouterr().err


def test_many_writers_at_once_do_not_tear_lines(tmp_path):
    work = [threading.Thread(target=lambda i=i: [log.write(tmp_path, "page", n=f"{i} {j}\n" * 50) for j in range(100)])
            for i in range(8)]  # fmt: skip
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert len({line["n"] for line in lines(tmp_path)}) == 800


def test_a_large_log_makes_room_and_keeps_one_before(tmp_path, monkeypatch):
    monkeypatch.setattr(log, "LARGEST", 1000)
    for n in range(100):
        log.write(tmp_path, "page", n=n)
    there = [line["n"] for name in (log.BEFORE, log.LOG) for line in lines(tmp_path, name)]
    assert there == list(range(there[0], 100)) and there[0] > 50
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) < 2500


def test_a_log_that_cannot_be_written_and_values_of_any_kind_stop_nobody(tmp_path):
    log.write(tmp_path / "gone", "page")
    log.write(tmp_path, "page", odd={1: object()}, surrogate="\ud800")
    assert len(lines(tmp_path)) == 1
