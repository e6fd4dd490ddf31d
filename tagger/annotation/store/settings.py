"""What a project was made with."""

from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from tagger.annotation.store.database import Database
from tagger.wording import plain_rule, quoted

HELD_OUT = 5  # one text in so many is held out from training, to score the model on


class Settings(NamedTuple):
    """What holds for a project from its start to its end.

    Args:
        types: The types of entities.
        start: The model that trainings start from.
        seed: Seed of the order of texts and of trainings.
        gold: Number of gold sentences to score the model on.
    """

    types: list[str]
    start: str
    seed: int
    gold: int

    def is_held_out(self, draw: int) -> bool:
        """Whether a text is for scoring the model, by its random number. With gold sentences none is."""
        return not self.gold and draw % HELD_OUT == 0


def read_settings(database: Database) -> Settings:
    """Return the settings.

    Raises:
        DataError: One is missing or wrong.
    """
    found = {key: database.from_json(value) for key, value in database.all("SELECT key, value FROM settings")}
    if missing := set(Settings._fields) - found.keys():
        raise database.damaged(f"no setting {quoted(sorted(missing))}")
    try:
        return TypeAdapter(Settings).validate_python({name: found[name] for name in Settings._fields})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise database.damaged(f"the setting `{first['loc'][0]}`, which {plain_rule(first['msg'])}") from None
