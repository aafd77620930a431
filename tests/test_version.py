"""Every command reports the version that pyproject.toml states."""

from __future__ import annotations

import importlib

import pytest

from graph.version import VERSION


@pytest.mark.parametrize("package", ["graph", "model", "training", "app"])
def test_every_command_has_a_version(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = importlib.import_module(f"{package}.__main__")
    try:
        code = command.main(["--version"])
    except SystemExit as ended:
        code = ended.code
    assert code in (0, None)
    assert capsys.readouterr().out == f"Lamplight {VERSION}\n"
