"""What the readers and rooms say, for somebody who sees a page and no command line."""

from __future__ import annotations

import re

_INSTEAD: tuple[tuple[str, str], ...] = (
    (r"，例如 --(?:sheet|layer) [^；。]+", ""),
    (r"；全部合读用 --layer '\*'", ""),
    (r"请用 --(?:sheet|layer) 指明一[个份]", "请在“文件”这一步选一个"),
    (r"请用 --layer 一层一层导入", "请一层一层导入"),
    (r"请改 --header-row", "请在“文件”这一步改表头所在的行"),
    (r"没有表头时请用 --header-row 0", "没有表头时把表头所在的行改成 0"),
    (r"请用 --encoding 指明(?:编码)?", "请在“文件”这一步选文字编码"),
    (r"（可用 --map lon=列名 --map lat=列名 指出）", "（可在“对应列”这一步指出）"),
    (r"或用 --map community_code=列名 指出社区", "或在“对应列”这一步指出社区是哪一列"),
    (r"（确实是编号时加 --map number=列名）", "（确实是编号时，在“对应列”这一步亲自选定）"),
    (r"请写明，例如(?: ?--map \w+=列名)+", "请在“对应列”这一步选好"),
    (r"。加 --crs \w+ 重新导入；确实是 WGS-84 时加 --crs EPSG:4326", "。请在“坐标”这一步选定坐标系"),
    (r"若是，请撤回后加 --crs \w+ 重新导入", "若是，请回到“坐标”这一步改选"),
    (r"请(?:用|给) --crs (?:EPSG:编号 )?(?:指明|说明)", "请在“坐标”这一步选定坐标系"),
    (r"(?:或)?加 --duplicates number 收下", "或在“核对”这一步选“加后缀收下”"),
    (r"；加 --rejects 文件\.csv 可全部写出", ""),
    (r"，用 --faults 文件\.geojson 可全部写出", "，可下载全部"),
    (r"--strict：", "要求全部合格："),
    (r"--(?:map|set) (\w+)=(\S*?)：", r"\1：\2 "),
)
_PATTERNS = [(re.compile(pattern), words) for pattern, words in _INSTEAD]


def for_browser(text: str) -> str:
    """The same sentence with the page's steps instead of the command's options.

    >>> for_browser("缺少 .prj 文件，没有声明坐标系；请用 --crs 指明")
    '缺少 .prj 文件，没有声明坐标系；请在“坐标”这一步选定坐标系'
    """
    for pattern, words in _PATTERNS:
        text = pattern.sub(words, text)
    return text
