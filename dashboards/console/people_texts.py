"""The words of the people page, in both languages."""

from __future__ import annotations

from typing import Final

from station.domain.plant import Text

PEOPLE_TEXTS: Final[dict[str, Text]] = {
    "people_refused": Text("Only admins may see people, tokens and the audit.", "仅管理员可查看人员、令牌和审计。"),
    "people_refused_who": Text(
        "You are {0}, with the role {1}. Ask an admin for what you need.", "您是 {0}，角色为{1}。请联系管理员。"
    ),
    "users": Text("Users", "用户"),
    "tokens": Text("Tokens of machines", "机器令牌"),
    "audit": Text("Audit: who did what", "审计：操作记录"),
    "role": Text("Role", "角色"),
    "role_viewer": Text("viewer: sees", "查看员：查看"),
    "role_operator": Text("operator: acts on alarms and plans", "操作员：处置报警与计划"),
    "role_engineer": Text("engineer: changes limits too", "工程师：另可修改限值"),
    "role_admin": Text("admin: everything", "管理员：全部"),
    "short_viewer": Text("viewer", "查看员"),
    "short_operator": Text("operator", "操作员"),
    "short_engineer": Text("engineer", "工程师"),
    "short_admin": Text("admin", "管理员"),
    "name": Text("Name", "名称"),
    "add_user": Text("Add a user", "添加用户"),
    "new_user": Text("A new user", "新用户"),
    "password_rule": Text(
        "At least 12 characters, five of them different, without the name.",
        "至少 12 个字符，其中 5 个不同，且不含用户名。",
    ),
    "status": Text("Status", "状态"),
    "may_enter": Text("may enter", "可登录"),
    "shut_out": Text("disabled", "已禁用"),
    "created": Text("Created", "创建"),
    "last_login": Text("Last login", "上次登录"),
    "never_yet": Text("never", "从未"),
    "change_role": Text("Role of {0}", "{0} 的角色"),
    "role_do": Text("Change role", "修改角色"),
    "disable": Text("Disable", "禁用"),
    "disable_which": Text("Disable {0}", "禁用 {0}"),
    "disable_note": Text("Their sessions end at once.", "其会话立即结束。"),
    "enable": Text("Enable", "启用"),
    "enable_which": Text("Enable {0}", "启用 {0}"),
    "new_password": Text("New password", "新密码"),
    "new_password_which": Text("New password of {0}", "{0} 的新密码"),
    "new_password_note": Text("Their sessions end at once.", "其会话立即结束。"),
    "delete": Text("Delete", "删除"),
    "delete_which": Text("Delete {0}", "删除 {0}"),
    "delete_note": Text(
        "This cannot be taken back. What they did stays in journal and audit.", "不可撤销；历史与审计保留。"
    ),
    "tokens_none": Text("There are no tokens.", "没有令牌。"),
    "users_none": Text("There are no users yet: machines and the first admin come in by tokens.", "尚无用户。"),
    "prefix": Text("Begins with", "前缀"),
    "expires": Text("Expires", "到期"),
    "expires_never": Text("never", "永不"),
    "expired": Text("expired {0}", "已于 {0} 到期"),
    "last_used": Text("Last used", "上次使用"),
    "add_token": Text("Make a token", "创建令牌"),
    "new_token": Text("A new token", "新令牌"),
    "lives": Text("Lives for", "有效期"),
    "lives_30d": Text("30 days", "30 天"),
    "lives_90d": Text("90 days", "90 天"),
    "lives_365d": Text("a year", "一年"),
    "token_made": Text("The token of {0}", "{0} 的令牌"),
    "token_once": Text("It is shown this once: copy it now.", "仅显示这一次，请立即复制。"),
    "copy": Text("Copy", "复制"),
    "copied": Text("Copied", "已复制"),
    "revoke": Text("Revoke", "吊销"),
    "revoke_which": Text("Revoke {0}", "吊销 {0}"),
    "revoke_note": Text(
        "It opens nothing any more; its streams close within 5 s.", "立即失效，其数据流在 5 秒内关闭。"
    ),
    "wall_times": Text(
        "Times on this page are of the wall clock, in the zone named above.", "本页时间为实际时间，时区见上方。"
    ),
    "audit_who": Text("Only this name", "仅此名称"),
    "audit_none": Text("No act of the last week.", "最近一周无操作。"),
    "address": Text("From", "来自"),
    "action": Text("Act", "操作"),
    "answer": Text("Answer", "结果"),
    "done": Text("done", "完成"),
    "denied": Text("denied", "被拒"),
    "failed_act": Text("not done", "未执行"),
}
