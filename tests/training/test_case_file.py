"""Files of answers that somebody found wrong: written whole, read with the line of an error."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from training import case_file
from training.case_file import Case, append_case, read_cases
from training.errors import TrainingError

BOSS = Case(
    "Who bosses Ada around?", "Ada Osei", "reports_to", "Jun “J” Ito", "No.\u2028Really.\n", "mine"
)
HAT = Case("What colour is Ada's hat?", "Ada Osei")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    assert [append_case(path, case) for case in (BOSS, HAT, BOSS)] == [1, 2, 3]
    assert read_cases(path) == [BOSS, HAT]
    assert BOSS.expected() == {"q": "Who bosses Ada around?", "any": ["Jun “J” Ito"]}
    assert HAT.expected() == {"q": "What colour is Ada's hat?", "none": True}


def test_a_line_that_was_cut_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"prompt": "Wh', "utf-8")
    append_case(path, BOSS)
    assert json.loads(path.read_text("utf-8").split("\n")[1])["prompt"] == BOSS.prompt
    with pytest.raises(TrainingError, match=r"Line 1 of .*cases\.jsonl is not a case"):
        read_cases(path)


def test_many_at_once_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    cases = [Case(f"Question {i}?") for i in range(40)]
    threads = [threading.Thread(target=append_case, args=(path, case)) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(case.prompt for case in read_cases(path)) == sorted(c.prompt for c in cases)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        '{"prompt": 7}',
        '{"prompt": "a?", "relation": "capital"}',
        '{"prompt": "a?", "value": "b"}',
        '{"prompt": "a?", "text": null}',
        "not json",
    ],
)
def test_the_line_of_an_error_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(f'{{"prompt": "a?"}}\n\n{line}\n', "utf-8")
    with pytest.raises(TrainingError, match="Line 3 of"):
        read_cases(path)


def test_files_that_cannot_be_used_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainingError, match="cannot be written"):
        append_case(tmp_path / "nowhere" / "cases.jsonl", BOSS)
    with pytest.raises(TrainingError, match="cannot be read"):
        read_cases(tmp_path / "nothing.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "\xe9"}')
    with pytest.raises(TrainingError, match="cannot be read"):
        read_cases(tmp_path / "latin.jsonl")
    monkeypatch.setattr(case_file, "MOST", 1)
    append_case(tmp_path / "full.jsonl", BOSS)
    with pytest.raises(TrainingError, match="has 1 cases; move it away"):
        append_case(tmp_path / "full.jsonl", HAT)
