"""What an ASCII character is, for kernels: a byte or a code point; what is beyond ASCII is none of these."""

from __future__ import annotations

from groundswell.kernels import inner

__all__ = ["is_alnum", "is_letter", "is_space"]


@inner
def is_letter(byte):  # type: ignore[no-untyped-def]
    return 97 <= (byte | 32) <= 122


@inner
def is_alnum(byte):  # type: ignore[no-untyped-def]
    return 48 <= byte <= 57 or is_letter(byte)


@inner
def is_space(byte):  # type: ignore[no-untyped-def]
    """Is it white space to an expression?"""
    return byte == 32 or byte == 9 or byte == 10 or byte == 12 or byte == 13
