# Sourced by the other scripts: makes .venv if there is none and installs the library in it, once per change of the
# project file. Usage: install_tagger [EXTRAS], such as install_tagger '[test]'.

install_tagger() {
    local extras="${1:-}" stamp
    if [ ! -x .venv/bin/python ]; then
        local python="${PYTHON:-python3}"
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
            echo "error: $python must be Python 3.11 or newer; name one with PYTHON=..." >&2
            return 2
        }
        echo "making .venv" >&2
        "$python" -m venv .venv
    fi
    stamp=".venv/installed-$(cat pyproject.toml scripts/constraints.txt scripts/environment.sh | cksum | tr -d ' ')$extras"
    if [ ! -e "$stamp" ]; then
        echo "installing (the first time takes a minute or more)" >&2
        # torch first and by its exact version: any newer one would bring gigabytes that a CPU has no use for.
        .venv/bin/python -c 'import torch' 2>/dev/null ||
            .venv/bin/python -m pip install --quiet --disable-pip-version-check -c scripts/constraints.txt torch
        .venv/bin/python -m pip install --quiet --disable-pip-version-check -c scripts/constraints.txt -e ".$extras"
        touch "$stamp"
    fi
}
