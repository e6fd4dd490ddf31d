"""How a model splits raw text, given its corpora."""

from collections.abc import Callable, Iterable, Mapping, Set

from tagger.encoding.packed import Packed
from tagger.inference.documents import whole_text_labels
from tagger.model.config import ModelConfig, shared_rules
from tagger.text.characters import is_unspaced
from tagger.text.sentence import Sentence
from tagger.text.tokenization import DEFAULT_RULES, SYMBOLS, TextRules
from tagger.wording import quoted

TOKENIZED = ("conll", "conllu", "fasta", "parallel", "tagged")  # formats whose files hold tokens
MOST = 0.95  # of the tokens in scripts without blanks


def text_rules_of(
    given: Mapping[str, TextRules], train: Packed, tell: Callable[[str], None], *, tokenized: Set[str] = frozenset()
) -> TextRules:
    """Return how a model splits raw text: as its corpora were split, or into characters if their tokens are such.

    Args:
        given: How each corpus was split, by its name.
        train: The train sentences.
        tell: Called with a note if a corpus was split in another way, or if characters were detected.
        tokenized: Names of corpora whose files hold tokens, so that rules that they do not set are not theirs.
    """
    rules = shared_rules(list(given.values()))
    own = {name: each for name, each in given.items() if each != DEFAULT_RULES or name not in tokenized}
    if odd := [name for name, each in own.items() if each != rules]:
        same = next((name for name, each in own.items() if each == rules), None)
        how = "by the default rules" if same is None else f"as corpus `{same}` does"
        noun = "corpus" if len(odd) == 1 else "corpora"
        tell(f"the model splits raw text {how} ({rules.name}), unlike {noun} {quoted(odd)}")
    if rules == DEFAULT_RULES and (has_characters(train) or has_symbols(train)):
        rules = TextRules("characters") if has_characters(train) else SYMBOLS
        tell(f'the train tokens are single characters, so the model splits raw text with tokenize = "{rules.tokenize}"')
    return rules.with_table()


def stays_whole(config: ModelConfig, train: Iterable[Sentence]) -> bool:
    """Whether all texts that a model learned from stayed whole, because each has a label of its own."""
    labels = whole_text_labels(config)
    tags = config.heads.keys() - labels
    return bool(labels) and all(labels & s.layers.keys() for s in train if tags & s.layers.keys())


def has_characters(sentences: Packed) -> bool:
    """Whether most tokens are single characters of scripts without blanks, as in column files of Chinese."""
    counts = {word: count for word, count in sentences.counts().items() if is_unspaced(word)}
    single = sum(count for word, count in counts.items() if len(word) == 1)
    return 2 * sum(counts.values()) > sentences.counts().total() and single >= MOST * sum(counts.values())


def has_symbols(sentences: Packed) -> bool:
    """Whether every token is a single character, and some are letters, as in column files of proteins."""
    words = sentences.counts()
    return all(len(word) == 1 for word in words) and any(map(str.isalpha, words))
