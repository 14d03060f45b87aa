"""The templates themselves: every word has a key, nothing runs inline, nothing comes from elsewhere."""

import re
from pathlib import Path

import pytest

import edge_node
from edge_node.routes.page_words import environment
from edge_node.wording import keys

pytestmark = pytest.mark.fast

ROOM = Path(edge_node.__file__).parent
TEMPLATES = sorted((ROOM / "templates").rglob("*.html"))
SOURCES = [*TEMPLATES, *sorted((ROOM / "routes").glob("page_*.py")), *sorted((ROOM / "printing").glob("*.py"))]
KEY = re.compile(r"""["']((?:page|print)\.[a-z0-9_.]*[a-z0-9_])["']""")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_named_sentence_exists_in_chinese_and_in_english(source: Path) -> None:
    named = set(KEY.findall(source.read_text("utf-8")))
    assert named <= keys("zh_CN")
    assert named <= keys("en")


def test_both_languages_have_the_same_sentences() -> None:
    ours = {
        language: {key for key in keys(language) if key.startswith(("page.", "print."))} for language in ("zh_CN", "en")
    }
    assert ours["zh_CN"] == ours["en"]
    assert len(ours["en"]) > 300


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_chinese_word_of_its_own(template: Path) -> None:
    assert re.findall(r"[一-鿿]", template.read_text("utf-8")) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_runs_nothing_inline_and_fetches_nothing_from_elsewhere(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\s(?:style|on[a-z]+)=", text)
    assert "|safe" not in text
    assert "| safe" not in text
    assert not re.search(r"(?:src|href|action)=[\"']?(?:https?:)?//", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_compiles_and_escapes(template: Path) -> None:
    made = environment()
    assert made.autoescape is True
    made.get_template(str(template.relative_to(ROOM / "templates")))


@pytest.mark.parametrize("sheet", ["page.css", "print.css", "page.js"])
def test_own_assets_fetch_nothing_from_elsewhere(sheet: str) -> None:
    text = (ROOM / "static" / sheet).read_text("utf-8")
    assert "http" not in text
    assert "@import" not in text
    assert "url(" not in text


def test_htmx_is_shipped_with_its_licence() -> None:
    assert (ROOM / "static" / "htmx-4.0.1.min.js").stat().st_size > 20_000
    assert "Zero-Clause BSD" in (ROOM / "static" / "htmx-LICENSE.txt").read_text("utf-8")
