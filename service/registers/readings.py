"""Chinese texts as one types them on a keyboard without Chinese: pinyin without tones, and the initials. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

# Readings of surnames where they differ from the character's usual one.
SURNAMES = {
    "单": "shan", "仇": "qiu", "解": "xie", "查": "zha", "曾": "zeng", "朴": "piao", "区": "ou", "任": "ren",
    "盖": "ge", "员": "yun", "翟": "zhai", "覃": "qin", "种": "chong", "秘": "bi", "冼": "xian", "召": "shao",
    "乐": "yue", "缪": "miao", "宓": "mi", "晟": "cheng", "郗": "xi", "逄": "pang", "牟": "mu",
}  # fmt: skip
# Characters of shop, street and personal names with a second reading that people type.
OTHERS = {
    "重": ("zhong", "chong"), "长": ("chang", "zhang"), "行": ("hang", "xing"), "乐": ("le", "yue"),
    "朝": ("chao", "zhao"), "都": ("du", "dou"), "巷": ("xiang", "hang"), "厦": ("sha", "xia"),
    "曾": ("zeng", "ceng"), "单": ("shan", "dan"), "解": ("jie", "xie"), "盛": ("sheng", "cheng"),
    "觉": ("jue", "jiao"), "调": ("diao", "tiao"), "藏": ("cang", "zang"), "校": ("xiao", "jiao"),
    "覃": ("qin", "tan"), "仇": ("qiu", "chou"), "查": ("cha", "zha"), "堡": ("bao", "pu"),
    "传": ("chuan", "zhuan"), "参": ("can", "shen"), "便": ("bian", "pian"),
}  # fmt: skip
_MOST_READINGS = 3
_HAN = re.compile(r"[〇㐀-鿿豈-﫿\U00020000-\U0003ffff]+")

Known = Mapping[str, tuple[str, ...]]


def readings(text: str, person: bool = False) -> tuple[str, ...]:
    """How a text reads, the usual way first: a capital begins each syllable, everything else is a capital too.

    So the small letters taken away leave the initials. `person`: a personal name, whose first character is a surname.

    >>> readings("龙门大道8号"), readings("KFC 餐厅"), readings("单雄", person=True)
    (('LongMenDaDao8Hao',), ('KFCCanTing',), ('ShanXiong', 'DanXiong'))
    """
    syllables: list[str] = []
    reached = 0
    for run in _HAN.finditer(text):
        syllables += _plain(text[reached : run.start()])
        syllables += _spoken(run[0])
        reached = run.end()
    syllables += _plain(text[reached:])
    chars = [char for char in text if char.isalnum()]
    if len(chars) != len(syllables):  # a letter that becomes two when it is made large
        return ("".join(syllables),)
    first = list(syllables)
    if person and chars and chars[0] in SURNAMES:
        first[0] = SURNAMES[chars[0]].capitalize()
    found = {"".join(first): None, "".join(syllables): None}
    for i, char in enumerate(chars):
        for other in OTHERS.get(char, ()):
            found["".join([*first[:i], other.capitalize(), *first[i + 1 :]])] = None
    return tuple(found)[:_MOST_READINGS]


def _plain(text: str) -> list[str]:
    return [char.upper() for char in text if char.isalnum() and len(char.upper()) == 1]


@lru_cache(maxsize=20_000)
def _spoken(run: str) -> tuple[str, ...]:
    """One syllable a character; a character without a known reading stays as it is."""
    from pypinyin import lazy_pinyin  # 0.2 s and 50 MB: kept out of the start of every command

    found = lazy_pinyin(run, errors=lambda chars: list(chars))  # type: ignore[arg-type,return-value]
    return tuple(one.capitalize() for one in found) if len(found) == len(run) else tuple(run)
