#!/usr/bin/env bash
# Install the library into .venv, train a model for entities, parts of speech and sentiment on generated sentences,
# evaluate it on unseen sentences, and tag three sentences.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/environment.sh
install_tagger
run=runs/quickstart

echo "== Train on generated sentences, then evaluate on unseen sentences"
.venv/bin/tagger train recipes/quickstart.toml --output "$run" --overwrite

echo
echo "== Tag three sentences"
.venv/bin/tagger tag "$run" <<'SENTENCES'
Washington said the film was not terrible.
Washington is a state.
The album was great until the ending ruined it.
SENTENCES

echo
echo "The model is in $run. Tag your own: echo \"Your sentence.\" | .venv/bin/tagger tag $run"
