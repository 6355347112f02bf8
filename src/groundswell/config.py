"""Reads a TOML configuration and decodes it section by section, so that an error can name its place.

Each component's settings are a frozen `msgspec.Struct` beside its class; this module knows none of them.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from groundswell.errors import ConfigurationError, did_you_mean

__all__ = ["Document", "Settings"]

T = TypeVar("T", bound="Settings")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every component's settings: data only, unknown keys refused."""


class Document:
    """A parsed configuration file.

    >>> document = Document.parse("[gate]\\nspeaker_key_hours = 12\\n", "example.toml")
    >>> document.names()
    ('gate',)
    """

    def __init__(self, tables: dict[str, Any], where: str) -> None:
        self._tables = tables
        self.where = where

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read `path`; raises `ConfigurationError` when it is missing or not TOML."""
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            raise ConfigurationError(
                str(path), "no such file", "give the path of a TOML file; `groundswell.toml` is an example"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                str(path), f"cannot be read ({type(error).__name__})", "make it a readable UTF-8 file"
            ) from None
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, where: str) -> Document:
        try:
            return cls(tomllib.loads(text), where)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(where, f"not TOML: {error}", "mend the line it names") from None

    def names(self) -> tuple[str, ...]:
        """The top-level tables, in the file's order."""
        return tuple(self._tables)

    def allow(self, known: set[str]) -> None:
        """Refuse top-level tables that no component owns."""
        for name in self._tables:
            if name not in known:
                raise ConfigurationError(self.where, f"unknown table `[{name}]`", did_you_mean(name, known))

    def tables(self, name: str) -> dict[str, Any]:
        """The named sub-tables of `[name.*]`, such as the sources."""
        value = self._tables.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
            raise ConfigurationError(
                self.where, f"`{name}` is not a set of tables", f"write one table each: `[{name}.NAME]`"
            )
        return value

    def section(self, name: str, into: type[T]) -> T:
        """Decode `[name]` into the settings type `into`; an absent table gives the defaults."""
        return self.decode(self._tables.get(name, {}), into, name)

    def decode(self, table: Any, into: type[T], name: str) -> T:
        """Decode one table; raises `ConfigurationError` naming the key, the value and the mend."""
        try:
            return msgspec.convert(table, into)
        except msgspec.ValidationError as error:
            raise self._explain(error, table, into, name) from None

    def _explain(
        self, error: msgspec.ValidationError, table: Any, into: type[Settings], name: str
    ) -> ConfigurationError:
        message = str(error)
        where = f"{self.where} [{name}]"
        unknown = re.search(r"unknown field `(.+?)`", message)
        if unknown:
            known = [field.encode_name for field in msgspec.structs.fields(into)]
            return ConfigurationError(where, f"unknown key `{unknown[1]}`", did_you_mean(unknown[1], known))
        path = re.search(r" - at `\$\.?(.*?)`$", message)
        key = path[1] if path else ""
        value: Any = table
        for part in re.findall(r"[^.\[\]]+", key):
            if isinstance(value, dict):
                value = value.get(part)
        what = message.split(" - at ")[0]
        shown = f"`{key}` = {value!r}" if key else "the table"
        return ConfigurationError(where, f"{shown} is not usable", what[:1].lower() + what[1:])
