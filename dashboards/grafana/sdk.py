"""The foundation SDK's builders and models, imported in one place with their warning silenced.

Its classic dashboard warns at import that schema v2 is preferred; the API's routes for dashboards do not take v2.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, statetimeline, table, timeseries
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as kinds
    from grafana_foundation_sdk.models import dashboard as parts

__all__ = [
    "JSONEncoder",
    "bargauge",
    "common",
    "dashboard",
    "kinds",
    "parts",
    "stat",
    "statetimeline",
    "table",
    "timeseries",
]
