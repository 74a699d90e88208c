"""One bucket of InfluxDB 2: its connection, its errors in our words, and its answers as they come."""

from __future__ import annotations

import contextlib
import io
import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from influxdb_client import BucketRetentionRules, InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from station.adapters import flux
from station.adapters.influx_answers import rfc3339, said_reason, shortened
from station.errors import BadInputError, JinmaError, StoreUnavailableError

RETENTION_S = 30 * 86_400
"""Of a bucket that we make: contract section 4."""

CONNECT_MS, READ_MS = 5_000, 60_000
_DIALECT: Final = {
    "header": True,
    "delimiter": ",",
    "annotations": [],
    "commentPrefix": "#",
    "dateTimeFormat": "RFC3339",
}
TYPED: Final = _DIALECT | {"annotations": ["datatype"]}
_QUERY_PATH: Final = "/api/v2/query"

_EVER = ("1970-01-01T00:00:00Z", "2262-04-11T00:00:00Z")
"""What InfluxDB can tell of [RFC 3339]."""

# A replaced token or bucket is to be mended by a person while data waits; it is no reason to throw data away.
_SETTING_FAULTS = {
    401: "refuses the token: set INFLUXDB_V2_TOKEN",
    403: "does not let this token do that",
    404: "does not know the organisation or the bucket",
}
_LOG = logging.getLogger(__name__)


class InfluxBucket:
    """An open connection; the bucket is looked for, and made where it is missing, at the first use.

    Args:
        url: `http://host:8086` or `https://..`.
        token: May read and write the bucket; where the bucket is missing, may make it.
        org: Organisation by name.
        bucket: Bucket by name.
    """

    def __init__(self, url: str, token: str, org: str, bucket: str) -> None:
        self.url = url
        self._org = org
        self._bucket = bucket
        self._raw_kept_ms = 0
        # gzip costs 5 % of the rate and saves nine tenths of the bytes: it pays over a network, which is where TLS is.
        self._client: Any = InfluxDBClient(
            url=url, token=token, org=org, timeout=(CONNECT_MS, READ_MS), enable_gzip=url.startswith("https:")
        )
        self._query_headers = {
            "Authorization": f"Token {token}",
            "Content-Type": "application/json",
            "Accept": "application/csv, application/json",
        } | self._client.api_client.default_headers
        self._client.api_client.configuration.update_request_header_params(_QUERY_PATH, self._query_headers)
        self._writer: Any = self._client.write_api(write_options=SYNCHRONOUS)
        self._prepared = False
        self._prepare_lock = threading.Lock()
        self._closed = False

    def prepare(self) -> None:
        """See that organisation and bucket are there and the token is right; make the bucket, kept 30 days.

        Raises:
            BadInputError: Wrong token or organisation, or no bucket and no right to make one.
            StoreUnavailableError: InfluxDB does not answer.
        """
        with self._prepare_lock:
            if self._prepared:
                return
            with self._faults(settings_are_final=True):
                found = self._client.buckets_api().find_bucket_by_name(self._bucket)
                if found is None:
                    self._make_bucket(self._bucket, RETENTION_S)
                rules = [RETENTION_S] if found is None else [rule.every_seconds for rule in found.retention_rules]
                self._raw_kept_ms = 1000 * rules[0] if rules else 0
            self._prepared = True

    def _make_bucket(self, name: str, kept_s: int) -> None:
        organisations = self._client.organizations_api().find_organizations(org=self._org)
        if not organisations:
            raise BadInputError(f"InfluxDB {self.url}: organisation {self._org!r} is not there, or not for this token")
        rules = BucketRetentionRules(type="expire", every_seconds=kept_s)
        try:
            self._client.buckets_api().create_bucket(bucket_name=name, retention_rules=rules, org=organisations[0])
        except ApiException as error:
            if error.status == 422:  # another process was quicker
                return
            raise BadInputError(
                f"InfluxDB {self.url}: bucket {name!r} is not there, or not for this token, "
                f"and it may not be made: {said_reason(error)}"
            ) from error
        _LOG.info("made bucket %s in %s, kept for %d days", name, self.url, kept_s // 86_400)

    @contextlib.contextmanager
    def _faults(self, *, settings_are_final: bool = False) -> Iterator[None]:
        """Turn the client's errors into the project's, the endpoint named."""
        try:
            yield
        except ApiException as error:
            raise self._fault(error, settings_are_final=settings_are_final) from error
        except (HTTPError, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise StoreUnavailableError(f"InfluxDB {self.url} cannot be reached: {shortened(reason)}") from error
        except flux.FluxError as error:
            raise StoreUnavailableError(f"InfluxDB {self.url} broke off its answer: {error}") from error

    def _fault(self, error: ApiException, *, settings_are_final: bool) -> JinmaError:
        if error.status == 404:
            self._prepared = False  # the bucket was deleted: the next use makes it again
        fault = _SETTING_FAULTS.get(error.status)
        if fault is not None:
            of = f"organisation {self._org!r}, bucket {self._bucket!r}"
            text = f"InfluxDB {self.url} {fault} ({of}): {said_reason(error)}"
            return BadInputError(text) if settings_are_final else StoreUnavailableError(text)
        text = f"InfluxDB {self.url} answered {error.status}: {said_reason(error)}"
        return BadInputError(text) if error.status == 400 else StoreUnavailableError(text)

    def _ready(self) -> None:
        if self._closed:
            raise StoreUnavailableError(f"InfluxDB {self.url}: this store is closed")
        if self._prepared:
            return
        try:
            self.prepare()
        except BadInputError as error:  # found wrong after the start: data waits until it is mended
            raise StoreUnavailableError(str(error)) from error

    def _delete_before(self, t_ms: int, bucket: str) -> None:
        stop = f"{rfc3339(t_ms - 1)[:-1]}999999Z"  # right whether or not the stop is included
        with self._faults():
            self._client.delete_api().delete(_EVER[0], stop, "", bucket, self._org)

    def _delete_station(self, station: str, bucket: str) -> None:
        with self._faults():
            self._client.delete_api().delete(_EVER[0], _EVER[1], f'station="{station}"', bucket, self._org)

    def _asked(self, query: str, dialect: Mapping[str, object]) -> Any:
        """Return the answer to a query, not read yet.

        The client's own way here turns each header and body over several times, for 1 ms: a tenth of a short question.
        """
        client = self._client.api_client
        headers = dict(self._query_headers)
        url = f"{client.configuration.host}{_QUERY_PATH}?{urlencode({'org': self._org})}"
        body = {"query": query, "dialect": dialect, "type": "flux"}
        return client.rest_client.request("POST", url, headers=headers, body=body, _preload_content=False)

    def _whole(self, query: str) -> bytes:
        """Return all of an answer: as lines it costs more than to be asked for, where it is short."""
        self._ready()
        with self._faults():
            response = self._asked(query, _DIALECT)
            try:
                read: bytes = response.read()
            except BaseException:
                response.close()
                raise
            finally:
                response.release_conn()
        return read

    @contextlib.contextmanager
    def _answer(self, query: str, dialect: Mapping[str, object] = _DIALECT) -> Iterator[io.TextIOWrapper]:
        """Ask a query; give the answer's lines as they come."""
        self._ready()
        with self._faults():
            response = self._asked(query, dialect)
            response.auto_close = False  # urllib3 would close under the text layer, which then trips over it
            try:
                yield io.TextIOWrapper(io.BufferedReader(response, 1 << 18), "utf-8", newline="")
            except BaseException:
                response.close()  # with the rest of its answer unread, this connection serves nobody else
                raise
            finally:
                response.release_conn()

    def _records(self, query: str) -> list[dict[str, str]]:
        with self._answer(query) as lines:
            return list(flux.records(lines))

    def close(self) -> None:
        """Release the connections; idempotent."""
        if not self._closed:
            self._closed = True
            self._writer.close()
            self._client.close()
