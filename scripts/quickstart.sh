#!/usr/bin/env bash
# Install the library into .venv, tag sentences with the English model that comes with it, train a model for other types
# of entities, and show what the training changed.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/environment.sh
install_tagger
run=runs/own-types

echo "== The English model tags sentences of several kinds"
.venv/bin/tagger tag english <<'SENTENCES'
Barack Obama visited Paris, and Maria loved it.
The European Central Bank raised interest rates on Thursday.
what time is the next flight from boston to denver
Watching the Lakers on ESPN with Maria at Starbucks in Chicago
The plot was a mess, and I want my money back.
SENTENCES

echo
echo "== Train on your own types: texts from social media, starting from the English model"
.venv/bin/tagger train recipes/own-types.toml --output "$run" --overwrite

echo
echo "== What the training changed"
for model in english "$run"; do
    echo "-- $model"
    echo "Watching the Lakers on ESPN with Maria at Starbucks in Chicago" | .venv/bin/tagger tag "$model"
done

echo
echo "The model is in $run. Tag your own: echo \"Your sentence.\" | .venv/bin/tagger tag $run"
