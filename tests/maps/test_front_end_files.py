"""What the strict policy forbids is not in the templates; what is referred to exists; vendored files are whole."""

import hashlib
import json
import re

import pytest

from service.config import ROOT

STATIC = ROOT / "service" / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted((STATIC / "js").rglob("*.js"))
ICONS = set(re.findall(r'symbol id="([^"]+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_inline_style_handler_or_bare_script(path):
    html = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", html)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", html)
    assert "|safe" not in html
    for tag in re.findall(r"<script[^>]*>", html):
        assert "nonce" in tag or "src=" in tag
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_icon_of_a_template_exists(path):
    html = path.read_text(encoding="utf-8")
    used = set(re.findall(r'icon\("([\w-]+)"[,)]', html)) | set(re.findall(r"icons\.svg'\) }}#([\w-]+)", html))
    assert used <= ICONS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_import_what_exists_and_load_nothing_from_outside(path):
    code = path.read_text(encoding="utf-8")
    for name, source in re.findall(r"import \{([^}]+)\} from '(\.[\w./]+)'", code):
        other = (path.parent / source).read_text(encoding="utf-8")
        for each in name.split(","):
            assert re.search(rf"export (?:async )?(?:const|class|function\*?) {each.strip()}\b", other), (source, each)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", code)
    assert "eval(" not in code
    assert "setAttribute('style'" not in code


def test_both_languages_of_the_scripts_have_the_same_words():
    code = (STATIC / "js" / "map" / "words.js").read_text(encoding="utf-8")
    parts = [code.split(f"const {name} = {{")[1].split("\n};")[0] for name in ("ZH", "EN")]
    zh, en = (set(re.findall(r"(?:^|\s)(\w+): '", part)) for part in parts)
    assert zh == en
    used = set()
    for path in MODULES:
        used |= set(re.findall(r"\bsay\('(\w+)'", path.read_text(encoding="utf-8")))
    assert used <= zh


def test_both_languages_of_drawing_have_the_same_words():
    code = (STATIC / "js" / "draft" / "words.js").read_text(encoding="utf-8")
    parts = [code.split(f"const {name} = {{")[1].split("\n};")[0] for name in ("ZH", "EN")]
    zh, en = (set(re.findall(r"(?:^|\s)(\w+): '", part)) for part in parts)
    assert zh == en
    used = set()
    for path in (STATIC / "js" / "draft").glob("*.js"):
        used |= set(re.findall(r"\b(?:word|hint)\('(\w+)'", path.read_text(encoding="utf-8")))
    assert used <= zh


def test_vendored_files_are_those_of_the_manifest_with_their_licences():
    manifest = json.loads((STATIC / "vendor" / "manifest.json").read_text(encoding="utf-8"))
    listed = {}
    for package in manifest["packages"]:
        assert package["version"] and package["licence"]
        assert any(name.endswith("/LICENSE") for name in package["files"])
        listed |= package["files"]
    vendor = STATIC / "vendor"
    there = {path.relative_to(vendor).as_posix() for path in vendor.rglob("*") if path.is_file()}
    assert there == {*listed, "manifest.json"}
    for name, digest in listed.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest, name
    assert sum((vendor / name).stat().st_size for name in there) < 12_000_000
