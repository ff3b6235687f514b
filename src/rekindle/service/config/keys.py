"""The secrets that a store makes for itself: one file per purpose under `var/keys`, readable by its owner alone.

Knows nothing of what is signed. A ring keeps the keys that were current once, so that old links go on working.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from rekindle.deliver.links import Ring
from rekindle.errors import StoreUnavailable


def load_ring(var: Path, purpose: str) -> Ring:
    """The key ring of one purpose, made at its first use; read again where its file has become another."""
    path = f"{var}/keys/{purpose}.json"
    try:
        held = os.stat(path)
    except OSError:
        fresh = {"current": "a", "keys": {"a": secrets.token_hex(32)}}
        _read_or_make(Path(path), json.dumps(fresh))
        held = os.stat(path)
    return _ring(path, purpose, (held.st_ino, held.st_mtime_ns, held.st_size))


@lru_cache(maxsize=100)
def _ring(path: str, purpose: str, version: tuple[int, int, int]) -> Ring:  # noqa: ARG001  the version is part of what is remembered
    with _kept(path):
        document = json.loads(Path(path).read_text(encoding="ascii"))
    return Ring(purpose, document["current"], {name: bytes.fromhex(key) for name, key in document["keys"].items()})


def load_secret(var: Path, purpose: str) -> str:
    """One secret of 32 bytes, hexadecimal, made at its first use."""
    return _read_or_make(var / "keys" / f"{purpose}.key", secrets.token_hex(32))


def _read_or_make(path: Path, content: str) -> str:
    """The file's text; where there is none yet, whoever links its own first wins."""
    with _kept(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.is_file():
            draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first: its key is the key
            finally:
                draft.unlink()
        return path.read_text(encoding="ascii")


@contextmanager
def _kept(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"cannot keep a key at {path}: {error.strerror}", "Make the store folder writable.") from error
