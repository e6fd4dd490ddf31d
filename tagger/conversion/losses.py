"""What a conversion would lose: an error, unless the user names it."""

from tagger.conversion.contents import Contents
from tagger.conversion.options import Conversion
from tagger.errors import DataError
from tagger.formats.table import FORMATS
from tagger.wording import counted

MEANINGS = {
    "ranges": " (multi-word tokens and empty nodes of CoNLL-U)",
    "_": " (columns that are not read)",
    "...": " (columns that only some lines have)",
    "start": " (offsets of tokens)",
    "end": " (offsets of tokens)",
    "sentence_end": " (flags of tokens)",
}  # of names that do not explain themselves


def refuse_losses(found: Contents, wanted: Conversion, where: str) -> None:
    """Refuse a conversion whose format has no place for something in the file that the user did not name.

    Raises:
        DataError: There is such a thing.
    """
    _refuse_homeless(found, wanted, where)
    _refuse_gaps(found, wanted, where)


def _refuse_homeless(found: Contents, wanted: Conversion, where: str) -> None:
    """Refuse a conversion that would lose something that the user did not name."""
    target, drop = FORMATS[wanted.to], wanted.drop
    strange = set(found.surveys).difference(target.layers) if target.layers is not None else set()
    kept = [name for name in found.present if name not in drop]
    holds = target.holds
    if target.holds_of_labelled is not None and "labels" in {found.kinds[name] for name in kept}:
        holds = target.holds_of_labelled
    lost = [name for name in kept if found.kinds[name] not in holds or name in strange]
    if target.single and not lost:
        lost = [name for name in kept if found.kinds[name] == "entities"][1:]
    if lost:
        shown = ", ".join(f"`{name}`{MEANINGS.get(name, '')}" for name in lost)
        raise DataError(
            f"{where}: {wanted.to} cannot hold {shown}; "
            f'convert to another format, or discard what may be lost with --drop "{",".join([*drop, *lost])}"'
        )


def _refuse_gaps(found: Contents, wanted: Conversion, where: str) -> None:
    """Refuse a layer that some sentences lack where each is a column."""
    filled = found.num_sentences - found.present["blank lines"]
    gaps = [name for name in found.written(wanted) if found.present[name] < filled]
    if gaps and wanted.to == "conll":
        shown = ", ".join(f"`{name}` in {found.present[name]}" for name in gaps)
        raise DataError(
            f"{where}: a column of conll must be in all {counted(filled, 'sentence')}, got "
            f'{shown}; convert to jsonl, or discard it with --drop "{",".join([*wanted.drop, *gaps])}"'
        )
