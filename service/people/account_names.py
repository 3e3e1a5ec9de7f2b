"""Names of accounts: what may be one, and which two are too much alike to be told apart in the trail. Pure."""

from __future__ import annotations

import re
import unicodedata

_NAME = re.compile(r"[\w.\-@]{2,64}")
# Letters of these look like Latin ones; nobody can tell an account that is written with them from another.
_LOOK_ALIKE = {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"}
_TOGETHER = {"LATIN", "CJK"}
# As whom the trail writes what nobody signed in did.
_NOBODYS = {"公众", "系统", "命令行"}


def name_fault(name: str) -> str | None:
    """Why an account can't have this name; None when it can.

    >>> name_fault("wang.fang"), name_fault("李娜2"), name_fault("lü-wei@office")
    (None, None, None)
    >>> name_fault("а" + "dmin")
    '“аdmin”里混着不同文字的字母，和别的账号看起来一样。只用汉字、英文字母和数字。'
    """
    if not _NAME.fullmatch(name):
        return f"账号名“{name[:80]}”不能用：2 至 64 个字母、汉字、数字或 . - _ @。"
    if unicodedata.normalize("NFKC", name) != name:
        return f"账号名“{name[:80]}”里有全角或变体字符，改用半角的字母和数字。"
    if name in _NOBODYS:
        return f"“{name}”在操作记录里另有所指，换一个账号名。"
    scripts = {_script(one) for one in name if one.isalpha()}
    odd = any(one.isnumeric() and not one.isascii() and not one.isalpha() for one in name)
    if odd or scripts & (_LOOK_ALIKE | {""}) or (len(scripts) > 1 and scripts - _TOGETHER):
        return f"“{name[:80]}”里混着不同文字的字母，和别的账号看起来一样。只用汉字、英文字母和数字。"
    return None


def name_key(name: str) -> str:
    """The same for names that are alike but for case, width or accents.

    >>> name_key("Sup1") == name_key("sup1") == name_key("ｓｕｐ１") == name_key("súp1")
    True
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one)).casefold()


def _script(letter: str) -> str:
    """LATIN, CJK, CYRILLIC …; "" for a Latin letter that is no a to z with a mark (ı, ɑ), which looks like one."""
    script = unicodedata.name(letter, "").partition(" ")[0]
    if script == "LATIN" and not name_key(letter).isascii():
        return ""
    return script
