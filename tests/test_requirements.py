"""Pins and declared dependencies agree; nothing here asks the network."""

from __future__ import annotations

import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from graph.version import VERSION
from tools.lock import ALONE, CUDA, EXTRAS, declared, without_cuda

ROOT = Path(__file__).parents[1]
FILES = {**EXTRAS, **{name: (extra,) for name, extra in ALONE.items()}}


def _pins(name: str) -> dict[str, Requirement]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in found}


def _version(pin: Requirement) -> str:
    (only,) = pin.specifier
    assert only.operator == "=="
    return only.version


@pytest.mark.parametrize("name", FILES)
def test_every_direct_dependency_is_pinned_to_a_version_that_it_allows(name: str) -> None:
    lists, pins = declared(), _pins(name)
    wanted = [*FILES[name]] if name in ALONE else ["", *FILES[name]]
    for line in (line for extra in wanted for line in lists[extra]):
        requirement = Requirement(line)
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin, f"{name} lacks {requirement.name}: run `make lock`"
        assert requirement.specifier.contains(_version(pin)), (
            f"{name} pins {pin}, pyproject.toml asks for {line}: run `make lock`"
        )


@pytest.mark.parametrize("name", FILES)
def test_the_files_agree_with_the_application_and_leave_cuda_out(name: str) -> None:
    base = _pins("requirements.txt")
    for package, pin in _pins(name).items():
        assert not CUDA.match(package), package
        if package in base:
            assert _version(pin) == _version(base[package]), package
    assert "://" not in (ROOT / name).read_text("utf-8")


def test_what_is_installed_is_what_is_pinned() -> None:
    """Direct dependencies only: those are what the code was written against."""
    installed = {canonicalize_name(each.name): each.version for each in distributions()}
    pins = _pins("requirements-dev.txt")
    names = [
        Requirement(line).name for extra in ("", "training", "dev") for line in declared()[extra]
    ]
    wrong = {
        name: (installed.get(name), _version(pins[name]))
        for name in map(canonicalize_name, names)
        if installed.get(name, "").split("+")[0] != _version(pins[name])
    }
    assert wrong == {}


def test_cuda_libraries_are_dropped_with_the_comments_below_them() -> None:
    lines = ["# head", "numpy==2", "nvidia-cublas==1", "    # via torch", "triton==3", "torch==2"]
    assert without_cuda(lines) == ["# head", "numpy==2", "torch==2"]


def test_the_version_comes_from_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
