import pytest

from tagger.config.features import KINDS, AnyTokenFeatureConfig
from tagger.features import table
from tagger.features.feature import TokenFeature


@pytest.mark.parametrize("kind", table.KINDS)
def test_a_section_says_whether_its_feature_reads_sentences(kind: str) -> None:
    section = KINDS[kind].model_construct(kind=kind)
    assert isinstance(section, AnyTokenFeatureConfig) == issubclass(table.class_of(section), TokenFeature)
