"""The recogniser for Presidio in docs/integrations.md, where Presidio is installed."""

import re
from pathlib import Path
from typing import Any

import pytest
import spacy

import tagger

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrations.md"
TEXT = "Maria Rossi moved to Oslo. Altavia Inc. called her at 212-555-0123."


def recogniser_code() -> str:
    found = re.search(r"cat > recogniser.py <<'EOF'\n(.*?)EOF\n", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_recogniser_is_short_and_stands_on_public_names() -> None:
    lines = [line for line in recogniser_code().splitlines() if line]
    assert len(lines) <= 15
    compile(recogniser_code(), "recogniser.py", "exec")
    assert re.findall(r"tagger\.(\w+)", recogniser_code()) == ["load"]


@pytest.mark.filterwarnings("ignore")
def test_recogniser_finds_what_the_model_finds() -> None:
    presidio = pytest.importorskip("presidio_analyzer")
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class BlankEngine(SpacyNlpEngine):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

    session: dict[str, Any] = {}
    exec(compile(recogniser_code(), "recogniser.py", "exec"), session)
    recogniser = session["TaggerRecognizer"]("english", {"PER": "PERSON", "LOC": "LOCATION"})
    registry = presidio.RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"])
    registry.add_recognizer(recogniser)
    analyzer = presidio.AnalyzerEngine(registry=registry, nlp_engine=BlankEngine(), supported_languages=["en"])
    results = analyzer.analyze(TEXT, language="en", entities=["PERSON", "LOCATION", "PHONE_NUMBER"])
    found = {(result.entity_type, TEXT[result.start : result.end]): result.score for result in results}
    assert set(found) == {("PERSON", "Maria Rossi"), ("LOCATION", "Oslo"), ("PHONE_NUMBER", "212-555-0123")}
    scores = {span.text: span.score for span in tagger.load("english").tag_document(TEXT).spans("ner")}
    assert found["PERSON", "Maria Rossi"] == pytest.approx(scores["Maria Rossi"], abs=1e-6)
    assert [result.entity_type for result in recogniser.analyze(TEXT, ["LOCATION"])] == ["LOCATION"]
