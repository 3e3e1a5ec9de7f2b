"""How a name, a phone number and free words look to those who may not read them whole. Pure."""

from __future__ import annotations

import re

# What stands in a cell instead of a name or a number: one character and stars, or digits around stars.
_MASKED = re.compile(r"^(?:[^*]?\*|[\d+() -]{0,3}\*+[\d+() -]{0,4})$")
_MASKED_NUMBER = re.compile(r"1[3-9]\d\*{4,6}\d{4}")
_NUMBER = re.compile(r"(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")


def mask_name(name: str) -> str:
    """
    >>> mask_name("张三"), mask_name("欧阳修")
    ('张*', '欧*')
    """
    return name[:1] + "*" if name else name


def mask_phone(phone: str) -> str:
    """
    >>> mask_phone("13812345678"), mask_phone("023-57681234"), mask_phone("110")
    ('138****5678', '023*****1234', '***')
    """
    if len(phone) < 8:
        return "*" * len(phone)
    return phone[:3] + "*" * (len(phone) - 7) + phone[-4:]


def mask_words(text: str) -> str:
    """Free words with the mobile numbers in them masked.

    >>> mask_words("找老张 138 1234 5678，编号 500237002001001")
    '找老张 138******5678，编号 500237002001001'
    """
    return _NUMBER.sub(lambda found: mask_phone(found[0]), text)


def is_masked(text: object) -> bool:
    """Whether a cell holds what mask_name or mask_phone made, not a value.

    >>> is_masked("张*"), is_masked("138****5678"), is_masked("***"), is_masked("张三"), is_masked("A*B")
    (True, True, True, False, False)
    """
    return isinstance(text, str) and _MASKED.match(text.strip()) is not None


def is_masked_words(text: object) -> bool:
    """Whether free words hold a number that mask_words masked.

    >>> is_masked_words("找老张 138****5678"), is_masked_words("找老张 ****")
    (True, False)
    """
    return isinstance(text, str) and _MASKED_NUMBER.search(text) is not None


def same_behind(masked: str, stored: str | None) -> bool:
    """Whether the stored name or number is what the mask hides.

    >>> same_behind("张*", "张三"), same_behind("138****5678", "13812345678"), same_behind("张*", None)
    (True, True, False)
    """
    return stored is not None and masked.strip() in (mask_name(stored), mask_phone(stored))
