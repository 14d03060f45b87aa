"""What the publisher reads, by stable code (Chinese: the city administrator's language)."""

from __future__ import annotations

from city_gateway.catalog.errors import CatalogError, Problem, SourceRefused

GATEWAY_KEYS_MISSING = "网关还没有自己的密钥,请先运行 keys init。"
ERRORS = {
    "catalog.source_refused": "目录源文件有 {count} 处问题,未发布。请逐条改正后重新发布:",
    "catalog.repository_missing": "文件夹 {folder} 里还没有目录仓库,请先运行 catalog init。",
    "catalog.repository_exists": "{folder} 里已有目录仓库或签名密钥,不会覆盖。",
    "catalog.too_few_signatures": "{role} 需要 {needed} 把密钥签名,现在只有 {at_hand} 把,未发布。",
    "catalog.key_not_opened": "密钥文件 {key} 打不开:口令不对,或不是签名密钥。",
    "catalog.passphrase_too_short": "密钥 {key} 的口令太短,至少 {minimum} 个字符。",
    "catalog.version_not_rising": (
        "目录版本只能升高:已发布第 {published} 版,不能再发布第 {asked} 版。要退回旧内容,请以新版本号发布旧内容。"
    ),
    "catalog.revocations_not_rising": "吊销名单只能增加:已发布第 {published} 号,这份是第 {asked} 号。",
    "catalog.busy": "另一个发布正在进行,请稍后再试。",
}
PROBLEMS = {
    "catalog.file_missing": "缺少文件",
    "catalog.not_json": "不是有效的 JSON",
    "catalog.wrong_shape": "文件结构不对,缺少列表",
    "catalog.id_twice": "编号重复",
    "catalog.id_missing": "缺少编号",
    "catalog.does_not_load": "无法按目录格式读入",
    "catalog.reference_unknown": "引用了不存在的编号",
    "catalog.form_of_another_item": "登记表属于另一事项",
    "catalog.mode_unknown": "没有这种代办方式",
    "catalog.domain_missing": "事项没有所属领域",
}


def problem_line(problem: Problem) -> str:
    """One line for one mistake of the source: where, what, which."""
    found = f":{problem.found}" if problem.found else ""
    return f"{problem.where} {PROBLEMS[problem.code]}{found}"


def error_lines(error: CatalogError) -> list[str]:
    """The sentence of an error, and below it every problem it carries."""
    lines = [ERRORS[error.code].format(**error.fields)]
    if isinstance(error, SourceRefused):
        lines += [problem_line(problem) for problem in error.problems]
    return lines
