"""Why something waits, in the words of whoever looks after the machine; by the codes of `wire.waiting`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from casework.working_days import CITY_TIME

WHY = {
    "by_relay": "线路不通，已交乡镇代转",
    "renewal_refused": "开通文件的续期没有通过校验",
    "identity_stopped": "本机身份冲突（数据可能被复制或倒退），已停止收发",
    "node_revoked": "本机已被市级停用",
    "city_refuses_node": "市平台拒绝本机的来件",
    "disk_full": "磁盘已满",
    "courier_silent": "送件程序没有动静",
    "mail_failed": "本机收发信箱出错",
    "bad_settings": "送件设置写错，影像暂停收送",
    "not_applied": "市平台没有采纳",
    "scan_damaged": "影像文件损坏或丢失",
    "receipt_not_believed": "收到的回执校验不过，没有采信",
    "answer_not_believed": "市级来件校验不过，没有采信",
    "program_too_old": "本机程序版本旧，有市级来件读不懂",
    "catalog_refused": "新目录未通过校验，仍用原目录",
    "scan_not_opened": "有影像打不开",
    "machine_changed": "数据换到了另一台机器上",
    "other_alarm": "本机有异常",
    "disk_reserve": "磁盘快满，不再收新影像",
    "operations_only": "设为“只送办件”，影像暂停收送",
    "catalog_expired": "目录过了有效期，仍可照常办理",
    "stranger_answers": "应答的不是市平台（上网可能要先登录或续费）",
    "clock_doubtful": "本机时钟不可信，时限只供参考",
    "line_down": "线路不通",
    "city_busy": "市平台正忙或在维护",
    "clock_corrected": "本机时间有偏差，已按市平台的时间校正",
    "not_tried_yet": "开机后还没有试过",
    "daily_cap": "今天的影像流量用完了",
    "quiet_hours": "现在是影像不收送的时段",
    "answer_waits_for_catalog": "结果已到，等新目录到了才能读",
    "behind_another_step": "市平台已收到，在等它前面的一步先到",
    "scan_elsewhere": "村里还没有送到市平台",
    "at_city": "市平台已收到，等结果",
    "being_fetched": "已到市平台，正在取来",
    "being_laid": "刚存好，正在交给送件程序",
    "being_sent": "线路通，正在送",
    "line_good": "线路正常",
    "asked_for_erased": "市级要求重发本机已按期清除的内容",
    "key_change_waits": "数据库换密钥在等空间或空闲",
}
WHO = {
    "nobody": "不用做什么",
    "counter": "请代办员处理",
    "installer": "请装机员处理",
    "city": "请市级管理员处理",
}
THEN = {
    "tried_again": "自动再试",
    "sent_at_once": "存好的马上送出",
    "goes_on": "到时自动接着送",
    "answer_comes": "结果自动送回来",
    "after_another": "前一步到了自动接着办",
    "comes_by_itself": "到了自动显示",
    "next_contact": "下次连上市平台时自动好",
    "enrolled_anew": "重新开通后自动补送，一件不丢",
    "city_restores": "市级恢复后自动接着送",
    "looked_into": "本机内容都在，查明后自动接着送",
    "room_is_made": "腾出空间后自动恢复，不用重启",
    "started_again": "重新启动送件程序后自动接着送",
    "settings_mended": "改好设置后自动接着送",
    "done_anew": "按原因改正后重新办这一步",
    "scanned_again": "请留好原件，乡镇退回补正时重新扫描",
    "line_freed": "登录上网或续费后自动再试",
    "catalog_renewed": "市级发布新目录后自动更新",
    "program_updated": "升级本机程序后就能读",
    "done_later": "过后自动再做",
}


def waiting_sentence(params: Mapping[str, Any]) -> str:
    """One finding about what waits: what it is about, why, who must act, what comes next and when."""
    parts = [WHY[params["why"]] + (f"({params['code']})" if params["code"] else "")]
    parts += [WHO[params["who"]], THEN[params["then"]] + _when(params["when"])]
    if params["stick"]:
        parts.append("也可以用 U 盘带走")
    what = "、".join(words.format(params[name]) for name, words in COUNTED.items() if params.get(name))
    return f"{what}:{';'.join(parts)}" if what else ";".join(parts)


def _when(moment: str | None) -> str:
    return f"({datetime.fromisoformat(moment).astimezone(CITY_TIME):%m-%d %H:%M})" if moment else ""


COUNTED = {"ops": "办件记录 {} 条", "scans": "影像 {} 份", "oldest_hours": "最久已等 {} 小时"}
