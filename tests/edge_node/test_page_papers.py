"""The papers: every field of the catalog's documents, masked numbers, and nothing claimed that is not so."""

import re

import pytest

from casework.states import State
from edge_node.printing.square import square
from tests.edge_node.page_browser import Browser
from tests.edge_node.town import Town, seed

pytestmark = pytest.mark.node

PERSON = {
    "applicant_name": "张测试",
    "applicant_id_type": "111",
    "applicant_id_no": "511602180001010016",
    "agent_name": "李样例",
}
POINT = "material-GA-LY-001-M01"
RETURN = (("tick", POINT), (f"problem.{POINT}", "缺少伐区位置图"), (f"remedy.{POINT}", "补交位置图"))
DECLINE = (
    ("reason", "位于自然保护区核心区"),
    ("basis", "森林法第五十五条"),
    ("elsewhere", "广安市林业局"),
    ("remedy", "可以自收到本通知书之日起六十日内申请行政复议"),
)
WORDS = {
    "slip": [
        "编号", "申请人", "事项名称", "收取材料明细", "形式", "份数", "原件是否退回", "收件人", "收件时间",
        "承诺办结时间", "查询", "盖章或电子签章", "申请人签收",
    ],
    "supplement": [
        "编号", "申请人", "事项名称", "收件日期", "材料", "问题", "依据条目", "补正要求", "补正方式和期限",
        "一次性告知声明", "告知日期", "经办人", "盖章", "送达方式", "签字",
    ],
    "acceptance": [
        "编号", "实施主体", "受理日期", "法定办结时限", "承诺办结时限", "届满日", "查询与联系方式", "专用印章",
    ],
    "declined": ["编号", "理由", "依据", "应向何机关申请", "救济途径", "专用印章"],
}  # fmt: skip
DOC_IDS = {"slip": "D-SL", "supplement": "D-BZ", "acceptance": "D-STZ", "declined": "D-BSL"}
TITLES = {"slip": "代办收件单", "supplement": "补正告知书", "acceptance": "受理通知书", "declined": "不予受理通知书"}


async def _paper(browser: Browser, town: Town, name: str, item_id: str = "GA-LY-001") -> str:
    it = await browser.begun(town, 1, item_id, **PERSON)
    act, fields = {
        "slip": ("", ()),
        "supplement": ("return", RETURN),
        "acceptance": ("accept", ()),
        "declined": ("decline", DECLINE),
    }[name]
    if act:
        answer = await browser.submit(f"/review/{it}/{act}", f"/review/{it}/{act}", [("step", "do"), *fields])
        assert answer.status_code == 303, answer.text
    shown = await browser.get(f"/review/{it}/print/{name}")
    assert shown.status_code == 200
    return shown.text


def _read(text: str) -> str:
    return re.sub(r"<[^>]+>", "", text.partition('<main class="sheet">')[2])


@pytest.mark.parametrize("name", list(WORDS))
async def test_a_paper_has_every_field_that_the_document_asks_for(browser: Browser, town: Town, name: str) -> None:
    text = _read(await _paper(browser, town, name))
    document = next(one for one in seed("documents")["documents"] if one["doc_id"] == DOC_IDS[name])
    assert TITLES[name] in text
    for words in WORDS[name]:
        assert words in text, (words, document["fields"])


@pytest.mark.parametrize("name", list(WORDS))
async def test_a_paper_names_the_person_and_masks_the_number(browser: Browser, town: Town, name: str) -> None:
    text = await _paper(browser, town, name)
    assert "张测试" in text
    assert "511602********0016" in text
    assert PERSON["applicant_id_no"] not in text


async def test_a_slip_never_passes_for_an_acceptance(browser: Browser, town: Town) -> None:
    text = _read(await _paper(browser, town, "slip"))
    assert "不是行政受理凭证" in text
    assert "不是受理凭证" in text
    assert "受理单" not in text.replace("收件单", "")


async def test_an_unknown_promise_is_left_to_the_notice_of_acceptance(browser: Browser, town: Town) -> None:
    assert "以受理通知为准" in _read(await _paper(browser, town, "slip", "GA-MZ-002"))


async def test_an_unknown_limit_is_printed_as_unknown(browser: Browser, town: Town) -> None:
    text = _read(await _paper(browser, town, "acceptance", "GA-MZ-002"))
    assert text.count("未知") >= 3


async def test_an_acceptance_prints_the_day_on_which_the_limit_ends(browser: Browser, town: Town) -> None:
    text = _read(await _paper(browser, town, "acceptance"))
    due = town.state(f"{1:032x}").limit_due
    if due is None:
        assert "暂估" in text
    else:
        assert f"{due.year}年{due.month}月{due.day}日" in text


async def test_the_notice_of_a_permit_says_what_the_law_says_about_silence(browser: Browser, town: Town) -> None:
    text = _read(await _paper(browser, town, "supplement"))
    assert "第三十二条" in text
    assert "缺少伐区位置图" in text


@pytest.mark.parametrize("name", ["acceptance", "declined"])
async def test_a_paper_names_the_body_of_its_own_county(browser: Browser, town: Town, name: str) -> None:
    text = _read(await _paper(browser, town, name))
    assert "前锋区林业局" in text
    assert "区县林业局" not in text


async def test_a_decline_names_the_competent_body_in_its_own_place(browser: Browser, town: Town) -> None:
    text = await _paper(browser, town, "declined")
    assert re.search(r"应向何机关申请</th><td[^>]*>广安市林业局<", text)
    assert re.search(r"不予受理理由</th><td[^>]*>位于自然保护区核心区<", text)
    assert "不得以代办点名义出具" in text


@pytest.mark.parametrize("name", ["supplement", "acceptance", "declined", "nonsense", "../slip"])
async def test_a_paper_that_the_file_does_not_support_cannot_be_printed(
    browser: Browser, town: Town, name: str
) -> None:
    it = await browser.begun(town, 1)
    assert (await browser.get(f"/review/{it}/print/{name}")).status_code == 404
    assert town.state(it).state is State.PRE_REVIEW


async def test_a_slip_names_the_place_of_collection_in_full(browser: Browser, town: Town) -> None:
    text = _read(await _paper(browser, town, "slip"))
    assert "前锋区护安镇团柏村代办点" in text


def test_the_square_code_is_a_drawing_without_words() -> None:
    drawn = str(square("511603106205-20261123-0007-K"))
    assert drawn.startswith("<svg")
    assert "511603" not in drawn
    assert "style=" not in drawn
