"""The schemes, and seqeval's own objects for them: the independent reading that tests compare with."""

import seqeval.scheme

from tagger.text.schemes import Scheme

SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "bioes", "bilou")
ORACLES = {
    "iob1": seqeval.scheme.IOB1,
    "iob2": seqeval.scheme.IOB2,
    "bioes": seqeval.scheme.IOBES,
    "bilou": seqeval.scheme.BILOU,
}
