#!/usr/bin/env bash
# From nothing to a trained, scored and used tagger: installs into .venv, trains entities, parts of speech and sentiment
# on generated sentences, scores unseen ones, and tags three sentences.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/environment.sh
install_tagger
run=runs/quickstart

echo "== Training on generated sentences, then scoring sentences that are in none of them"
.venv/bin/tagger train recipes/quickstart.toml --output "$run" --overwrite

echo
echo "== Tagging three sentences"
.venv/bin/tagger tag "$run" <<'SENTENCES'
Washington said the film was not terrible.
Washington is a state.
The album was great until the ending ruined it.
SENTENCES

echo
echo "The model is in $run. Tag your own: echo \"Your sentence.\" | .venv/bin/tagger tag $run"
