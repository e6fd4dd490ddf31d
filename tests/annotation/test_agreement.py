"""How far two people agree."""

from pathlib import Path

import pytest
from annotation.projects import ADA, BO, judged_by
from sklearn.metrics import cohen_kappa_score

from tagger.annotation.agreement import Agreement
from tagger.annotation.merging import merge


def test_agreement_counts_what_both_have_judged(tmp_path: Path) -> None:
    one, other = judged_by(tmp_path, "ada", ADA), judged_by(tmp_path, "bo", BO)
    agreement = merge(one, other, tmp_path / "both.sqlite")
    assert (agreement.texts, agreement.tokens) == (2, 5)
    assert (agreement.both, agreement.one, agreement.other) == (1, 1, 2)  # ada's person has a token bo did not judge
    assert agreement.f1 == pytest.approx(2 / 3)
    pairs = list(agreement.pairs.elements())
    assert agreement.kappa == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))
    assert str(agreement).splitlines()[0] == (
        f"2 texts and 5 tokens judged by both; Cohen's kappa {agreement.kappa:.3f}, F1 of entities 0.667"
    )


def test_agreement_without_common_judgements_is_undefined() -> None:
    assert (Agreement().kappa, Agreement().f1) == (None, None)
    assert str(Agreement()).startswith("0 texts and 0 tokens judged by both; Cohen's kappa undefined")
