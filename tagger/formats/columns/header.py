"""The line of a column file that names its columns: which lines are such, and what each name means."""

import re
from collections.abc import Sequence

from tagger.text.schemes import RULES, is_tag

ROLES = {
    "token": "token tokens word words wordform form surface text",
    "index": "index idx id token_id word_id token_index token_no tokenid",
    "sentence": "sentence sentences sentence_id sentence_idx sentence_no sentence_number sent sent_id sentid",
    "document": "document doc document_id doc_id docid file filename",
    "start": "start begin start_char char_start start_offset",
    "end": "end stop end_char char_end end_offset",
}
ROLE_OF = {name: role for role, names in ROLES.items() for name in names.split()}
GENERIC = {"tag", "tags", "label", "labels", "class", "entity", "entities", "iob", "bio", "ne", "ner", "named_entity"}
OTHERS = (
    "pos upos xpos chunk slot slots lemma misc feats features head deprel dep gold sentiment intent category emotion "
    "topic score rating utterance review"
)
LAYERS = GENERIC.union(OTHERS.split())
KINDS = re.compile(r"_(?:tags?|labels?|id|ids)$")
OTHER = re.compile(r"[^a-z0-9]+")
FEW = 10  # rows that show that none has the values of a first line
NE = re.compile(r"ne_(?:coarse|fine|nested)[a-z_]*|nel_[a-z_]*")  # of the HIPE shared tasks


def plain_name(field: str) -> str:
    """Return a name of a column without case and punctuation: `sentence` for `Sentence #`."""
    return OTHER.sub("_", field.strip().lower()).strip("_")


def role_of(field: str) -> str | None:
    """Return what a column with this name holds, if that is no layer."""
    return ROLE_OF.get(plain_name(field))


def is_known(field: str) -> bool:
    """Whether a field is a usual name of a column."""
    name = plain_name(field)
    return name in ROLE_OF or name in LAYERS or KINDS.sub("", name) in LAYERS or NE.fullmatch(name) is not None


def is_header(fields: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> bool:
    """Whether the fields of a first line name the columns.

    Each is a usual name of a column, or one is and none of them occurs again or is a tag.
    """
    if len(fields) < 2 or not any(map(is_known, fields)) or len({*fields}) < len(fields):
        return False
    if any(is_tag(field.strip(), scheme) for field in fields for scheme in RULES):
        return False
    if all(map(is_known, fields)):
        return True
    values = [{row[i] for row in rows if i < len(row)} for i in range(len(fields))]
    return (
        len(rows) >= FEW
        and any(role_of(field) == "token" for field in fields)
        and not any(field in found for field, found in zip(fields, values, strict=True))
    )
