"""What the words said that a customer agreed to: every version that ships with Rekindle or that the store has written down.

Knows nothing of who agreed. A version that ships cannot be changed by a store.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rekindle.errors import BadData
from rekindle.service.public.words import FALLBACK, language_of

FILE = "wording.yaml"
OPT_IN = "opt-in-1"
"""What the mail and the page say by which a customer confirms an address."""


def wordings(root: Path) -> Mapping[str, Mapping[str, str]]:
    """The text of each version, by language.

    Args:
        root: The store's folder.

    Raises:
        BadData: The store's file is not a table of versions, each with a text in some languages.
    """
    path = root / "content" / FILE
    shipped = _read((files("rekindle.deliver") / "content" / FILE).read_text(encoding="utf-8"), FILE)
    return {**_read(path.read_text(encoding="utf-8"), str(path)), **shipped} if path.is_file() else shipped


def wording(root: Path, version: str, shop: str, *locales: str) -> str:
    """The text of a version in the first of some locales that it has, else in English, else in any; empty for a version nobody wrote down.

    Args:
        root: The store's folder.
        version: As a record of a consent names it.
        shop: The shop's name.
        locales: The customer's, then the store's.
    """
    texts = wordings(root).get(version, {})
    found = texts.get(language_of(*locales)) or texts.get(FALLBACK) or next(iter(texts.values()), "")
    return found.replace("{shop}", shop)


def _read(text: str, name: str) -> Mapping[str, Mapping[str, str]]:
    try:
        table = YAML(typ="safe").load(text) or {}
    except YAMLError as error:
        raise BadData(f"{name} is not YAML", "Mend it; docs/consent.md shows one.") from error
    good = isinstance(table, dict) and all(
        isinstance(texts, dict) and texts and all(isinstance(one, str) for one in texts.values()) for texts in table.values()
    )
    if not good:
        raise BadData(f"{name} is no table of versions, each with a text in some languages", "Mend it; docs/consent.md shows one.")
    return {str(version): {str(language): one for language, one in texts.items()} for version, texts in table.items()}
