# Sourced by the other scripts: create .venv if it does not exist and install the library into it, again only when the
# project file, the constraints or this script change.
# Usage: install_tagger [EXTRAS [GROUP]], for example: install_tagger '[plots]' dev

install_tagger() {
    local extras="${1:-}" group="${2:-}" stamp pip
    pip=(.venv/bin/python -m pip install --disable-pip-version-check -c scripts/constraints.txt)
    [ -t 2 ] || pip+=(--quiet)  # a terminal shows the progress of each package
    if [ ! -x .venv/bin/python ]; then
        local python="${PYTHON:-python3}"
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
            echo "error: $python must be Python 3.11 or newer; name another one with PYTHON=..." >&2
            return 2
        }
        echo "creating .venv" >&2
        "$python" -m venv .venv
    fi
    stamp=".venv/installed-$(cat pyproject.toml scripts/constraints.txt scripts/environment.sh | cksum | tr -d ' ')$extras$group"
    if [ ! -e "$stamp" ]; then
        echo "installing 1.7 GB (this takes minutes the first time)" >&2
        # torch comes first and in exactly this version: a newer one brings gigabytes of GPU code.
        .venv/bin/python -c 'import torch' 2>/dev/null || "${pip[@]}" torch
        # The pip of a new environment may be too old to know dependency groups (pip 25.1 is the first that does).
        [ -z "$group" ] || "${pip[@]}" pip
        "${pip[@]}" -e ".$extras" ${group:+--group "$group"}
        touch "$stamp"
    fi
}
