"""What an installer reads, by stable code (Chinese), for enrolment, clerks, doctor and the demo's failures."""

from __future__ import annotations

from collections.abc import Mapping

from offline_store.errors import StoreError
from provisioning.errors import ProvisioningError
from provisioning.waiting_wording import waiting_sentence
from wire.errors import WireError

ERRORS = {
    "provisioning.gateway_unreachable": "连不上网关，或回答的不是网关（状态 {status}）。请检查线路和网址，可放心重试。",
    "provisioning.gateway_refused": "网关拒绝开通（{refusal}）。",
    "provisioning.wrong_role": "这个开通码是给 {issued} 节点的，不能装成 {asked} 节点。",
    "provisioning.wrong_document": "网关的开通文件写的不是本机的密钥，未采用。请联系市级管理员。",
    "provisioning.enrolled_elsewhere": "本文件夹已是另一网关的节点（{site}），不会改动。",
    "provisioning.node_running": "节点服务正在运行，请先停止 edge_node。",
    "provisioning.not_enrolled": "这里还没有开通的节点。",
    "provisioning.wrong_site": "这个开通码是给 {issued} 的，不能用在 {asked} 的机器上；本机未作任何改动。",
    "provisioning.passphrase_too_short": "口令太短，至少 {minimum} 个字符。",
    "provisioning.unknown_clerk": "没有登录名 {clerk_id}，请核对；本机未作任何改动。",
    "provisioning.program_died": "{program} 意外退出（代码 {status}）。日志：{log}",
    "provisioning.day_stuck": "等待“{what}”超过 {seconds} 秒。日志在 {log}",
    "enrolment.malformed_code": "开通码抄写有误，请核对。",
    "enrolment.wrong_gateway": "这个网关不是开通码上的网关，已停止。",
    "enrolment.code_refused": "开通码无效、已过期，或已被另一台机器使用。请向市级管理员要新的开通码。",
    "keyring.machine_key_missing": "没有拿到本机密钥（系统凭据 desk-key）。请用 guangan-node 命令运行。",
    "file.other_identity": "上次重新开通没有做完。请用同一个开通码再运行一次 re-enrol，会从断的地方接着做。",
    "file.node_file_missing": "这里还没有开通的节点。",
}
ROLES = {"village": "村级节点", "township": "乡镇节点"}
OTHERWISE = "未能完成（{code}）。"


def sentence(error: ProvisioningError | StoreError | WireError) -> str:
    """The sentence for an error; one without its own says its code, so that it can be looked up."""
    fields = error.fields if isinstance(error, ProvisioningError) else vars(error)
    refusal = fields.get("refusal")
    if isinstance(refusal, str) and refusal in ERRORS:
        return ERRORS[refusal]
    return ERRORS.get(error.code, OTHERWISE).format(**(dict(fields) | {"code": error.code}))


CHECKS = {
    "enrolment": "开通",
    "clock": "时钟",
    "space": "磁盘空间",
    "fsync": "落盘速度",
    "keys": "密钥",
    "store": "数据库",
    "counter": "节点服务",
    "line": "线路",
    "waiting": "未送到",
    "catalog": "办事目录",
}
STANDINGS = {"good": "正常", "attention": "注意", "bad": "故障", "unknown": "不明"}
FINDINGS = {
    "enrolment.valid": "{site}（{role}），有效期至 {until}",
    "enrolment.expired": "{site}（{role}），开通文件 {until} 到期；联网后自动换发（到期 400 天内），不影响本地办理",
    "clock.never_compared": "还没有和市级对过时",
    "clock.receipt_unreadable": "最近一次回执读不出来，无法对时",
    "clock.off": "与市级签名时间相差 {seconds} 秒；办件不受影响，但期限提示会标为不确定",
    "clock.right": "与市级签名时间相差 {seconds} 秒",
    "space.below_reserve": "剩余 {free} MiB，低于保留的 {reserve} MiB：不能再收影像，请清理磁盘",
    "space.little": "剩余 {free} MiB，请留意",
    "space.enough": "剩余 {free} MiB",
    "fsync.not_measured": "无权在此测量",
    "fsync.slow": "中位 {p50} 毫秒，最慢百分之一 {p99} 毫秒：这块盘很慢，保存会有停顿",
    "fsync.fine": "中位 {p50} 毫秒，最慢百分之一 {p99} 毫秒",
    "keys.present": "齐全（钥匙槽：{slots}）",
    "keys.present_transport_hidden": "齐全（钥匙槽：{slots}；传输密钥只有同步程序的账户能看到）",
    "keys.transport_missing": "缺少传输密钥，请重新运行开通",
    "keys.transport_open_to_others": "传输密钥文件可被其他账户读取，请改为 0600",
    "store.safe": "{settings} 项安全设置已逐项读回，SQLite {sqlite}",
    "store.not_opened": "密钥不可用，未检查",
    "counter.answering": "正在运行",
    "counter.not_answering": "没有运行",
    "counter.not_ours": "当前账户无权连接",
    "line.up": "通，自 {since}；待送办件 {ops} 件、影像 {scans} 份",
    "line.down": "不通，自 {since}（{error}）；待送办件 {ops} 件、影像 {scans} 份，都已安全存在本机",
    "line.never_tried": "还没有试过",
    "waiting.nothing": "没有等待上送的内容",
    "waiting.not_read": "还没有开通，或信箱读不出来，未检查",
    "catalog.none": "还没有收到目录",
    "catalog.fresh": "第 {version} 版，{days} 天前收到，签名有效期至 {until}",
    "catalog.expired": "第 {version} 版，签名 {until} 到期，{days} 天没有更新；仍可照常办理",
}


def finding_sentence(code: str, params: Mapping[str, object]) -> str:
    """The sentence for one finding of doctor."""
    if code == "waiting.explained":
        return waiting_sentence(params)
    return FINDINGS.get(code, ERRORS.get(code, OTHERWISE)).format(**(dict(params) | {"code": code}))
