"""Examples for the API description: one answer of each kind, as the shipped station gives it."""

from __future__ import annotations

from typing import Any, Final

SIGNAL: Final[dict[str, Any]] = {
    "signal": "PT-330A",
    "area": "storage",
    "unit_of_plant": "bank-HB",
    "kind": "AI",
    "name": {"en": "bank HB pressure A", "zh": "高压组压力A"},
    "unit": "MPa",
    "normal": [10.0, 45.0],
    "range": [6.2, 51.8],
    "limits": {"LL": 34.0, "L": 38.0, "H": 46.0, "HH": 48.0},
    "rate_s": 1.0,
    "states": [],
    "watches": None,
    "gateway": "station-plc",
}
SIGNALS: Final = {"items": [SIGNAL], "next_cursor": None}
STATION: Final[dict[str, Any]] = {
    "id": "jinma",
    "name": {"en": "Jinma hydrogen station", "zh": "金马氢能加氢站"},
    "timezone": "Asia/Shanghai",
    "time": "2026-11-23T00:40:00.123Z",
    "speed": 1.0,
    "simulated": True,
    "signals": 303,
}
STATION_DETAIL: Final[dict[str, Any]] = {
    **STATION,
    "units": [
        {
            "area": "storage",
            "unit": "bank-HB",
            "name": {"en": "High bank", "zh": "高压储氢瓶组"},
            "signals": ["PT-330A", "PT-330B"],
        }
    ],
    "gateways": [
        {
            "id": "station-plc",
            "name": {"en": "Station PLC", "zh": "站控PLC"},
            "units": [["storage", "bank-HB"]],
            "online": True,
            "simulated": True,
        }
    ],
    "bays": ["bay-1", "bay-2", "bay-3", "bay-4"],
    "trains": ["train-1", "train-2", "train-3", "train-4"],
    "banks": ["bank-LB", "bank-MB", "bank-HB"],
    "chillers": ["chiller-1", "chiller-2"],
    "hoses": ["hose-1A", "hose-1B"],
    "trucks_per_day": 100,
    "mean_fill_kg": 40.0,
}
STATIONS: Final = {"items": [STATION], "next_cursor": None}
LATEST: Final = {
    "items": [{"signal": "PT-330A", "value": 44.12, "quality": "good", "t": 1795430400123, "age_s": 0.4}],
    "next_cursor": None,
}
READINGS: Final = {
    "series": [
        {
            "signal": "PT-330A",
            "unit": "MPa",
            "points": [[1795430400000, 44.12, "good"], [1795430460000, None, "bad:null"]],
        }
    ],
    "next_cursor": None,
}
COMPLETENESS: Final = {
    "items": [
        {
            "area": "storage",
            "unit": "bank-HB",
            "received": 3595,
            "expected": 3600,
            "late": 0,
            "duplicate": 0,
            "refused": 0,
            "gaps": [{"from": "2026-11-23T00:12:00.000Z", "to": "2026-11-23T00:13:00.000Z", "missing": 5}],
            "windows": [
                {
                    "from": "2026-11-23T00:00:00.000Z",
                    "received": 3595,
                    "expected": 3600,
                    "late": 0,
                    "duplicate": 0,
                    "refused": 0,
                }
            ],
        }
    ],
    "next_cursor": None,
}
CAPACITY: Final[dict[str, Any]] = {
    "station": "jinma",
    "at": "2026-11-23T02:05:00.000Z",
    "horizon_end": "2026-11-23T16:00:00.000Z",
    "valid": True,
    "plan": {"trucks": 100, "kg": 4000.0},
    "done": {"trucks": 38, "kg": 1512.4},
    "deliverable_kg": {"p10": 1980.0, "p50": 2110.0, "p90": 2260.0},
    "trucks_servable": {"p10": 48, "p50": 52, "p90": 56},
    "shortfall_kg": {"p50": 372.0, "p90": 501.0},
    "shortfall_probability": 0.93,
    "shortfall_at": "2026-11-23T09:40:00.000Z",
    "lead_minutes": 455.0,
    "bottleneck": "trailers",
    "time_to_empty_minutes": 410.0,
    "queue_wait_minutes": {"p50": 0.5, "p90": 2.1},
    "trailer_needed_by": "2026-11-23T07:50:00.000Z",
    "n_minus_1_ok": False,
    "inputs": [{"signal": "PT-330A", "value": 44.12, "quality": "good", "age_s": 0.4}],
    "advice": {
        "en": "372 kg (9 trucks) short from 17:40; call a trailer to be here by 15:50.",
        "zh": "17:40起缺372 kg（9辆车）；请安排一车在15:50前到站。",
    },
}
WHAT_IF_BODY: Final = {"remove": ["train-2"], "delay_trailers_min": 120, "add_trucks": 20, "ambient_c": 40}
WHAT_IF: Final = {"base": CAPACITY, "what_if": CAPACITY}
CAPACITY_HISTORY: Final = {"items": [CAPACITY], "next_cursor": None}
SCORECARD: Final[dict[str, Any]] = {
    "date": "2026-11-23",
    "complete": True,
    "forecasts": 291,
    "plan": {"trucks": 100, "kg": 4000.0},
    "done": {"trucks": 92, "kg": 3641.0},
    "shortfall_kg": 352.0,
    "short": True,
    "checks": [
        {
            "at": "2026-11-23T00:00:00.000Z",
            "probability": 0.41,
            "expected_kg": {"p10": 3510.0, "p50": 3628.0, "p90": 3790.0},
            "happened_kg": 3641.0,
            "error_percent": -0.33,
            "in_band": True,
        }
    ],
    "brier": 0.031,
    "in_band_share": 0.84,
    "first_alert": {"at": "2026-11-23T02:05:00.000Z", "told_lead_minutes": 455.0, "real_lead_minutes": 438.0},
    "alerts": [{"id": "CAP-SHORT", "raised": 1, "cleared": 0}],
    "bottleneck": "trailers",
    "bottleneck_text": {"en": "trailer supply", "zh": "长管拖车供应"},
    "text": {
        "en": "92 of 100 trucks and 3641 of 4000 kg given; 352 kg short, warned 438 min before.",
        "zh": "已加注 92 / 100 辆车、3641 / 4000 kg；短缺 352 kg，提前 438 分钟预警。",
    },
}
LEARNED_PARAMETER: Final[dict[str, Any]] = {
    "name": "no_show_share",
    "text": {"en": "bookings of which no truck comes", "zh": "预约未到比例"},
    "unit": "1",
    "value": 0.0132,
    "sd": 0.114,
    "n": 290.0,
    "weight": 0.408,
    "prior": 0.01,
    "prior_sd": 0.0995,
}
LEARNED: Final[dict[str, Any]] = {
    "station": "jinma",
    "at": "2026-11-23T02:05:00.000Z",
    "parameters": [LEARNED_PARAMETER],
    "arrival_profiles": [[0.0417] * 24] * 7,
    "history": [
        {
            "date": "2026-11-22",
            "at": "2026-11-22T16:00:00.000Z",
            "name": "no_show_share",
            "value": 0.0128,
            "sd": 0.112,
            "n": 190.0,
            "weight": 0.513,
        }
    ],
    "next_cursor": None,
}
PLAN: Final[dict[str, Any]] = {
    "date": "2026-11-23",
    "source": "put",
    "trucks": [{"id": "豫A12345", "time": "2026-11-22T22:10:00.000Z", "kg": 40.0}],
    "trailers": [{"id": "T-07", "eta": "2026-11-22T21:00:00.000Z", "bay": None, "kg": 278.0}],
}
TAKEN_PLAN: Final[dict[str, Any]] = PLAN | {
    "feasible": {
        "ok": True,
        "trucks": 1,
        "kg": 40.0,
        "shortfall_kg": 0.0,
        "bottleneck": "none",
        "text": {
            "en": "The station can carry this plan: 1 trucks, 40 kg.",
            "zh": "本站可以完成该计划：1 辆车，40 kg。",
        },
    }
}
PLAN_CSV: Final = "kind,id,time,kg,bay\ntruck,豫A12345,06:10,40,\ntrailer,T-07,05:00,278,bay-2\n"
FIGURES: Final[dict[str, Any]] = {
    "start": "2026-11-22T04:00:00.000Z",
    "end": "2026-11-23T04:00:00.000Z",
    "alarms": 21,
    "late": 0,
    "rates": {"per_day": {"value": 21.0, "target": 150.0, "most": 300.0, "met": True}},
    "floods": [
        {"start": "2026-11-22T09:00:00.000Z", "end": "2026-11-22T09:21:00.000Z", "count": 14, "first": "XS-797.STATE"}
    ],
    "top_ten": [{"alarm": "TT-514A.H", "count": 16, "percent": 76.19}],
    "top_ten_percent": {"value": 100.0, "target": 5.0, "most": None, "met": False},
    "chattering": [{"alarm": "TT-514A.H", "count": 2}],
    "fleeting": [{"alarm": "TT-514A.H", "count": 14}],
    "stale": [],
    "priority_percent": {"critical": 0.0, "high": 4.76, "medium": 76.19, "low": 19.05},
    "acknowledged": [
        {
            "priority": "high",
            "acknowledged": 1,
            "median_min": 2.1,
            "p90_min": 2.1,
            "target_min": 5.0,
            "within_target_percent": 100.0,
        }
    ],
    "buckets": [
        {
            "start": "2026-11-22T17:00:00+08:00",
            "alarms": 21,
            "by_priority": {"critical": 0, "high": 1, "medium": 16, "low": 4},
        }
    ],
    "advice": [
        {
            "alarm": "TT-514A.H",
            "kind": "on-delay",
            "seconds": 30,
            "deadband": None,
            "unit": None,
            "removed": 14,
            "of": 16,
            "text": {
                "en": "An on-delay of 30 s would have removed 14 of 16 alarms and no true one.",
                "zh": "若设 30 秒接通延时，可减少 16 次中的 14 次报警，且不遗漏真实报警。",
            },
        }
    ],
}
TRIALS: Final = {"items": [{"target": "control-room", "ok": True, "answer": "204"}]}
NOTICES: Final = {
    "items": [
        {
            "number": 12,
            "alarm": "PT-330A.HH",
            "occurrence": "PT-330A.HH@1795430400123",
            "priority": "high",
            "kind": "raised",
            "route": "shift",
            "target": "control-room",
            "state": "sent",
            "created_at": "2026-11-23T00:40:00.131Z",
            "title": {
                "en": "ALARM (high) Jinma: Bank HB pressure A very high",
                "zh": "报警（高） 金马：高压组压力A超高",
            },
            "tries": [
                {"at": "2026-11-23T00:40:00.140Z", "took_ms": 31, "ok": True, "duplicate": False, "answer": "204"}
            ],
        }
    ],
    "next_cursor": None,
}
USER: Final = {
    "name": "li.wei",
    "role": "operator",
    "disabled": False,
    "created": "2026-11-01T08:00:00.000Z",
    "last_login": "2026-11-23T00:02:11.000Z",
}
USERS: Final = {"items": [USER], "next_cursor": None}
TOKEN: Final = {
    "prefix": "jm1a2b3c4d",
    "name": "wall-screen",
    "role": "viewer",
    "created": "2026-11-01T08:00:00.000Z",
    "expires": "2027-11-01T08:00:00.000Z",
    "last_used": None,
}
TOKENS: Final = {"items": [TOKEN], "next_cursor": None}
MADE_TOKEN: Final = TOKEN | {"token": "jm1a2b3c4d.SECRET"}
AUDIT: Final = {
    "items": [
        {
            "at": "2026-11-23T00:41:02.018Z",
            "who": "li.wei",
            "role": "operator",
            "address": "10.0.0.7",
            "action": "POST /api/v1/stations/jinma/alarms/PT-330A.HH/ack",
            "status": 200,
            "detail": "",
        }
    ],
    "next_cursor": None,
}
PLAN_BODY: Final = {"trucks": PLAN["trucks"], "trailers": PLAN["trailers"]}
ALARM: Final[dict[str, Any]] = {
    "id": "PT-330A.HH",
    "occurrence": "PT-330A.HH@1795430400123",
    "station": "jinma",
    "signal": "PT-330A",
    "condition": "HH",
    "priority": "high",
    "state": "UNACK",
    "active": True,
    "acked": False,
    "latched": False,
    "late": False,
    "shelved_until": None,
    "raised_at": "2026-11-23T00:40:00.123Z",
    "acked_at": None,
    "acked_by": None,
    "cleared_at": None,
    "value": 48.3,
    "limit": 48.0,
    "first_out": True,
    "group": "storage/bank-HB",
    "text": {"en": "Bank HB pressure A very high", "zh": "高压组压力A超高"},
    "cause": {"en": "Recharge did not stop", "zh": "补气未停止"},
    "consequence": {"en": "The relief valve lifts at 49.5 MPa", "zh": "安全阀将在49.5 MPa起跳"},
    "action": {"en": "Stop the trains, check the stop pressure", "zh": "停压缩机，检查停机压力"},
    "safety": False,
    "out_of_service_by": None,
    "out_of_service_until": None,
    "out_of_service_asked_by": None,
}
MAINTENANCE: Final = {
    "area": "compression",
    "unit": "train-2",
    "until": "2026-11-23T10:00:00.000Z",
    "who": "li.wei",
    "pending": [],
}
MAINTENANCES: Final = {"items": [MAINTENANCE], "next_cursor": None}
LIMITS: Final = {"signal": "PT-330A", "limits": {"LL": 34.0, "L": 38.0, "H": 46.5, "HH": 48.0}, "changed": [ALARM]}
GRAFANA_RECEIVED: Final = {"firing": {"jinma": 1}}
ALARMS: Final = {"items": [ALARM], "next_cursor": None}
JOURNAL: Final = {
    "items": [
        {
            "row": 812,
            "id": "PT-330A.HH",
            "occurrence": "PT-330A.HH@1795430400123",
            "event": "acked",
            "at": "2026-11-23T00:41:02.000Z",
            "received": "2026-11-23T00:41:02.018Z",
            "who": "li.wei",
            "value": 48.3,
            "limit": 48.0,
            "note": "trains stopped",
        }
    ],
    "next_cursor": None,
}
SESSION: Final = {"name": "admin", "role": "admin", "csrf": "u2Qm..", "expires_at": "2026-11-23T12:40:00.000Z"}
STREAM: Final = (
    "id: 5f1c02-181\nevent: readings\n"
    'data: {"area":"storage","unit":"bank-HB","t":1795430400123,"v":{"PT-330A":44.12}}\n\n'
)
LOG: Final = (
    '{"log":{"version":"0.1.0","station":"jinma","start":1795430400000,"end":1795434000000}}\n'
    '{"topic":"h2/v1/jinma/storage/bank-HB","payload":{"t":1795430400123,"v":{"PT-330A":44.12}}}\n'
)

REPLAY: Final[dict[str, Any]] = {
    "id": "ab12cd34",
    "station": "jinma",
    "state": "playing",
    "at": "2026-11-23T06:12:04.000Z",
    "speed": 60.0,
    "start": "2026-11-23T06:00:00.000Z",
    "end": "2026-11-23T08:00:00.000Z",
    "file": None,
    "loaded": 1.0,
    "refused": 0,
    "first_refused": None,
    "forecasts": True,
    "played": [{"from": "2026-11-23T06:00:00.000Z", "to": "2026-11-23T06:12:04.000Z"}],
    "problem": None,
}
REPLAYS: Final = {"items": [REPLAY], "next_cursor": None}
REPLAY_RANGE: Final = {
    "station": "jinma",
    "start": "2026-11-23T14:00:00+08:00",
    "end": "2026-11-23T16:00:00+08:00",
    "speed": 60,
}
REPLAY_CHANGE: Final = {"at": "2026-11-23T14:41:30+08:00", "state": "paused"}
_OCCURRENCE: Final[dict[str, Any]] = {
    "raised_at": "2026-11-23T06:41:32.500Z",
    "cleared_at": None,
    "priority": "medium",
    "first_out": True,
}
COMPARISON: Final = {
    "played": REPLAY["played"],
    "counts": {"same": 1, "only_now": 1},
    "items": [
        {"id": "PT-330A.H", "verdict": "same", "then": _OCCURRENCE, "now": _OCCURRENCE},
        {"id": "TT-331.H", "verdict": "only_now", "then": None, "now": {**_OCCURRENCE, "first_out": False}},
    ],
    "next_cursor": None,
}
REPORT_DAYS: Final[dict[str, Any]] = {
    "items": [
        {
            "date": "2026-11-23",
            "complete": True,
            "version": 2,
            "made_at": "2026-11-23T17:10:04.000Z",
            "kg": 3988.4,
            "trucks": 100,
            "unaccounted_kg": 12.6,
            "alarms": 41,
            "minutes_known": 0.9994,
            "notes": 3,
        }
    ],
    "next_cursor": None,
}
MADE_REPORT: Final = {"date": "2026-11-23", "version": 2, "made_at": "2026-11-23T17:10:04.000Z", "complete": True}
NOTE_BODY: Final = {"text": "Train 2 vibrates more than usual; oil checked.", "kind": "note"}
NOTE: Final[dict[str, Any]] = {
    "number": 17,
    "date": "2026-11-23",
    "at": "2026-11-23T07:58:00.000Z",
    "written_at": "2026-11-23T07:58:00.412Z",
    "who": "li.wei",
    **NOTE_BODY,
}
NOTES: Final = {"items": [NOTE], "next_cursor": None}
REPORT: Final[dict[str, Any]] = {
    "station": "jinma",
    "date": "2026-11-23",
    "complete": True,
    "version": 2,
    "made_at": "2026-11-23T17:10:04.000Z",
    "start": "2026-11-22T16:00:00.000Z",
    "end": "2026-11-23T16:00:00.000Z",
    "until": "2026-11-23T16:00:00.000Z",
    "simulated": True,
    "dispensing": {"kg": 3988.4, "planned_kg": 4000.0, "planned_trucks": 100, "compressed_kg": 3301.2},
    "fills": [
        {
            "hose": "hose-1A",
            "start": "2026-11-22T16:03:10.000Z",
            "end": "2026-11-22T16:18:55.000Z",
            "kg": 40.21,
            "completed": True,
            "end_soc": 97.1,
            "link": "yes",
            "stop": "soc",
        }
    ],
    "trailers": [{"bay": "bay-1", "open": "2026-11-22T18:20:00.000Z", "brought_kg": 380.9, "returned_kg": 101.4}],
    "balance": [
        {
            "of": "day",
            "received": 5710.2,
            "dispensed": 3988.4,
            "error": 71.0,
            "unaccounted_kg": 12.6,
            "share": 0.003159,
            "level": "none",
        }
    ],
    "cusum": {"days": [], "one_sided": 1, "verdict": "fine"},
    "energy": {"site": 6120.0, "per_kg": 1.534},
    "alarms": {"count": 41, "late": 0},
    "scorecard": None,
    "completeness": {"minutes_known": 0.9994},
    "notes": [NOTE],
}
REPORT_CSV: Final = "Jinma hydrogen station: daily report of 2026-11-23\r\n..\r\ntrucks / booked,100 / 100\r\n"
