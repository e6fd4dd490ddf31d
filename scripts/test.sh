#!/usr/bin/env bash
# Install the library with its development tools into .venv, then run ruff, mypy, the build of the documentation and
# pytest in two processes. Arguments are passed to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/environment.sh
install_tagger '[audio,plots,onnx,transformers,tune,tensorboard,mlflow,wandb,serve]' dev
export HF_HUB_OFFLINE=1
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict
exec .venv/bin/python -m pytest --numprocesses 2 --dist loadfile "$@"
