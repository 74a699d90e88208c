"""The six boards of a station, one module each; `BOARDS` has them in the order of their links."""

from dashboards.grafana.boards import alarms, capacity, compression, dispensing, overview, storage
from dashboards.grafana.boards.board import Board

__all__ = ["BOARDS", "Board"]

BOARDS = (
    Board("overview", "overview", "总览", overview.rows),
    Board("capacity", "capacity", "供氢能力", capacity.rows),
    Board("storage", "storage and trailers", "储氢与长管拖车", storage.rows),
    Board("compression", "compression and cooling", "压缩与制冷", compression.rows),
    Board("dispensing", "dispensing and fills", "加氢与加注", dispensing.rows),
    Board("alarms", "alarms and data quality", "报警与数据质量", alarms.rows),
)
