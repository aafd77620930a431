"""Data sets in the Hub's layout are streamed by the package `datasets`, where it is installed."""

from __future__ import annotations

import importlib.util
import json

import pytest

from tests.training.annotation.test_articles import examples
from training.__main__ import main
from training.annotation.articles import Problems, read_articles
from training.errors import CorpusError

HAS_DATASETS = importlib.util.find_spec("datasets") is not None
needs_datasets = pytest.mark.skipif(not HAS_DATASETS, reason="pip install -r requirements-hub.txt")


@pytest.fixture
def folder(tmp_path):
    """Two Parquet files of one split, as the Hub holds kilian-group/LMLM-pretrain-dwiki6.1M."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    data = tmp_path / "LMLM-small" / "data"
    data.mkdir(parents=True)
    for number in range(2):
        rows = examples(12)[number * 6 : number * 6 + 6]
        name = f"train-{number:05}-of-00002.parquet"
        parquet.write_table(pyarrow.Table.from_pylist(rows), data / name)
    return data.parent


@needs_datasets
def test_a_data_set_gives_the_articles_of_the_file(folder, tmp_path, monkeypatch):
    """Streamed: the first article is there before the second file is read."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"examples": examples(12)}), encoding="utf-8")
    problems = Problems()
    assert list(read_articles(folder, problems)) == list(read_articles(path, Problems()))
    assert (problems.documents, problems.lookups) == (12, 24)
    (folder / "data" / "train-00001-of-00002.parquet").write_bytes(b"no Parquet")
    stream = read_articles(folder, Problems())
    assert next(stream).title == "Title 0"
    with pytest.raises(CorpusError, match="cannot be read: "):
        list(stream)


@needs_datasets
def test_shards_of_a_data_set(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    out = tmp_path / "out"
    assert main(["shards", str(folder), "--out", str(out), "--vocabulary", "400"]) == 0
    assert "12 articles with 24 lookups" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    assert main(["shards", str(tmp_path / "empty"), "--out", str(out)]) == 1
    assert "cannot be read: " in capsys.readouterr().err


@pytest.mark.skipif(HAS_DATASETS, reason="datasets is installed")
def test_without_the_package_it_is_told_how_to_get_it():
    with pytest.raises(CorpusError, match="pip install -r requirements-hub"):
        list(read_articles("kilian-group/LMLM-pretrain-dwiki6.1M", Problems()))
