"""The words of customers' pages, one file a language: a new language is a new file with the same keys."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from ruamel.yaml import YAML

FALLBACK = "en"


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are words in."""
    found = (entry.name for entry in files(__name__).iterdir() if entry.name.endswith(".yaml"))
    return tuple(sorted(name.removesuffix(".yaml") for name in found))


def language_of(*locales: str) -> str:
    """The first language of some locales that there are words in.

    Args:
        locales: Such as "de_AT"; empty where unknown.
    """
    wanted = (locale.replace("-", "_").partition("_")[0].lower() for locale in locales)
    return next((one for one in wanted if one in languages()), FALLBACK)


@cache
def words(language: str) -> Mapping[str, str]:
    """Every text of a language, by key."""
    text = (files(__name__) / f"{language}.yaml").read_text(encoding="utf-8")
    return MappingProxyType({str(key): str(value) for key, value in YAML(typ="safe").load(text).items()})
