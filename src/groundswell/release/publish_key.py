"""Owns the publishing key: the secret behind every threshold of the ladder, and where it is kept.

Two publications of one crowd under independent secrets tell more than one does, so a machine has one key,
and a new data folder takes it over: the same recording then publishes the same records in whichever folder.
The key identifies nobody; who holds it can undo the ladder's protection of n against n + 1, nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

import platformdirs

from groundswell.errors import ConfigurationError

__all__ = ["PublishKey"]

_KEY_BYTES = 32
_RELATIVE_PATH = Path("keys", "publish.key")


class PublishKey:
    """A secret of 32 bytes that answers with numbers nobody else can predict.

    >>> key = PublishKey(bytes(32))
    >>> key.draw("chain-1", 20, 20) == key.draw("chain-1", 20, 20)
    True
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _KEY_BYTES:
            raise ConfigurationError(
                "publish key",
                f"{len(secret)} bytes long, not {_KEY_BYTES}",
                f"give {_KEY_BYTES} random bytes",
            )
        self._secret = secret

    def __repr__(self) -> str:
        return "PublishKey(…)"

    @classmethod
    def open(cls, folder: Path) -> PublishKey:
        """The key of the data folder `folder`; created on first use.

        A folder without a key takes over the machine's (`$GROUNDSWELL_HOME`, else the platform's data
        folder for users), which is created on first use too. Where that place cannot be used the folder
        gets a key of its own.

        Raises
        ------
        ConfigurationError
            The key file is damaged, or cannot be read or written.
        """
        path = folder / _RELATIVE_PATH
        try:
            secret = _read(path)
            if secret is None:
                secret = _create(path, _machine_secret() or secrets.token_bytes(_KEY_BYTES))
        except OSError as error:
            raise ConfigurationError(
                str(path),
                f"the publishing key cannot be read or written ({type(error).__name__})",
                "make the folder writable for you alone, or choose another data folder",
            ) from None
        return cls(secret)

    @classmethod
    def of_machine(cls) -> PublishKey:
        """The machine's own key, for publishing without a data folder; drawn afresh if there can be none."""
        return cls(_machine_secret() or secrets.token_bytes(_KEY_BYTES))

    def draw(self, series: str, rung: int, choices: int) -> int:
        """A number in `0 … choices − 1`, uniform to one part in 2⁶⁴ over `choices`, fixed for its arguments.

        HMAC-SHA256(K_publish, series ‖ rung), the series length-prefixed so that no two inputs collide.
        """
        name = series.encode()
        message = len(name).to_bytes(4, "big") + name + rung.to_bytes(8, "big")
        return int.from_bytes(hmac.digest(self._secret, message, hashlib.sha256)[:16], "big") % choices


def _machine_folder() -> Path:
    home = os.environ.get("GROUNDSWELL_HOME")
    return Path(home) if home else platformdirs.user_data_path("groundswell")


def _machine_secret() -> bytes | None:
    """The machine's key, or None where it can be neither read nor made."""
    path = _machine_folder() / _RELATIVE_PATH
    try:
        return _read(path) or _create(path, secrets.token_bytes(_KEY_BYTES))
    except OSError:
        return None


def _read(path: Path) -> bytes | None:
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(secret) != _KEY_BYTES:
        raise ConfigurationError(
            str(path),
            f"holds {len(secret)} bytes, a publishing key has {_KEY_BYTES}",
            "put the key back from a copy, or delete the file to draw a new one",
        )
    return secret


def _create(path: Path, secret: bytes) -> bytes:
    """Put `secret` at `path` at once or not at all, and return what stands there: another may have won."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, refuses to replace a key that another process made meanwhile.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return _read(path) or secret
