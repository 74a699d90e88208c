"""What areas and priorities are called, wherever they are spoken of."""

from __future__ import annotations

from typing import Final

from station.domain.plant import Text

PRIORITY_WORDS: Final = {
    "critical": Text("critical", "紧急"),
    "high": Text("high", "高"),
    "medium": Text("medium", "中"),
    "low": Text("low", "低"),
}
AREA_WORDS: Final = {
    "trailer": Text("trailers", "长管拖车"),
    "compression": Text("compression", "压缩"),
    "storage": Text("storage", "储氢"),
    "cooling": Text("cooling", "预冷"),
    "dispensing": Text("dispensing", "加注"),
    "vehicle": Text("vehicle", "车辆"),
    "fire_gas": Text("fire and gas", "消防与气体"),
    "utilities": Text("utilities", "公用工程"),
    "quality": Text("quality", "氢气质量"),
    "system": Text("system", "系统"),
    "capacity": Text("capacity", "供氢能力"),
}
