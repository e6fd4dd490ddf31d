"""From annotations to a table: a doccano export of multi-sentence tickets becomes a CSV file in a few commands."""

import csv
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tagger.corpus.synthetic import generate

PAGE = Path(__file__).parents[1] / "docs" / "annotations.md"
COMMANDS = 8  # the most that the road may take


def tickets(number: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield records as doccano exports them, of one to four sentences each; one of them is empty."""
    sentences = generate(3 * number, seed=seed, split="train")
    lengths = random.Random(seed)
    for i in range(number):
        parts, spans, position = [], [], 0
        for _ in range(0 if i == 41 else lengths.randint(1, 4)):
            sentence = next(sentences, None)
            if sentence is None:
                break
            spans += [[position + s.start_char, position + s.end_char, s.type] for s in sentence.spans("ner")]
            parts.append(sentence.text)
            position += len(sentence.text) + 1
        yield {"id": 1000 + i, "text": " ".join(parts), "label": spans, "Comments": [], "channel": f"mail {i}"}


def road() -> list[str]:
    """Return the commands of the page up to the table, without its own texts and its example of an error."""
    text = PAGE.read_text(encoding="utf-8").split("## 5.")[0]
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.M | re.S)
    return [block for block in blocks if not re.search("broken|cat > tickets|--fields", block)]


def test_a_doccano_export_of_tickets_becomes_a_table_in_a_few_commands(tmp_path: Path) -> None:
    records = list(tickets(300, seed=3))
    lines = [json.dumps(record) for record in records]
    (tmp_path / "export.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "tickets.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    blocks = road()
    commands = [line for block in blocks for line in re.sub("(?s)cat .*?\nEOF\n", "", block).splitlines()]
    assert [line.split()[0] for line in commands] == ["head", "tail", *["tagger"] * 4]
    assert len(commands) < COMMANDS
    for block in blocks:
        script = f'set -e\ntagger() {{ "{sys.executable}" -m tagger "$@"; }}\n{block}'
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    with (tmp_path / "entities.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = {str(record["id"]): record["text"] for record in records}
    assert len(rows) > 300
    assert all(texts[row["id"]][int(row["start"]) : int(row["end"])] == row["text"] for row in rows)
    assert all(row["sentence"] in texts[row["id"]] for row in rows)
    assert "1041" not in {row["id"] for row in rows}  # the empty ticket
