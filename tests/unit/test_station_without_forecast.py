"""A station whose file lacks what a forecast starts from is watched without one, and says why."""

from __future__ import annotations

import pytest

from api.forecast.tags import NoForecastError, capacity_tags
from tests.support.live_api import live_api
from tests.support.plants import jinma, small_station

pytestmark = pytest.mark.anyio
WHY = "no capacity forecast: the station file lacks trailer/weighbridge mass"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_everything_that_is_missing_is_named() -> None:
    assert capacity_tags(jinma()).weighbridge == "WT-151"
    with pytest.raises(NoForecastError) as caught:
        capacity_tags(small_station())
    for missing in ("trailer/weighbridge mass", "vehicle/hose-1A soc", "storage/bank-HB pressure_b"):
        assert missing in str(caught.value)


async def test_its_api_says_so_instead_of_come_again() -> None:
    api = live_api()
    api.live.capacity.absent = WHY
    async with api.client() as client:
        for method, path, body in (("GET", "", None), ("POST", "/what-if", {"add_trucks": 20})):
            answer = await client.request(method, f"/api/v1/stations/jinma/capacity{path}", json=body)
            assert (answer.status_code, answer.json()["detail"]) == (404, WHY)
